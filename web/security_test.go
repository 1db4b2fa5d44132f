package web

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/web/account"
)

// as builds a request with the cookie of a session instead of the token.
func (s *site) as(cookie, method, path, body string, headers ...string) *http.Request {
	s.Helper()
	r := s.request(method, path, body, headers...)
	r.Header.Del("Authorization")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	return r
}

func (s *site) status(r *http.Request) int {
	s.Helper()
	code, _, _ := s.do(r)
	return code
}

func duty(name string) account.User {
	return account.User{Name: name, Role: account.Duty, Communities: []string{"tianjin"}}
}

func TestTheCookieOfASession(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"":                      "linli_session=SECRET; Path=/; HttpOnly; SameSite=Strict",
		"https://linli.example": "__Host-linli_session=SECRET; Path=/; HttpOnly; Secure; SameSite=Strict",
	} {
		s := run(t, empty{}, func(c *Config) { c.PublicURL = url })
		r := s.as("", "POST", "/api/v1/session", fmt.Sprintf(`{"user":"admin","password":%q}`, s.web.FirstPassword()))
		_, h, body := s.do(r)
		_, after, _ := strings.Cut(h.Get("Set-Cookie"), "=")
		secret, _, _ := strings.Cut(after, ";")
		if got := strings.Replace(h.Get("Set-Cookie"), secret, "SECRET", 1); got != want || len(secret) < 43 || strings.Contains(body, secret) {
			t.Errorf("cookie %q, want %q; body %s", got, want, body)
		}
	}
}

func TestTheFirstPasswordMustBeChanged(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.login("admin", s.web.FirstPassword())
	if code, _, body := s.do(s.as(cookie, "GET", "/api/v1/devices", "")); code != 403 || !strings.Contains(body, "must_change_password") {
		t.Errorf("before the change: %d %s", code, body)
	}
	change := func(old, now string) (int, string) {
		code, h, _ := s.do(s.as(cookie, "PUT", "/api/v1/session/password", fmt.Sprintf(`{"old":%q,"new":%q}`, old, now)))
		c, _, _ := strings.Cut(h.Get("Set-Cookie"), ";")
		return code, c
	}
	for _, bad := range [][2]string{{"wrong", "a good new one"}, {s.web.FirstPassword(), "short"}, {s.web.FirstPassword(), s.web.FirstPassword()}} {
		if code, _ := change(bad[0], bad[1]); code != 400 && code != 403 {
			t.Errorf("%q: %d", bad, code)
		}
	}
	code, fresh := change(s.web.FirstPassword(), "a good new one")
	if code != 200 || s.status(s.as(fresh, "GET", "/api/v1/devices", "")) != 200 || s.status(s.as(cookie, "GET", "/api/v1/devices", "")) != 401 {
		t.Errorf("change: %d; the new session must be let in, the old one not", code)
	}
}

func TestAPlantedSessionIsNotTakenOver(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.user(duty("wang"))
	body := fmt.Sprintf(`{"user":"wang","password":%q}`, passwordOf("wang"))
	_, h, _ := s.do(s.as("linli_session=planted", "POST", "/api/v1/session", body))
	if c := h.Get("Set-Cookie"); c == "" || strings.Contains(c, "planted") || s.status(s.as("linli_session=planted", "GET", "/api/v1/session", "")) != 401 {
		t.Errorf("cookie %q", c)
	}
	// Somebody else's own session, planted before the login, ends with it.
	evil := s.user(duty("evil"))
	s.do(s.as(evil, "POST", "/api/v1/session", body))
	if code := s.status(s.as(evil, "GET", "/api/v1/session", "")); code != 401 {
		t.Errorf("the planted session is still let in: %d", code)
	}
}

func TestLoggedOutIsOut(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.user(duty("wang"))
	code, h, _ := s.do(s.as(cookie, "DELETE", "/api/v1/session", ""))
	if code != 200 || !strings.Contains(h.Get("Set-Cookie"), "Max-Age=0") || s.status(s.as(cookie, "GET", "/api/v1/session", "")) != 401 {
		t.Errorf("logout: %d %v", code, h)
	}
}

func TestSessionsOfOtherSitesPagesAreRefused(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.user(duty("wang"))
	for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://evil.example"}} {
		code, h, body := s.do(s.as(cookie, "DELETE", "/api/v1/session", "", header[0], header[1]))
		if code != http.StatusForbidden || h.Get("Content-Type") != problemType || !strings.Contains(body, "other_site") {
			t.Errorf("%v: %d %s", header, code, body)
		}
	}
	if s.status(s.as(cookie, "GET", "/api/v1/session", "")) != 200 {
		t.Error("the session has ended")
	}
}

