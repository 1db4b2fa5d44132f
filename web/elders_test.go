//go:build !race

package web

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/web/account"
)

func TestTheDayOfEachElder(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x, func(c *Config) { c.Now = func() time.Time { return noon } })
	s.populate("north")
	s.populate("south")
	for id, kind := range map[string]string{"north-water": "water_meter", "north-door": "contact_sensor", "north-radar": "presence_radar"} {
		if _, err := s.web.Registry.AddDevice(t.Context(), devices.Device{ID: id, Community: "north", Type: kind, Person: "north-elder"}); err != nil {
			t.Fatal(err)
		}
	}
	var lines strings.Builder
	add := func(kind, device, fields string, before time.Duration) {
		fmt.Fprintf(&lines, "%s,community=north,device=%s %s %d\n", s.web.Catalogue.Type(kind).Measurement, device, fields, noon.Add(-before).UnixNano())
	}
	add("wearable_band", "north-band", `heart_rate_bpm=60,wear_state="worn"`, time.Hour)
	add("wearable_band", "north-band", `heart_rate_bpm=72`, time.Minute)
	add("contact_sensor", "north-door", `open=false`, 2*time.Hour)
	add("presence_radar", "north-radar", `presence=true`, time.Minute)
	add("water_meter", "north-water", `volume_m3=99`, 23*time.Hour) // noon is 20:00 there: yesterday
	add("water_meter", "north-water", `volume_m3=100`, 10*time.Hour)
	add("water_meter", "north-water", `volume_m3=100.25`, time.Hour)
	if err := x.Write(t.Context(), []byte(lines.String())); err != nil {
		t.Fatal(err)
	}
	active := noon.Add(-time.Minute)
	s.publish(bus.WellbeingSubject("north-elder"), bus.Wellbeing{Person: "north-elder", Active: active, Device: "north-radar"})
	a := newAlert(1)
	a.ID, a.Community, a.Person, a.Category, a.Kind = "quiet", "north", "north-elder", "health", "absence"
	s.store(a, bus.AlertEvent{Kind: "opened"})
	s.shows("quiet", bus.Opened)

	if all := ask[elderList](s, 200, "GET", "/api/v1/elders", ""); len(all.Elders) != 2 {
		t.Fatalf("%d elders, want 2", len(all.Elders))
	}
	got := ask[elderList](s, 200, "GET", "/api/v1/elders?community=north", "").Elders
	if len(got) != 1 || got[0].Person != "north-elder" || !got[0].Quiet || len(got[0].Alerts) != 2 || got[0].Active == nil || !got[0].Active.Equal(active) || got[0].By != "north-radar" {
		t.Fatalf("%+v", got)
	}
	for field, want := range map[string]any{"heart_rate_bpm": 72.0, "wear_state": "worn", "open": false, "presence": true} {
		if v := got[0].Signs[field]; v.Value != want || v.Old {
			t.Errorf("%s is %+v, want %v", field, v, want)
		}
	}
	if w := got[0].Water; w == nil || *w != 0.25 {
		t.Errorf("water %v, want 0.25 since midnight there", w)
	}
	see := func(u account.User) (int, string) {
		r := s.request("GET", "/api/v1/elders", "", "Cookie", s.user(u))
		r.Header.Del("Authorization")
		status, _, body := s.do(r)
		return status, body
	}
	if status, body := see(account.User{Name: "nurse", Role: account.Caretaker, Elders: []string{"south-elder"}}); status != 200 || strings.Contains(body, "north-elder") || !strings.Contains(body, "south-elder") {
		t.Errorf("a caretaker of the south sees %d %s", status, body)
	}
	for _, role := range []account.Role{account.Family, account.Auditor} {
		u := account.User{Name: string(role), Role: role, Elders: []string{"north-elder"}, Person: "north-kin"}
		if role == account.Auditor {
			u.Elders, u.Communities, u.Person = nil, []string{"north"}, ""
		}
		if status, _ := see(u); status != 403 {
			t.Errorf("%s: %d, want 403: heart rates are not for them here", role, status)
		}
	}
}
