//go:build !race

package alerts

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/devices/simulate"
	"linli/seeds"
)

// limit is what the mean of a field over a day must not be above.
type limit struct {
	field string
	most  float64
}

// smogRules judge the air and not the devices: on a day of smog they fire.
var smogRules = map[string]limit{"en_pm25_day": {"pm25_ugm3", 75}, "en_pm10_day": {"pm10_ugm3", 150}}

// smog finds by plain sums when the mean of the day so far, once 83 % of 24 h are known, goes above a limit and comes back.
type smog struct {
	means       map[string]*mean // by rule and device
	transitions []string
}

type mean struct {
	sum   float64
	n     int
	known time.Duration
	last  time.Time
	above bool
}

func newSmog() *smog { return &smog{means: map[string]*mean{}} }

func (s *smog) hear(t *testing.T, m simulate.Message) {
	if m.Device.Type != "environment_station" || m.Payload[0] != '{' {
		return
	}
	var said map[string]any
	if err := json.Unmarshal(m.Payload, &said); err != nil {
		t.Fatal(err)
	}
	for rule, limit := range smogRules {
		value, ok := said[limit.field].(float64)
		if !ok {
			continue
		}
		key := rule + " " + m.Device.ID
		x := s.means[key]
		if x == nil {
			x = &mean{}
			s.means[key] = x
		}
		if gap := m.Time.Sub(x.last); x.n > 0 && gap <= 3*time.Minute { // three periods
			x.known += gap
		}
		x.sum, x.n, x.last = x.sum+value, x.n+1, m.Time
		if above := x.known >= time.Duration(0.83*float64(24*time.Hour)) && tidy(x.sum/float64(x.n)) > limit.most; above != x.above {
			x.above = above
			s.transitions = append(s.transitions, spellSmog(key, m.Time, above))
		}
	}
}

func spellSmog(key string, at time.Time, above bool) string {
	return fmt.Sprintf("%s %s above %v", key, at.UTC().Format(time.RFC3339Nano), above)
}

// smog is the same as the rules found it.
func (l *listener) smog() (all []string) {
	for _, ev := range l.core.book.out {
		switch on := ev.Kind == opened || ev.Kind == reopened || ev.Kind == flapping; {
		case smogRules[ev.Alert.Rule] == limit{}:
		case on || ev.Kind == cleared:
			all = append(all, spellSmog(ev.Alert.Rule+" "+ev.Alert.Device, ev.At, on))
		}
	}
	slices.Sort(all)
	return all
}

// Devices that are well raise nothing of themselves, and smog exactly when there is some: a day of all ten communities, as `make run` plays them, in each of three seasons. Half a
// million readings are judged in turn, by no goroutine but one: there is nothing in it for the race detector, which would take a
// minute and a half.
func TestQuietDaysRaiseNoAlert(t *testing.T) {
	const scale = 0.05
	cat, rules := catalogueRules(t)
	all, err := seeds.Load()
	if err != nil {
		t.Fatal(err)
	}
	known := newInventory()
	for _, c := range all {
		known.communities[c.ID] = &c.Community
		for _, d := range c.Fleet(scale) {
			known.devices[d.ID] = &d.Device
		}
		for _, p := range c.People(scale) {
			known.people[p.ID] = &p
		}
	}
	world, err := simulate.NewWorld(cat, all, scale, 1, simulate.Faults{}, "linli")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"2026-01-17", "2026-07-14", "2026-11-24"} {
		t.Run(day, func(t *testing.T) {
			t.Parallel()
			date, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			l, air := newListener(cat, rules, known), newSmog()
			messages := 0
			for m := range world.Day(date.Add(12 * time.Hour)) {
				if err := l.hear(m.Topic, m.Payload, m.Time); err != nil {
					t.Fatal(err)
				}
				air.hear(t, m)
				messages++
			}
			for _, r := range l.raised() {
				if smogRules[r.Rule] == (limit{}) {
					t.Errorf("%s of %s was opened at %s", r.Rule, r.Device, r.Opened)
				}
			}
			slices.Sort(air.transitions)
			if diff := cmp.Diff(air.transitions, l.smog()); diff != "" {
				t.Errorf("smog by the weather of the day, and by the rules (-weather +rules):\n%s", diff)
			}
			t.Logf("%d transitions of smog", len(air.transitions))
			if messages < len(known.devices) {
				t.Errorf("%d messages of %d devices: the day is too quiet", messages, len(known.devices))
			}
			t.Logf("%d messages of %d devices", messages, len(known.devices))
		})
	}
}
