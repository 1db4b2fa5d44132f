package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/web/account"
)

// home is a site with a mother, her daughter, her son and a guard who are sent links, and an SOS of hers.
type home struct {
	*site
	passes *people.Passes
	now    time.Time
}

func newHome(t *testing.T) *home {
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, told{}, func(c *Config) { c.Passes, c.ActionWait = passes, 400*time.Millisecond })
	h := &home{s, passes, time.Now()}
	for _, p := range []people.Person{
		{ID: "daughter", Community: "tianjin", Name: "王芳", Roles: []people.Role{people.Contact}},
		{ID: "son", Community: "tianjin", Name: "王强", Roles: []people.Role{people.Contact}},
		{ID: "guard", Community: "tianjin", Name: "保安", Roles: []people.Role{people.Security}},
		{ID: "desk", Community: "tianjin", Name: "值班", Phone: "13800000000", Roles: []people.Role{people.Duty}},
	} {
		h.put(p)
	}
	h.agree(people.Events, people.Wellbeing)
	if _, err := s.web.Registry.AddDevice(t.Context(), devices.Device{ID: "band", Community: "tianjin", Type: "wearable_band", Person: "mother", Attributes: map[string]float64{"home_lat": 39, "home_lon": 117}}); err != nil {
		t.Fatal(err)
	}
	h.sos("a1")
	return h
}

func (h *home) put(p people.Person) {
	h.Helper()
	if err := h.web.People.PutPerson(h.Context(), p); err != nil {
		h.Fatal(err)
	}
}

// agree says what the daughter may see; the son may see nothing.
func (h *home) agree(scopes ...people.Scope) {
	h.Helper()
	h.put(people.Person{ID: "mother", Community: "tianjin", Name: "王奶奶", Roles: []people.Role{people.Elder}, Circle: []people.Member{
		{Person: "daughter", Relation: "daughter", Calls: "妈妈", Consent: agreedTo(scopes...)}, {Person: "son", Relation: "son"},
	}})
}

func (h *home) sos(id string) {
	h.Helper()
	a := bus.Alert{ID: id, Rule: "wb_sos", Safety: true, Community: "tianjin", Person: "mother", State: bus.Opened, Events: 1, OpenedAt: h.now, Text: devices.Text{ZH: "求救"}}
	h.store(a, bus.AlertEvent{N: 1, Kind: "opened", At: h.now, Tell: []bus.Recipient{{Target: "circle:1", Person: "daughter", Name: "王芳"}, {Target: "circle", Person: "son", Held: "no_consent"}}})
	h.shows(id, bus.Opened)
}

// link is the path of somebody's page, good for an alert that was told now.
func (h *home) link(alert, person string) string {
	return "/api/v1/family/" + h.passes.Seal(people.Pass{Alert: alert, Person: person, Until: h.now.Add(people.PassFor)})
}

func (v familyView) alertIDs() (ids []string) {
	for _, a := range v.Alerts {
		ids = append(ids, a.ID)
	}
	return ids
}

