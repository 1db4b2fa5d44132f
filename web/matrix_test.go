package web

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/web/account"
)

// secret is in everything that belongs to the community south and in nothing else.
const secret = "secret of south"

// populate registers a community with something of everything in it: ids begin with its name.
func (s *site) populate(c string) {
	s.Helper()
	ctx := s.Context()
	name := "secret of " + c
	must := func(err error) {
		s.Helper()
		if err != nil {
			s.Fatal(err)
		}
	}
	must(s.web.Registry.AddCommunity(ctx, devices.Community{ID: c, Name: devices.Text{ZH: name, EN: name}}))
	must(s.web.People.PutPerson(ctx, people.Person{ID: c + "-kin", Community: c, Name: name, Roles: []people.Role{people.Contact}}))
	must(s.web.People.PutPerson(ctx, people.Person{
		ID: c + "-elder", Community: c, Name: name, Roles: []people.Role{people.Elder},
		Circle: []people.Member{{Person: c + "-kin", Relation: "daughter", Consent: agreedTo(people.Scopes...)}},
	}))
	must(s.web.People.PutPerson(ctx, people.Person{ID: c + "-guard", Community: c, Name: name, Roles: []people.Role{people.Duty}}))
	must(s.web.People.PutRota(ctx, people.Rota{
		ID: c + "-rota", Community: c, Role: people.Duty, Notes: []people.Note{{At: noon, By: "x", Text: name}},
	}))
	for id, person := range map[string]string{c + "-band": c + "-elder", c + "-band2": ""} {
		_, err := s.web.Registry.AddDevice(ctx, devices.Device{ID: id, Community: c, Type: "wearable_band", Name: name, Person: person})
		must(err)
	}
	_, err := s.web.accounts.Add(ctx, account.User{Name: c + "-fang", Display: name, Role: account.Family, Elders: []string{c + "-elder"}, Person: c + "-kin"})
	must(err)
	a := newAlert(1)
	a.ID, a.Community, a.Device, a.Person, a.Text = c+"-alert", c, c+"-band", c+"-elder", devices.Text{ZH: name, EN: name}
	s.store(a, bus.AlertEvent{Kind: "opened"})
	s.shows(a.ID, bus.Opened)
	s.publish(bus.RejectsSubject(c), bus.Reject{Topic: name, Community: c, Reason: name})
	s.publish(bus.HoldSubject(c+"-hold"), bus.Hold{
		ID: c + "-hold", Kind: bus.Silence, Reason: name, Safety: true, From: noon, Until: noon, EveryDays: 1, Match: bus.Match{Community: c, Device: c + "-band"},
	})
	override := overrideBody{Rule: "wb_fall", Community: c, Reason: name, Set: map[string]string{"severity": "high"}}
	text, _ := override.document()
	must(s.web.keepDocument(ctx, override.name(), []byte(text)))
	s.publish(bus.CommandsSubject(c, "wearable_band", c+"-band"), bus.Command{
		ID: c, Name: "call_back", Params: map[string]any{"phone": name}, Community: c, Type: "wearable_band", Device: c + "-band", State: bus.CommandQueued,
	})
	s.publish(bus.AuditSubject(c), bus.AuditEntry{By: name, Community: c})
}

// agreedTo is consent to scopes, given long ago.
func agreedTo(scopes ...people.Scope) (all []people.Consent) {
	for _, scope := range scopes {
		all = append(all, people.Consent{Scope: scope, Since: noon})
	}
	return all
}

func (s *site) publish(subject string, record any) {
	s.Helper()
	data, err := json.Marshal(record)
	if err != nil {
		s.Fatal(err)
	}
	if _, _, err := s.bus.Publish(s.Context(), subject, "", data); err != nil {
		s.Fatal(err)
	}
}

