package web

import (
	"testing"

	"linli/web/account"
)

func TestAnEntrySaysWhatItIsAboutByName(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	chief := s.user(account.User{Name: "chief", Role: account.Manager, Communities: []string{"north"}})
	device := s.web.Registry.Device("north-band")
	s.do(s.as(chief, "POST", "/api/v1/devices", `{"id": "new-1", "community": "north", "type": "`+device.Type+`", "name": "东门"}`))
	s.do(s.as(chief, "POST", "/api/v1/devices/new-1/rotate", ""))
	s.do(s.as(chief, "PUT", "/api/v1/people/new-2", `{"id": "new-2", "community": "north", "name": "新来的", "roles": ["contact"]}`))
	s.do(s.as(chief, "DELETE", "/api/v1/people/north-guard", ""))
	s.do(s.as(chief, "GET", "/api/v1/people/north-elder", ""))
	got := map[string][2]string{}
	for _, e := range ask[auditList](s, 200, "GET", "/api/v1/audit?by=chief", "").Entries {
		got[e.Method+" "+e.Route] = [2]string{e.Target, e.Name}
	}
	for request, want := range map[string][2]string{
		"POST /api/v1/devices":             {"new-1", "东门"},
		"POST /api/v1/devices/{id}/rotate": {"new-1", "东门"},
		"PUT /api/v1/people/{id}":          {"new-2", "新来的"},
		"DELETE /api/v1/people/{id}":       {"north-guard", "secret of north"},
		"GET /api/v1/people/{id}":          {"north-elder", "secret of north"},
	} {
		if got[request] != want {
			t.Errorf("%s: %q, want %q", request, got[request], want)
		}
	}
}
