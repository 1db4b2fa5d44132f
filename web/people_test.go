package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/people"
)

const household = `people:
- id: ma
  community: tianjin
  name: 马奶奶
  roles: [elder]
  home: 花园小区3栋
  circle: [{person: son, relation: son}]
- {id: son, community: tianjin, name: 马建国, reach: [{channel: log}]}
- {id: chen, community: tianjin, name: 陈师傅, roles: [property_duty], reach: [{channel: log}]}
- {id: du, community: tianjin, name: 杜师傅, roles: [property_duty], reach: [{channel: log}]}
rotas:
- {id: desk, community: tianjin, role: property_duty, layers: [{people: [chen, du], turn: weekly, since: 2026-01-05}]}
`

// wednesday is in the first week of the rota.
func wednesday(c *Config) {
	c.Now = func() time.Time { return time.Date(2026, 1, 7, 4, 0, 0, 0, time.UTC) }
	c.Channels = map[string]string{"log": "log"}
}

func TestPeopleAreImportedAndSurveyed(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, wednesday)
	type report struct {
		people.Report
		Error *detail
	}
	if r := ask[report](s, 200, "POST", "/api/v1/people/import?dry_run=1", household); len(r.Changes) != 5 || !r.DryRun {
		t.Errorf("dry run: %+v", r)
	}
	ask[report](s, 200, "POST", "/api/v1/people/import", household)
	if r := ask[report](s, 200, "POST", "/api/v1/people/import", household); r.Unchanged != 5 || len(r.Changes) != 0 {
		t.Errorf("again: %+v", r)
	}
	bad := ask[report](s, 422, "POST", "/api/v1/people/import", strings.Replace(household, "relation: son", "relation: ''", 1))
	if len(bad.Bad) != 1 || bad.Bad[0].Line != 7 || bad.Error == nil || bad.Error.Code != "bad_rows" {
		t.Errorf("mistake: %+v", bad)
	}
	ask[credentials](s, 200, "POST", "/api/v1/devices", `{"id":"sos-1","community":"tianjin","type":"sos_button","person":"ma"}`)
	found := ask[struct{ Problems []people.Problem }](s, 200, "GET", "/api/v1/people/problems?community=tianjin", "").Problems
	if len(found) != 2 || found[0].Person != "ma" || found[0].Code != people.FewContacts || found[1].Code != people.NoConsent {
		t.Errorf("problems: %+v", found)
	}
	s.refused(http.StatusBadRequest, "id", "DELETE", "/api/v1/people/ma", "")
	s.refused(http.StatusBadRequest, "id", "DELETE", "/api/v1/people/son", "")
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/people/nobody", "")
}

func TestAwayMode(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, wednesday)
	ask[any](s, 200, "POST", "/api/v1/people/import", household)
	p := ask[person](s, 200, "POST", "/api/v1/people/ma/away", `{"until":"2026-01-20T00:00:00+08:00"}`)
	if !p.Away || p.AwaySince.Day() != 7 || p.AwayUntil.UTC().Day() != 19 || p.Name != "马奶奶" {
		t.Errorf("away: %+v", p)
	}
	s.refused(http.StatusBadRequest, "away_until", "POST", "/api/v1/people/ma/away", `{"until":"2026-01-01T00:00:00Z"}`)
	if p := ask[person](s, 200, "GET", "/api/v1/people/ma", ""); !p.Away {
		t.Errorf("a refused change has ended it: %+v", p)
	}
	if p := ask[person](s, 200, "DELETE", "/api/v1/people/ma/away", ""); p.Away || p.AwaySince != nil || p.AwayUntil != nil {
		t.Errorf("back: %+v", p)
	}
	s.refused(http.StatusNotFound, "", "POST", "/api/v1/people/nobody/away", "{}")
}

