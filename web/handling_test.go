package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/alerts"
	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/people"
	"linli/web/account"
)

// judge runs the real engine on the bus of a site, and lets a button be pressed.
func (s *site) judge() {
	s.Helper()
	cat, err := devices.LoadCatalogue()
	if err != nil {
		s.Fatal(err)
	}
	rules, err := alerts.LoadRules(cat)
	if err != nil {
		s.Fatal(err)
	}
	e, err := alerts.Open(s.Context(), alerts.Config{Bus: s.bus, Rules: rules, Directory: everybody{s.web.Registry, s.web.People}, Resolver: s.web.People, Log: testkit.Log})
	if err != nil {
		s.Fatal(err)
	}
	background(s.T, e.Run)
}

// everybody is who and what a site has registered.
type everybody struct {
	*devices.Registry
	*people.Directory
}

// press sends an event as ingest does, and returns the alert that it leads to.
func (s *site) press(device string) string {
	s.Helper()
	now := time.Now()
	line := fmt.Appendf(nil, "event,community=tianjin,device=%s,type=sos_button,event=sos received_at=%di %d\n", device, now.UnixMilli(), now.UnixNano())
	if _, _, err := s.bus.Publish(s.Context(), bus.EventSubject("tianjin", "sos_button", device, "sos"), device, line); err != nil {
		s.Fatal(err)
	}
	id := ""
	testkit.Eventually(s, 30*time.Second, func() bool {
		for _, a := range s.web.board.list(func(a *bus.Alert) bool { return a.Device == device }) {
			id = a.ID
		}
		return id != ""
	})
	return id
}

func TestAnAlertIsHandled(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, patient)
	s.judge()
	path := "/api/v1/alerts/" + s.press("b-1")
	s.refused(http.StatusConflict, "", "POST", path+"/snooze", fmt.Sprintf(`{"until":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	s.refused(http.StatusBadRequest, "until", "POST", path+"/snooze", `{"until":"2020-01-01T00:00:00Z"}`)
	s.refused(http.StatusBadRequest, "note", "POST", path+"/comment", "")
	s.refused(http.StatusBadRequest, "assignee", "POST", path+"/assign", "")
	s.refused(http.StatusConflict, "", "POST", path+"/reopen", "")
	if a := ask[bus.Alert](s, 200, "POST", path+"/assign", `{"assignee":"王芳"}`); a.Assignee != "王芳" {
		t.Errorf("assigned: %+v", a)
	}
	if a := ask[bus.Alert](s, 200, "POST", path+"/acknowledge", ""); a.State != bus.Acknowledged {
		t.Errorf("acknowledged: %+v", a)
	}
	ask[bus.Alert](s, 200, "POST", path+"/comment", `{"note":"on the stairs"}`)
	if a := ask[bus.Alert](s, 200, "POST", path+"/snooze", fmt.Sprintf(`{"until":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))); a.SnoozedUntil == nil {
		t.Errorf("snoozed: %+v", a)
	}
	ask[bus.Alert](s, 200, "POST", path+"/close", `{"disposition":"helped"}`)
	ask[bus.Alert](s, 200, "POST", path+"/comment", `{"note":"she is well"}`)
	if a := ask[bus.Alert](s, 200, "POST", path+"/reopen", `{"note":"pressed again"}`); a.State != bus.Opened || a.Disposition != "" {
		t.Errorf("reopened: %+v", a)
	}
	got := ask[alertView](s, 200, "GET", path, "")
	kinds := ""
	for _, e := range got.History {
		kinds += e.Kind + " "
	}
	if want := "opened assigned acknowledged commented snoozed closed commented reopened "; kinds != want {
		t.Errorf("history %q, want %q", kinds, want)
	}
	why := ask[whyView](s, 200, "GET", path+"/why", "")
	if why.Plan != "sos" || len(why.Why) != 3 || why.Why[0].Who != "duty" || !why.Why[0].Told || why.Why[0].Event != "opened" {
		t.Errorf("why: %+v", why)
	}
}

func TestHoldsAreKept(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, patient)
	s.judge()
	later := time.Now().Add(20 * time.Minute).Format(time.RFC3339)
	s.refused(http.StatusBadRequest, "match.community", "POST", "/api/v1/silences", fmt.Sprintf(`{"match":{},"reason":"works","until":%q}`, later))
	s.refused(http.StatusBadRequest, "reason", "POST", "/api/v1/silences", fmt.Sprintf(`{"match":{"community":"tianjin"},"until":%q}`, later))
	s.refused(http.StatusBadRequest, "safety", "POST", "/api/v1/silences", fmt.Sprintf(`{"match":{"community":"tianjin"},"reason":"works","safety":true,"until":%q}`, later))
	s.refused(http.StatusBadRequest, "match.device", "POST", "/api/v1/commissioning", fmt.Sprintf(`{"match":{"community":"tianjin","device":"b-9"},"reason":"works","until":%q}`, later))

	body := fmt.Sprintf(`{"match":{"community":"tianjin","device":"ws-1"},"reason":"works","safety":true,"until":%q}`, later)
	h := ask[bus.Hold](s, 200, "POST", "/api/v1/silences", body, "Idempotency-Key", "k")
	if again := ask[bus.Hold](s, 200, "POST", "/api/v1/silences", body, "Idempotency-Key", "k"); again.ID != h.ID || h.By != "admin" {
		t.Errorf("silence %+v, again %+v", h, again)
	}
	ask[bus.Hold](s, 200, "POST", "/api/v1/commissioning", fmt.Sprintf(`{"match":{"community":"tianjin","device":"ws-1"},"reason":"new","until":%q}`, later))
	ask[bus.Hold](s, 200, "POST", "/api/v1/maintenance", fmt.Sprintf(`{"match":{"community":"tianjin"},"reason":"every night","every_days":1,"until":%q}`, later))
	for path, want := range map[string]int{
		"silences": 1, "commissioning": 1, "maintenance": 1, "silences?community=tianjin": 1, "silences?community=xingtai": 0,
	} {
		if got := ask[holdList](s, 200, "GET", "/api/v1/"+path, ""); len(got.Holds) != want {
			t.Errorf("%s: %d, want %d", path, len(got.Holds), want)
		}
	}
	for range bus.MaxCommissionings - 1 {
		ask[bus.Hold](s, 200, "POST", "/api/v1/commissioning", fmt.Sprintf(`{"match":{"community":"tianjin","device":"ws-1"},"reason":"new","until":%q}`, later))
	}
	s.refused(http.StatusConflict, "", "POST", "/api/v1/commissioning", fmt.Sprintf(`{"match":{"community":"tianjin","device":"ws-1"},"reason":"new","until":%q}`, later))
	if ended := ask[bus.Hold](s, 200, "DELETE", "/api/v1/silences/"+h.ID, ""); ended.EndedBy != "admin" {
		t.Errorf("ended: %+v", ended)
	}
	if got := ask[holdList](s, 200, "GET", "/api/v1/silences", ""); len(got.Holds) != 0 {
		t.Errorf("still silenced: %+v", got.Holds)
	}
	if got := ask[holdList](s, 200, "GET", "/api/v1/silences?over=true", ""); len(got.Holds) != 1 {
		t.Errorf("what is over: %+v", got.Holds)
	}
	s.refused(http.StatusNotFound, "", "DELETE", "/api/v1/silences/none", "")
}

