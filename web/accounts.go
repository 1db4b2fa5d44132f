package web

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"linli/bus"
	"linli/web/account"
)

// sessionArea is what somebody may use who has to change their password first.
const sessionArea = "session"

var accountRoutes = []route{
	{
		method: "POST", path: "/api/v1/session", area: sessionArea, about: "Log in; the session is a cookie", public: true,
		in: login{}, out: me{}, handle: (*Server).login,
	},
	{
		method: "GET", path: "/api/v1/session", area: sessionArea, about: "Who asks, and what they reach",
		may: everyone, whose: own, out: me{}, handle: (*Server).me,
	},
	{
		method: "DELETE", path: "/api/v1/session", area: sessionArea, about: "Log out",
		may: everyone, whose: own, out: done{}, handle: (*Server).logout,
	},
	{
		method: "PUT", path: "/api/v1/session/password", area: sessionArea, about: "Change one's own password; all other sessions end",
		may: everyone, whose: own, in: passwordChange{}, out: me{}, handle: (*Server).changePassword,
	},

	{
		method: "GET", path: "/api/v1/users", area: "accounts", about: "Users, by name; of managers the family accounts of their elders",
		may: managers, whose: filtered, out: userList{}, handle: (*Server).users,
	},
	{
		method: "POST", path: "/api/v1/users", area: "accounts", about: "Add a user; the password is shown this once and theirs to change. Managers add family of their elders",
		may: managers, whose: inBody, in: userBody{}, out: newPassword{}, handle: (*Server).addUser,
	},
	{
		method: "PUT", path: "/api/v1/users/{id}", area: "accounts", about: "Change the role, the reach or the name of a user, or shut them out",
		may: managers, whose: aUser, in: userBody{}, out: account.User{}, handle: (*Server).putUser,
	},
	{
		method: "POST", path: "/api/v1/users/{id}/reset-password", area: "accounts", about: "Give a user a new password; their sessions end",
		may: managers, whose: aUser, out: newPassword{}, handle: (*Server).resetPassword,
	},

	{
		method: "GET", path: "/api/v1/tokens", area: "accounts", about: "One's own API tokens; an admin's list has all",
		may: everyone, whose: own, out: tokenList{}, handle: (*Server).tokens,
	},
	{
		method: "POST", path: "/api/v1/tokens", area: "accounts", about: "Make an API token; it is shown this once",
		may: everyone, whose: own, in: tokenBody{}, out: newToken{}, handle: (*Server).addToken,
	},
	{
		method: "DELETE", path: "/api/v1/tokens/{id}", area: "accounts", about: "End an API token",
		may: everyone, whose: own, out: done{}, handle: (*Server).removeToken,
	},
}

type (
	login struct {
		User     string `json:"user" required:"true"`
		Password string `json:"password" required:"true"`
	}
	me struct {
		account.User
		Via     string    `json:"via"`
		Scopes  []string  `json:"scopes,omitempty"`
		Expires time.Time `json:"expires,omitzero"`
	}
	done struct {
		Done bool `json:"done"`
	}
	passwordChange struct {
		Old string `json:"old" required:"true"`
		New string `json:"new" required:"true"`
	}
	userBody struct {
		Name        string       `json:"name"`
		Display     string       `json:"display,omitempty"`
		Role        account.Role `json:"role" enum:"admin,manager,duty,caretaker,family,auditor"`
		Communities []string     `json:"communities,omitempty" description:"ids, or *"`
		Elders      []string     `json:"elders,omitempty"`
		Person      string       `json:"person,omitempty"`
		Disabled    bool         `json:"disabled,omitempty"`
		Changed     time.Time    `json:"changed,omitzero" description:"of the state that is replaced; another one is left as it is"`
	}
	userList struct {
		Users []account.User `json:"users"`
	}
	newPassword struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}
	tokenBody struct {
		Name    string    `json:"name" required:"true" description:"what it is for"`
		User    string    `json:"user,omitempty" description:"whose it is; oneself unless an admin asks"`
		Scopes  []string  `json:"scopes" required:"true" description:"AREA:read or AREA:write, * for all areas"`
		Expires time.Time `json:"expires,omitzero" description:"a year from now when left out"`
	}
	newToken struct {
		account.Token
		Secret string `json:"secret"`
	}
	tokenList struct {
		Tokens []account.Token `json:"tokens"`
		Areas  []string        `json:"areas"` // that scopes may name
	}
)

func shownMe(p *account.Principal) me { return me{p.User, p.Via, p.Scopes, p.Expires} }

// login begins a session, always a new one: a cookie that somebody has planted before is ended and replaced. Tries are kept in the
// audit log, but for those that were not even looked at because there were too many.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	var body login
	if err := read(r, &body); err != nil {
		return err
	}
	from := clientOf(r)
	secret, p, err := s.accounts.Login(r.Context(), body.User, body.Password, from)
	entry := bus.AuditEntry{
		At: s.Now().UTC(), By: body.User[:min(len(body.User), 64)], Address: from.Address, Method: "POST", Route: "/api/v1/session", Status: http.StatusOK,
	}
	if errors.Is(err, account.ErrWrong) {
		entry.Status = http.StatusUnauthorized
		s.metrics.logins.WithLabelValues("wrong").Inc()
		_ = s.recordEdit(r.Context(), &entry)(entry.Status)
	}
	if err != nil {
		return err
	}
	if c, err := r.Cookie(s.access.cookieName()); err == nil {
		if err := s.accounts.Logout(r.Context(), c.Value); err != nil {
			return err
		}
	}
	s.metrics.logins.WithLabelValues("ok").Inc()
	entry.By, entry.Role, entry.Via = p.Name, string(p.Role), p.Via
	_ = s.recordEdit(r.Context(), &entry)(entry.Status)
	http.SetCookie(w, s.access.cookie(secret))
	return reply(w, http.StatusOK, shownMe(p))
}

