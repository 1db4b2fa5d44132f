package web

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"linli/bus"
	"linli/people"
)

type (
	familyAnswer struct {
		Alert  string `json:"alert" required:"true"`
		Answer string `json:"answer" enum:"going,cannot"`
	}
	familyAnswered struct {
		By string `json:"by,omitempty"` // who looks after the alert now
	}
)

// familyAlert shows an alert with who was told and what they answered.
func (s *Server) familyAlert(ctx context.Context, k *relative, a *bus.Alert) (*familyAlert, error) {
	f := &familyAlert{
		ID: a.ID, Name: a.Name, Text: a.Text, State: a.State, Safety: a.Safety, OpenedAt: a.OpenedAt, Script: a.Instructions, Told: []familyTold{},
	}
	named := k.elder == nil || k.agreed(people.Events, s.Now())
	by, who := a.AckedBy, a.AckedPerson
	if by == "" {
		by, who = a.FamilyAckBy, a.FamilyPerson
	}
	if by != "" {
		f.Mine = k.id != "" && who == k.id
		f.By = s.called(by, who)
		if !named && !f.Mine {
			f.By = s.kindOf(who)
		}
	}
	told, err := s.toldOf(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, t := range told {
		if !named {
			t.Name = ""
		}
		f.Told = append(f.Told, t.familyTold)
	}
	return f, nil
}

// toldOne is somebody of whom an alert was told, by what they are known as in its events.
type toldOne struct {
	familyTold
	who string
}

// toldOf are those who were told of an alert or have answered, in the order in which they were.
func (s *Server) toldOf(ctx context.Context, a *bus.Alert) (all []*toldOne, err error) {
	find := func(id, name string, at time.Time) *toldOne {
		who := id
		if who == "" {
			who = "\x00" + name
		}
		if i := slices.IndexFunc(all, func(t *toldOne) bool { return t.who == who }); i >= 0 {
			return all[i]
		}
		t := &toldOne{familyTold{Name: s.called(name, id), Kind: s.kindOf(id), At: at}, who}
		all = append(all, t)
		return t
	}
	for n := max(1, a.Events-toldEvents+1); n <= a.Events; n++ {
		e, err := s.alertEvent(ctx, a.ID, n)
		if err != nil {
			return nil, err
		}
		if e == nil {
			continue
		}
		for _, x := range e.Tell {
			if x.Held == "" && x.Person != "" {
				find(x.Person, x.Name, e.At)
			}
		}
		if answer := answers[e.Kind]; answer != "" && e.By != "" {
			t, at := find(e.Who, e.By, e.At), e.At
			t.Answer, t.Answered = answer, &at
		}
	}
	return all, nil
}

// answers are what events say of who was told.
var answers = map[string]string{"acknowledged": "going", "family_acknowledged": "going", "declined": "cannot"}

// called is the name of somebody who is known by the name of an account or by who they are among the people.
func (s *Server) called(by, person string) string {
	u, err := s.accounts.User(by)
	switch p := s.People.Person(person); {
	case p != nil:
		return p.Name
	case err != nil:
		return by
	case s.People.Person(u.Person) != nil:
		return s.People.Person(u.Person).Name
	case u.Display != "":
		return u.Display
	}
	return by
}

// kindOf is what somebody is to an elder. Whoever is not known among the people answered from the desk.
func (s *Server) kindOf(person string) string {
	if p := s.People.Person(person); p != nil && !p.Staff() {
		return "family"
	}
	return "staff"
}

// familyAnswer hands on that a relative goes, or cannot, and waits for a moment for what comes of it. The same Idempotency-Key again
// does nothing twice.
func (s *Server) familyAnswer(w http.ResponseWriter, r *http.Request, k *relative) error {
	var body familyAnswer
	if err := read(r, &body); err != nil {
		return err
	}
	kinds := map[string]string{"going": "acknowledge", "cannot": "decline"}
	kind := kinds[body.Answer]
	if kind == "" {
		return invalid("answer", "%q is none of going, cannot", body.Answer)
	}
	all := s.familyAlerts(k)
	i := slices.IndexFunc(all, func(a *bus.Alert) bool { return a.ID == body.Alert })
	if i < 0 {
		return notFound("alert", body.Alert)
	}
	a := all[i]
	key, err := actionKey(a.ID, kind, r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	now, err := s.perform(r.Context(), a, bus.Action{
		Key: key, Kind: kind, Alert: a.ID, Community: a.Community, By: k.name, Person: k.id, Family: k.family, Note: note(r), At: s.Now().UTC(),
	})
	if err != nil {
		return err
	}
	answer := familyAnswered{}
	if now != nil {
		shown, err := s.familyAlert(r.Context(), k, now)
		if err != nil {
			return err
		}
		answer.By = shown.By
	}
	return reply(w, http.StatusOK, answer)
}

// note says in the history of an alert how somebody answered.
func note(r *http.Request) string {
	if r.PathValue("token") != "" {
		return "by link"
	}
	return ""
}

// announce hands on that the order of a circle is another one.
func (s *Server) announce(r *http.Request, k *relative, names string) error {
	key, err := actionKey(k.elder.ID, "reordered", r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	data, err := json.Marshal(bus.Action{
		Key: key, Kind: "reordered", Community: k.elder.Community, About: k.elder.ID, By: k.name, Person: k.id, Note: names, At: s.Now().UTC(),
	})
	if err != nil {
		return err
	}
	_, _, err = s.Bus.Publish(r.Context(), bus.ActionsSubject(k.elder.Community), key, data)
	return err
}
