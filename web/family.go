package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/web/account"
)

var kin = []account.Role{account.Family}

// familyRoutes are the page of an elder's family. It opens by the link of a message, whose token in the path lets its holder in, or
// with an account; either way the same handlers answer, to the member of the circle that it is.
//
//	link     /api/v1/family/{token}/…          good for the alert it was sent with and for its person, 24 h
//	account  /api/v1/people/{id}/family/…      for the elders of the account
var familyRoutes = slices.Concat(
	[]route{{
		method: "GET", path: "/api/v1/family", area: "people", about: "The elders of who asks, as they call them",
		may: kin, whose: own, out: familyElders{}, handle: (*Server).familyElders,
	}},
	familyRoute("GET", "", "How an elder is, as far as they have agreed to show", nil, familyView{}, asFamily((*Server).family, people.Events, people.Wellbeing)),
	familyRoute("GET", "/body", "What an elder's devices say of them, and where they are", nil, familyBody{}, asFamily((*Server).familyBody, people.Vitals, people.Location)),
	familyRoute("GET", "/log", "Who has looked at data of an elder, and who has changed something", nil, familyLog{}, asFamily((*Server).familyLog)),
	familyRoute("POST", "/answer", "Say of an alert that one goes, or cannot", familyAnswer{}, familyAnswered{}, asFamily((*Server).familyAnswer)),
	familyRoute("PUT", "/away", "Say until when an elder is away", familyAway{}, done{}, asFamily((*Server).familySetAway)),
	familyRoute("DELETE", "/away", "Say that an elder is back", nil, done{}, asFamily((*Server).familyEndAway)),
	familyRoute("PUT", "/order", "Say in which order the circle is told; the others of it are told of that", familyOrder{}, done{}, asFamily((*Server).familySetOrder)),
	familyRoute("PUT", "/well", "Say at what hour the daily line comes; none without an hour", familyWell{}, done{}, asFamily((*Server).familySetWell)),
	familyRoute("PUT", "/calls", "Say what one calls the elder", familyCalls{}, done{}, asFamily((*Server).familySetCalls)),
)

// familyRoute is the same for a link and for an account.
func familyRoute(method, path, about string, in, out any, handle func(*Server, http.ResponseWriter, *http.Request) error) []route {
	byLink := route{
		method: method, path: "/api/v1/family/{token}" + path, area: "answers", about: about + ", by a link", public: true, in: in, out: out, handle: handle,
	}
	withAccount := route{
		method: method, path: "/api/v1/people/{id}/family" + path, area: "people", about: about, may: kin, whose: aPerson, in: in, out: out, handle: handle,
	}
	return []route{byLink, withAccount}
}

// relative is who asks as family. Who holds a link and is not of the circle, somebody of the staff for instance, has the alert alone.
type relative struct {
	id, name string         // among the people; without an id it is whoever looks after a duty channel
	family   bool           // what they do counts as family
	alert    *bus.Alert     // of their link; nil with an account, and when they may not know of it any more
	elder    *people.Person // nil: they are not of the circle
	member   *people.Member
}

// asFamily lets a handler answer a relative, and has it kept that they looked, at which kinds of data of those that it shows, or what
// they did.
func asFamily(h func(*Server, http.ResponseWriter, *http.Request, *relative) error, shows ...people.Scope) func(*Server, http.ResponseWriter, *http.Request) error {
	return func(s *Server, w http.ResponseWriter, r *http.Request) error {
		if r.PathValue("token") != "" {
			return s.byLink(w, r, shows, h)
		}
		k, err := s.withAccount(r)
		if err != nil {
			return err
		}
		callerOf(r).entry.Scopes = s.agreedOf(k.member, shows)
		return h(s, w, r, k)
	}
}

func (s *Server) withAccount(r *http.Request) (*relative, error) {
	id, who := r.PathValue("id"), principal(r)
	k := &relative{id: who.Person, name: who.Name, family: true, elder: s.People.Person(id), member: s.People.Member(id, who.Person)}
	if k.member == nil {
		return nil, errNoConsent
	}
	if p := s.People.Person(who.Person); p != nil {
		k.name = p.Name
	}
	return k, nil
}