// user adds a user whose password is theirs and returns the cookie of a session.
func (s *site) user(u account.User) string {
	s.Helper()
	given, err := s.web.accounts.Add(s.Context(), u)
	if err != nil {
		s.Fatal(err)
	}
	_, p, err := s.web.accounts.Login(s.Context(), u.Name, given, account.Client{Address: "192.0.2.1"})
	if err != nil {
		s.Fatal(err)
	}
	if _, _, err := s.web.accounts.ChangePassword(s.Context(), p, given, passwordOf(u.Name), account.Client{}); err != nil {
		s.Fatal(err)
	}
	return s.login(u.Name, passwordOf(u.Name))
}

func passwordOf(name string) string { return "right horse " + name }

// login returns the cookie of a new session.
func (s *site) login(name, password string) string {
	s.Helper()
	r := s.request("POST", "/api/v1/session", fmt.Sprintf(`{"user":%q,"password":%q}`, name, password))
	r.Header.Del("Authorization")
	status, h, body := s.do(r)
	cookie, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
	if status != 200 || cookie == "" {
		s.Fatalf("login of %s: %d %s", name, status, body)
	}
	return cookie
}

// members has one user of every role, scoped to the community north.
func (s *site) members() map[account.Role]string {
	all := map[account.Role]string{}
	for _, role := range account.Roles {
		u := account.User{Name: string(role) + "-1", Role: role}
		switch role {
		case account.Admin:
		case account.Family, account.Caretaker:
			u.Elders = []string{"north-elder"}
			if role == account.Family {
				u.Person = "north-kin"
			}
		default:
			u.Communities = []string{"north"}
		}
		all[role] = s.user(u)
	}
	return all
}

// bodies are what each changing route is sent, with the community of the case for COMMUNITY.
var bodies = map[string]string{
	"POST /api/v1/devices":               `{"id":"COMMUNITY-new","community":"COMMUNITY","type":"sos_button"}`,
	"PUT /api/v1/people/{id}":            personText,
	"PUT /api/v1/rotas/{id}":             `{"community":"COMMUNITY","role":"property_duty"}`,
	"PUT /api/v1/users/{id}":             `{"role":"family","elders":["COMMUNITY-elder"],"person":"COMMUNITY-kin"}`,
	"POST /api/v1/users":                 `{"name":"COMMUNITY-new","role":"family","elders":["COMMUNITY-elder"],"person":"COMMUNITY-kin"}`,
	"POST /api/v1/alerts/{id}/close":     `{"disposition":"test"}`,
	"PUT /api/v1/session/password":       `{"old":"wrong","new":"wrong"}`,
	"POST /api/v1/silences":              holdText,
	"POST /api/v1/maintenance":           holdText,
	"POST /api/v1/commissioning":         holdText,
	"POST /api/v1/rules/replay":          `{"community":"COMMUNITY"}`,
	"POST /api/v1/rules/overrides":       overrideText,
	"POST /api/v1/tokens":                `{"name":"x","scopes":["alerts:read"]}`,
	"POST /api/v1/devices/{id}/commands": `{"command":"identify"}`,
}

const overrideText = `{"rule":"wb_rr","community":"COMMUNITY","reason":"secret of COMMUNITY","disable":true}`

const personText = `{"community":"COMMUNITY","name":"secret of COMMUNITY","circle":[{"person":"COMMUNITY-kin","relation":"daughter","consent":[
	{"scope":"events","since":"2026-03-01T12:00:00Z"},{"scope":"wellbeing","since":"2026-03-01T12:00:00Z"},
	{"scope":"vitals","since":"2026-03-01T12:00:00Z"},{"scope":"location","since":"2026-03-01T12:00:00Z"}]}]}`

const holdText = `{"match":{"community":"COMMUNITY","device":"COMMUNITY-band"},"reason":"secret of COMMUNITY",
	"from":"2026-03-01T12:00:00Z","until":"2026-03-01T12:20:00Z"}`

// target is the id in the path of a route that is about something of a community.
func target(rt route, community string, reject map[string]string) string {
	switch rt.whose.name {
	case aDevice.name:
		return community + "-band"
	case anAlert.name:
		return community + "-alert"
	case aPerson.name:
		return community + "-elder"
	case aRota.name:
		return community + "-rota"
	case aCommunity.name:
		return community
	case aReject.name:
		return reject[community]
	case aHold.name:
		return community + "-hold"
	case aUser.name:
		return community + "-fang"
	case anOverride.name:
		return (&overrideBody{Rule: "wb_fall", Community: community}).name()
	default:
		return "nobody"
	}
}

