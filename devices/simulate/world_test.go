package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/devices"
	"linli/seeds"
)

// probeWorld is three devices in the home of an elder.
func probeWorld(t testing.TB, seed uint64, faults Faults) *World {
	t.Helper()
	typ := catalogue(t, "testdata/types").Type("probe")
	p, err := newPlan(typ)
	if err != nil {
		t.Fatal(err)
	}
	w := &World{root: "linli", faults: faults}
	k := key(mix(seed))
	s := &site{key: k, lat: 30, lon: 120, climate: seeds.Climate{
		Temperature: [12]float64{5, 7, 11, 17, 22, 25, 29, 29, 25, 20, 14, 8}, Swing: 8, Humidity: 70, Wind: 3,
		RainDays: [12]float64{12, 12, 15, 14, 14, 16, 12, 14, 13, 9, 10, 9}, PM25: 30,
	}}
	homes := map[string]*home{"": {kind: public, key: k}}
	for i := range 3 {
		d := &seeds.Device{Device: devices.Device{ID: fmt.Sprintf("probe-%d", i), Community: "here", Type: "probe", State: devices.Active}, Home: "home", Elder: true}
		a, err := newActor(d, p, s, homes, k.named(d.ID), faults.Falls)
		if err != nil {
			t.Fatal(err)
		}
		w.actors = append(w.actors, a)
	}
	return w
}

var someDay = time.Date(2026, 11, 23, 15, 0, 0, 0, zone)

// day is everything a world says on a day, as text.
func day(w *World, date time.Time) []string {
	var out []string
	for m := range w.Day(date) {
		out = append(out, fmt.Sprintf("%s %s %s", m.Time.Format(time.RFC3339Nano), m.Topic, m.Payload))
	}
	return out
}

func TestDayIsAFunctionOfSeedAndDate(t *testing.T) {
	first := day(probeWorld(t, 1, FaultPresets["realistic"]), someDay)
	if diff := cmp.Diff(first, day(probeWorld(t, 1, FaultPresets["realistic"]), someDay.Add(8*time.Hour))); diff != "" {
		t.Errorf("the same seed and date differ:\n%s", diff)
	}
	if cmp.Equal(first, day(probeWorld(t, 2, Faults{}), someDay)) {
		t.Error("another seed gives the same day")
	}
	if len(first) < 3*144 {
		t.Errorf("%d messages, want three devices' worth of ten minutes and more", len(first))
	}
	for i := 1; i < len(first); i++ {
		if first[i][:23] < first[i-1][:23] {
			t.Fatalf("out of order:\n%s\n%s", first[i-1], first[i])
		}
	}
}

func TestDayMayBeEnteredAtAnyMoment(t *testing.T) {
	w := probeWorld(t, 1, Faults{})
	all := day(w, someDay)
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(all)-1).Draw(t, "message")
		first, _, _ := strings.Cut(all[at], " ")
		for at > 0 && strings.HasPrefix(all[at-1], first+" ") {
			at--
		}
		want := all[at:min(at+50, len(all))]
		from, err := time.Parse(time.RFC3339Nano, first)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for c := w.from(momentOf(from)); len(got) < len(want); {
			d := c.next()
			if p := w.encode(nil, d, stamp{}); len(p) > 0 {
				got = append(got, fmt.Sprintf("%s %s %s", d.at.time().Format(time.RFC3339Nano), w.topic(d), p))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("from %s (-whole day +entered):\n%s", from, diff)
		}
	})
}

func TestPayloadsDecodeWithoutFault(t *testing.T) {
	w := probeWorld(t, 3, Faults{})
	decodeDay(t, w, someDay)
}

// decodeDay fails on whatever the decoder does not take as it is.
func decodeDay(t testing.TB, w *World, date time.Time) (readings, events int) {
	t.Helper()
	var d devices.Decoder
	c := w.from(midnight(momentOf(date).day()))
	end := midnight(momentOf(date).day() + 1)
	for i := range w.actors {
		c.push(due{at: c.start, actor: int32(i), event: birth})
	}
	for c.peek().at < end {
		at := c.next()
		a := w.actors[at.actor]
		payload := w.encode(nil, at, stamp{})
		if len(payload) == 0 {
			continue
		}
		var out devices.Outcome
		if at.event >= 0 {
			_, out = d.Event(nil, a.plan.typ, &a.Device.Device, a.plan.events[at.event].ID, payload, at.at.time())
			events++
		} else {
			_, out = d.Reading(nil, a.plan.typ, &a.Device.Device, payload, at.at.time())
			readings += len(out.Readings)
		}
		if out.Code != "" || len(out.Faults) > 0 || len(out.Unknown) > 0 {
			t.Fatalf("%s at %s: %s %s, faults %v, unknown %q in %s", a.ID, at.at.time(), out.Code, out.Reason, out.Faults, out.Unknown, payload)
		}
		if len(payload) > 64<<10 {
			t.Fatalf("%s: payload of %d bytes", a.ID, len(payload))
		}
	}
	return readings, events
}