func TestRotas(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, wednesday)
	ask[any](s, 200, "POST", "/api/v1/people/import", household)
	list := ask[struct{ Rotas []rota }](s, 200, "GET", "/api/v1/rotas?community=tianjin&role=property_duty", "").Rotas
	if len(list) != 1 || len(list[0].OnDuty) != 1 || list[0].OnDuty[0] != "chen" {
		t.Errorf("rotas: %+v", list)
	}
	r := ask[rota](s, 200, "POST", "/api/v1/rotas/desk/overrides", `{"from":"2026-01-07T08:00:00+08:00","to":"2026-01-08T08:00:00+08:00","off":"chen","on":"du"}`)
	if len(r.OnDuty) != 1 || r.OnDuty[0] != "du" {
		t.Errorf("on duty with an override: %v", r.OnDuty)
	}
	r = ask[rota](s, 200, "POST", "/api/v1/rotas/desk/notes", `{"text":"3栋电梯在修","by":"chen"}`)
	if len(r.Notes) != 1 || r.Notes[0].By != "chen" || r.Notes[0].At.Day() != 7 {
		t.Errorf("notes: %+v", r.Notes)
	}
	type calendar struct {
		Shifts []people.Shift
		Names  map[string]string
	}
	c := ask[calendar](s, 200, "GET", "/api/v1/rotas/desk/calendar?from=2026-01-07T00:00:00%2B08:00&to=2026-01-14T00:00:00%2B08:00", "")
	if len(c.Shifts) != 4 || c.Shifts[1].People[0] != "du" || c.Names["chen"] != "陈师傅" {
		t.Errorf("calendar: %+v", c)
	}
	s.refused(http.StatusBadRequest, "to", "GET", "/api/v1/rotas/desk/calendar?to=2030-01-01T00:00:00Z", "")
	s.refused(http.StatusBadRequest, "overrides.on", "POST", "/api/v1/rotas/desk/overrides", `{"from":"2026-01-07T08:00:00+08:00","to":"2026-01-08T08:00:00+08:00","on":"nobody"}`)
	s.refused(http.StatusBadRequest, "text", "POST", "/api/v1/rotas/desk/notes", `{}`)
	ask[rota](s, 200, "PUT", "/api/v1/rotas/desk", `{"community":"tianjin","role":"property_duty","layers":[]}`)
	ask[any](s, 200, "DELETE", "/api/v1/rotas/desk", "")
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/rotas/desk", "")
}

func TestWellbeing(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, wednesday)
	ask[any](s, 200, "POST", "/api/v1/people/import", household)
	if got := ask[wellbeing](s, 200, "GET", "/api/v1/people/ma/wellbeing", ""); got.Person != "ma" || !got.Active.IsZero() || got.Away {
		t.Errorf("nothing is known: %+v", got)
	}
	active := time.Date(2026, 1, 7, 3, 30, 0, 0, time.UTC)
	data, err := json.Marshal(bus.Wellbeing{Person: "ma", Active: active, Device: "radar"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.bus.JS.Publish(t.Context(), bus.WellbeingSubject("ma"), data); err != nil {
		t.Fatal(err)
	}
	if got := ask[wellbeing](s, 200, "GET", "/api/v1/people/ma/wellbeing", ""); !got.Active.Equal(active) || got.Device != "radar" {
		t.Errorf("active: %+v", got)
	}
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/people/nobody/wellbeing", "")
}

func TestAnEditOfWhatWasChangedMeanwhileIsRefused(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, wednesday)
	ask[map[string]any](s, 200, "POST", "/api/v1/people/import", household)
	for _, path := range []string{"/api/v1/rotas/desk", "/api/v1/people/chen"} {
		seen := ask[map[string]any](s, 200, "GET", path, "")
		edit := func(status int, name string) {
			t.Helper()
			body := map[string]any{"community": "tianjin", "name": name, "version": seen["version"]}
			if strings.Contains(path, "rotas") {
				body["role"], body["layers"] = seen["role"], seen["layers"]
			}
			data, err := json.Marshal(body)
			if err != nil {
				t.Fatal(err)
			}
			if got, _, text := s.do(s.request("PUT", path, string(data))); got != status || status == 409 && !strings.Contains(text, `"changed"`) {
				t.Errorf("%s: %d %s, want %d", path, got, text, status)
			}
		}
		edit(200, "早班")
		edit(409, "晚班")
		seen = ask[map[string]any](s, 200, "GET", path, "")
		edit(200, "晚班")
	}
}