// The family sees what the elder agreed to; who is of no circle sees the alert alone. Looking does nothing.
func TestFamilySeesWhatTheElderAgreedTo(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	active := h.now.Add(-3 * time.Minute).UTC().Truncate(time.Second)
	h.publish(bus.WellbeingSubject("mother"), bus.Wellbeing{Person: "mother", Active: active})
	got := ask[familyView](h.site, http.StatusOK, "GET", h.link("a1", "daughter"), "")
	if got.Person != "王奶奶" || got.Calls != "妈妈" || got.Active == nil || !got.Active.Equal(active) || !slices.Equal(got.Shared, []people.Scope{people.Events, people.Wellbeing}) {
		t.Errorf("daughter sees %+v", got)
	}
	want := []familyTold{{Name: "王芳", Kind: "family", At: h.now.UTC()}}
	if diff := cmp.Diff(want, got.Alerts[0].Told); diff != "" || len(got.Circle) != 2 || !got.Circle[0].Me || got.Desk[0].Phone != "13800000000" {
		t.Errorf("told (-want +got):\n%s circle %+v, desk %+v", diff, got.Circle, got.Desk)
	}
	son := ask[familyView](h.site, http.StatusOK, "GET", h.link("a1", "son"), "")
	if son.Active != nil || son.Person == "" || son.AllIsWell != "" || len(son.Shared) != 0 || son.Alerts[0].Told[0].Name != "" || son.Alerts[0].Told[0].Kind != "family" {
		t.Errorf("son, who has no consent, sees %+v", son)
	}
	guard := ask[familyView](h.site, http.StatusOK, "GET", h.link("a1", "guard"), "")
	if guard.Person != "" || guard.Active != nil || len(guard.Circle) != 0 || len(guard.Desk) != 0 || len(guard.Alerts) != 1 {
		t.Errorf("guard sees %+v", guard)
	}
	for _, who := range []string{"son", "guard"} {
		for _, way := range []string{"PUT /away {\"until\":\"2026-01-01\"}", "DELETE /away ", "PUT /order {\"order\":[\"son\",\"daughter\"]}", "PUT /well {\"at\":\"08:00\"}"} {
			method, rest, _ := strings.Cut(way, " ")
			path, body, _ := strings.Cut(rest, " ")
			status, _, text := h.do(h.request(method, h.link("a1", who)+path, body))
			if status != http.StatusForbidden && status != http.StatusBadRequest {
				t.Errorf("%s: %s: %d %s", who, way, status, text)
			}
		}
	}
	h.refused(http.StatusForbidden, "", "GET", h.link("a1", "guard")+"/log", "")
	h.refused(http.StatusForbidden, "", "GET", h.link("a1", "guard")+"/body", "")
	if got := actionsOf(h.site); len(got) != 0 {
		t.Errorf("looking did %+v", got)
	}
}

func TestFamilySeesVitalsAndPlaceByConsent(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for _, c := range []struct {
		scopes        []people.Scope
		vitals, place bool
	}{
		{[]people.Scope{people.Events, people.Wellbeing}, false, false},
		{[]people.Scope{people.Vitals}, true, false},
		{[]people.Scope{people.Location}, false, true},
	} {
		h.agree(c.scopes...)
		got := ask[familyBody](h.site, http.StatusOK, "GET", h.link("a1", "daughter")+"/body", "")
		if c.vitals != (len(got.Vitals) > 0) || c.vitals != (got.Worn != nil) || c.place != (got.Place != nil) {
			t.Errorf("with %v: %+v", c.scopes, got)
		}
		if c.place && got.Place.Radius != 150 {
			t.Errorf("place %+v", got.Place)
		}
		if c.vitals && (got.Vitals[0].Field != "heart_rate_bpm" || got.Vitals[0].Value != 123.0 || !got.Vitals[0].Old) {
			t.Errorf("vitals %+v", got.Vitals)
		}
	}
}

func TestPlaceIsSeenFromHome(t *testing.T) {
	t.Parallel()
	zone := &homeZone{39, 117, 150}
	for _, c := range []struct {
		lat, lon float64
		home     *homeZone
		want     familyPlace
	}{
		{39.001, 117, zone, familyPlace{Home: "inside", Distance: 111, Radius: 150}},
		{39, 117.01, zone, familyPlace{Home: "outside", Distance: 864, Bearing: 90, Radius: 150}},
		{38.99, 116.99, zone, familyPlace{Home: "outside", Distance: 1408, Bearing: 218, Radius: 150}},
		{38.99, 116.99, nil, familyPlace{Home: "unknown"}},
	} {
		got := placeOf(pointsOf(c.lat, c.lon), c.home)
		c.want.Time = noon
		if diff := cmp.Diff(&c.want, got); diff != "" {
			t.Errorf("%g, %g (-want +got):\n%s", c.lat, c.lon, diff)
		}
	}
	if got := placeOf(nil, zone); got != nil {
		t.Errorf("of no position: %+v", got)
	}
}