func TestFieldsGoByTheirPeriodAndStatesByTheirChange(t *testing.T) {
	w := probeWorld(t, 4, Faults{})
	seen := map[string]int{}
	var last any
	for m := range w.Day(someDay) {
		if m.Device.ID != "probe-0" || strings.Contains(m.Topic, "/event/") {
			continue
		}
		if !strings.HasPrefix(m.Topic, "linli/safety/here/probe/probe-0") {
			t.Fatalf("topic %s, want the fast lane", m.Topic)
		}
		var objects []map[string]any
		if err := json.Unmarshal(m.Payload, &objects); err != nil {
			t.Fatalf("%v in %s", err, m.Payload)
		}
		if len(objects) == 1 {
			continue // a session began or ended
		}
		if len(objects) != 4 {
			t.Fatalf("%d series, want 2 ports × 2 sides: %s", len(objects), m.Payload)
		}
		for _, o := range objects {
			if _, has := o["mode"]; has && o["side"] == "right" {
				t.Fatalf("mode on the right side: %v", o)
			}
		}
		o := objects[0]
		for field := range o {
			seen[field]++
		}
		if v, said := o["mode"]; said {
			if v == last {
				t.Errorf("mode %v said twice", v)
			}
			last = v
		}
	}
	for field, want := range map[string]int{"gauge": 144, "lumps": 48, "steady": 24, "label": 0} {
		if seen[field] != want {
			t.Errorf("%s was sent %d times, want %d", field, seen[field], want)
		}
	}
	if seen["mode"] < 1 || seen["mode"] > 12 {
		t.Errorf("mode was sent %d times in slots of two hours", seen["mode"])
	}
}

func TestCountersOnlyRise(t *testing.T) {
	w := probeWorld(t, 5, Faults{Falls: 100})
	a := w.actors[0]
	rapid.Check(t, func(t *rapid.T) {
		from := momentOf(someDay) + moment(rapid.Int64Range(0, 400*dayLength).Draw(t, "from"))
		to := from + moment(rapid.Int64Range(0, 2*dayLength).Draw(t, "by"))
		for _, id := range []string{"steady", "lumps", "steps", "total_wh"} {
			f := a.plan.field(id)
			before, after := a.value(f, 0, from), a.value(f, 0, to)
			if after < before && (id != "steps" || from.day() == to.day()) {
				t.Fatalf("%s fell from %g at %s to %g at %s", id, before, from.time(), after, to.time())
			}
			if id == "steady" && math.Abs((after-before)-24*float64(to-from)/dayLength) > 24*0.3+1e-6 {
				t.Fatalf("%s rose by %g in %s", id, after-before, to.time().Sub(from.time()))
			}
		}
	})
}

func TestWhoFallsStopsEverythingAtOnce(t *testing.T) {
	w := probeWorld(t, 6, Faults{Falls: 365})
	a := w.actors[0]
	falls := 0
	for n := range int64(25) {
		day := momentOf(someDay).day() + n
		s, fell := a.home.fall(day)
		if !fell {
			continue
		}
		falls++
		from, to := clock(day, s.from)+1, clock(day, s.to) // whole milliseconds inside
		for _, other := range w.actors {                   // the whole home
			for _, id := range []string{"lumps", "steps"} {
				f := other.plan.field(id)
				if before, after := other.value(f, 0, from), other.value(f, 0, to); before != after {
					t.Errorf("%s of %s rose from %g to %g while the elder lay on the floor", id, other.ID, before, after)
				}
			}
			if other.value(other.plan.field("there"), 0, from) != 1 {
				t.Errorf("the elder fell at %s and was not at home", from.time())
			}
		}
		told := false
		for m := range w.Day(from.time()) {
			switch at := momentOf(m.Time); {
			case strings.HasSuffix(m.Topic, "/opened") && at >= from && at <= to:
				t.Errorf("%s while the elder lay on the floor", m.Topic)
			case strings.HasSuffix(m.Topic, "/fall"):
				told = told || at == from-1
			}
		}
		if told {
			continue
		}
		t.Errorf("nothing told of the fall at %s", from.time())
	}
	if falls < 8 {
		t.Errorf("%d falls in 25 days at one a day", falls)
	}
}

