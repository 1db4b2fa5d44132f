package web

import (
	"bytes"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/people"
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

// Who looks at a list of persons has looked at each of them: that is kept with the community, or the elder, that it was about, and
// the family finds it in its log.
func TestListsOfPersonsAreKept(t *testing.T) {
	t.Parallel()
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, empty{}, func(c *Config) { c.Passes = passes })
	s.populate("north")
	s.populate("south")
	wang := s.user(account.User{Name: "wang", Role: account.Duty, Communities: []string{"north", "south"}})
	nurse := s.user(account.User{Name: "nurse", Role: account.Caretaker, Elders: []string{"north-elder"}})
	root := s.user(account.User{Name: "root", Role: account.Admin})
	for range 2 { // again is no new entry
		for cookie, paths := range map[string][]string{
			wang:  {"/api/v1/elders", "/api/v1/alerts", "/api/v1/people?community=south"},
			nurse: {"/api/v1/elders", "/api/v1/values?type=wearable_band&fields=heart_rate_bpm,lat"},
			root:  {"/api/v1/alerts", "/api/v1/rejects", "/api/v1/values?type=waste_station&fields=fill_level_pct"},
		} {
			for _, path := range paths {
				if status, _, text := s.do(s.as(cookie, "GET", path, "")); status != http.StatusOK {
					t.Fatalf("%s: %d %s", path, status, text)
				}
			}
		}
	}
	if status, _ := s.begin(s.as(root, "GET", "/api/v1/stream", ""), true); status != http.StatusOK {
		t.Fatalf("stream: %d", status)
	}
	type view struct{ by, route, community, person, scopes string }
	var got []view
	for _, e := range ask[auditList](s, 200, "GET", "/api/v1/audit?limit=1000", "").Entries {
		if e.Method == "GET" && e.By != "admin" {
			scopes := ""
			for _, x := range e.Scopes {
				scopes += x + " "
			}
			got = append(got, view{e.By, e.Route, e.Community, e.Person, scopes})
		}
	}
	want := []view{
		{"wang", "/api/v1/elders", "north", "", "wellbeing vitals "},
		{"wang", "/api/v1/elders", "south", "", "wellbeing vitals "},
		{"wang", "/api/v1/alerts", "north", "", ""},
		{"wang", "/api/v1/alerts", "south", "", ""},
		{"wang", "/api/v1/people", "south", "", ""},
		{"nurse", "/api/v1/elders", "north", "north-elder", "wellbeing vitals "},
		{"nurse", "/api/v1/values", "north", "north-elder", "vitals location "},
		{"root", "/api/v1/alerts", "", "", ""},
		{"root", "/api/v1/rejects", "", "", ""},
		{"root", "/api/v1/values", "", "", ""},
		{"root", "/api/v1/stream", "", "", ""},
	}
	for _, v := range want {
		if i := slices.Index(got, v); i < 0 {
			t.Errorf("%+v is not kept", v)
		} else {
			got = slices.Delete(got, i, i+1)
		}
	}
	if len(got) > 0 {
		t.Errorf("kept besides: %+v", got)
	}

	link := "/api/v1/family/" + passes.Seal(people.Pass{Alert: "north-alert", Person: "north-kin", Until: time.Now().Add(time.Hour)})
	seen := map[string]int{}
	for _, look := range ask[familyLog](s, 200, "GET", link+"/log", "").Entries {
		for _, what := range look.What {
			seen[look.By+" "+what]++
		}
	}
	for by, n := range map[string]int{"wang wellbeing": 1, "wang vitals": 1, "wang events": 1, "nurse location": 1, "root events": 1, "wang record": 0, "root readings": 0} {
		if seen[by] != n {
			t.Errorf("the family sees %q %d times, want %d: %v", by, seen[by], n, seen)
		}
	}
}

// A link opens a page for phones that cannot show more: looking at it, and its button, are kept as well.
func TestWhatIsDoneByALinkIsKept(t *testing.T) {
	t.Parallel()
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, empty{}, func(c *Config) { c.Passes = passes })
	s.populate("north")
	link := "/a/" + passes.Seal(people.Pass{Alert: "north-alert", Person: "north-kin", Until: time.Now().Add(time.Hour)})
	for method, path := range map[string]string{"GET": link + "?plain=1", "POST": link} {
		if status, _, text := s.do(s.as("", method, path, "")); status != http.StatusOK {
			t.Fatalf("%s: %d %s", method, status, text)
		}
	}
	kept := map[string]int{}
	for _, e := range ask[auditList](s, 200, "GET", "/api/v1/audit?person=north-elder&limit=1000", "").Entries {
		if e.Via == "link" && e.Route == "/a/{token}" && e.Role == "family" && e.Target == "north-alert" && e.Community == "north" && e.Status == 200 {
			kept[e.Method]++
		}
	}
	if kept["GET"] != 1 || kept["POST"] != 1 {
		t.Errorf("kept %v, want one view and one answer", kept)
	}
}

// Without its entry no data of persons is shown, but for what is of life-safety.
func TestAViewThatCannotBeKept(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	if err := s.bus.JS.DeleteStream(t.Context(), bus.Audit); err != nil {
		t.Fatal(err)
	}
	if status, _, text := s.do(s.request("GET", "/api/v1/people", "")); status < 500 || strings.Contains(text, "secret of north") {
		t.Errorf("people: %d %.200s", status, text)
	}
	if status, _, text := s.do(s.request("GET", "/api/v1/alerts", "")); status != http.StatusOK || !strings.Contains(text, "north-alert") {
		t.Errorf("alerts: %d %.200s", status, text)
	}
	if status, text := s.begin(s.request("GET", "/api/v1/stream", ""), true); status != http.StatusOK {
		t.Errorf("stream: %d %s", status, text)
	}
}