func (s *Server) me(w http.ResponseWriter, r *http.Request) error {
	return reply(w, http.StatusOK, shownMe(principal(r)))
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(s.access.cookieName()); err == nil {
		if err := s.accounts.Logout(r.Context(), c.Value); err != nil {
			return err
		}
	}
	http.SetCookie(w, s.access.cookie(""))
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return reply(w, http.StatusOK, done{true})
}

func (s *Server) changePassword(w http.ResponseWriter, r *http.Request) error {
	p := principal(r)
	if p.Via != account.BySession {
		return errForbidden
	}
	var body passwordChange
	if err := read(r, &body); err != nil {
		return err
	}
	secret, now, err := s.accounts.ChangePassword(r.Context(), p, body.Old, body.New, clientOf(r))
	if errors.Is(err, account.ErrWrong) { // 401 would look like the end of the session
		return &problem{http.StatusForbidden, "wrong_password", "the old password is wrong", "old"}
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, s.access.cookie(secret))
	return reply(w, http.StatusOK, shownMe(now))
}

// noToken refuses a program to make or change who may log in, whatever its scopes: it could widen them.
func noToken(r *http.Request) error {
	if principal(r).Via == account.ByToken {
		return errForbidden
	}
	return nil
}

func (s *Server) users(w http.ResponseWriter, r *http.Request) error {
	who := principal(r)
	return reply(w, http.StatusOK, userList{slices.DeleteFunc(s.accounts.Users(), func(u account.User) bool { return !s.keeps(who, &u) })})
}

func (b userBody) user() account.User {
	return account.User{
		Name: b.Name, Display: b.Display, Role: b.Role, Communities: b.Communities, Elders: b.Elders, Person: b.Person, Disabled: b.Disabled,
		Changed: b.Changed,
	}
}

func (s *Server) addUser(w http.ResponseWriter, r *http.Request) error {
	var body userBody
	if err := errors.Join(noToken(r), read(r, &body)); err != nil {
		return err
	}
	if err := s.checkKin(r, body.user()); err != nil {
		return err
	}
	password, err := s.accounts.Add(r.Context(), body.user())
	if err != nil {
		return err
	}
	about(r, body.Name, "")
	return reply(w, http.StatusOK, newPassword{body.Name, password})
}

func (s *Server) putUser(w http.ResponseWriter, r *http.Request) error {
	var body userBody
	if err := errors.Join(noToken(r), read(r, &body)); err != nil {
		return err
	}
	if err := asInPath(r, "name", &body.Name); err != nil {
		return err
	}
	if err := s.checkKin(r, body.user()); err != nil {
		return err
	}
	if err := s.accounts.Change(r.Context(), body.user()); err != nil {
		return err
	}
	u, err := s.accounts.User(body.Name)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, u)
}

func (s *Server) resetPassword(w http.ResponseWriter, r *http.Request) error {
	if err := noToken(r); err != nil {
		return err
	}
	id := r.PathValue("id")
	password, err := s.accounts.ResetPassword(r.Context(), id)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, newPassword{id, password})
}

// ownTokens is whose tokens somebody may look after: "" for all.
func ownTokens(p *account.Principal) string {
	if p.Role == account.Admin {
		return ""
	}
	return p.Name
}

func (s *Server) tokens(w http.ResponseWriter, r *http.Request) error {
	return reply(w, http.StatusOK, tokenList{list(s.accounts.Tokens(ownTokens(principal(r)))), s.areas})
}

func (s *Server) addToken(w http.ResponseWriter, r *http.Request) error {
	var body tokenBody
	if err := errors.Join(noToken(r), read(r, &body)); err != nil {
		return err
	}
	p := principal(r)
	if body.User == "" || p.Role != account.Admin {
		body.User = p.Name
	}
	if body.Expires.IsZero() {
		body.Expires = s.Now().AddDate(1, 0, 0)
	}
	secret, t, err := s.accounts.AddToken(r.Context(), account.Token{
		Name: body.Name, User: body.User, Scopes: body.Scopes, Expires: body.Expires,
	}, s.areas)
	if err != nil {
		return err
	}
	about(r, t.ID, t.Name)
	return reply(w, http.StatusOK, newToken{t, secret})
}

func (s *Server) removeToken(w http.ResponseWriter, r *http.Request) error {
	if err := noToken(r); err != nil {
		return err
	}
	id, user := r.PathValue("id"), ownTokens(principal(r))
	for _, t := range s.accounts.Tokens(user) {
		if t.ID == id {
			if err := s.accounts.RemoveToken(r.Context(), id); err != nil {
				return err
			}
			return reply(w, http.StatusOK, done{true})
		}
	}
	return notFound("token", id)
}
