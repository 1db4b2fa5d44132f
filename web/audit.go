package web

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"linli/bus"
	"linli/people"
	"linli/web/account"
)

const (
	defaultAudit = 100
	maxAudit     = 1000
	auditWait    = 3 * time.Second // for an entry to be stored
	urgentWait   = 500 * time.Millisecond
	viewPause    = 10 * time.Minute // within which looking again is no new entry
	listPause    = time.Hour        // the same of a list
	maxViews     = 20_000
)

var auditRoutes = []route{
	{
		method: "GET", path: "/api/v1/audit", area: "audit", about: "Who did and who looked at what, newest first",
		may: watching, whose: filtered, in: auditFilter{}, out: auditList{}, handle: (*Server).audit,
	},
}

type (
	auditFilter struct {
		Community string `query:"community"`
		By        string `query:"by"`
		Person    string `query:"person" description:"whose data it was about"`
		Limit     int    `query:"limit" minimum:"1" maximum:"1000" description:"how many entries are looked through"`
		Before    string `query:"before" description:"next of the answer before"`
	}
	auditList struct {
		Entries []*bus.AuditEntry `json:"entries"`
		Next    string            `json:"next,omitempty"`
	}
)

// audit lists entries of the communities within reach; what concerned the installation is for who reaches all of it. With by or
// person a page may hold fewer than limit, or none, and yet have a next one.
func (s *Server) audit(w http.ResponseWriter, r *http.Request) error {
	limit, err := number(r, "limit", defaultAudit, maxAudit)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	var before uint64
	if q.Has("before") {
		if before, err = strconv.ParseUint(q.Get("before"), 10, 64); err != nil {
			return invalid("before", "%q is not the id of an entry", q.Get("before"))
		}
	}
	subjects, err := withinReach(r, bus.AuditSubject, "audit.*")
	if err != nil {
		return err
	}
	body := auditList{Entries: []*bus.AuditEntry{}}
	looked, last := 0, ""
	err = s.newest(r.Context(), bus.Audit, subjects, before, limit, func(seq uint64, data []byte) {
		looked, last = looked+1, strconv.FormatUint(seq, 10)
		e := new(bus.AuditEntry)
		if err := json.Unmarshal(data, e); err != nil {
			s.Log.Error("unreadable audit entry", "entry", last, "err", err)
			return
		}
		if by := q.Get("by"); by != "" && e.By != by {
			return
		}
		if person := q.Get("person"); person != "" && e.Person != person {
			return
		}
		e.ID = last
		body.Entries = append(body.Entries, e)
	})
	if err != nil {
		return err
	}
	if looked == limit {
		body.Next = last
	}
	return reply(w, http.StatusOK, body)
}

// auditEntry says of a request who asks for what.
func (s *Server) auditEntry(rt route, r *http.Request) *bus.AuditEntry {
	p, target := principal(r), r.PathValue("id")
	return &bus.AuditEntry{
		At: s.Now().UTC(), By: p.Name, Role: string(p.Role), Via: p.Via, Address: clientAddress(r), Method: rt.method, Route: rt.path,
		Target: target, Name: s.nameOf(rt.path, target),
	}
}

// nameOf is the name of what a path of the API has the id of; empty when it has none.
func (s *Server) nameOf(path, id string) string {
	thing, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/v1/"), "/")
	switch thing {
	case "alerts":
		if a := s.board.find(id); a != nil {
			return s.nameOf("devices", a.Device)
		}
	case "communities":
		if c := s.Registry.Community(id); c != nil {
			return cmp.Or(c.Name.ZH, c.Name.EN)
		}
	case "devices":
		if d := s.Registry.Device(id); d != nil {
			return d.Name
		}
	case "people", "family":
		if p := s.People.Person(id); p != nil {
			return p.Name
		}
	case "rotas":
		if x := s.People.Rota(id); x != nil {
			return x.Name
		}
	}
	return ""
}

// about says in the audit entry what a request is about, if its path does not; name is that of what nameOf does not know.
func about(r *http.Request, id, name string) {
	e := callerOf(r).entry
	e.Target, e.Name = id, name
}

