package web

import (
	"net/http"

	"linli/bus"
	"linli/people"
)

var wellbeingRoutes = []route{{
	method: "GET", path: "/api/v1/people/{id}/wellbeing", area: "people", about: "When a person was last active; family needs their consent",
	may: everyone, whose: aPerson, out: wellbeing{}, handle: (*Server).wellbeing,
}}

// wellbeing is what may be said of somebody in one sentence: away, or last active then.
type wellbeing struct {
	bus.Wellbeing
	Away bool `json:"away"`
}

// wellbeing shows what alerts knows of a person's activity; of somebody without devices, nothing but that they are registered.
func (s *Server) wellbeing(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	p := s.People.Person(id)
	if p == nil {
		return notFound("person", id)
	}
	if !s.agreed(principal(r), id, people.Wellbeing) {
		return errNoConsent
	}
	body := wellbeing{bus.Wellbeing{Person: id}, p.Away(s.Now())}
	if _, err := s.lastOf(r.Context(), bus.WellbeingSubject(id), &body.Wellbeing); err != nil {
		return err
	}
	return reply(w, http.StatusOK, body)
}