// No page of another site gets anything done in the name of who is logged in here, by any route: not with a form, not with a body that
// a browser sends without asking.
func TestNothingIsDoneForPagesOfOtherSites(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.user(account.User{Name: "root", Role: account.Admin})
	before := ask[deviceList](s, 200, "GET", "/api/v1/devices", "").ids()
	n := 0
	for _, rt := range routes {
		if rt.method == http.MethodGet || rt.path == "/a/{token}" { // the path of a link is the permission
			continue
		}
		n++
		path := strings.NewReplacer("{id}", "ws-1", "{name}", "root").Replace(rt.path)
		for _, header := range [][2]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "null"}, {"Origin", "http://evil.example"}} {
			for _, form := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json"} {
				code, _, body := s.do(s.as(cookie, rt.method, path, "{}", header[0], header[1], "Content-Type", form))
				if code != http.StatusForbidden || !strings.Contains(body, "other_site") {
					t.Errorf("%s %s with %v, %s: %d %s", rt.method, rt.path, header, form, code, body)
				}
			}
		}
	}
	if after := ask[deviceList](s, 200, "GET", "/api/v1/devices", "").ids(); after != before || n < 40 {
		t.Errorf("%d routes tried; devices %q, before %q", n, after, before)
	}
	if s.status(s.as(cookie, "GET", "/api/v1/session", "")) != 200 {
		t.Error("the session has ended")
	}
}

// Who changes a user by a page that has grown old does not bring back what somebody else has taken away meanwhile.
func TestAnOldCopyOfAUserIsNotPutBack(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.user(account.User{Name: "wang", Role: account.Manager, Communities: []string{"*"}})
	old, err := s.web.accounts.User("wang")
	if err != nil {
		t.Fatal(err)
	}
	put := func(status int, role, communities string, changed time.Time) string {
		t.Helper()
		stamp, _ := json.Marshal(changed)
		code, _, text := s.do(s.request("PUT", "/api/v1/users/wang", fmt.Sprintf(`{"role":%q,"communities":[%q],"changed":%s}`, role, communities, stamp)))
		if code != status {
			t.Errorf("%s of %s: %d, want %d: %s", role, communities, code, status, text)
		}
		return text
	}
	put(200, "duty", "tianjin", old.Changed)
	if text := put(409, "manager", "*", old.Changed); !strings.Contains(text, `"changed"`) {
		t.Errorf("refused with %s", text)
	}
	if u, err := s.web.accounts.User("wang"); err != nil || u.Role != account.Duty || u.Communities[0] != "tianjin" {
		t.Errorf("user %+v, %v", u, err)
	}
	put(200, "auditor", "tianjin", time.Time{}) // a program that does not ask for it replaces what is there
}

func TestAnAPITokenDoesWhatItsScopesSay(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.user(duty("wang"))
	code, _, body := s.do(s.as(cookie, "POST", "/api/v1/tokens", `{"name":"wall","scopes":["alerts:read"]}`))
	var tok newToken
	if err := json.Unmarshal([]byte(body), &tok); err != nil || code != 200 {
		t.Fatal(code, body)
	}
	for _, test := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/api/v1/alerts", 200},
		{"POST", "/api/v1/alerts/a1/acknowledge", 403},
		{"GET", "/api/v1/devices", 403},
		{"GET", "/api/v1/tokens", 403},
		{"POST", "/api/v1/tokens", 403},
		{"PUT", "/api/v1/session/password", 403},
	} {
		r := s.as("", test.method, test.path, "", "Authorization", "Bearer "+tok.Secret)
		r.Header.Set("Authorization", "Bearer "+tok.Secret)
		if got := s.status(r); got != test.want {
			t.Errorf("%s %s: %d, want %d", test.method, test.path, got, test.want)
		}
	}
	other := s.user(duty("li"))
	if got := s.status(s.as(other, "DELETE", "/api/v1/tokens/"+tok.ID, "")); got != 404 {
		t.Errorf("somebody else ends it: %d", got)
	}
	if got := s.status(s.as(cookie, "DELETE", "/api/v1/tokens/"+tok.ID, "")); got != 200 {
		t.Errorf("its owner ends it: %d", got)
	}
	r := s.request("GET", "/api/v1/alerts", "")
	r.Header.Set("Authorization", "Bearer "+tok.Secret)
	if got := s.status(r); got != 401 {
		t.Errorf("after its end: %d", got)
	}
}

func TestAStreamEndsWithItsSession(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.user(duty("wang"))
	resp, err := http.DefaultClient.Do(s.as(cookie, "GET", "/api/v1/stream", ""))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	u := duty("wang")
	u.Disabled = true
	if err := s.web.accounts.Change(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	s.store(newAlert(1), bus.AlertEvent{Kind: "opened"})
	rest, _ := io.ReadAll(resp.Body) // ends
	if strings.Contains(string(rest), "a1") {
		t.Errorf("shown to who is shut out: %s", rest)
	}
}

// What people type is data, wherever it comes out.
func TestTextOfOthersIsData(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	const script = `<script>alert(1)</script>`
	ask[credentials](s, 200, "POST", "/api/v1/devices", `{"id":"ws-2","community":"tianjin","type":"waste_station","name":"`+script+`"}`)
	s.refused(http.StatusBadRequest, "name", "POST", "/api/v1/devices", `{"id":"ws-3","community":"tianjin","type":"waste_station","name":"=1+1"}`)
	ask[struct{ ID string }](s, 200, "POST", "/api/v1/communities", `{"id":"evil","name":{"zh":"`+script+`","en":"`+script+`"}}`)
	a := newAlert(1)
	a.Text.EN = script
	s.store(a, bus.AlertEvent{Kind: "opened"})
	s.shows("a1", bus.Opened)
	for _, path := range []string{"/api/v1/devices", "/api/v1/devices/ws-2", "/api/v1/communities", "/api/v1/alerts", "/api/v1/alerts/a1", "/api/v1/communities/%3Cscript%3E/tree"} {
		_, h, body := s.do(s.request("GET", path, ""))
		if strings.Contains(body, "<") || !strings.Contains(h.Get("Content-Type"), "json") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %s %.300s", path, h.Get("Content-Type"), body)
		}
	}
	_, h, body := s.do(s.request("GET", "/api/v1/devices.csv", ""))
	if !strings.Contains(body, script) || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v\n%s", h, body)
	}
}