// A silence of life-safety waits for a second person: somebody else, with an account of their own.
func TestASilenceOfLifeSafetyTakesTwo(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, patient)
	s.judge()
	wang, zhao := s.user(duty("wang")), s.user(duty("zhao"))
	looker := s.user(account.User{Name: "looker", Role: account.Auditor, Communities: []string{"tianjin"}})
	bearer := func(cookie, scope string) string {
		_, _, body := s.do(s.as(cookie, "POST", "/api/v1/tokens", fmt.Sprintf(`{"name":"desk","scopes":[%q]}`, scope)))
		var made newToken
		if err := json.Unmarshal([]byte(body), &made); err != nil || made.Secret == "" {
			t.Fatal(body)
		}
		return made.Secret
	}
	asker := map[string]string{"wang": wang, "zhao": zhao}
	body := fmt.Sprintf(`{"match":{"community":"tianjin","device":"ws-1"},"reason":"works","safety":true,"until":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
	silence := func(by string) (h bus.Hold) {
		t.Helper()
		code, _, text := s.do(s.as(asker[by], "POST", "/api/v1/silences", body))
		if err := json.Unmarshal([]byte(text), &h); err != nil || code != 200 {
			t.Fatal(code, text)
		}
		if !h.Pending() || h.By != by || h.ConfirmBy.Sub(h.From) > bus.ConfirmWithin+time.Second {
			t.Errorf("asked for: %+v", h)
		}
		return h
	}
	confirm := func(h bus.Hold, cookie, secret string) (int, string) {
		r := s.as(cookie, "POST", "/api/v1/silences/"+h.ID+"/confirm", "")
		if secret != "" {
			r.Header.Set("Authorization", "Bearer "+secret)
		}
		code, _, text := s.do(r)
		return code, text
	}
	h := silence("wang")
	for name, c := range map[string]struct {
		cookie, secret string
		want           int
		code           string
	}{
		"who asked":                        {wang, "", http.StatusConflict, "same_person"},
		"who asked, with a token":          {"", bearer(wang, "alerts:write"), http.StatusConflict, "same_person"},
		"the administrator's token":        {"", token, http.StatusConflict, "not_a_person"},
		"a token of another, to read with": {"", bearer(zhao, "alerts:read"), http.StatusForbidden, "forbidden"},
		"a role that may not silence":      {looker, "", http.StatusForbidden, "forbidden"},
		"nobody":                           {"", "wrong", http.StatusUnauthorized, "unauthorized"},
	} {
		if code, text := confirm(h, c.cookie, c.secret); code != c.want || !strings.Contains(text, c.code) {
			t.Errorf("confirmed by %s: %d %s, want %d %s", name, code, text, c.want, c.code)
		}
	}
	if got := ask[bus.Hold](s, 200, "DELETE", "/api/v1/silences/"+h.ID, ""); got.ConfirmedBy != "" {
		t.Errorf("confirmed: %+v", got)
	}
	if code, text := confirm(h, zhao, ""); code != http.StatusConflict || !strings.Contains(text, `"over"`) {
		t.Errorf("confirmed after its end: %d %s", code, text)
	}
	for name, by := range map[string][2]string{"a session": {zhao, ""}, "a token": {"", bearer(zhao, "alerts:write")}} {
		h := silence("wang")
		for range 2 { // an answer may get lost
			code, text := confirm(h, by[0], by[1])
			if err := json.Unmarshal([]byte(text), &h); err != nil || code != 200 || h.ConfirmedBy != "zhao" || h.ConfirmedAt == nil {
				t.Errorf("confirmed by %s: %d %s", name, code, text)
			}
		}
	}
	audit := ask[auditList](s, 200, "GET", "/api/v1/audit?by=zhao", "")
	if !slices.ContainsFunc(audit.Entries, func(e *bus.AuditEntry) bool {
		return e.Route == "/api/v1/silences/{id}/confirm" && e.Status == 200 && e.Community == "tianjin"
	}) {
		t.Errorf("the audit says %+v", audit.Entries)
	}
}