// showed says in the audit entry of a view which kinds of data of persons were shown.
func showed(r *http.Request, scopes ...people.Scope) {
	e := callerOf(r).entry
	for _, scope := range scopes {
		if !slices.Contains(e.Scopes, string(scope)) {
			e.Scopes = append(e.Scopes, string(scope))
		}
	}
}

// record stores an entry. What it is about is named as it was before the request; what was made by it, as it is now.
func (s *Server) record(ctx context.Context, e *bus.AuditEntry, wait time.Duration) error {
	e.Name = cmp.Or(e.Name, s.nameOf(e.Route, e.Target))
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	// Who goes away in the middle has done it nevertheless.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	if _, _, err := s.Bus.Publish(ctx, bus.AuditSubject(e.Community), "", data); err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	return nil
}

// recordEdit stores an entry with the status of the answer, before it is sent. What was done is done: that its entry could not be
// stored is logged.
func (s *Server) recordEdit(ctx context.Context, e *bus.AuditEntry) func(int) error {
	return func(status int) error {
		e.Status = status
		if err := s.record(ctx, e, auditWait); err != nil {
			s.Log.Error("an action is not in the audit log", "user", e.By, "method", e.Method, "route", e.Route, "target", e.Target, "err", err)
		}
		return nil
	}
}

// recordView stores the entries of a view before data of persons are shown; without them they are not, unless it is urgent.
func (s *Server) recordView(ctx context.Context, urgent bool, of func() []*bus.AuditEntry) func(int) error {
	return func(status int) error {
		if status >= http.StatusBadRequest {
			return nil
		}
		wait := auditWait
		if urgent {
			wait = urgentWait
		}
		all := of()
		for i, e := range all {
			e.Status = status
			if !s.views.isNew(e) {
				continue
			}
			err := s.record(ctx, e, wait)
			if err == nil {
				continue
			}
			s.views.forget(e)
			if !urgent {
				return err
			}
			s.Log.Error("a view is not in the audit log", "user", e.By, "route", e.Route, "community", e.Community, "person", e.Person, "more", len(all)-i-1, "err", err)
			return nil
		}
		return nil
	}
}

// lookedAt are the entries of one view. A list is of the community that was asked for, else of each that who asks reaches, and of each
// of their elders; of who reaches everything it is of the installation.
func (s *Server) lookedAt(p *account.Principal, e *bus.AuditEntry, community string) (all []*bus.AuditEntry) {
	of := func(community, person string) {
		x := *e
		x.Community, x.Person = community, person
		all = append(all, &x)
	}
	switch {
	case e.Community != "" || e.Person != "", community == "" && p.Everywhere(), community != "" && s.Registry.Community(community) == nil:
		return []*bus.AuditEntry{e}
	case community != "" && p.Community(community):
		of(community, "")
	case community == "":
		for _, c := range p.Communities {
			of(c, "")
		}
	}
	for _, id := range p.Elders {
		if x := s.People.Person(id); x != nil && !p.Community(x.Community) && (community == "" || x.Community == community) {
			of(x.Community, id)
		}
	}
	return all
}

// views remembers for a while who looked at what, so that a page that asks every few seconds is one entry. Its memory is bounded.
type views struct{ seen *lru.Cache[string, time.Time] }

func newViews() *views {
	c, err := lru.New[string, time.Time](maxViews)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &views{c}
}

func (v *views) key(e *bus.AuditEntry) string {
	return strings.Join(append([]string{e.By, e.Via, e.Route, e.Target, e.Address, e.Community, e.Person}, e.Scopes...), " ")
}

func (v *views) isNew(e *bus.AuditEntry) bool {
	pause := viewPause
	if e.Target == "" {
		pause = listPause
	}
	if at, ok := v.seen.Get(v.key(e)); ok && e.At.Sub(at) < pause {
		return false
	}
	v.seen.Add(v.key(e), e.At)
	return true
}

func (v *views) forget(e *bus.AuditEntry) { v.seen.Remove(v.key(e)) }