func TestFormulasAreHarmless(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		"": "", "plain": "plain", "-1.5": "-1.5", "+8": "+8", "1e-5": "1e-5", "=1+1": "'=1+1", "+1+cmd|' /C calc'!A0": "'+1+cmd|' /C calc'!A0", "@SUM(1)": "'@SUM(1)",
		"-2+3": "'-2+3", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "-0x1p-2": "'-0x1p-2", "中文": "中文", "+Inf": "+Inf",
	} {
		if got := harmless(cell); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
}

func TestWhoDidAndWhoLookedIsKept(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	s.populate("south")
	manager := s.user(account.User{Name: "chief", Role: account.Manager, Communities: []string{"north"}})
	s.do(s.as(manager, "GET", "/api/v1/devices/north-band", ""))
	s.do(s.as(manager, "GET", "/api/v1/devices/north-band", ""))  // looking again is no new entry
	s.do(s.as(manager, "GET", "/api/v1/devices/north-band2", "")) // of nobody
	s.do(s.as(manager, "POST", "/api/v1/devices/north-band/rotate", ""))
	s.do(s.as(manager, "POST", "/api/v1/devices/south-band/rotate", ""))
	type entry struct{ By, Method, Route, Target, Person string }
	see := func(cookie, query string) map[entry]int {
		code, _, body := s.do(s.as(cookie, "GET", "/api/v1/audit?"+query, ""))
		var l auditList
		if err := json.Unmarshal([]byte(body), &l); err != nil || code != 200 {
			t.Fatal(code, body)
		}
		found := map[entry]int{}
		for _, e := range l.Entries {
			found[entry{e.By, e.Method, e.Route, e.Target, e.Person}] = e.Status
		}
		if len(found) != len(l.Entries) && cookie == manager {
			t.Errorf("something is there twice: %s", body)
		}
		return found
	}
	viewed := entry{"chief", "GET", "/api/v1/devices/{id}", "north-band", "north-elder"}
	rotated := entry{"chief", "POST", "/api/v1/devices/{id}/rotate", "north-band", "north-elder"}
	refused := entry{"chief", "POST", "/api/v1/devices/{id}/rotate", "south-band", ""}
	own := see(manager, "by=chief")
	if own[viewed] != 200 || own[rotated] != 200 || len(own) != 2 {
		t.Errorf("of north: %v", own)
	}
	admin := s.user(account.User{Name: "root", Role: account.Admin})
	if all := see(admin, "by=chief&limit=1000"); all[refused] != 404 || all[entry{"chief", "POST", "/api/v1/session", "", ""}] != 200 {
		t.Errorf("of the installation: %v", all)
	}
	if of := see(admin, "person=north-elder"); of[viewed] != 200 {
		t.Errorf("of a person: %v", of)
	}
	s.do(s.as("", "POST", "/api/v1/session", `{"user":"chief","password":"wrong"}`))
	if tried := see(admin, "by=chief"); tried[entry{"chief", "POST", "/api/v1/session", "", ""}] == 0 {
		t.Errorf("a failed login is not kept: %v", tried)
	}
}

// Every word must be somewhere in id, name, place, type or tags.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	ask[credentials](s, 200, "POST", "/api/v1/devices", `{"id":"em-7","community":"tianjin","type":"electricity_meter","name":"三号楼总表"}`)
	for q, want := range map[string]string{
		"": "em-7 ws-1", "EM-": "em-7", "三号楼": "em-7", "电能表": "em-7", "electricity 总表": "em-7", "meter waste": "", "station": "ws-1",
	} {
		got := ask[deviceList](s, 200, "GET", "/api/v1/devices?q="+strings.ReplaceAll(q, " ", "+"), "")
		if got.ids() != want || got.Total != len(strings.Fields(want)) {
			t.Errorf("%q: %q of %d, want %q", q, got.ids(), got.Total, want)
		}
	}
	page := ask[deviceList](s, 200, "GET", "/api/v1/devices?limit=1", "")
	rest := ask[deviceList](s, 200, "GET", "/api/v1/devices?limit=1&cursor="+page.Next, "")
	if page.ids() != "em-7" || page.Total != 2 || rest.ids() != "ws-1" || rest.Next != "" {
		t.Errorf("pages %+v, %+v", page, rest)
	}
}