// An open alert of the elder is on the page whichever message it was opened from, and answered once, however often that is sent.
func TestFamilyAnswers(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.sos("a2")
	line := bus.Alert{ID: "line", Rule: bus.AllIsWellRule, Community: "tianjin", Person: "mother", State: bus.Closed, Events: 1, OpenedAt: h.now}
	h.store(line, bus.AlertEvent{Kind: "closed"})
	h.shows("line", bus.Closed)
	daily := h.link("line", "daughter")
	if got := ask[familyView](h.site, 200, "GET", daily, ""); !slices.Equal(got.alertIDs(), []string{"a1", "a2", "line"}) && !slices.Equal(got.alertIDs(), []string{"a2", "a1", "line"}) {
		t.Errorf("alerts %v", got.alertIDs())
	}
	for range 3 {
		ask[familyAnswered](h.site, 200, "POST", daily+"/answer", `{"alert":"a2","answer":"going"}`, "Idempotency-Key", "press-1")
	}
	ask[familyAnswered](h.site, 200, "POST", daily+"/answer", `{"alert":"a2","answer":"cannot"}`, "Idempotency-Key", "press-2")
	var did []string
	for _, a := range actionsOf(h.site) {
		did = append(did, fmt.Sprint(a.Kind, " ", a.Alert, " ", a.By, " ", a.Person, " ", a.Family))
	}
	if want := []string{"acknowledge a2 王芳 daughter true", "decline a2 王芳 daughter true"}; !slices.Equal(did, want) {
		t.Errorf("did %v, want %v", did, want)
	}
	h.refused(http.StatusBadRequest, "answer", "POST", daily+"/answer", `{"alert":"a2","answer":"perhaps"}`)
	h.refused(http.StatusNotFound, "", "POST", daily+"/answer", `{"alert":"a9","answer":"going"}`)
	ask[familyAnswered](h.site, 200, "POST", h.link("a1", "guard")+"/answer", `{"alert":"a1","answer":"going"}`)
	h.refused(http.StatusNotFound, "", "POST", h.link("a1", "guard")+"/answer", `{"alert":"a2","answer":"going"}`)
	if all := actionsOf(h.site); all[len(all)-1].Family || all[len(all)-1].Person != "guard" {
		t.Errorf("the guard counts as family: %+v", all[len(all)-1])
	}
}

func TestFamilySeesWhoAnswered(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	a := bus.Alert{ID: "a1", Safety: true, Community: "tianjin", Person: "mother", State: bus.Opened, OpenedAt: h.now, FamilyAckBy: "王强", FamilyPerson: "son"}
	for _, e := range []bus.AlertEvent{{Kind: "declined", By: "王芳", Who: "daughter"}, {Kind: "family_acknowledged", By: "王强", Who: "son"}, {Kind: "acknowledged", By: "admin"}} {
		a.Events = max(a.Events, 1) + 1
		e.At = h.now.Add(time.Duration(a.Events) * time.Second)
		h.store(a, e)
	}
	var got []string
	var v familyView
	for len(got) < 3 {
		v = ask[familyView](h.site, 200, "GET", h.link("a1", "daughter"), "")
		got = nil
		for _, x := range v.Alerts[0].Told {
			got = append(got, x.Name+" "+x.Kind+" "+x.Answer)
		}
	}
	if want := []string{"王芳 family cannot", "王强 family going", "admin staff going"}; !slices.Equal(got, want) || v.Alerts[0].By != "王强" || v.Alerts[0].Mine {
		t.Errorf("answers %v by %q, want %v", got, v.Alerts[0].By, want)
	}
	if son := ask[familyView](h.site, 200, "GET", h.link("a1", "son"), ""); !son.Alerts[0].Mine || son.Alerts[0].Told[0].Name != "" {
		t.Errorf("son sees %+v", son.Alerts[0])
	}
}

