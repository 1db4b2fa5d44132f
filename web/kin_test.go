package web

import (
	"net/http"
	"testing"

	"linli/people"
	"linli/web/account"
)

// A manager makes accounts for families of the elders of their communities, and nothing wider by any detour.
func TestManagersMakeFamilyAccounts(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	s.populate("south")
	if err := s.web.People.PutPerson(t.Context(), people.Person{ID: "north-father", Community: "north", Name: "Father"}); err != nil {
		t.Fatal(err)
	}
	manager := s.user(account.User{Name: "chief", Role: account.Manager, Communities: []string{"north"}})
	both := account.User{Name: "both", Role: account.Family, Elders: []string{"north-elder", "south-elder"}, Person: "north-kin"}
	if _, err := s.web.accounts.Add(t.Context(), both); err != nil {
		t.Fatal(err)
	}
	const good = `"role":"family","elders":["north-elder"],"person":"north-kin"`
	for _, c := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/api/v1/users", `{"name":"fang",` + good + `}`, 200},
		{"POST", "/api/v1/users", `{"name":"x","role":"duty","communities":["north"]}`, 403},
		{"POST", "/api/v1/users", `{"name":"x","role":"admin"}`, 403},
		{"POST", "/api/v1/users", `{"name":"x","role":"caretaker","elders":["north-elder"]}`, 403},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["south-elder"],"person":"south-kin"}`, 403},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["north-elder","south-elder"],"person":"north-kin"}`, 403},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["nobody"],"person":"north-kin"}`, 403},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["north-father"],"person":"north-kin"}`, 400},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["north-elder"],"person":"south-kin"}`, 400},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["north-elder"]}`, 400},
		{"POST", "/api/v1/users", `{"name":"x","role":"family","elders":["north-elder"],"communities":["north"],"person":"north-kin"}`, 400},
		{"PUT", "/api/v1/users/fang", `{"display":"Fang",` + good + `}`, 200},
		{"PUT", "/api/v1/users/fang", `{"role":"manager","communities":["north"]}`, 403},
		{"PUT", "/api/v1/users/fang", `{"role":"family","elders":["north-elder","south-elder"],"person":"north-kin"}`, 403},
		{"POST", "/api/v1/users/fang/reset-password", "", 200},
		{"PUT", "/api/v1/users/both", `{` + good + `}`, 404}, // of another community too
		{"POST", "/api/v1/users/both/reset-password", "", 404},
		{"PUT", "/api/v1/users/south-fang", `{` + good + `}`, 404},
		{"PUT", "/api/v1/users/chief", `{` + good + `}`, 404},
		{"POST", "/api/v1/users/chief/reset-password", "", 404},
		{"POST", "/api/v1/users/admin/reset-password", "", 404},
		{"POST", "/api/v1/users/nobody/reset-password", "", 404},
	} {
		if status, _, body := s.do(s.as(manager, c.method, c.path, c.body)); status != c.want {
			t.Errorf("%s %s %s: %d, want %d: %s", c.method, c.path, c.body, status, c.want, body)
		}
	}
	seen := ""
	for _, u := range askAs[userList](s, manager, "/api/v1/users").Users {
		seen += u.Name + " "
	}
	if seen != "fang north-fang " {
		t.Errorf("the manager sees %q", seen)
	}
	// An administrator is held to the circle too, so that an account is never one that sees nothing.
	s.refused(http.StatusBadRequest, "person", "POST", "/api/v1/users", `{"name":"x","role":"family","elders":["north-father"],"person":"north-kin"}`)
	s.refused(http.StatusBadRequest, "elders", "POST", "/api/v1/users", `{"name":"x","role":"family","elders":["nobody"],"person":"north-kin"}`)
}