func TestWhoIsOutDoesNothingAtHome(t *testing.T) {
	h := &home{key: 7, kind: elder}
	c := newCourse([24]float64{6: 1, 7: 2, 8: 3, 9: 4, 10: 4, 11: 3, 15: 2, 16: 5, 17: 2, 20: 1})
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.Int64Range(20000, 22000).Draw(t, "day")
		hour := rapid.Float64Range(0, 23.9).Draw(t, "hour")
		later := rapid.Float64Range(hour, 24).Draw(t, "later")
		before, after := h.share(c, day, hour, true), h.share(c, day, later, true)
		if before < 0 || after > 1 || after < before {
			t.Fatalf("share %g at %g, %g at %g", before, hour, after, later)
		}
		for _, out := range h.absences(day) {
			if hour >= out.from && later < out.to && after-before > 1e-9 {
				t.Fatalf("out from %g to %g, yet the share rose from %g to %g", out.from, out.to, before, after)
			}
		}
		if end := h.share(c, day, 24, true); math.Abs(end-1) > 1e-9 {
			t.Fatalf("a day ends at %g", end)
		}
	})
}

func TestSensorFaultsShowAndAreReproducible(t *testing.T) {
	clean := day(probeWorld(t, 8, Faults{}), someDay)
	faulty := day(probeWorld(t, 8, Faults{Sensor: 0.5}), someDay)
	if cmp.Equal(clean, faulty) {
		t.Error("no sensor fault shows")
	}
	if diff := cmp.Diff(faulty, day(probeWorld(t, 8, Faults{Sensor: 0.5}), someDay)); diff != "" {
		t.Errorf("faults differ from one play to the next:\n%s", diff)
	}
	for _, line := range faulty {
		if _, payload, _ := strings.Cut(line[len("2026-11-23T00:00:00.000+08:00"):], " {"); strings.Contains(payload, "NaN") {
			t.Fatalf("no JSON: %s", line)
		}
	}
}

func TestWeatherIsSharedAndOfTheSeason(t *testing.T) {
	s := probeWorld(t, 9, Faults{}).actors[0].site
	at := func(month time.Month, hour int) moment {
		return momentOf(time.Date(2026, month, 15, hour, 0, 0, 0, zone))
	}
	if january, july := s.temperature(at(time.January, 12)), s.temperature(at(time.July, 12)); july-january < 12 {
		t.Errorf("January %g °C, July %g °C", january, july)
	}
	if night := s.irradiance(at(time.July, 0)); night != 0 {
		t.Errorf("irradiance at midnight is %g", night)
	}
	if noon := s.irradiance(at(time.July, 12)); noon < 50 || noon > 1100 {
		t.Errorf("irradiance at noon is %g", noon)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := at(time.January, 0) + moment(rapid.Int64Range(0, 365*dayLength).Draw(t, "ms"))
		if r, w, h := s.rain(m), s.wind(m), s.humidity(m); r < 0 || r > 20 || w < 0 || w > 14 || h < 12 || h > 98 {
			t.Fatalf("at %s: rain %g, wind %g, humidity %g", m.time(), r, w, h)
		}
	})
}

func TestReportsStayOnTheirGrid(t *testing.T) {
	a := probeWorld(t, 1, Faults{}).actors[0]
	rapid.Check(t, func(t *rapid.T) {
		from := moment(rapid.Int64Range(0, 1e13).Draw(t, "from"))
		got := a.report(from)
		if period := moment(a.plan.period.Milliseconds()); got < from || got >= from+period || (got-a.phase)%period != 0 {
			t.Fatalf("report after %d is %d, phase %d", from, got, a.phase)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	w := probeWorld(b, 1, Faults{})
	c := w.from(momentOf(someDay))
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = w.encode(buf[:0], c.next(), stamp{})
	}
	if bytes.Contains(buf, []byte("NaN")) {
		b.Fatal("NaN")
	}
}
