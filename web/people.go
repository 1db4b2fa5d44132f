package web

import (
	"net/http"
	"slices"
	"time"

	"linli/people"
)

var peopleRoutes = []route{
	{
		method: "GET", path: "/api/v1/people", area: "people", about: "People, by id",
		may: everyone, whose: filtered, personal: true, in: personFilter{}, out: personList{}, handle: (*Server).people,
	},
	{
		method: "POST", path: "/api/v1/people/import", area: "people", about: "Register the people and rotas of a YAML file, all or none",
		may: admins, whose: installation, in: importOptions{}, inType: "application/yaml", out: peopleReport{},
		body: importBody, timeout: importTimeout, handle: (*Server).importPeople,
	},
	{
		method: "GET", path: "/api/v1/people/problems", area: "people", about: "What will hurt when it matters: elders whom nobody would be told of, hours that nobody covers",
		may: staff, whose: filtered, personal: true, in: inCommunity{}, out: problemList{}, handle: (*Server).peopleProblems,
	},
	{
		method: "GET", path: "/api/v1/people/{id}", area: "people", about: "A person",
		may: everyone, whose: aPerson, out: person{}, handle: (*Server).person,
	},
	{
		method: "PUT", path: "/api/v1/people/{id}", area: "people", about: "Register a person, or replace what is registered of them",
		may: managers, whose: aPerson, in: person{}, out: person{}, handle: (*Server).putPerson,
	},
	{
		method: "DELETE", path: "/api/v1/people/{id}", area: "people", about: "Forget a person to whom no device belongs",
		may: managers, whose: aPerson, out: removed{}, handle: (*Server).removePerson,
	},
	{
		method: "POST", path: "/api/v1/people/{id}/revoke-links", area: "people", about: "End the links of all messages that a person was sent until now",
		may: managers, whose: aPerson, out: person{}, handle: (*Server).revokeLinks,
	},
	{
		method: "POST", path: "/api/v1/people/{id}/away", area: "people", about: "Say from when until when a person is away",
		may: acting, whose: aPerson, in: absence{}, out: person{}, handle: (*Server).setAway,
	},
	{
		method: "DELETE", path: "/api/v1/people/{id}/away", area: "people", about: "Say that a person is back",
		may: acting, whose: aPerson, out: person{}, handle: (*Server).endAway,
	},
}

type (
	personFilter struct {
		Community string `query:"community"`
		Role      string `query:"role"`
	}
	personList struct {
		People []person `json:"people"`
	}
	problemList struct {
		Problems []people.Problem `json:"problems"`
	}
	peopleReport struct {
		people.Report
		Error *detail `json:"error,omitempty"`
	}
	absence struct {
		Since *time.Time `json:"since,omitempty"`
		Until *time.Time `json:"until,omitempty"`
	}
	removed struct {
		ID string `json:"id"`
	}
)

// person is a person with what is so now. Away alone, without since, begins now.
type person struct {
	people.Person
	Away    bool   `json:"away"`
	Version string `json:"version,omitempty" description:"changes with the person; sent back, only that state is replaced"`
}

// shownPerson is a person as who asks may see them: family of their circle without what was agreed with the others, how they are told
// and what is noted for helpers, and without consent to wellbeing not whether they are away; family who is not of it only that they
// are there.
func (s *Server) shownPerson(r *http.Request, p *people.Person) person {
	shown, who := person{*p, p.Away(s.Now()), versionOf(p)}, principal(r)
	if !who.Kin() || p.ID == who.Person {
		return shown
	}
	if s.People.Member(p.ID, who.Person) == nil {
		return person{Person: people.Person{ID: p.ID, Community: p.Community, Name: p.Name, Roles: p.Roles}}
	}
	shown.Reach, shown.Quiet, shown.Notes, shown.LinksSince = nil, nil, "", nil
	if !s.agreed(who, p.ID, people.Wellbeing) {
		shown.Away, shown.AwaySince, shown.AwayUntil, shown.AllIsWell = false, nil, nil, nil
	}
	shown.Circle = slices.Clone(p.Circle)
	for i := range shown.Circle {
		if m := &shown.Circle[i]; m.Person != who.Person {
			m.Consent = nil
		}
	}
	return shown
}

func (s *Server) people(w http.ResponseWriter, r *http.Request) error {
	community, role := r.URL.Query().Get("community"), people.Role(r.URL.Query().Get("role"))
	who, found := principal(r), []person{}
	for _, p := range s.People.People() {
		if (community == "" || p.Community == community) && (role == "" || slices.Contains(p.Roles, role)) && reaches(who, owner{p.Community, p.ID}) {
			found = append(found, s.shownPerson(r, p))
		}
	}
	return reply(w, http.StatusOK, personList{found})
}

