package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"linli/devices"
	"linli/devices/simulate"
	"linli/people"
)

// inventory is a Directory of simulated devices and people.
type inventory struct {
	devices     map[string]*devices.Device
	people      map[string]*people.Person
	communities map[string]*devices.Community
}

func newInventory() *inventory {
	return &inventory{map[string]*devices.Device{}, map[string]*people.Person{}, map[string]*devices.Community{}}
}

func (i *inventory) Device(id string) *devices.Device { return i.devices[id] }
func (i *inventory) Devices() []*devices.Device {
	return slices.SortedFunc(maps.Values(i.devices), func(a, b *devices.Device) int { return strings.Compare(a.ID, b.ID) })
}
func (i *inventory) Person(id string) *people.Person        { return i.people[id] }
func (i *inventory) Community(id string) *devices.Community { return i.communities[id] }

// listener judges by the rules of the catalogue what devices publish, as if it had come through ingest.
type listener struct {
	cat     *devices.Catalogue
	known   *inventory
	core    *core
	decoder devices.Decoder
	buf     []byte
}

func newListener(cat *devices.Catalogue, rules *Rules, known *inventory) *listener {
	return &listener{cat: cat, known: known, core: newCore(rules, known)}
}

func (l *listener) hear(topic string, payload []byte, received time.Time) error {
	t, err := devices.ParseTopic("linli", topic)
	if err != nil {
		return err
	}
	d := l.known.Device(t.Device)
	typ := l.cat.Type(d.Type)
	if t.Lane == devices.EventLane {
		line, out := l.decoder.Event(l.buf[:0], typ, d, t.Name, payload, received)
		if l.buf = line; out.Code != "" {
			return fmt.Errorf("%s %s: %s", topic, payload, out.Reason)
		}
		return l.core.event(line)
	}
	lines, out := l.decoder.Reading(l.buf[:0], typ, d, payload, received)
	if l.buf = lines; out.Code != "" {
		return fmt.Errorf("%s %s: %s", topic, payload, out.Reason)
	}
	for len(lines) > 0 {
		if lines, err = l.core.reading(lines); err != nil {
			return err
		}
	}
	return nil
}

// raised is what the book says was opened, and when it was cleared.
func (l *listener) raised() []simulate.Raised {
	var all []simulate.Raised
	at := map[string]int{}
	for _, ev := range l.core.book.out {
		switch ev.Kind {
		case opened:
			at[ev.Alert.ID] = len(all)
			all = append(all, simulate.Raised{Rule: ev.Alert.Rule, Device: ev.Alert.Device, Opened: ev.At})
		case cleared:
			all[at[ev.Alert.ID]].Cleared = ev.At
		}
	}
	return all
}

// Every scenario opens the alerts that it must open, and none that it must not, and comes out alike at whatever hour it is played.
func TestEveryScenario(t *testing.T) {
	cat, rules := catalogueRules(t)
	all, err := simulate.Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		t.Run(s.ID, func(t *testing.T) {
			t.Parallel()
			now := time.Now().Truncate(time.Millisecond)
			first := playAt(t, cat, rules, s, now)
			for hour := range 24 {
				if diff := gocmp.Diff(first, playAt(t, cat, rules, s, now.Add(time.Duration(hour)*time.Hour))); diff != "" {
					t.Errorf("%d hours later (-now +then):\n%s", hour, diff)
				}
			}
		})
	}
}

// playAt plays a scenario that ends at now, and returns what it raised, by distance from its beginning.
func playAt(t *testing.T, cat *devices.Catalogue, rules *Rules, s *simulate.Scenario, now time.Time) (all []string) {
	t.Helper()
	known := newInventory()
	for i := range s.Devices {
		known.devices[s.Devices[i].ID] = &s.Devices[i]
	}
	for i := range s.People {
		known.people[s.People[i].ID] = &s.People[i]
	}
	l := newListener(cat, rules, known)
	began := now.Add(-s.Length)
	hear := func(topic string, payload []byte) error { return l.hear(topic, payload, now) }
	if err := s.Play(t.Context(), cat, "linli", hear, began); err != nil {
		t.Fatal(err)
	}
	l.core.advance(now.UnixMilli())
	raised := l.raised()
	for _, difference := range s.Judge(began, raised) {
		t.Error(difference)
	}
	for _, r := range raised {
		all = append(all, fmt.Sprintf("%s %s of %s", r.Opened.Sub(began), r.Rule, r.Device))
	}
	return all
}
