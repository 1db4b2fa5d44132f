package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"linli/bus"
	"linli/web/account"
)

// sessionRoutes are what everybody sees and changes of their own account besides the password.
var sessionRoutes = []route{
	{
		method: "PUT", path: "/api/v1/session/profile", area: "accounts", about: "Change how one is shown, and the language of one's pages",
		may: everyone, whose: own, in: profile{}, out: account.User{}, handle: (*Server).changeProfile,
	},
	{
		method: "GET", path: "/api/v1/sessions", area: "accounts", about: "One's own sessions, and the last tries to log in under one's name",
		may: everyone, whose: own, out: sessionList{}, handle: (*Server).sessions,
	},
	{
		method: "DELETE", path: "/api/v1/sessions/{id}", area: "accounts", about: "End one of one's own sessions",
		may: everyone, whose: own, out: done{}, handle: (*Server).endSession,
	},
}

type (
	profile struct {
		Display  string `json:"display"`
		Language string `json:"language" enum:"zh,en"`
	}
	sessionList struct {
		Sessions []ownSession `json:"sessions"`
		Logins   []loginTry   `json:"logins"` // newest first
	}
	ownSession struct {
		account.Session
		Current bool `json:"current,omitempty"` // the one that asks
	}
	loginTry struct {
		At      time.Time `json:"at"`
		Address string    `json:"address"`
		OK      bool      `json:"ok"`
	}
)

const (
	shownLogins  = 20
	lookedLogins = 1000 // entries of the audit log
)

func (s *Server) changeProfile(w http.ResponseWriter, r *http.Request) error {
	var body profile
	if err := read(r, &body); err != nil {
		return err
	}
	p := principal(r)
	if p.Via != account.BySession {
		return errForbidden
	}
	u, err := s.accounts.ChangeOwn(r.Context(), p.Name, body.Display, body.Language)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, u)
}

func (s *Server) sessions(w http.ResponseWriter, r *http.Request) error {
	p := principal(r)
	body := sessionList{Sessions: []ownSession{}, Logins: []loginTry{}}
	for _, x := range s.accounts.Sessions(p.Name) {
		body.Sessions = append(body.Sessions, ownSession{x, x.ID == p.SessionID()})
	}
	var broken error
	err := s.newest(r.Context(), bus.Audit, []string{bus.AuditSubject("")}, 0, lookedLogins, func(seq uint64, data []byte) {
		var e bus.AuditEntry
		if err := json.Unmarshal(data, &e); err != nil {
			broken = fmt.Errorf("read audit entry %d: %w", seq, err)
		}
		if e.By == p.Name && e.Method == http.MethodPost && e.Route == "/api/v1/session" && len(body.Logins) < shownLogins {
			body.Logins = append(body.Logins, loginTry{e.At, e.Address, e.Status == http.StatusOK})
		}
	})
	if err != nil {
		return err
	}
	if broken != nil {
		s.Log.Error("unreadable audit entry", "err", broken)
	}
	return reply(w, http.StatusOK, body)
}

func (s *Server) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := noToken(r); err != nil {
		return err
	}
	if err := s.accounts.EndSession(r.Context(), principal(r).Name, r.PathValue("id")); err != nil {
		return err
	}
	return reply(w, http.StatusOK, done{true})
}
