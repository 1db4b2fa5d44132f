package simulate

import (
	"fmt"
	"hash/fnv"
	"slices"
	"testing"
	"time"

	"linli/devices"
	"linli/seeds"
)

// TestEveryType plays a day of each type of the catalogue: what it says is decoded without a fault, so it is of the type and
// within range.
func TestEveryType(t *testing.T) {
	t.Parallel()
	for _, typ := range catalogue(t).Types() {
		t.Run(typ.ID, func(t *testing.T) {
			t.Parallel()
			p, err := newPlan(typ)
			if err != nil {
				t.Fatal(err)
			}
			w := &World{root: "linli"}
			s := &site{key: 1, lat: 39.1, lon: 117.7, climate: seeds.Climate{
				Temperature: [12]float64{-17, -13, -4, 6, 14, 19, 22, 20, 13, 5, -6, -15}, Swing: 11, Humidity: 64, Wind: 3,
				RainDays: [12]float64{12, 12, 15, 14, 14, 16, 12, 14, 13, 9, 10, 9}, PM25: 55,
			}}
			d := &seeds.Device{Device: devices.Device{ID: typ.ID, Community: "here", Type: typ.ID}, Home: "home", Elder: true}
			a, err := newActor(d, p, s, map[string]*home{}, 5, 0)
			if err != nil {
				t.Fatal(err)
			}
			w.actors = []*actor{a}
			for _, date := range []time.Time{someDay, someDay.AddDate(0, 8, 0)} {
				readings, events := decodeDay(t, w, date)
				if want := int(24*time.Hour/max(p.period, typ.Period)) * 9 / 10; readings < want {
					t.Errorf("%d readings on %s, want at least %d: one a period", readings, date.Format(time.DateOnly), want)
				}
				t.Logf("%s: %d readings, %d events", date.Format(time.DateOnly), readings, events)
			}
		})
	}
}

func TestEveryFleetFitsTheCatalogue(t *testing.T) {
	t.Parallel()
	cat := catalogue(t)
	all, err := seeds.Load()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewWorld(cat, all, 1, 1, Faults{}, "linli"); err != nil {
		t.Error(err)
	}
	played := map[string]bool{}
	for _, c := range all {
		for _, d := range c.Fleet(1) {
			typ := cat.Type(d.Type)
			if typ == nil {
				continue // NewWorld has said so
			}
			played[d.Type] = true
			for tag, value := range d.Tags {
				if x := typ.Tag(tag); x == nil || !x.Registry || len(x.Values) > 0 && !slices.Contains(x.Values, value) {
					t.Fatalf("%s: %s has no registry tag %s=%s", d.ID, d.Type, tag, value)
				}
			}
			for tag, values := range d.Series {
				x := typ.Tag(tag)
				for _, v := range values {
					if x == nil || len(x.Values) > 0 && !slices.Contains(x.Values, v) {
						t.Fatalf("%s: %s has no payload tag %s=%s", d.ID, d.Type, tag, v)
					}
				}
			}
			for attribute := range d.Attributes {
				if typ.Attribute(attribute) == nil {
					t.Fatalf("%s: %s has no attribute %s", d.ID, d.Type, attribute)
				}
			}
			for field := range d.Scale {
				ofEvent := slices.ContainsFunc(typ.Events, func(e *devices.Event) bool { return e.Field(field) != nil })
				if f := typ.Field(field); field != "session" && !ofEvent && (f == nil || !f.Type.Numeric()) {
					t.Fatalf("%s: %s has no numeric field %s", d.ID, d.Type, field)
				}
			}
		}
	}
	for _, typ := range cat.Types() {
		if !played[typ.ID] {
			t.Errorf("no demo community has a %s", typ.ID)
		}
	}
}

func TestDayOfAllSitesIsAFunctionOfSeedAndDate(t *testing.T) {
	t.Parallel()
	cat := catalogue(t)
	sum := func(seed uint64, date time.Time) string {
		all, err := seeds.Load()
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewWorld(cat, all, 0.005, seed, FaultPresets["realistic"], "linli")
		if err != nil {
			t.Fatal(err)
		}
		h := fnv.New128a()
		n := 0
		for m := range w.Day(date) {
			fmt.Fprintln(h, m.Time.UnixNano(), m.Topic, string(m.Payload))
			if n++; n == 10_000 {
				break
			}
		}
		return fmt.Sprintf("%x", h.Sum(nil))
	}
	first := sum(1, someDay)
	if again := sum(1, someDay); again != first {
		t.Error("the same seed and date give another day")
	}
	if sum(2, someDay) == first || sum(1, someDay.AddDate(0, 0, 1)) == first {
		t.Error("another seed or date gives the same day")
	}
}
