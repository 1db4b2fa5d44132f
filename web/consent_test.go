package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
	"linli/web/account"
)

// told is a history in which everything that is asked for was measured: 123.
type told struct{ empty }

func (told) Raw(context.Context, series.Query, int) ([]series.Point, error) {
	return []series.Point{{Time: noon, Value: 123.0}}, nil
}

func (told) Latest(_ context.Context, groups ...series.Group) (all []series.Value, err error) {
	for _, g := range groups {
		for _, d := range g.Devices {
			for _, f := range g.Fields {
				all = append(all, series.Value{Device: d, Field: f, Point: series.Point{Time: noon, Value: 123.0}})
			}
		}
	}
	return all, nil
}

func (told) Events(_ context.Context, devices []string, _, _ time.Time, _ int) ([]series.Event, error) {
	return []series.Event{
		{Time: noon, Device: devices[0], Event: "sos", Fields: map[string]any{"lat": 12.3}},
		{Time: noon, Device: devices[0], Event: "removed", Fields: map[string]any{}},
	}, nil
}

// kinship is a site with an elder who has a band, a water meter and three alerts, and family with accounts.
type kinship struct {
	*site
	cookies map[string]string
}

func newKinship(t *testing.T) *kinship {
	s := run(t, told{}, func(c *Config) { c.ActionWait = 300 * time.Millisecond })
	s.populate("north")
	_, err := s.web.Registry.AddDevice(t.Context(), devices.Device{ID: "north-water", Community: "north", Type: "water_meter", Person: "north-elder"})
	if err != nil {
		t.Fatal(err)
	}
	for id, change := range map[string]func(*bus.Alert){
		"ordinary": func(a *bus.Alert) { a.Rule = "wb_hr_high3" },
		"sos":      func(a *bus.Alert) { a.Rule, a.Safety, a.Escalation = "wb_sos", true, &bus.Escalation{Plan: "sos"} },
		"line":     func(a *bus.Alert) { a.Rule = bus.AllIsWellRule },
	} {
		a := newAlert(1)
		a.ID, a.Community, a.Device, a.Person = id, "north", "north-band", "north-elder"
		a.Told, a.FamilyAckBy, a.FamilyPerson = []string{"person:north-son"}, "brother", "north-son"
		change(&a)
		s.store(a, bus.AlertEvent{Kind: "opened", Tell: []bus.Recipient{
			{Target: "circle", Person: "north-kin", Name: "Daughter"},
			{Target: "circle", Person: "north-son", Name: "brother", Reach: []bus.Address{{Channel: "sms", To: "139"}}},
			{Target: "circle", Person: "north-aunt", Name: "aunt", Held: people.HeldNoConsent},
		}})
		s.shows(id, bus.Opened)
	}
	for _, x := range []bus.Recipient{{Person: "north-kin", Name: "Daughter"}, {Person: "north-son", Name: "brother"}} {
		data, err := json.Marshal(bus.Delivery{ID: x.Person, Alert: "sos", N: 1, Community: "north", Recipient: x, State: bus.Accepted})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := s.bus.Publish(t.Context(), bus.DeliverySubject("sos", x.Person), "", data); err != nil {
			t.Fatal(err)
		}
	}
	k := &kinship{s, map[string]string{}}
	k.agree(nil)
	k.cookies["kin"] = s.user(account.User{Name: "kin", Role: account.Family, Elders: []string{"north-elder"}, Person: "north-kin"})
	k.cookies["stranger"] = s.user(account.User{Name: "stranger", Role: account.Family, Elders: []string{"north-elder"}, Person: "north-guard"})
	k.cookies["nurse"] = s.user(account.User{Name: "nurse", Role: account.Caretaker, Elders: []string{"north-elder"}})
	return k
}

