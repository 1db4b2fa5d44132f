package simulate

import (
	"encoding/json"
	"testing"

	"linli/seeds"
)

func TestBandsFollowTheDayOfTheirWearer(t *testing.T) {
	t.Parallel()
	all, err := seeds.Load()
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWorld(catalogue(t), all, 0.05, 1, Faults{}, "linli")
	if err != nil {
		t.Fatal(err)
	}
	actors := map[string]*actor{}
	for _, a := range w.actors {
		actors[a.ID] = a
	}
	fixes, far := map[string]int{}, 0
	for m := range w.Day(someDay) {
		a := actors[m.Device.ID]
		var said struct {
			Lat      *float64
			Lon      *float64
			Accuracy *float64 `json:"accuracy_m"`
		}
		if a.Type != "wearable_band" || json.Unmarshal(m.Payload, &said) != nil || said.Lat == nil && said.Lon == nil && said.Accuracy == nil {
			continue
		}
		if said.Lat == nil || said.Lon == nil || said.Accuracy == nil {
			t.Fatalf("%s sent a part of a fix: %s", a.ID, m.Payload)
		}
		fixes[a.ID]++
		away := metres(a.house(), [2]float64{*said.Lat, *said.Lon})
		switch {
		case a.home.present(momentOf(m.Time)) && away > 2**said.Accuracy:
			t.Errorf("%s is %.0f m from home at %s, and its wearer is there", a.ID, away, m.Time)
		case a.Tags["care"] == "dementia" && away > a.Attributes["home_radius_m"]:
			t.Errorf("%s has wandered off: %.0f m", a.ID, away)
		case away > a.Attributes["home_radius_m"]:
			far++
		case away > 2000:
			t.Errorf("%s is %.0f m from home", a.ID, away)
		}
	}
	for id, n := range fixes {
		if n < 130 || n > 150 {
			t.Errorf("%s sent %d fixes in a day, want one every ten minutes", id, n)
		}
	}
	if len(fixes) < 15 || far < 5 {
		t.Errorf("%d bands know where they are, %d times outside the radius of home: want all of them, and some of those", len(fixes), far)
	}
	t.Logf("%d bands, %d fixes away from home", len(fixes), far)
}
