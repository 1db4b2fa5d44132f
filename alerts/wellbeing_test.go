package alerts

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/people"
)

// midnight is the first one in the community after the tests begin.
var midnight = start.Add(12 * time.Hour)

// elders lets ma be looked after at nine.
func elders(change ...func(*people.Person)) func() []*people.Person {
	p := &people.Person{ID: "ma", Community: "tianjin", Name: "马奶奶", AllIsWell: &people.AllIsWell{At: "09:00"}}
	for _, f := range change {
		f(p)
	}
	return func() []*people.Person { return []*people.Person{p} }
}

// watch lets time pass from one offset from midnight to another, with signs of life at some of them.
func (w *world) watch(who func() []*people.Person, from, to time.Duration, signs ...time.Duration) {
	dev := w.people.devices["p1"]
	for at := from; at <= to; at += 10 * time.Minute {
		for _, s := range signs {
			if s > at-10*time.Minute && s <= at {
				w.core.life.seen(dev, midnight.Add(s))
			}
		}
		w.core.lookAfter(who, midnight.Add(at))
		w.core.noteSigns(midnight.Add(at))
		clear(w.book.changed) // as a commit does
	}
}

const hour = time.Hour

func TestAllIsWell(t *testing.T) {
	away := func(from, to time.Duration) func(*people.Person) {
		return func(p *people.Person) {
			a, b := midnight.Add(from), midnight.Add(to)
			p.AwaySince, p.AwayUntil = &a, &b
		}
	}
	for _, test := range []struct {
		name  string
		who   func() []*people.Person
		days  int
		signs []time.Duration
		want  string
	}{
		{"up early", elders(), 1, []time.Duration{7 * hour}, "9h all_is_well opened, 9h all_is_well closed"},
		{"just at the bound", elders(), 1, []time.Duration{3 * hour}, "9h all_is_well opened, 9h all_is_well closed"},
		{"up late", elders(), 1, []time.Duration{2 * hour, 9*hour + 30*time.Minute}, "9h30m all_is_well opened, 9h30m all_is_well closed"},
		{"watched for too short a time to say anything", elders(), 1, []time.Duration{2 * hour}, ""},
		{"not up", elders(), 2, []time.Duration{8 * hour, 26 * hour}, "9h all_is_well opened, 9h all_is_well closed, 34h no_sign_of_life opened"},
		{"not up until noon", elders(), 2, []time.Duration{8 * hour, 36 * hour}, "9h all_is_well opened, 9h all_is_well closed, 34h no_sign_of_life opened, 36h no_sign_of_life cleared"},
		{"not up for days", elders(), 4, []time.Duration{8 * hour}, "9h all_is_well opened, 9h all_is_well closed, 34h no_sign_of_life opened"},
		{"away", elders(away(20*hour, 50*hour)), 3, []time.Duration{8 * hour, 56 * hour}, "9h all_is_well opened, 9h all_is_well closed, 57h all_is_well opened, 57h all_is_well closed"},
		{"back since the night, and not up", elders(away(20*hour, 32*hour)), 2, []time.Duration{8 * hour}, "9h all_is_well opened, 9h all_is_well closed, 34h no_sign_of_life opened"},
		{"at no hour", elders(func(p *people.Person) { p.AllIsWell = nil }), 2, []time.Duration{8 * hour}, ""},
	} {
		w := newTold(t)
		w.watch(test.who, 0, time.Duration(test.days)*24*hour, test.signs...)
		var got []string
		for _, ev := range w.book.out {
			if ev.Kind != escalated && ev.Kind != unanswered {
				got = append(got, formatOffset(ev.At.Sub(midnight))+" "+ev.Alert.Rule+" "+ev.Kind)
			}
		}
		if diff := cmp.Diff(test.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAllIsWellIsToldToTheCircleAndItsAbsenceToThoseWhoHelp(t *testing.T) {
	w := newTold(t)
	w.watch(elders(), 0, 48*hour, 8*hour+5*time.Minute)
	w.expectTold("21h opened daughter son", "21h closed", "46h opened mute!no_address daughter")
	line, alarm := w.book.out[0].Alert, w.last()
	if line.Text.ZH != "马奶奶一切安好，最近一次活动 08:05" || line.Severity != bus.Informational {
		t.Errorf("line: %+v", line)
	}
	if alarm.Text.EN != "No sign of life of 马奶奶 today, last active 03-02 08:05" || alarm.Person != "ma" || alarm.Severity != bus.High {
		t.Errorf("alarm: %+v", alarm)
	}
}

func TestSilenceDoesNotCountWhileDevicesCannotBeHeard(t *testing.T) {
	w := newTold(t)
	w.core.life.load(&bus.Wellbeing{Person: "ma", Since: midnight.Add(-100 * hour)})
	listening := &w.core.vigil.listening
	listening.Until = midnight.Add(8 * hour)
	w.watch(elders(), 8*hour, 12*hour)
	listening.Hear(midnight.Add(12*hour), false, bus.Settle)
	w.watch(elders(), 12*hour, 12*hour)
	w.expectTold()
	listening.Until = midnight.Add(13 * hour)
	w.watch(elders(), 13*hour, 13*hour)
	if len(w.book.out) == 0 || w.last().Rule != noSignOfLife.ID {
		t.Errorf("heard again for an hour, and no word of the silence: %v", w.told())
	}
}

func TestWhatIsDecidedIsNotDecidedAgainAfterARestart(t *testing.T) {
	w := newTold(t)
	w.watch(elders(), 0, 9*hour, 8*hour)
	w.core.life.looked = time.Time{}
	record := *w.core.life.known["ma"]
	after := newTold(t)
	after.core.life.load(&record)
	after.watch(elders(), 9*hour+10*time.Minute, 24*hour)
	after.expectTold()
	if len(w.book.out) != 2 {
		t.Errorf("%d events before the restart, want the line and its end", len(w.book.out))
	}
}

func TestSignsOfLife(t *testing.T) {
	above := func(x float64) *float64 { return &x }
	for _, test := range []struct {
		name   string
		field  devices.Field
		values []float64
		want   string
	}{
		{"a counter grows", devices.Field{Kind: devices.Counter, Activity: above(10)}, []float64{500, 510, 511, 522}, "...x"},
		{"a counter begins again", devices.Field{Kind: devices.Counter, Activity: above(0)}, []float64{500, 3, 3, 4}, "...x"},
		{"a gauge is above", devices.Field{Kind: devices.Gauge, Activity: above(5)}, []float64{0, 5, 5.1, 80}, "..xx"},
		{"a state is true", devices.Field{Kind: devices.State, Type: devices.Bool, Activity: above(0)}, []float64{0, 1}, ".x"},
	} {
		s := &series{grown: []float64{math.NaN()}}
		got := ""
		for _, x := range test.values {
			if s.active(0, &test.field, x) {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestReadingsShowActivity is the way from a line to a sign of life, with the types of the catalogue.
func TestReadingsShowActivity(t *testing.T) {
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(cat)
	if err != nil {
		t.Fatal(err)
	}
	known := newInventory()
	for id, typ := range map[string]string{"radar": "presence_radar", "band": "wearable_band", "door": "contact_sensor", "water": "water_meter", "nobodys": "water_meter"} {
		known.devices[id] = &devices.Device{ID: id, Community: "hegang", Type: typ, Person: "ma-" + id, State: devices.Active}
	}
	known.devices["nobodys"].Person = ""
	c := newCore(rules, known)
	for _, line := range []string{
		"presence,community=hegang,device=radar motion_level=0 1000000000000000000\n",
		"presence,community=hegang,device=radar motion_level=40 1000000060000000000\n",
		"wearable,community=hegang,device=band steps_total=100i 1000000000000000000\n",
		"wearable,community=hegang,device=band steps_total=140i 1000000120000000000\n",
		"contact,community=hegang,device=door opens_total=7i,open=false 1000000000000000000\n",
		"contact,community=hegang,device=door opens_total=7i,open=false 1000000180000000000\n",
		"water,community=hegang,device=water volume_m3=1 1000000000000000000\n",
		"water,community=hegang,device=water volume_m3=1.006 1000000240000000000\n",
		"water,community=hegang,device=nobodys volume_m3=1.006 1000000240000000000\n",
	} {
		if _, err := c.reading([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int64{}
	for id, w := range c.life.known {
		got[id+" by "+w.Device] = w.Active.Unix() - 1_000_000_000
	}
	if diff := cmp.Diff(map[string]int64{"ma-radar by radar": 60, "ma-band by band": 120, "ma-water by water": 240}, got); diff != "" {
		t.Errorf("active (-want +got):\n%s", diff)
	}
}

// TestSilenceCountsAfterARestartOnlyOnceDevicesHaveSentWhatTheyKept is the engine on a bus: what is known of people is read again, and
// nothing is decided while devices may still deliver.
func TestSilenceCountsAfterARestartOnlyOnceDevicesHaveSentWhatTheyKept(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.elders = elders()
	known := bus.Wellbeing{Person: "ma", Since: start.Add(-100 * hour), Active: midnight.Add(-2 * hour)}
	m, err := record(bus.WellbeingSubject("ma"), known)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.bus.Commit(t.Context(), bus.Core, []*nats.Msg{m}); err != nil {
		t.Fatal(err)
	}
	s.wall(12*hour + 11*hour) // 11:00
	s.engine(nil)
	s.wall(12*hour + 11*hour + settleFor - time.Second)
	s.say("p1 23h level=1")
	s.judged()
	if got := s.log(); len(got) != 0 {
		t.Errorf("decided before devices have settled: %v", got)
	}
	s.wall(12*hour + 11*hour + settleFor)
	testkit.Eventually(t, 30*time.Second, func() bool { return len(s.log()) > 0 })
	if got := s.log()[0]; !strings.Contains(got, "no_sign_of_life[person=ma] 22h:opened") {
		t.Errorf("got %s", got)
	}
}