// agree replaces what the elder has agreed to show their daughter. The son is shown something else.
func (k *kinship) agree(consent []people.Consent) {
	k.Helper()
	since, _ := time.Parse(time.DateOnly, sons)
	for _, p := range []people.Person{
		{ID: "north-son", Community: "north", Name: "Son"},
		{ID: "north-elder", Community: "north", Name: "Elder", Home: "home of elder", Notes: "diabetic", Roles: []people.Role{people.Elder}, AllIsWell: &people.AllIsWell{At: "08:31"}, Circle: []people.Member{
			{Person: "north-kin", Relation: "daughter", Consent: consent}, {Person: "north-son", Relation: "son", Consent: []people.Consent{{Scope: people.Events, Since: since}}},
		}},
	} {
		if err := k.web.People.PutPerson(k.Context(), p); err != nil {
			k.Fatal(err)
		}
	}
}

// byConsent is every way to data of an elder, and what must be agreed to for it; anything is at least one scope. Where text is given the
// way is always open, and the text there only with consent.
var byConsent = []struct {
	method, path string
	scope        people.Scope
	text         string
	refusal      int
}{
	{"GET", "/api/v1/alerts", people.Events, `"id":"ordinary"`, 0},
	{"GET", "/api/v1/alerts", people.Wellbeing, `"id":"line"`, 0},
	{"GET", "/api/v1/alerts", member, `"id":"sos"`, 0},
	{"GET", "/api/v1/stream", people.Events, `"id":"ordinary"`, 0},
	{"GET", "/api/v1/stream", member, `"id":"sos"`, 0},
	{"GET", "/api/v1/alerts/ordinary", people.Events, "", 404},
	{"GET", "/api/v1/alerts/line", people.Wellbeing, "", 404},
	{"GET", "/api/v1/alerts/sos", member, "", 404},
	{"GET", "/api/v1/alerts", people.Events, "brother", 0},
	{"GET", "/api/v1/stream", people.Events, "brother", 0},
	{"GET", "/api/v1/alerts", nobody, "person:north-son", 0},
	{"GET", "/api/v1/stream", nobody, "person:north-son", 0},
	{"GET", "/api/v1/alerts/sos", member, "Daughter", 0},
	{"GET", "/api/v1/alerts/sos", people.Events, "brother", 0},
	{"GET", "/api/v1/alerts/sos", nobody, "no_consent", 0},
	{"GET", "/api/v1/deliveries?alert=sos", member, "Daughter", 0},
	{"GET", "/api/v1/deliveries?alert=sos", people.Events, "brother", 0},
	{"GET", "/api/v1/deliveries?alert=ordinary", people.Events, "", 404},
	{"POST", "/api/v1/alerts/ordinary/acknowledge", people.Events, "", 404},
	{"POST", "/api/v1/alerts/ordinary/close", people.Events, "", 404},
	{"POST", "/api/v1/alerts/sos/acknowledge", member, "", 404},
	{"POST", "/api/v1/alerts/sos/close", nobody, "", 403},
	{"GET", "/api/v1/devices", anything, `"id":"north-band"`, 0},
	{"GET", "/api/v1/devices.csv", anything, "north-band", 0},
	{"GET", "/api/v1/devices/north-band", anything, "", 404},
	{"GET", "/api/v1/devices/north-band", people.Vitals, `"heart_rate_bpm"`, 0},
	{"GET", "/api/v1/devices/north-band", people.Location, `"lat"`, 0},
	{"GET", "/api/v1/devices/north-band/latest", people.Vitals, `"spo2_pct"`, 0},
	{"GET", "/api/v1/devices/north-band/latest", people.Location, `"accuracy_m"`, 0},
	{"GET", "/api/v1/values?type=wearable_band&fields=heart_rate_bpm,lat", people.Vitals, `"field":"heart_rate_bpm"`, 0},
	{"GET", "/api/v1/values?type=wearable_band&fields=heart_rate_bpm,lat", people.Location, `"field":"lat"`, 0},
	{"GET", "/api/v1/devices/north-band/readings?field=heart_rate_bpm", people.Vitals, "", 403},
	{"GET", "/api/v1/devices/north-band/readings?field=lat", people.Location, "", 403},
	{"GET", "/api/v1/devices/north-band/readings.csv?field=battery_pct", people.Vitals, "", 403},
	{"GET", "/api/v1/devices/north-band/chart?field=heart_rate_bpm", people.Vitals, "", 403},
	{"GET", "/api/v1/devices/north-band/chart?field=lon", people.Location, "", 403},
	{"GET", "/api/v1/devices/north-band/completeness", people.Vitals, "", 403},
	{"GET", "/api/v1/devices/north-water/chart?field=volume_m3", people.Wellbeing, "", 403},
	{"GET", "/api/v1/devices/north-band/events", people.Events, `"removed"`, 0},
	{"GET", "/api/v1/devices/north-band/events", people.Location, `12.3`, 0},
	{"GET", "/api/v1/people/north-elder/wellbeing", people.Wellbeing, "", 403},
	{"POST", "/api/v1/people/north-elder/away", people.Wellbeing, "", 403},
	{"DELETE", "/api/v1/people/north-elder/away", people.Wellbeing, "", 403},
	{"GET", "/api/v1/people", member, "home of elder", 0},
	{"GET", "/api/v1/people/north-elder", member, "home of elder", 0},
	{"GET", "/api/v1/people/north-elder", nobody, sons, 0},
	{"GET", "/api/v1/people/north-elder", nobody, "diabetic", 0},
	{"GET", "/api/v1/people/north-elder", people.Wellbeing, "08:31", 0},
	{"GET", "/api/v1/people", people.Wellbeing, "08:31", 0},
}