func (s *Server) byLink(w http.ResponseWriter, r *http.Request, shows []people.Scope, h func(*Server, http.ResponseWriter, *http.Request, *relative) error) error {
	k, a, err := s.holder(r)
	if err != nil {
		return err
	}
	s.keepOfLink(w, r, k, a, s.agreedOf(k.member, shows))
	return h(s, w, r, k)
}

// keepOfLink has it kept that the holder of a link looked at its alert, or what they did about it.
func (s *Server) keepOfLink(w http.ResponseWriter, r *http.Request, k *relative, a *bus.Alert, scopes []string) {
	entry := &bus.AuditEntry{
		At: s.Now().UTC(), By: k.name, Role: "family", Via: "link", Address: clientAddress(r), Method: r.Method, Route: strings.SplitN(r.Pattern, " ", 2)[1],
		Target: a.ID, Community: a.Community, Person: a.Person, Scopes: scopes,
	}
	if !k.family {
		entry.Role = ""
	}
	if rec, ok := w.(*recorder); ok && r.Method != http.MethodGet && r.Method != http.MethodHead {
		rec.before = s.recordEdit(r.Context(), entry)
	} else if ok && a.Person != "" {
		rec.before = s.recordView(r.Context(), a.Safety, func() []*bus.AuditEntry { return []*bus.AuditEntry{entry} })
	}
}

// agreedOf are those of some kinds of data that a member of a circle may see.
func (s *Server) agreedOf(m *people.Member, of []people.Scope) (all []string) {
	for _, scope := range s.scopes(m) {
		if slices.Contains(of, scope) {
			all = append(all, string(scope))
		}
	}
	return all
}

func (k *relative) agreed(scope people.Scope, at time.Time) bool {
	return k.member != nil && k.member.Agreed(scope, at)
}

type (
	familyElders struct {
		Me     string        `json:"me"`
		Elders []familyElder `json:"elders"`
	}
	familyElder struct {
		ID    string `json:"id"`
		Name  string `json:"name"`
		Calls string `json:"calls,omitempty"`
	}
	familyView struct {
		Now       time.Time      `json:"now"`
		Me        string         `json:"me"`
		Person    string         `json:"person,omitempty"` // name of who it is about
		Calls     string         `json:"calls,omitempty"`  // what who asks calls them
		Phone     string         `json:"phone,omitempty"`
		Shared    []people.Scope `json:"shared"` // what is agreed
		Away      bool           `json:"away"`
		AwayUntil *time.Time     `json:"away_until,omitempty"`
		Active    *time.Time     `json:"active,omitempty"` // last sign of life; only with consent
		AllIsWell string         `json:"all_is_well,omitempty"`
		Alerts    []familyAlert  `json:"alerts"` // that are open, the most pressing first, and that of the link
		Circle    []familyOf     `json:"circle"` // in the order in which they are told
		Desk      []familyDesk   `json:"desk"`   // who is on duty
	}
	familyOf struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Relation string `json:"relation"`
		Me       bool   `json:"me"`
	}
	familyDesk struct {
		Name  string `json:"name"`
		Phone string `json:"phone"`
	}
)

// familyElders lists those whom who asks may look after: elders of the account in whose circle they are.
func (s *Server) familyElders(w http.ResponseWriter, r *http.Request) error {
	who := principal(r)
	body := familyElders{Me: who.Name, Elders: []familyElder{}}
	if p := s.People.Person(who.Person); p != nil {
		body.Me = p.Name
	}
	for _, id := range who.Elders {
		if m := s.People.Member(id, who.Person); m != nil {
			body.Elders = append(body.Elders, familyElder{id, s.People.Person(id).Name, m.Calls})
		}
	}
	return reply(w, http.StatusOK, body)
}

