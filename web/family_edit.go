package web

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"linli/people"
)

// What family may change of an elder wants the consent that it follows from: being away and the daily line wellbeing, the order of
// the circle events, because who is told of life-safety alone does not decide who is told first.

type (
	familyAway struct {
		Until string `json:"until" required:"true" description:"the last day, 2026-01-31, in the community's time"`
	}
	familyOrder struct {
		Order []string `json:"order" required:"true" description:"the ids of the whole circle, the first to be told first"`
	}
	familyWell struct {
		At string `json:"at" description:"08:30, or empty"`
	}
	familyCalls struct {
		Calls string `json:"calls"`
	}
)

const maxAwayDays = 366

// edit changes the record of the elder of a relative who has consent to a scope; without one every member may.
func (s *Server) edit(w http.ResponseWriter, r *http.Request, k *relative, scope people.Scope, change func(*people.Person) error) error {
	if k.elder == nil || scope != "" && !k.agreed(scope, s.Now()) {
		return errNoConsent
	}
	if err := s.People.EditPerson(r.Context(), k.elder.ID, change); err != nil {
		return err
	}
	return reply(w, http.StatusOK, done{true})
}

func (s *Server) familySetAway(w http.ResponseWriter, r *http.Request, k *relative) error {
	var body familyAway
	if err := read(r, &body); err != nil {
		return err
	}
	if k.elder == nil {
		return errNoConsent
	}
	now := s.Now().UTC().Truncate(time.Second)
	day, err := time.ParseInLocation(time.DateOnly, body.Until, s.zone(k.elder.Community))
	until := day.AddDate(0, 0, 1).UTC()
	if err != nil || !until.After(now) || until.After(now.AddDate(0, 0, maxAwayDays)) {
		return invalid("until", "%q is not a day from today to in a year", body.Until)
	}
	return s.edit(w, r, k, people.Wellbeing, func(p *people.Person) error {
		if p.AwaySince == nil || p.AwaySince.After(now) || !p.Away(now) {
			p.AwaySince = &now
		}
		p.AwayUntil = &until
		return nil
	})
}

func (s *Server) familyEndAway(w http.ResponseWriter, r *http.Request, k *relative) error {
	return s.edit(w, r, k, people.Wellbeing, func(p *people.Person) error {
		p.AwaySince, p.AwayUntil = nil, nil
		return nil
	})
}

var errOtherCircle = &problem{http.StatusConflict, "circle_changed", "the circle has other members than that", "order"}

// familySetOrder orders the circle anew. Nobody joins or leaves it by that, and the others are told.
func (s *Server) familySetOrder(w http.ResponseWriter, r *http.Request, k *relative) error {
	var body familyOrder
	if err := read(r, &body); err != nil {
		return err
	}
	if !k.agreed(people.Events, s.Now()) {
		return errNoConsent
	}
	var names []string
	for i, id := range body.Order {
		if p := s.People.Person(id); p != nil {
			names = append(names, fmt.Sprintf("%d %s", i+1, p.Name))
		}
	}
	err := s.People.EditPerson(r.Context(), k.elder.ID, func(p *people.Person) error {
		ordered := make([]people.Member, 0, len(p.Circle))
		for _, id := range body.Order {
			if i := slices.IndexFunc(p.Circle, func(m people.Member) bool { return m.Person == id }); i >= 0 {
				ordered = append(ordered, p.Circle[i])
			}
		}
		if len(ordered) != len(p.Circle) || len(ordered) != len(body.Order) {
			return errOtherCircle
		}
		p.Circle = ordered // a member twice is refused with the record
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.announce(r, k, strings.Join(names, "，")); err != nil {
		return err
	}
	return reply(w, http.StatusOK, done{true})
}

func (s *Server) familySetWell(w http.ResponseWriter, r *http.Request, k *relative) error {
	var body familyWell
	if err := read(r, &body); err != nil {
		return err
	}
	return s.edit(w, r, k, people.Wellbeing, func(p *people.Person) error {
		if p.AllIsWell = nil; body.At != "" {
			p.AllIsWell = &people.AllIsWell{At: body.At}
		}
		return nil
	})
}

func (s *Server) familySetCalls(w http.ResponseWriter, r *http.Request, k *relative) error {
	var body familyCalls
	if err := read(r, &body); err != nil {
		return err
	}
	return s.edit(w, r, k, "", func(p *people.Person) error {
		for i := range p.Circle {
			if p.Circle[i].Person == k.id {
				p.Circle[i].Calls = strings.TrimSpace(body.Calls)
			}
		}
		return nil
	})
}