func TestFamilyChangesWhatItMay(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	me := h.link("a1", "daughter")
	mother := func() *people.Person { return h.web.People.Person("mother") }
	day := h.now.AddDate(0, 0, 2).In(h.web.zone("tianjin")).Format(time.DateOnly)
	ask[done](h.site, 200, "PUT", me+"/away", `{"until":"`+day+`"}`)
	if p := mother(); !p.Away(time.Now()) || p.AwayUntil.In(h.web.zone("tianjin")).Format("15:04") != "00:00" || p.Away(h.now.AddDate(0, 0, 4)) {
		t.Errorf("away from %v until %v", p.AwaySince, p.AwayUntil)
	}
	h.refused(400, "until", "PUT", me+"/away", `{"until":"2020-01-01"}`)
	h.refused(400, "until", "PUT", me+"/away", `{"until":"tomorrow"}`)
	ask[done](h.site, 200, "DELETE", me+"/away", "")
	ask[done](h.site, 200, "PUT", me+"/well", `{"at":"08:30"}`)
	h.refused(400, "all_is_well.at", "PUT", me+"/well", `{"at":"8"}`)
	ask[done](h.site, 200, "PUT", me+"/calls", `{"calls":" 老妈 "}`)
	ask[done](h.site, 200, "PUT", me+"/order", `{"order":["son","daughter"]}`)
	for _, bad := range []string{`["son"]`, `["son","daughter","guard"]`, `["son","guard"]`, `[]`} {
		h.refused(http.StatusConflict, "order", "PUT", me+"/order", `{"order":`+bad+`}`)
	}
	h.refused(400, "circle", "PUT", me+"/order", `{"order":["son","son"]}`)
	p := mother()
	if p.Away(h.now) || p.AllIsWell.At != "08:30" || p.Circle[0].Person != "son" || p.Circle[1].Calls != "老妈" || len(p.Circle[1].Consent) != 2 {
		t.Errorf("mother %+v", p)
	}
	ask[done](h.site, 200, "PUT", me+"/well", `{"at":""}`)
	if all := actionsOf(h.site); mother().AllIsWell != nil || len(all) != 1 || all[0].Kind != "reordered" || all[0].About != "mother" || all[0].Note != "1 王强，2 王芳" {
		t.Errorf("actions %+v", all)
	}
	log := ask[familyLog](h.site, 200, "GET", me+"/log", "")
	var got []string
	for _, e := range log.Entries {
		got = append(got, fmt.Sprintf("%s %s %v %t", e.By, e.Role, e.What, e.Changed))
	}
	if want := []string{"王芳 family [well] true", "王芳 family [order] true", "王芳 family [calls] true", "王芳 family [well] true", "王芳 family [away] true", "王芳 family [away] true"}; !slices.Equal(got, want) {
		t.Errorf("log %v, want %v", got, want)
	}
}

