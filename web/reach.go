package web

import (
	"fmt"
	"net/http"

	"linli/bus"
	"linli/devices"
	"linli/web/account"
)

// whose says whom the subject of a request belongs to, and so who may ask for it. A route without one lets nobody in.
type whose struct {
	name string
	// find returns the owner of what the path names; what is not there is the same error as what is out of reach.
	find func(*Server, *http.Request) (owner, error)
}

// owner is the community that something belongs to, and the person if it is somebody's.
type owner struct{ community, person string }

// What routes are about. Of a path, serve checks the reach before the handler runs; the others say who does.
var (
	aDevice    = whose{"device", (*Server).deviceOwner}
	anAlert    = whose{"alert", (*Server).alertOwner}
	aPerson    = whose{"person", (*Server).personOwner}
	aRota      = whose{"rota", (*Server).rotaOwner}
	aCommunity = whose{"community", (*Server).communityOwner}
	aHold      = whose{"hold", (*Server).holdOwner}
	aReject    = whose{"reject", (*Server).rejectOwner}
	aUser      = whose{"user", (*Server).userOwner}

	installation = whose{"installation", (*Server).installationOwner}

	// The handler shows only what is within reach, by reaches.
	filtered = whose{"filtered", nobodys}
	// The handler checks what the body names, by within.
	inBody = whose{"body", nobodys}
	// The handler concerns only who asks.
	own = whose{"own", nobodys}
	// It is the same for all and says nothing of anybody.
	general = whose{"general", nobodys}
)

func nobodys(*Server, *http.Request) (owner, error) { return owner{}, nil }

func (s *Server) deviceOwner(r *http.Request) (owner, error) {
	d := s.Registry.Device(r.PathValue("id"))
	if d == nil {
		return owner{}, notFound("device", r.PathValue("id"))
	}
	if !s.seesDevice(principal(r), d) {
		return owner{}, notFound("device", d.ID)
	}
	return deviceOwner(d), nil
}

func deviceOwner(d *devices.Device) owner { return owner{d.Community, d.Person} }

func (s *Server) alertOwner(r *http.Request) (owner, error) {
	a, err := s.findAlert(r.Context(), r.PathValue("id"))
	if err != nil {
		return owner{}, err
	}
	return s.ownerOfAlert(r, r.PathValue("id"), a)
}

// ownerOfAlert refuses an alert that who asks may not see as if it did not exist.
func (s *Server) ownerOfAlert(r *http.Request, id string, a *bus.Alert) (owner, error) {
	if !s.seesAlert(principal(r), a) {
		return owner{}, notFound("alert", id)
	}
	return alertOwner(a), nil
}

func alertOwner(a *bus.Alert) owner { return owner{a.Community, a.Person} }

// personOwner lets through what names no person yet: the handler that makes one checks the community.
func (s *Server) personOwner(r *http.Request) (owner, error) {
	id := r.PathValue("id")
	p := s.People.Person(id)
	if p == nil {
		return owner{person: id}, nil
	}
	return owner{p.Community, id}, within(r, "person", id, owner{p.Community, id})
}

// rotaOwner lets through what names no rota yet: the handler that makes one checks the community.
func (s *Server) rotaOwner(r *http.Request) (owner, error) {
	id := r.PathValue("id")
	x := s.People.Rota(id)
	if x == nil {
		return owner{}, nil
	}
	return owner{community: x.Community}, within(r, "rota", id, owner{community: x.Community})
}

func (s *Server) communityOwner(r *http.Request) (owner, error) {
	id := r.PathValue("id")
	if s.Registry.Community(id) == nil {
		return owner{}, notFound("community", id)
	}
	return owner{community: id}, within(r, "community", id, owner{community: id})
}

func (s *Server) rejectOwner(r *http.Request) (owner, error) {
	id := r.PathValue("id")
	community, err := s.rejectCommunity(r.Context(), id)
	if err != nil {
		return owner{}, err
	}
	return owner{community: community}, within(r, "reject", id, owner{community: community})
}

func (s *Server) installationOwner(r *http.Request) (owner, error) {
	if !principal(r).Everywhere() {
		return owner{}, errForbidden
	}
	return owner{}, nil
}

// within refuses what is out of the reach of who asks as if it did not exist.
func within(r *http.Request, what, id string, o owner) error {
	if !reaches(principal(r), o) {
		return notFound(what, id)
	}
	return nil
}

func reaches(p *account.Principal, o owner) bool { return p.Reaches(o.community, o.person) }

// withinCommunity refuses to make something in a community that is out of reach.
func withinCommunity(r *http.Request, field, community string) error {
	c := callerOf(r)
	c.entry.Community = community
	if !c.who.Community(community) {
		return &problem{http.StatusForbidden, "forbidden", fmt.Sprintf("community %q is out of your reach", community), field}
	}
	return nil
}
