package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

// residents is a Directory of the devices p1, p2, … and their persons.
type residents struct {
	devices map[string]*devices.Device
	away    map[string]bool
	family  map[string]bool  // the others are staff
	agreed  []people.Consent // of ma with everybody of her circle
	zone    string           // of the community; empty: Asia/Shanghai
}

func newPeople() *residents {
	return &residents{devices: map[string]*devices.Device{
		"p1": {ID: "p1", Community: "tianjin", Type: "probe", Name: "一号探头", Person: "ma", State: devices.Active, Place: devices.Place{Building: "b12"}, Attributes: map[string]float64{"home_lat": 39.1, "home_lon": 117.7}},
		"p2": {ID: "p2", Community: "tianjin", Type: "probe", Person: "ma", State: devices.Active},
		"p3": {ID: "p3", Community: "tianjin", Type: "probe", State: devices.Active, Tags: map[string]string{"care": "lives_alone"}},
	}, away: map[string]bool{}, family: map[string]bool{}, agreed: []people.Consent{{Scope: people.Events}, {Scope: people.Wellbeing}}}
}

func (p *residents) Device(id string) *devices.Device { return p.devices[id] }

func (p *residents) Devices() []*devices.Device {
	return slices.SortedFunc(maps.Values(p.devices), func(a, b *devices.Device) int { return strings.Compare(a.ID, b.ID) })
}

func (p *residents) Person(id string) *people.Person {
	if id == "" {
		return nil
	}
	x := &people.Person{ID: id, Name: "马奶奶", Phone: "13900000000", Home: "天津市红桥区 12 号楼 301", Notes: "钥匙在门卫", Roles: []people.Role{people.Duty}}
	if p.family[id] {
		x.Roles = []people.Role{people.Contact}
	}
	if id == "ma" {
		for _, member := range []string{"daughter", "son", "tired-1"} {
			x.Circle = append(x.Circle, people.Member{Person: member, Consent: p.agreed})
		}
	}
	if p.away[id] {
		x.AwaySince = new(time.Time)
	}
	return x
}

func (p *residents) Community(string) *devices.Community {
	return &devices.Community{ID: "tianjin", Timezone: p.zone, Name: devices.Text{ZH: "第四社区", EN: "Fourth Community"}}
}

// start is the beginning of the tests' time.
var start = time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)

// say writes a line: "p1 10m level=96", "p1,inlet=2 …", "p1 10m!sos confidence=0.8"; "+3m" before the fields delays the receipt.
func say(text string) (line []byte, event bool) {
	words := strings.Fields(text)
	device, tags, _ := strings.Cut(words[0], ",")
	if tags != "" {
		tags = "," + tags
	}
	when, name, event := strings.Cut(words[1], "!")
	offset, err := devices.ParseDuration(strings.TrimPrefix(when, "-"))
	if err != nil {
		panic(err)
	}
	if strings.HasPrefix(when, "-") {
		offset = -offset
	}
	at := start.Add(offset)
	received := at
	fields := words[2:]
	if len(fields) > 0 && strings.HasPrefix(fields[0], "+") {
		lag, err := devices.ParseDuration(fields[0][1:])
		if err != nil {
			panic(err)
		}
		received, fields = at.Add(lag), fields[1:]
	}
	all := strings.Join(append(fields, fmt.Sprintf("received_at=%di", received.UnixMilli())), ",")
	if event {
		for tag := range strings.SplitSeq(strings.TrimPrefix(tags, ","), ",") {
			if id, value, ok := strings.Cut(tag, "="); ok { // as the decoder writes it
				all += fmt.Sprintf(",%s=%q", id, value)
			}
		}
		return fmt.Appendf(nil, "event,community=tianjin,device=%s,type=probe,event=%s %s %d\n", device, name, all, at.UnixNano()), true
	}
	return fmt.Appendf(nil, "probe,community=tianjin,device=%s%s %s %d\n", device, tags, all, at.UnixNano()), false
}

// world is a core and what it said.
type world struct {
	*core
	t      testing.TB
	people *residents
	ticked time.Duration // how far the server's clock has gone
}

func newWorld(t testing.TB) *world {
	p := newPeople()
	return &world{core: newCore(probeRules(t), p), t: t, people: p}
}

func (w *world) say(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		line, event := say(text)
		var err error
		if event {
			err = w.core.event(line)
		} else {
			_, err = w.core.reading(line)
		}
		if err != nil {
			w.t.Fatalf("%s: %v", text, err)
		}
	}
}

// clock lets the wall clock be at an offset, with nothing left to read.
func (w *world) wall(offset time.Duration) {
	w.core.advance(start.Add(offset).UnixMilli())
	w.core.book.advance(start.Add(offset).UnixMilli())
}

func (w *world) act(at time.Duration, kind, alert, disposition string) error {
	return w.core.book.act(&bus.Action{Key: kind + at.String(), Kind: kind, Alert: alert, By: "li", At: start.Add(at), Disposition: disposition})
}

// log is what happened: "t_level 11m:opened late".
func (w *world) log() []string { return spellEvents(w.core.book.out) }

func spellEvents(events []bus.AlertEvent) []string {
	var all []string
	for _, ev := range events {
		line := fmt.Sprintf("%s[%s] %s:%s", ev.Alert.Rule, ev.Alert.Identity, formatOffset(ev.At.Sub(start)), ev.Kind)
		if ev.Alert.Late {
			line += " late"
		}
		all = append(all, line)
	}
	return all
}

func (w *world) expect(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.log()); diff != "" {
		w.t.Errorf("what happened (-want +got):\n%s", diff)
	}
}