// A link ends with its time, with the person, with their place in the circle, with consent, and when staff end it.
func TestLinksEnd(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	a := bus.Alert{ID: "ordinary", Rule: "wb_hr_high3", Community: "tianjin", Person: "mother", State: bus.Opened, Events: 1, OpenedAt: h.now}
	h.store(a, bus.AlertEvent{Kind: "opened"})
	h.shows("ordinary", bus.Opened)
	ordinary := h.link("ordinary", "daughter")
	if got := ask[familyView](h.site, 200, "GET", ordinary, ""); !slices.Equal(got.alertIDs(), []string{"a1", "ordinary"}) {
		t.Errorf("alerts %v", got.alertIDs())
	}
	h.agree(people.Wellbeing)
	if got := ask[familyView](h.site, 200, "GET", ordinary, ""); !slices.Equal(got.alertIDs(), []string{"a1"}) {
		t.Errorf("without consent to events: %v", got.alertIDs())
	}
	plain := func() string { return strings.Replace(ordinary, "/api/v1/family/", "/a/", 1) + "?plain=1" }
	h.noLink("GET", plain())
	h.noLink("POST", strings.TrimSuffix(plain(), "?plain=1"))
	h.refused(404, "", "POST", ordinary+"/answer", `{"alert":"ordinary","answer":"going"}`)

	daughter := h.link("a1", "daughter")
	h.now = h.now.Add(-time.Hour)
	older := h.link("a1", "daughter")
	ask[struct{}](h.site, 200, "POST", "/api/v1/people/daughter/revoke-links", "")
	ask[person](h.site, 200, "PUT", "/api/v1/people/daughter", `{"community":"tianjin","name":"王芳","roles":["contact"]}`) // does not bring them back
	ask[person](h.site, 200, "PUT", "/api/v1/people/daughter", `{"community":"tianjin","name":"王芳","roles":["contact"],"links_since":"2020-01-01T00:00:00Z"}`)
	h.refused(404, "", "GET", older, "")
	h.now = h.now.Add(time.Hour + time.Minute)
	newer := h.link("a1", "daughter")
	ask[familyView](h.site, 200, "GET", newer, "")
	h.put(people.Person{ID: "mother", Community: "tianjin", Name: "王奶奶", Circle: []people.Member{{Person: "son", Relation: "son"}}})
	for _, path := range []string{"", "/body", "/log"} {
		h.refused(404, "", "GET", newer+path, "")
		h.refused(404, "", "GET", daughter+path, "")
	}
	h.refused(404, "", "GET", "/api/v1/family/x.y", "")
	if got := actionsOf(h.site); len(got) != 0 {
		t.Errorf("did %+v", got)
	}
}

// With an account the same page shows every elder in whose circle its owner is, and nobody else.
func TestFamilyPageWithAnAccount(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.put(people.Person{ID: "father", Community: "tianjin", Name: "王爷爷", Circle: []people.Member{{Person: "daughter", Relation: "daughter"}}})
	h.put(people.Person{ID: "other", Community: "tianjin", Name: "别人"})
	fang := h.user(account.User{Name: "fang", Display: "小芳", Role: account.Family, Elders: []string{"mother", "father", "other"}, Person: "daughter"})
	get := func(path string, v any) int {
		status, _, body := h.do(h.as(fang, "GET", path, ""))
		if err := json.Unmarshal([]byte(body), v); err != nil {
			t.Fatal(err, body)
		}
		return status
	}
	var all familyElders
	if get("/api/v1/family", &all); all.Me != "王芳" || len(all.Elders) != 2 || all.Elders[0] != (familyElder{"mother", "王奶奶", "妈妈"}) {
		t.Errorf("elders %+v", all)
	}
	var v familyView
	if status := get("/api/v1/people/mother/family", &v); status != 200 || v.Calls != "妈妈" || len(v.Alerts) != 1 || v.Me != "王芳" {
		t.Errorf("mother: %d %+v", status, v)
	}
	if status := get("/api/v1/people/father/family", &v); status != 200 || len(v.Shared) != 0 || len(v.Alerts) != 0 {
		t.Errorf("father: %d %+v", status, v)
	}
	for path, want := range map[string]int{"other": 403, "son": 404, "nobody": 403} {
		if status := h.status(h.as(fang, "GET", "/api/v1/people/"+path+"/family", "")); status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	if status := h.status(h.as(fang, "PUT", "/api/v1/people/mother/family/well", `{"at":"07:00"}`)); status != 200 {
		t.Errorf("well: %d", status)
	}
	var log familyLog
	get("/api/v1/people/mother/family/log", &log)
	if len(log.Entries) != 2 || log.Entries[0].By != "王芳" || !slices.Equal(log.Entries[1].What, []string{"events", "wellbeing"}) {
		t.Errorf("log %+v", log)
	}
	audit := ask[auditList](h.site, 200, "GET", "/api/v1/audit?person=mother", "")
	if e := audit.Entries[len(audit.Entries)-1]; e.By != "fang" || !slices.Equal(e.Scopes, []string{"events", "wellbeing"}) {
		t.Errorf("audit %+v", e)
	}
}
