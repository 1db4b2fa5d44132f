package web

import (
	"net/http"
	"slices"

	"linli/people"
)

// person is a person with what is so now. Away alone, without since, begins now.
type person struct {
	people.Person
	Away bool `json:"away"`
}

func (s *Server) shownPerson(p *people.Person) person { return person{*p, p.Away(s.Now())} }

func (s *Server) people(w http.ResponseWriter, r *http.Request) error {
	if err := onlyParams(r, "community", "role"); err != nil {
		return err
	}
	community, role := r.URL.Query().Get("community"), people.Role(r.URL.Query().Get("role"))
	found := []person{}
	for _, p := range s.People.People() {
		if (community == "" || p.Community == community) && (role == "" || slices.Contains(p.Roles, role)) {
			found = append(found, s.shownPerson(p))
		}
	}
	return reply(w, http.StatusOK, map[string]any{"people": found})
}

func (s *Server) putPerson(w http.ResponseWriter, r *http.Request) error {
	var p person
	if err := read(r, &p); err != nil {
		return err
	}
	if id := r.PathValue("id"); p.ID == "" {
		p.ID = id
	} else if p.ID != id {
		return invalid("id", "%q is not the %q of the path", p.ID, id)
	}
	if p.Away && p.AwaySince == nil {
		now := s.Now().UTC()
		p.AwaySince = &now
	}
	if err := s.People.PutPerson(r.Context(), p.Person); err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.shownPerson(&p.Person))
}
