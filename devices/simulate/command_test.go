package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"linli/devices"
	"linli/seeds"
)

// linked is a link that speaks for one device of each type, without a broker.
func linked(t *testing.T, f Faults, types ...string) (*link, map[string]*actor) {
	t.Helper()
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	all, err := seeds.Load()
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWorld(cat, all, 0.05, 1, f, "linli")
	if err != nil {
		t.Fatal(err)
	}
	s := &Simulator{world: w, told: make(chan int32, 64), cfg: Config{Root: "linli", Faults: f, Now: func() time.Time { return someDay.Add(19 * time.Hour) }}}
	l := &link{sim: s, children: map[string]int32{}, box: newOutbox(100)}
	l.answers, _ = lru.New[string, answer](keptAnswers)
	actors := map[string]*actor{}
	for i, a := range w.actors {
		if slices.Contains(types, a.Type) && actors[a.Type] == nil {
			actors[a.Type] = a
			l.children[a.ID] = int32(i)
		}
	}
	if len(actors) != len(types) {
		t.Fatalf("the demo has %d of the types %v", len(actors), types)
	}
	return l, actors
}

// order gives a device a command and returns its answers.
func (l *link) order(a *actor, id, name, params string, expires time.Time) (all []answer) {
	topic := devices.Topic{Lane: devices.CommandTo, Community: a.Community, Type: a.Type, Device: a.ID, Name: name}.String("linli")
	l.command(topic, fmt.Appendf(nil, `{"id":%q,"expires":%q%s}`, id, expires.UTC().Format(time.RFC3339), params))
	for letter, ok := l.box.take(); ok; letter, ok = l.box.take() {
		var got answer
		if err := json.Unmarshal(letter.payload, &got); err != nil || letter.topic != "linli/reply/"+a.Community+"/"+a.Type+"/"+a.ID {
			got.Reason = letter.topic + string(letter.payload)
		}
		all = append(all, got)
	}
	return all
}

func TestAClosedValveLetsNothingThrough(t *testing.T) {
	l, actors := linked(t, Faults{}, "water_meter")
	a := actors["water_meter"]
	volume, flow, open := a.plan.field("volume_m3"), a.plan.field("flow_m3h"), a.plan.field("valve_open")
	now := l.sim.cfg.Now()
	later := momentOf(now.Add(20 * time.Hour))
	before, free := a.value(volume, 0, momentOf(now)), a.value(volume, 0, later)
	if free-before < 0.01 {
		t.Fatalf("nothing is drawn: %g, then %g", before, free)
	}
	if got := l.order(a, "c1", "valve_close", "", now.Add(time.Minute)); len(got) != 1 || got[0] != (answer{"c1", "done", ""}) {
		t.Fatalf("answers %v", got)
	}
	if v := a.value(volume, 0, later); v != before || a.value(flow, 0, later) != 0 || a.value(open, 0, later) != 0 {
		t.Errorf("closed at %g: later the counter is at %g, the flow %g", before, v, a.value(flow, 0, later))
	}
	l.sim.cfg.Now = func() time.Time { return later.time() }
	if got := l.order(a, "c2", "valve_open", "", later.time().Add(time.Minute)); len(got) != 1 || got[0].State != "done" {
		t.Fatalf("answers %v", got)
	}
	if v := a.value(volume, 0, later); v != before || a.value(open, 0, later) != 1 {
		t.Errorf("the counter jumps from %g to %g when the valve opens", before, v)
	}
	if v := a.value(volume, 0, later.add(24*time.Hour)); v <= before {
		t.Errorf("nothing is drawn after the valve has opened: %g", v)
	}
}

func TestDevicesAnswerCommandsOnce(t *testing.T) {
	l, actors := linked(t, Faults{}, "ebike_charger", "access_controller")
	shed, door := actors["ebike_charger"], actors["access_controller"]
	now := l.sim.cfg.Now()
	soon := now.Add(time.Minute)
	for _, tt := range []struct {
		device                           *actor
		id, name, params, state, because string
		expires                          time.Time
	}{
		{door, "c1", "unlock", `,"seconds":5,"reason":"x"`, "done", "", soon},
		{door, "c2", "unlock", `,"seconds":500,"reason":"x"`, "failed", "seconds", soon},
		{door, "c3", "explode", "", "failed", "unknown", soon},
		{door, "c4", "lockdown", "", "failed", "time is over", now},
		{shed, "c5", "stop", `,"socket":63`, "failed", "no socket 63", soon},
		{shed, "c6", "stop", `,"socket":2`, "done", "", soon},
		{shed, "c6", "stop", `,"socket":2`, "done", "", soon}, // again
	} {
		got := l.order(tt.device, tt.id, tt.name, tt.params, tt.expires)
		if len(got) != 1 || got[0].ID != tt.id || got[0].State != tt.state || !strings.Contains(got[0].Reason, tt.because) || tt.because == "" && got[0].Reason != "" {
			t.Errorf("%s %s: answers %v, want %s because of %q", tt.name, tt.params, got, tt.state, tt.because)
		}
	}
	if n := len(l.sim.told); n != 2 {
		t.Errorf("%d commands were carried out, want 2", n)
	}
	relay := shed.plan.field("relay_on")
	for i := range shed.series {
		for at := momentOf(now); at < momentOf(now.Add(24*time.Hour)); at = at.add(10 * time.Minute) {
			if shed.series[i].tags["socket"] == "2" && shed.value(relay, i, at) != 0 {
				t.Fatal("a socket that was stopped is on")
			}
		}
	}
}

func TestSomeDevicesRefuseOrAreSilent(t *testing.T) {
	for faults, want := range map[Faults]string{{Refuse: 1}: "[{c1 failed busy}]", {Silent: 1}: "[]"} {
		l, actors := linked(t, faults, "water_meter")
		a := actors["water_meter"]
		if got := fmt.Sprint(l.order(a, "c1", "valve_close", "", l.sim.cfg.Now().Add(time.Minute))); got != want {
			t.Errorf("%+v: answers %s, want %s", faults, got, want)
		}
		if a.orders.Load() != nil {
			t.Errorf("%+v: the valve is closed", faults)
		}
	}
}
