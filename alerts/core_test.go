package alerts

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/devices"
)

// probeRules are the rules of testdata/types/probe.yaml alone.
func probeRules(t testing.TB) *Rules { return testRules(t) }

// memoryRules are those and the rules of testdata/memory.yaml and testdata/fence.yaml.
func memoryRules(t testing.TB) *Rules {
	return testRules(t, "testdata/memory.yaml", "testdata/fence.yaml")
}

func testRules(t testing.TB, files ...string) *Rules {
	t.Helper()
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	l := &loader{cat: cat, ids: map[string]*Rule{}}
	probe := cat.Type("probe")
	l.parse(probe.File, &probe.Rules, probe)
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		l.file(name, data)
	}
	rules := l.bind()
	if len(l.errs) > 0 {
		t.Fatal(l.err())
	}
	return rules
}

// TestMemoryRulesShowWhatTheyMean replays their examples.
func TestMemoryRulesShowWhatTheyMean(t *testing.T) {
	for _, r := range testRules(t, append([]string{"testdata/memory.yaml", "testdata/fence.yaml"}, refFiles...)...).All() {
		if err := r.Replay(); err != nil {
			t.Error(err)
		}
	}
}

var probeCatalogue = sync.OnceValues(func() (*devices.Catalogue, error) { return devices.LoadCatalogue("testdata/types") })