// expected says what a user scoped to north must get: allowed, or the status of the refusal.
func expected(rt route, role account.Role, community string) int {
	foreign := community == "south" && role != account.Admin
	byElder := role == account.Family || role == account.Caretaker
	switch {
	case !slices.Contains(rt.may, role):
		return http.StatusForbidden
	case rt.whose.name == installation.name && role != account.Admin:
		return http.StatusForbidden
	case rt.whose.name == inBody.name && (foreign || byElder):
		return http.StatusForbidden
	case !slices.Contains([]string{aDevice.name, anAlert.name, aPerson.name, aRota.name, aCommunity.name, aReject.name, aHold.name, aUser.name, anOverride.name}, rt.whose.name):
		return 0
	case foreign:
		return http.StatusNotFound
	case byElder && (rt.whose.name == aRota.name || rt.whose.name == aCommunity.name || rt.whose.name == aReject.name || rt.whose.name == anOverride.name):
		return http.StatusNotFound
	}
	return 0
}

// subjects are what the matrix knows what to expect of.
var subjects = []whose{
	aDevice, anAlert, aPerson, aRota, aCommunity, aReject, aHold, aUser, anOverride, alertOfQuery, installation, filtered, inBody, own, general,
}

func TestEveryRouteSaysWhoMay(t *testing.T) {
	t.Parallel()
	for _, rt := range routes {
		if rt.area == "" || rt.about == "" || rt.out == nil && rt.outType == "" {
			t.Errorf("%s %s: no area, no description or no answer", rt.method, rt.path)
		}
		if !rt.public && (len(rt.may) == 0 || rt.whose.find == nil) {
			t.Errorf("%s %s: does not say who may use it and what it is about", rt.method, rt.path)
		}
		if !rt.public && rt.whose.find != nil && !slices.ContainsFunc(subjects, func(w whose) bool { return w.name == rt.whose.name }) {
			t.Errorf("%s %s: the matrix does not know what is expected of a route about a %s", rt.method, rt.path, rt.whose.name)
		}
		if rt.whose.name == inBody.name && bodies[rt.method+" "+rt.path] == "" {
			t.Errorf("%s %s: the matrix has no body for it", rt.method, rt.path)
		}
	}
}

func TestARouteThatSaysNothingLetsNobodyIn(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	shown := false
	h := s.web.serve(route{method: "GET", path: "/x", handle: func(*Server, http.ResponseWriter, *http.Request) error {
		shown = true
		return nil
	}})
	web := httptest.NewServer(h)
	defer web.Close()
	r := s.request("GET", "", "")
	r.URL, _ = r.URL.Parse(web.URL + "/x")
	r.Host = r.URL.Host
	if status, _, _ := s.do(r); status != http.StatusForbidden || shown {
		t.Errorf("status %d, shown %t: even the administrator is not let in", status, shown)
	}
}

// TestMatrix asks every route as every role for something of its own community and of another one.
func TestMatrix(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, func(c *Config) { c.ActionWait = 250 * time.Millisecond })
	reject := map[string]string{"north": "1", "south": "2"}
	s.populate("north")
	s.populate("south")
	cookies := s.members()
	ordered := slices.Clone(routes)
	slices.SortStableFunc(ordered, func(x, y route) int { return cmp.Compare(late(x), late(y)) })
	for _, rt := range ordered {
		if rt.public {
			continue
		}
		for _, role := range account.Roles {
			for _, community := range []string{"north", "south"} {
				if rt.path == "/api/v1/session" && rt.method == "DELETE" {
					cookies[role] = s.login(string(role)+"-1", passwordOf(string(role)+"-1"))
				}
				s.check(rt, role, community, target(rt, community, reject), cookies[role])
			}
		}
	}
}