func (s *Server) putPerson(w http.ResponseWriter, r *http.Request) error {
	var p person
	if err := read(r, &p); err != nil {
		return err
	}
	if err := asInPath(r, "id", &p.ID); err != nil {
		return err
	}
	if err := withinCommunity(r, "community", p.Community); err != nil {
		return err
	}
	if p.Away && p.AwaySince == nil {
		now := s.Now().UTC()
		p.AwaySince = &now
	}
	var err error
	if p.Version == "" {
		p.LinksSince = later(p.LinksSince, s.People.Person(p.ID))
		err = s.People.PutPerson(r.Context(), p.Person)
	} else {
		err = s.People.EditPerson(r.Context(), p.ID, func(now *people.Person) error {
			if versionOf(now) != p.Version {
				return errChanged
			}
			p.LinksSince = later(p.LinksSince, now)
			*now = p.Person
			return nil
		})
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.shownPerson(r, &p.Person))
}

// later is since when links of a person are good: what was ended stays so, whatever an older copy of the record says.
func later(since *time.Time, old *people.Person) *time.Time {
	if old == nil || old.LinksSince == nil || since != nil && since.After(*old.LinksSince) {
		return since
	}
	return old.LinksSince
}

func (s *Server) person(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	p := s.People.Person(id)
	if p == nil {
		return notFound("person", id)
	}
	return reply(w, http.StatusOK, s.shownPerson(r, p))
}

// removePerson forgets a person to whom no device belongs.
func (s *Server) removePerson(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	for _, d := range s.Registry.Devices() {
		if d.Person == id {
			return invalid("id", "device %q belongs to %q", d.ID, id)
		}
	}
	if err := s.People.RemovePerson(r.Context(), id); err != nil {
		return err
	}
	s.Log.Info("person removed", "person", id)
	return reply(w, http.StatusOK, removed{id})
}

// setAway says from when until when a person is away; without since from now on, without until until it is ended.
func (s *Server) setAway(w http.ResponseWriter, r *http.Request) error {
	var body absence
	if err := read(r, &body); err != nil {
		return err
	}
	if body.Since == nil {
		now := s.Now().UTC().Truncate(time.Second)
		body.Since = &now
	}
	return s.away(w, r, body.Since, body.Until)
}

func (s *Server) endAway(w http.ResponseWriter, r *http.Request) error { return s.away(w, r, nil, nil) }

func (s *Server) away(w http.ResponseWriter, r *http.Request, since, until *time.Time) error {
	id := r.PathValue("id")
	if !s.agreed(principal(r), id, people.Wellbeing) {
		return errNoConsent
	}
	err := s.People.EditPerson(r.Context(), id, func(p *people.Person) error {
		p.AwaySince, p.AwayUntil = since, until
		return nil
	})
	if err != nil {
		return err
	}
	s.Log.Info("person's away mode set", "person", id, "since", since, "until", until)
	return s.person(w, r)
}

// revokeLinks is for a phone that was lost, or a message that went to somebody else.
func (s *Server) revokeLinks(w http.ResponseWriter, r *http.Request) error {
	id, now := r.PathValue("id"), s.Now().UTC().Truncate(time.Second)
	err := s.People.EditPerson(r.Context(), id, func(p *people.Person) error {
		p.LinksSince = &now
		return nil
	})
	if err != nil {
		return err
	}
	s.Log.Info("links of a person ended", "person", id)
	return s.person(w, r)
}

// importPeople registers the people and rotas of a YAML file, or with dry_run only says what it would change. The report is in
// every answer.
func (s *Server) importPeople(w http.ResponseWriter, r *http.Request) error {
	report, err := s.People.Import(r.Context(), r.Body, s.Now().UTC().Truncate(time.Second), r.URL.Query().Get("dry_run") == "1")
	body := peopleReport{Report: report}
	if err != nil {
		p := s.problem(r, err)
		d := p.detail(r)
		body.Error = &d
		return reply(w, p.status, body)
	}
	if !report.DryRun {
		for _, c := range report.Changes {
			s.Log.Info(c.Kind+" imported", "id", c.ID, "added", c.Added, "fields", c.Fields)
		}
	}
	return reply(w, http.StatusOK, body)
}

// peopleProblems lists what will hurt when it matters: elders whom nobody would be told of, hours that nobody covers.
func (s *Server) peopleProblems(w http.ResponseWriter, r *http.Request) error {
	survey := people.Survey{Elders: people.Wearers(s.Registry.Devices(), s.Catalogue), Channels: s.Channels, Now: s.Now()}
	community, who := r.URL.Query().Get("community"), principal(r)
	found := slices.DeleteFunc(s.People.Problems(survey), func(p people.Problem) bool {
		return community != "" && p.Community != community || !who.Community(p.Community)
	})
	return reply(w, http.StatusOK, problemList{list(found)})
}
