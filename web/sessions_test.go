package web

import (
	"net/http"
	"strings"
	"testing"

	"linli/web/account"
)

func TestOwnSessions(t *testing.T) {
	s := run(t, empty{})
	s.populate("north")
	first := s.user(account.User{Name: "wang", Role: account.Duty, Communities: []string{"north"}})
	second := s.login("wang", passwordOf("wang"))
	other := s.user(account.User{Name: "li", Role: account.Duty, Communities: []string{"north"}})
	r := s.request("POST", "/api/v1/session", `{"user":"wang","password":"wrong"}`)
	r.Header.Del("Authorization")
	if status, _, _ := s.do(r); status != http.StatusUnauthorized {
		t.Fatalf("a wrong password: %d", status)
	}
	as := func(cookie string, status int, method, path, body string) string {
		t.Helper()
		r := s.request(method, path, body, "Cookie", cookie)
		r.Header.Del("Authorization")
		got, _, text := s.do(r)
		if got != status {
			t.Errorf("%s %s: %d, want %d: %s", method, path, got, status, text)
		}
		return text
	}
	list := ask[sessionList](s, http.StatusOK, "GET", "/api/v1/sessions", "")
	if len(list.Sessions) != 0 {
		t.Errorf("the administrator's token has sessions: %+v", list.Sessions)
	}
	text := as(second, http.StatusOK, "GET", "/api/v1/sessions", "")
	mine := s.web.accounts.Sessions("wang")
	current := s.web.accounts.Session(t.Context(), strings.TrimPrefix(second, "linli_session=")).SessionID()
	if len(mine) != 3 || !strings.Contains(text, `"id":"`+current+`"`) || !strings.Contains(text, `"current":true`) ||
		!strings.Contains(text, `"ok":false`) || !strings.Contains(text, "Go-http-client") || strings.Contains(text, strings.TrimPrefix(second, "linli_session=")) {
		t.Errorf("sessions %s", text)
	}
	for _, x := range mine {
		as(other, http.StatusNotFound, "DELETE", "/api/v1/sessions/"+x.ID, "")
		if x.ID != current {
			as(second, http.StatusOK, "DELETE", "/api/v1/sessions/"+x.ID, "")
		}
	}
	as(first, http.StatusUnauthorized, "GET", "/api/v1/session", "")
	as(second, http.StatusOK, "GET", "/api/v1/session", "")

	as(second, http.StatusBadRequest, "PUT", "/api/v1/session/profile", `{"display":"老王","language":"fr"}`)
	as(second, http.StatusOK, "PUT", "/api/v1/session/profile", `{"display":"老王","language":"en"}`)
	ask[account.User](s, http.StatusOK, "PUT", "/api/v1/users/wang", `{"display":"王师傅","role":"duty","communities":["north"]}`)
	if u, err := s.web.accounts.User("wang"); err != nil || u.Language != "en" || u.Display != "王师傅" {
		t.Errorf("user %+v, %v: an admin does not choose the language", u, err)
	}
}
