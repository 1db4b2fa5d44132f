package web

import (
	"bytes"
	"net/http"
	"slices"
	"testing"
	"time"

	"linli/bus"
	"linli/people"
)

// The family sees what the elder agreed to, who else looked, and can say that it goes; a stranger with a link sees the alert alone.
func TestFamilySeesWhatTheElderAgreedTo(t *testing.T) {
	t.Parallel()
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, empty{}, func(c *Config) { c.Passes = passes })
	now := time.Now()
	agreed := []people.Consent{{Scope: people.Events, Since: now.Add(-time.Hour)}, {Scope: people.Wellbeing, Since: now.Add(-time.Hour)}, {Scope: people.Vitals, Since: now.Add(time.Hour)}}
	for _, p := range []people.Person{
		{ID: "daughter", Community: "tianjin", Name: "王芳", Roles: []people.Role{people.Contact}},
		{ID: "son", Community: "tianjin", Name: "王强", Roles: []people.Role{people.Contact}},
		{ID: "guard", Community: "tianjin", Name: "保安", Roles: []people.Role{people.Security}},
		{ID: "mother", Community: "tianjin", Name: "王奶奶", Roles: []people.Role{people.Elder}, Circle: []people.Member{
			{Person: "daughter", Relation: "daughter", Consent: agreed}, {Person: "son", Relation: "son"},
		}},
	} {
		if err := s.web.People.PutPerson(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	active := now.Add(-3 * time.Minute).UTC().Truncate(time.Second)
	s.publish(bus.WellbeingSubject("mother"), bus.Wellbeing{Person: "mother", Active: active})
	s.store(bus.Alert{ID: "a1", Community: "tianjin", Person: "mother", State: bus.Opened, Events: 1, OpenedAt: now},
		bus.AlertEvent{N: 1, Kind: "opened", At: now, Tell: []bus.Recipient{{Target: "circle:1", Person: "daughter", Name: "王芳"}, {Target: "circle", Name: "王强", Held: "no_consent"}}})
	s.shows("a1", bus.Opened)
	link := func(person string) string {
		return "/api/v1/family/" + passes.Seal(people.Pass{Alert: "a1", Person: person, Until: now.Add(time.Hour)})
	}
	got := ask[familyView](s, http.StatusOK, "GET", link("daughter"), "")
	if got.Person != "王奶奶" || got.Active == nil || !got.Active.Equal(active) || !slices.Equal(got.Consent, []people.Scope{people.Events, people.Wellbeing}) {
		t.Errorf("daughter sees %+v", got)
	}
	if len(got.Told) != 1 || got.Told[0].Name != "王芳" || len(got.Circle) != 2 || len(got.Views) != 1 || got.Views[0].By != "王芳" {
		t.Errorf("told %+v, circle %+v, views %+v", got.Told, got.Circle, got.Views)
	}
	if son := ask[familyView](s, http.StatusOK, "GET", link("son"), ""); son.Active != nil || son.Person == "" || len(son.Views) != 2 {
		t.Errorf("son, who has no consent, sees %+v", son)
	}
	if guard := ask[familyView](s, http.StatusOK, "GET", link("guard"), ""); guard.Person != "" || guard.Active != nil || len(guard.Circle) != 0 || len(guard.Views) != 0 {
		t.Errorf("guard sees %+v", guard)
	}
	if got := actionsOf(s); len(got) != 0 {
		t.Errorf("looking did %+v", got)
	}
	ask[done](s, http.StatusOK, "POST", link("daughter"), "")
	if got := actionsOf(s); len(got) != 1 || got[0].Kind != "acknowledge" || got[0].Person != "daughter" || got[0].By != "王芳" {
		t.Errorf("actions %+v", got)
	}
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/family/x.y", "")
}