const (
	anything people.Scope = "any"
	member   people.Scope = "member" // of the circle, whatever is agreed
	nobody   people.Scope = "nobody" // of the family

	sons = "2026-04-01" // since when the son is shown something
)

// What is not agreed to is not seen by any way, from the moment it is taken back; who is no member of the circle sees nothing.
func TestFamilySeesByConsent(t *testing.T) {
	t.Parallel()
	k := newKinship(t)
	now := time.Now()
	hourAgo, inAnHour := now.Add(-time.Hour), now.Add(time.Hour)
	cases := map[string][]people.Consent{
		"nothing": nil, "no longer": {{Scope: people.Vitals, Since: noon, Until: &hourAgo}}, "vitals for now": {{Scope: people.Vitals, Since: noon, Until: &inAnHour}},
		"not yet": {{Scope: people.Vitals, Since: time.Now().AddDate(1, 0, 0)}}, "all": agreedTo(people.Scopes...),
	}
	for _, scope := range people.Scopes {
		cases[string(scope)] = agreedTo(scope)
	}
	names := append([]string{"all"}, slices.Collect(func(yield func(string) bool) { // then less: what was shown before is not shown again
		for name := range cases {
			if !yield(name) {
				return
			}
		}
	})...)
	for _, name := range names {
		k.agree(cases[name])
		for _, way := range byConsent {
			for who := range k.cookies {
				k.checkWay(who, name, way.method, way.path, way.text, way.refusal, k.allowed(who, name, way.scope))
			}
		}
	}
}

func (k *kinship) allowed(who, agreed string, scope people.Scope) bool {
	switch {
	case who == "nurse":
		return true
	case who == "stranger" || scope == nobody:
		return false
	case scope == member || agreed == "all":
		return true
	}
	return scope == anything && agreed != "nothing" && agreed != "not yet" && agreed != "no longer" || strings.HasPrefix(agreed, string(scope))
}

func (k *kinship) checkWay(who, agreed, method, path, text string, refusal int, allowed bool) {
	k.Helper()
	status, body := k.begin(k.as(k.cookies[who], method, path, ""), strings.HasSuffix(path, "/stream"))
	switch {
	case text != "" && strings.Contains(body, text) != allowed:
		k.Errorf("%s with %s: %s %s: %q there: %t, want %t: %.300s", who, agreed, method, path, text, !allowed, allowed, body)
	case text == "" && allowed && status >= 300:
		k.Errorf("%s with %s: %s %s: %d %.200s", who, agreed, method, path, status, body)
	case text == "" && !allowed && status != refusal && status != http.StatusNotFound:
		k.Errorf("%s with %s: %s %s: %d, want %d: %.200s", who, agreed, method, path, status, refusal, body)
	}
}

func pointsOf(lat, lon float64) map[string]series.Point {
	return map[string]series.Point{"lat": {Time: noon, Value: lat}, "lon": {Time: noon, Value: lon}}
}
