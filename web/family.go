package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

const (
	shownViews  = 10  // who looked last
	lookedViews = 500 // entries that are looked through for those
)

// familyRoutes are the page of somebody's family, by the link that was sent to one of them with an alert. The token lets them in.
var familyRoutes = []route{
	{
		method: "GET", path: "/api/v1/family/{token}", area: "answers", about: "How the person is whom a link is about, as far as they agreed",
		public: true, out: familyView{}, handle: (*Server).family,
	},
	{
		method: "POST", path: "/api/v1/family/{token}", area: "answers", about: "Say that the holder of a link looks after its alert",
		public: true, freeform: true, out: done{}, handle: (*Server).familyTakesOn,
	},
}

type (
	familyView struct {
		Me        string         `json:"me"`
		Person    string         `json:"person,omitempty"` // name of who it is about
		Alert     familyAlert    `json:"alert"`
		Told      []familyTold   `json:"told"`
		Consent   []people.Scope `json:"consent"`
		Away      bool           `json:"away"`
		AwayUntil *time.Time     `json:"away_until,omitempty"`
		Active    *time.Time     `json:"active,omitempty"` // last sign of life; only with consent
		AllIsWell string         `json:"all_is_well,omitempty"`
		Circle    []familyOf     `json:"circle"` // in the order in which they are told
		Views     []familyLook   `json:"views"`  // who looked last
	}
	familyAlert struct {
		ID       string         `json:"id"`
		Name     devices.Text   `json:"name"`
		Text     devices.Text   `json:"text"`
		State    bus.AlertState `json:"state"`
		OpenedAt time.Time      `json:"opened_at"`
		By       string         `json:"by,omitempty"` // who looks after it
		ByAt     *time.Time     `json:"by_at,omitempty"`
		Notes    devices.Text   `json:"instructions,omitzero"`
	}
	familyTold struct {
		Name string    `json:"name"`
		At   time.Time `json:"at"`
	}
	familyOf struct {
		Name     string `json:"name"`
		Relation string `json:"relation"`
	}
	familyLook struct {
		At time.Time `json:"at"`
		By string    `json:"by"`
	}
)

// family shows the alert of a link to its holder, and of the person behind it what they agreed that this holder may see.
func (s *Server) family(w http.ResponseWriter, r *http.Request) error {
	a, pass, name, err := s.holder(r)
	if err != nil {
		return err
	}
	body := familyView{Me: name, Alert: shownToFamily(a), Told: []familyTold{}, Consent: []people.Scope{}, Circle: []familyOf{}, Views: []familyLook{}}
	if body.Told, err = s.toldNames(r, a); err != nil {
		return err
	}
	elder := s.People.Person(a.Person)
	if elder == nil {
		return reply(w, http.StatusOK, body)
	}
	at := slices.IndexFunc(elder.Circle, func(m people.Member) bool { return m.Person == pass.Person && pass.Person != "" })
	if at < 0 {
		return reply(w, http.StatusOK, body)
	}
	now := s.Now()
	for _, c := range elder.Circle[at].Consent {
		if !now.Before(c.Since) {
			body.Consent = append(body.Consent, c.Scope)
		}
	}
	if err := s.showElder(r, &body, elder, name); err != nil {
		return err
	}
	return reply(w, http.StatusOK, body)
}

// showElder adds what the circle may see, and keeps that one of them looked.
func (s *Server) showElder(r *http.Request, body *familyView, elder *people.Person, name string) error {
	body.Person, body.Away, body.AwayUntil = elder.Name, elder.Away(s.Now()), elder.AwayUntil
	if elder.AllIsWell != nil {
		body.AllIsWell = elder.AllIsWell.At
	}
	for _, m := range elder.Circle {
		if p := s.People.Person(m.Person); p != nil {
			body.Circle = append(body.Circle, familyOf{p.Name, m.Relation})
		}
	}
	if slices.Contains(body.Consent, people.Wellbeing) {
		var well bus.Wellbeing
		if _, err := s.lastOf(r.Context(), bus.WellbeingSubject(elder.ID), &well); err != nil {
			return err
		}
		if !well.Active.IsZero() {
			body.Active = &well.Active
		}
	}
	look := bus.AuditEntry{
		At: s.Now().UTC(), By: name, Role: "family", Via: "link", Address: clientAddress(r), Method: "GET", Route: "/api/v1/family/{token}",
		Community: elder.Community, Person: elder.ID,
	}
	if err := s.recordView(r.Context(), &look)(http.StatusOK); err != nil {
		return err
	}
	return s.newest(r.Context(), bus.Audit, []string{bus.AuditSubject(elder.Community)}, 0, lookedViews, func(_ uint64, data []byte) {
		e := new(bus.AuditEntry)
		if json.Unmarshal(data, e) == nil && e.Person == elder.ID && e.Method == "GET" && len(body.Views) < shownViews {
			body.Views = append(body.Views, familyLook{e.At, e.By})
		}
	})
}

// toldNames are the people who were told of an alert, the last first, each once.
func (s *Server) toldNames(r *http.Request, a *bus.Alert) ([]familyTold, error) {
	told := []familyTold{}
	for n := a.Events; n >= max(1, a.Events-maxEvents+1); n-- {
		e, err := s.alertEvent(r.Context(), a.ID, n)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		for _, x := range e.Tell {
			if x.Held == "" && x.Name != "" && !slices.ContainsFunc(told, func(t familyTold) bool { return t.Name == x.Name }) {
				told = append(told, familyTold{x.Name, e.At})
			}
		}
	}
	return told, nil
}

func shownToFamily(a *bus.Alert) familyAlert {
	f := familyAlert{ID: a.ID, Name: a.Name, Text: a.Text, State: a.State, OpenedAt: a.OpenedAt, By: a.AckedBy, ByAt: a.AckedAt, Notes: a.Instructions}
	if f.By == "" {
		f.By = a.FamilyAckBy
	}
	return f
}

func (s *Server) familyTakesOn(w http.ResponseWriter, r *http.Request) error {
	a, pass, name, err := s.holder(r)
	if err != nil {
		return err
	}
	if a.State != bus.Closed {
		if err := s.takeOn(r.Context(), a, pass, name); err != nil {
			return err
		}
	}
	return reply(w, http.StatusOK, done{true})
}