func TestProbeRulesReplay(t *testing.T) {
	for _, r := range probeRules(t).All() {
		if strings.HasPrefix(r.ID, "t_") {
			if err := r.Replay(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestWhatComesOfReadings(t *testing.T) {
	heartbeat := func(device string, from, to int, fields string) (all []string) {
		for m := from; m <= to; m++ {
			all = append(all, fmt.Sprintf("%s %dm %s", device, m, fields))
		}
		return all
	}
	for name, c := range map[string]struct {
		say  []string
		wall time.Duration
		want []string
	}{
		"for completes by the clock while readings are fresh": {
			say: heartbeat("p1", 0, 9, "level=96"), wall: 10 * time.Minute,
			want: []string{"t_level[device=p1] 10m:opened"},
		},
		"and not a moment earlier": {
			say: heartbeat("p1", 0, 9, "level=96"), wall: 10*time.Minute - time.Millisecond,
		},
		"for does not complete by the clock when readings stopped": {
			say: heartbeat("p1", 0, 6, "level=96"), wall: 24 * time.Hour,
		},
		"but by the first later reading": {
			say:  append(heartbeat("p1", 0, 6, "level=96"), "p1 30m level=97"),
			want: []string{"t_level[device=p1] 10m:opened"},
		},
		"not if that one denies it": {
			say: append(heartbeat("p1", 0, 6, "level=96"), "p1 30m level=79"),
		},
		"a reading after the for that denies it, while fresh: opened and cleared": {
			say:  append(heartbeat("p1", 0, 9, "level=96"), "p1 10m30s level=79"),
			want: []string{"t_level[device=p1] 10m:opened", "t_level[device=p1] 10m30s:cleared"},
		},
		"between clear and when nothing moves": {
			say:  append(append(heartbeat("p1", 0, 11, "level=96"), heartbeat("p1", 12, 30, "level=85")...), "p1 31m level=79.9"),
			want: []string{"t_level[device=p1] 10m:opened", "t_level[device=p1] 31m:cleared"},
		},
		"an older reading does not clear": {
			say:  append(heartbeat("p1", 0, 11, "level=96"), "p1 10m30s +1m level=10"),
			want: []string{"t_level[device=p1] 10m:opened"},
		},
		"an older reading does not end a for": {
			say:  append(heartbeat("p1", 0, 8, "level=96"), "p1 7m30s +1m level=10", "p1 9m level=96", "p1 10m level=96"),
			want: []string{"t_level[device=p1] 10m:opened"},
		},
		"an older reading does not begin a for": {
			say: append(heartbeat("p1", 0, 12, "level=10"), "p1 1m +11m level=96"), wall: time.Hour,
		},
		"duplicates change nothing": {
			say:  append(append(heartbeat("p1", 0, 11, "level=96"), heartbeat("p1", 11, 11, "level=96")...), "p1 3m +9m level=96"),
			want: []string{"t_level[device=p1] 10m:opened"},
		},
		"a device whose clock is ahead is judged at receipt": {
			say:  []string{"p1 4m +-4m heat=60"},
			want: []string{"t_heat[device=p1] 0s:opened"},
		},
		"missing data never clears": {
			say: []string{"p1 0m heat=60"}, wall: 100 * time.Hour,
			want: []string{"t_heat[device=p1] 0s:opened"},
		},
		"a backlog of an hour ago is late": {
			say:  []string{"p1 0m +61m level=96", "p1 11m +61m level=96"},
			want: []string{"t_level[device=p1] 10m:opened late"},
		},
		"a late alert that a fresh reading still fulfils is told after all": {
			say:  append([]string{"p1 0m +2h level=96", "p1 5m +1h55m level=96", "p1 11m +1h49m level=96"}, "p1 2h level=99"),
			want: []string{"t_level[device=p1] 10m:opened late", "t_level[device=p1] 2h:confirmed"},
		},
		"a backlog is not completed by the clock": {
			say: []string{"p1 0m +6h level=96"}, wall: 7 * time.Hour,
		},
		"life-safety is not late within a day": {
			say:  []string{"p1 0m +23h heat=60"},
			want: []string{"t_heat[device=p1] 0s:opened"},
		},
		"and is after it": {
			say:  []string{"p1 0m +25h heat=60"},
			want: []string{"t_heat[device=p1] 0s:opened late"},
		},
		"an older life-safety reading opens, the next one clears": {
			say:  []string{"p1 10m heat=20", "p1 5m +6m heat=60", "p1 5m +6m heat=60", "p1 12m heat=20"},
			want: []string{"t_heat[device=p1] 5m:opened", "t_heat[device=p1] 12m:cleared"},
		},
		"a state rule of life-safety fires on its event, and the field clears it": {
			say:  []string{"p1 0m smoke=false", "p1 1m!smoke_alarm", "p1 1m5s smoke=true", "p1 2m smoke=false"},
			want: []string{"t_smoke[device=p1] 1m:opened", "t_smoke[device=p1] 2m:cleared"},
		},
		"the field clears the alert of an event even if it never said so itself": {
			say:  []string{"p1 1m!smoke_alarm", "p1 50s +11s smoke=false", "p1 2m smoke=false"},
			want: []string{"t_smoke[device=p1] 1m:opened", "t_smoke[device=p1] 2m:cleared"},
		},
		"inlets are apart": {
			say:  []string{"p1,inlet=1 0m heat=60", "p1,inlet=2 1m heat=60", "p1,inlet=1 2m heat=20"},
			want: []string{"t_heat[device=p1,inlet=1] 0s:opened", "t_heat[device=p1,inlet=2] 1m:opened", "t_heat[device=p1,inlet=1] 2m:cleared"},
		},
		"unless the rule makes them one": {
			say: []string{"p2,inlet=1 0m heat=101", "p2,inlet=2 1m heat=102", "p2,inlet=1 2m heat=20", "p2,inlet=2 3m heat=20", "p2,inlet=1 4m heat=103"},
			want: []string{
				"t_heat[device=p2,inlet=1] 0s:opened", "t_latched_heat[device=p2] 0s:opened",
				"t_heat[device=p2,inlet=2] 1m:opened", "t_heat[device=p2,inlet=1] 2m:cleared", "t_heat[device=p2,inlet=2] 3m:cleared",
				"t_heat[device=p2,inlet=1] 4m:reopened",
			},
		},
		"a rule applies by registry tags": {
			say: []string{`p1 0m door="open",awake=false`, `p3 0m door="open",awake=false`}, wall: 3 * time.Minute,
		},
		"several signals, one of them stale: unknown": {
			say:  []string{"p3 0m awake=false", `p3 2m door="open"`, `p3 4m door="open"`, `p3 6m door="open"`, `p3 8m door="closed"`},
			want: []string{"t_elder_door[device=p3] 7m:opened", "t_elder_door[device=p3] 8m:cleared"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.say(c.say...)
			if c.wall > 0 {
				w.wall(c.wall)
			}
			w.expect(c.want...)
		})
	}
}

func TestWhatComesOfEvents(t *testing.T) {
	for name, c := range map[string]struct {
		say  []string
		wall time.Duration
		want []string
	}{
		"a press, and another": {
			say:  []string{"p1 5s!sos", "p1 30s!sos"},
			want: []string{"t_sos[person=ma] 5s:opened", "t_sos[person=ma] 30s:repeated"},
		},
		"two devices of one person are one emergency": {
			say:  []string{"p1 5s!sos", "p2 30s!sos"},
			want: []string{"t_sos[person=ma] 5s:opened", "t_sos[person=ma] 30s:repeated"},
		},
		"without a person, the device": {say: []string{"p3 5s!sos"}, want: []string{"t_sos[device=p3] 5s:opened"}},
		"of a device the registry does not know yet": {
			say: []string{"p9 5s!sos"}, want: []string{"t_sos[device=p9] 5s:opened"},
		},
		"a field that denies it": {say: []string{"p1 5s!sos confidence=0.5"}},
		"no rule names the event, but it is life-safety": {
			say:  []string{"p1 5s!flood", "p1 6s!flood"},
			want: []string{"safety_event[device=p1,event=flood] 5s:opened", "safety_event[device=p1,event=flood] 6s:repeated"},
		},
		"late within a day it pages":   {say: []string{"p1 0s!sos +23h"}, want: []string{"t_sos[person=ma] 0s:opened"}},
		"after a day it is shown only": {say: []string{"p1 0s!sos +25h"}, want: []string{"t_sos[person=ma] 0s:opened late"}},
		"ahead of receipt it is now":   {say: []string{"p1 8h!sos +-8h"}, want: []string{"t_sos[person=ma] 0s:opened"}},
		"another event is late after an hour": {
			say: []string{"p1 0s!jam +61m attempts=3"}, want: []string{"t_jam[device=p1] 0s:opened late"},
		},
		"a missing field is not enough for it": {say: []string{"p1 0s!jam"}},
		"the event that ends it": {
			say:  []string{"p1 5s!jam attempts=3", "p1 1m!jam_over", "p1 2m!jam_over"},
			want: []string{"t_jam[device=p1] 5s:opened", "t_jam[device=p1] 1m:cleared"},
		},
		"nothing ends it: a day after the last one": {
			say: []string{"p1 0s!jam attempts=3", "p1 10h!jam attempts=3"}, wall: 60 * time.Hour,
			want: []string{"t_jam[device=p1] 0s:opened", "t_jam[device=p1] 10h:repeated", "t_jam[device=p1] 34h:cleared", "t_jam[device=p1] 58h:closed"},
		},
		"an SOS stays for ever": {say: []string{"p1 5s!sos"}, wall: 1000 * time.Hour, want: []string{"t_sos[person=ma] 5s:opened"}},
		"what began before a maintenance opens after it": {
			say: []string{
				"p1 0m level=96", "p1 2m level=96", "p1 5m level=96", "p1 8m level=96", "p1 9m!maintenance_start", "p1 10m level=96", "p1 12m level=96",
				"p1 13m!maintenance_end", "p1 14m level=96",
			},
			want: []string{"dev_maintenance[device=p1] 9m:opened", "dev_maintenance[device=p1] 13m:cleared", "t_level[device=p1] 10m:opened"},
		},
		"in maintenance nothing but life-safety opens": {
			say: []string{
				"p1 0s!maintenance_start", "p1 1m!jam attempts=5", "p1 1m heat=120", "p1 2m!sos", "p1 3m!maintenance_end", "p1 4m heat=121",
			},
			want: []string{
				"dev_maintenance[device=p1] 0s:opened", "t_heat[device=p1] 1m:opened", "t_sos[person=ma] 2m:opened",
				"dev_maintenance[device=p1] 3m:cleared", "t_latched_heat[device=p1] 4m:opened",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.say(c.say...)
			if c.wall > 0 {
				w.wall(c.wall)
			}
			w.expect(c.want...)
		})
	}
}

func TestAlertsLivesByActions(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0s!sos", "p1 0s heat=60")
	sos, heat := w.book.out[0].Alert.ID, w.book.out[1].Alert.ID
	for _, a := range []struct {
		kind, alert, disposition string
		wrong                    bool
	}{
		{"acknowledge", sos, "", false},
		{"acknowledge", sos, "", false},
		{"close", sos, "", true}, // latched: needs a disposition
		{"close", sos, "helped", false},
		{"close", sos, "helped", false},
		{"acknowledge", "nothing", "", true},
		{"dance", heat, "", true},
		{"acknowledge", heat, "", false},
	} {
		if err := w.act(time.Minute, a.kind, a.alert, a.disposition); (err != nil) != a.wrong {
			t.Errorf("%s %s: %v", a.kind, a.alert, err)
		}
	}
	w.say("p1 2m heat=20", "p1 3m!sos")
	w.expect("t_sos[person=ma] 0s:opened", "t_heat[device=p1] 0s:opened",
		"t_sos[person=ma] 1m:acknowledged", "t_sos[person=ma] 1m:closed", "t_heat[device=p1] 1m:acknowledged",
		"t_heat[device=p1] 2m:cleared", "t_heat[device=p1] 2m:closed", "t_sos[person=ma] 3m:opened")
	last := w.book.out[3]
	if last.N != 3 || last.Alert.Disposition != "helped" || last.Alert.ClosedBy != "li" || last.Key != "close1m0s" {
		t.Errorf("closing event: %+v", last)
	}
}

func TestAPersonClosesWhatIsStillTrue(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0s heat=60")
	if err := w.act(time.Minute, "close", w.book.out[0].Alert.ID, ""); err != nil {
		t.Fatal(err)
	}
	w.say("p1 2m heat=61", "p1 3m heat=20", "p1 4m heat=60")
	w.expect("t_heat[device=p1] 0s:opened", "t_heat[device=p1] 1m:closed", "t_heat[device=p1] 4m:opened")
}

func TestRegistryChangesReachOpenAlerts(t *testing.T) {
	w := newWorld(t)
	w.say(`p3 0m door="open",awake=false`, `p3 5m door="open",awake=false`)
	moved := *w.people.devices["p3"]
	moved.Tags = nil
	w.people.devices["p3"] = &moved
	w.say(`p3 6m door="open",awake=false`, `p3 20m door="open",awake=false`)
	w.expect("t_elder_door[device=p3] 5m:opened", "t_elder_door[device=p3] 6m:cleared")
}

func TestAwayHoldsBack(t *testing.T) {
	w := newWorld(t)
	p := *w.people.devices["p3"]
	p.Person = "ma"
	w.people.devices["p3"], w.people.away["ma"] = &p, true
	w.say(`p3 0m door="open",awake=false`, `p3 5m door="open",awake=false`, `p3 9m door="open",awake=false`)
	w.expect()
}

func TestAlertSaysWhatPeopleNeed(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0m!sos +2h", "p1,inlet=2 1m heat=60.25")
	got := []devices.Text{w.book.out[0].Alert.Text, w.book.out[1].Alert.Text}
	want := []devices.Text{
		{ZH: "第四社区 12栋 一号探头 马奶奶：求救，发生于 03-01 12:00，迟到 2小时", EN: "SOS at Fourth Community, Bldg 12, 一号探头, 马奶奶, happened 03-01 12:00, arrived 2 h late"},
		{ZH: "第四社区 12栋 一号探头 马奶奶 投放口 2：过热（温度 60.25 °C）", EN: "Too hot at Fourth Community, Bldg 12, 一号探头, 马奶奶, Inlet 2 (Heat 60.25 °C)"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What the decoder writes of an event is what the engine reads: jams of two inlets are two alerts.
func TestEventsKeepTheirSeries(t *testing.T) {
	w := newWorld(t)
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	var d devices.Decoder
	for _, inlet := range []string{"1", "2"} {
		line, out := d.Event(nil, cat.Type("probe"), w.people.Device("p3"), "jam", []byte(`{"attempts": 3, "inlet": "`+inlet+`"}`), start)
		if out.Code != "" {
			t.Fatal(out.Reason)
		}
		if err := w.core.event(line); err != nil {
			t.Fatal(err)
		}
	}
	w.expect("t_jam[device=p3,inlet=1] 0s:opened", "t_jam[device=p3,inlet=2] 0s:opened")
}

// A press that came too late to ring must not swallow the next one.
func TestFreshPressWakesALateAlert(t *testing.T) {
	w := newWorld(t)
	w.say("p3 0s!sos +25h", "p3 26h!sos")
	var kinds []string
	for _, ev := range w.core.book.out {
		kinds = append(kinds, fmt.Sprint(ev.Kind, " late=", ev.Alert.Late))
	}
	want := []string{"opened late=true", "confirmed late=false", "repeated late=false"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("what happened (-want +got):\n%s", diff)
	}
}