// family shows the state of an elder in one answer, small enough for a slow network.
func (s *Server) family(w http.ResponseWriter, r *http.Request, k *relative) error {
	now := s.Now()
	body := familyView{Now: now.UTC(), Me: k.name, Shared: list(s.scopes(k.member)), Alerts: []familyAlert{}, Circle: []familyOf{}, Desk: []familyDesk{}}
	for _, a := range s.familyAlerts(k) {
		shown, err := s.familyAlert(r.Context(), k, a)
		if err != nil {
			return err
		}
		body.Alerts = append(body.Alerts, *shown)
	}
	if k.elder == nil {
		return reply(w, http.StatusOK, body)
	}
	body.Person, body.Phone, body.Calls, body.Desk = k.elder.Name, k.elder.Phone, k.member.Calls, s.onDuty(k.elder.Community, now)
	for _, m := range k.elder.Circle {
		if p := s.People.Person(m.Person); p != nil {
			body.Circle = append(body.Circle, familyOf{m.Person, p.Name, m.Relation, m.Person == k.id})
		}
	}
	if k.agreed(people.Wellbeing, now) {
		body.Away, body.AwayUntil = k.elder.Away(now), k.elder.AwayUntil
		if k.elder.AllIsWell != nil {
			body.AllIsWell = k.elder.AllIsWell.At
		}
		var well bus.Wellbeing
		if _, err := s.lastOf(r.Context(), bus.WellbeingSubject(k.elder.ID), &well); err != nil {
			return err
		}
		if !well.Active.IsZero() {
			body.Active = &well.Active
		}
	}
	return reply(w, http.StatusOK, body)
}

// onDuty is who of the property desk is to be called now.
func (s *Server) onDuty(community string, now time.Time) []familyDesk {
	all := []familyDesk{}
	q := people.Question{Targets: []string{"role:" + string(people.Duty)}, Community: community, Safety: true, At: now}
	for _, x := range s.People.Resolve(q) {
		if p := s.People.Person(x.Person); p != nil && p.Phone != "" && len(all) < shownDesk {
			all = append(all, familyDesk{p.Name, p.Phone})
		}
	}
	return all
}

type (
	familyAlert struct {
		ID       string         `json:"id"`
		Name     devices.Text   `json:"name"`
		Text     devices.Text   `json:"text"`
		State    bus.AlertState `json:"state"`
		Safety   bool           `json:"safety"`
		OpenedAt time.Time      `json:"opened_at"`
		By       string         `json:"by,omitempty"` // who looks after it
		Mine     bool           `json:"mine"`         // who asks does
		Script   devices.Text   `json:"script,omitzero"`
		Told     []familyTold   `json:"told"`
	}
	// familyTold is somebody who was told, and what they answered. Without consent to events it says only what they are.
	familyTold struct {
		Name     string     `json:"name,omitempty"`
		Kind     string     `json:"kind"` // family or staff
		At       time.Time  `json:"at"`
		Answer   string     `json:"answer,omitempty"` // going or cannot
		Answered *time.Time `json:"answered_at,omitempty"`
	}
)

const (
	shownAlerts = 5
	shownDesk   = 2
	toldEvents  = 100 // of one alert, the latest, that are looked through for who was told
)

// familyAlerts are the open alerts that a relative may know of, life-safety first and then the newest; and that of their link, though
// it be over.
func (s *Server) familyAlerts(k *relative) []*bus.Alert {
	var all []*bus.Alert
	if k.elder != nil {
		all = s.board.list(func(a *bus.Alert) bool {
			return a.Person == k.elder.ID && (a.State == bus.Opened || a.State == bus.Acknowledged) && s.mayKnow(k.member, a)
		})
		slices.SortStableFunc(all, func(x, y *bus.Alert) int {
			switch {
			case x.Safety == y.Safety:
				return 0
			case x.Safety:
				return -1
			}
			return 1
		})
		all = all[:min(len(all), shownAlerts)]
	}
	if k.alert != nil && !slices.ContainsFunc(all, func(a *bus.Alert) bool { return a.ID == k.alert.ID }) {
		all = append(all, k.alert)
	}
	return all
}
