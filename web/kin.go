package web

import (
	"fmt"
	"net/http"
	"slices"

	"linli/web/account"
)

// Managers make the accounts of families, and of nobody else: for elders of their communities alone, whoever made the account.

// userOwner lets administrators reach every user, and managers the family accounts that they keep.
func (s *Server) userOwner(r *http.Request) (owner, error) {
	who, id := principal(r), r.PathValue("id")
	u, err := s.accounts.User(id)
	if err != nil || !s.keeps(who, &u) {
		return owner{}, notFound("user", id)
	}
	return owner{community: s.communityOf(&u)}, nil
}

// keeps reports whether somebody may see and change an account.
func (s *Server) keeps(who *account.Principal, u *account.User) bool {
	return who.Role == account.Admin || u.Role == account.Family && len(u.Elders) > 0 &&
		!slices.ContainsFunc(u.Elders, func(id string) bool { return !s.livesWithin(who, id) })
}

func (s *Server) livesWithin(who *account.Principal, person string) bool {
	p := s.People.Person(person)
	return p != nil && who.Community(p.Community)
}

// communityOf is where the first elder of an account lives.
func (s *Server) communityOf(u *account.User) string {
	for _, id := range u.Elders {
		if p := s.People.Person(id); p != nil {
			return p.Community
		}
	}
	return ""
}

// checkKin refuses an account that its maker may not make, and one of a family that is in the circle of none of its elders.
func (s *Server) checkKin(r *http.Request, u account.User) error {
	c := callerOf(r)
	if where := s.communityOf(&u); where != "" {
		c.entry.Community = where
	}
	if c.who.Role != account.Admin && u.Role != account.Family {
		return &problem{http.StatusForbidden, "forbidden", "managers make accounts of families", "role"}
	}
	if u.Role != account.Family {
		return nil
	}
	for _, id := range u.Elders {
		switch {
		case c.who.Role != account.Admin && !s.livesWithin(c.who, id):
			return &problem{http.StatusForbidden, "forbidden", fmt.Sprintf("elder %q is out of your reach", id), "elders"}
		case s.People.Person(id) == nil:
			return invalid("elders", "there is no person %q", id)
		case u.Person != "" && s.People.Member(id, u.Person) == nil:
			return invalid("person", "%q is not in the circle of %q", u.Person, id)
		}
	}
	return nil
}