// late orders what takes things away behind everything else.
func late(rt route) int {
	switch {
	case rt.method == "DELETE" && rt.area == sessionArea:
		return 2
	case rt.method == "DELETE":
		return 1
	}
	return 0
}

func (s *site) check(rt route, role account.Role, community, id, cookie string) {
	s.Helper()
	what := fmt.Sprintf("%s of north: %s %s of %s", role, rt.method, rt.path, community)
	path := strings.ReplaceAll(rt.path, "{id}", id)
	if slices.Contains(queryParams(rt.in), "community") {
		path += "?community=" + community
	}
	if slices.Contains(queryParams(rt.in), "alert") {
		path += "?alert=" + id
	}
	body := strings.ReplaceAll(bodies[rt.method+" "+rt.path], "COMMUNITY", community)
	r := s.request(rt.method, path, body, "Cookie", cookie)
	r.Header.Del("Authorization")
	status, text := s.begin(r, rt.timeout == forever)
	want := expected(rt, role, community)
	switch {
	case want != 0 && status != want:
		s.Errorf("%s: status %d, want %d: %.200s", what, status, want, text)
	case want == 0 && (status == http.StatusUnauthorized || status == http.StatusForbidden && !strings.Contains(text, "wrong_password") || status >= 500):
		s.Errorf("%s: status %d %.200s", what, status, text)
	case want == 0 && rt.method == "GET" && rt.in == nil && status != http.StatusOK && rt.path != "/api/v1/rebuild":
		s.Errorf("%s: status %d %.200s", what, status, text)
	}
	if role != account.Admin && strings.Contains(text, secret) {
		s.Errorf("%s shows what is out of reach: %.300s", what, text)
	}
	if status == cmp.Or(rt.status, http.StatusOK) && rt.out != nil {
		s.described(what, rt.out, text)
	}
}

// begin sends a request; of one that never ends it reads the first event.
func (s *site) begin(r *http.Request, endless bool) (status int, body string) {
	s.Helper()
	if !endless {
		status, _, body = s.do(r)
		return status, body
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	resp, err := http.DefaultClient.Do(r.WithContext(ctx))
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(text)
	}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") {
			return resp.StatusCode, lines.Text()
		}
	}
	return resp.StatusCode, ""
}

// described checks that an answer has no field that the description of the API lacks.
func (s *site) described(what string, out any, text string) {
	s.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(reflect.TypeOf(out)).Interface()); err != nil {
		s.Errorf("%s: the answer is not what is described: %v in %.300s", what, err, text)
	}
}

// required are the parameters without which a list does not answer.
var required = map[string]string{"/api/v1/values": "?type=wearable_band&fields=heart_rate_bpm", "/api/v1/events": "?kinds=wearable_band.sos"}

// TestListsAreOfOwnReach asks without naming a community.
func TestListsAreOfOwnReach(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	s.populate("south")
	cookies := s.members()
	for _, rt := range routes {
		if rt.whose.name != filtered.name || rt.method != "GET" {
			continue
		}
		for role, cookie := range cookies {
			r := s.request("GET", rt.path+required[rt.path], "", "Cookie", cookie)
			r.Header.Del("Authorization")
			status, text := s.begin(r, rt.timeout == forever)
			if slices.Contains(rt.may, role) != (status == http.StatusOK) {
				t.Errorf("%s: %s: status %d", role, rt.path, status)
			}
			if shows := strings.Contains(text, secret); shows && role != account.Admin {
				t.Errorf("%s: %s: %.300s", role, rt.path, text)
			}
		}
	}
	// What belongs to no elder of theirs is out of reach for who looks after elders.
	for _, role := range []account.Role{account.Family, account.Caretaker} {
		r := s.request("GET", "/api/v1/devices/north-band2", "", "Cookie", cookies[role])
		r.Header.Del("Authorization")
		if status, _, _ := s.do(r); status != http.StatusNotFound {
			t.Errorf("%s: a device of nobody: status %d", role, status)
		}
	}
}
