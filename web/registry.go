package web

import (
	"net/http"
	"slices"

	"linli/devices"
)

var registryRoutes = []route{
	{
		method: "GET", path: "/api/v1/communities", area: "registry", about: "Communities, by id",
		may: everyone, whose: filtered, out: communityList{}, handle: (*Server).communities,
	},
	{
		method: "POST", path: "/api/v1/communities", area: "registry", about: "Register a community; the same again is no error",
		may: admins, whose: installation, in: devices.Community{}, out: devices.Community{}, handle: (*Server).addCommunity,
	},
	{
		method: "PUT", path: "/api/v1/communities/{id}", area: "registry", about: "Register a community or replace what is registered of it: its estates, buildings and plan",
		may: admins, whose: installation, body: importBody, in: devices.Community{}, out: devices.Community{}, handle: (*Server).putCommunity,
	},
}

// inCommunity limits a list to one community.
type inCommunity struct {
	Community string `query:"community"`
}

type communityList struct {
	Communities []*devices.Community `json:"communities"`
}

// communities shows whom who asks reaches, if only one of their people.
func (s *Server) communities(w http.ResponseWriter, r *http.Request) error {
	p := principal(r)
	var found []*devices.Community
	for _, c := range s.Registry.Communities() {
		if p.Community(c.ID) || slices.ContainsFunc(p.Elders, func(id string) bool { return s.People.Lives(id, c.ID) }) {
			found = append(found, c)
		}
	}
	return reply(w, http.StatusOK, communityList{list(found)})
}

func (s *Server) addCommunity(w http.ResponseWriter, r *http.Request) error {
	var c devices.Community
	if err := read(r, &c); err != nil {
		return err
	}
	if err := s.Registry.AddCommunity(r.Context(), c); err != nil {
		return err
	}
	about(r, c.ID, "")
	return reply(w, http.StatusOK, s.Registry.Community(c.ID))
}

func (s *Server) putCommunity(w http.ResponseWriter, r *http.Request) error {
	var c devices.Community
	if err := read(r, &c); err != nil {
		return err
	}
	if id := r.PathValue("id"); c.ID != id {
		return &devices.InvalidError{Field: "id", Value: c.ID, Reason: "is not the " + id + " of the path"}
	}
	if err := s.Registry.PutCommunity(r.Context(), c); err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.Registry.Community(c.ID))
}

// list is all, and not null when there are none.
func list[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}
