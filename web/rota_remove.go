package web

import (
	"cmp"
	"net/http"
	"strings"

	"linli/people"
)

type (
	removal struct {
		Anyway string `query:"anyway" enum:"true" description:"true: even if a step of a plan then tells nobody"`
	}
	// withoutRota is what taking a rota away would do. Whom a role names, where no rota says it, is everybody of the role.
	withoutRota struct {
		Rota    string      `json:"rota"`
		Role    people.Role `json:"role"`
		Instead []named     `json:"instead"` // who would be told; empty: nobody
		Steps   []leftStep  `json:"steps"`   // that tell the role
		Nobody  bool        `json:"nobody"`  // a step would tell nobody
	}
	named struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	// leftStep is a step of a plan.
	leftStep struct {
		Plan   string   `json:"plan"`
		Step   int      `json:"step"` // from 1
		Tell   []string `json:"tell"`
		Nobody bool     `json:"nobody,omitempty"` // it tells the role alone, and the role has nobody then
	}
)

var errLeavesNobody = &problem{http.StatusConflict, "leaves_nobody", "steps of escalation plans would tell nobody", ""}

func (s *Server) withoutRota(w http.ResponseWriter, r *http.Request) error {
	x, err := s.findRota(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.without(x))
}

func (s *Server) without(x *people.Rota) withoutRota {
	left := withoutRota{Rota: x.ID, Role: x.Role, Instead: []named{}, Steps: []leftStep{}}
	for _, p := range s.People.Without(x, s.Now()) {
		left.Instead = append(left.Instead, named{p.ID, p.Name})
	}
	if s.Rules == nil {
		return left
	}
	role := "role:" + string(x.Role)
	for _, plan := range s.Rules.Plans() {
		for i, step := range plan.Steps {
			tells, others := false, false
			for _, target := range step.Tell {
				of := target == role || strings.HasPrefix(target, role+":")
				tells, others = tells || of, others || !of
			}
			if !tells {
				continue
			}
			nobody := !others && len(left.Instead) == 0
			left.Steps = append(left.Steps, leftStep{plan.Plan, i + 1, step.Tell, nobody})
			left.Nobody = left.Nobody || nobody
		}
	}
	return left
}

func (s *Server) removeRota(w http.ResponseWriter, r *http.Request) error {
	x, err := s.findRota(r)
	if err != nil {
		return err
	}
	anyway := r.URL.Query().Get("anyway")
	if cmp.Or(anyway, "true") != "true" {
		return invalid("anyway", "%q is none of %s", anyway, "true")
	}
	if s.without(x).Nobody && anyway == "" {
		return errLeavesNobody
	}
	if err := s.People.RemoveRota(r.Context(), x.ID); err != nil {
		return err
	}
	s.Log.Info("rota removed", "rota", x.ID)
	return reply(w, http.StatusOK, removed{x.ID})
}
