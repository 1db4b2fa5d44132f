package web

import (
	"net/http"
	"slices"

	"linli/devices"
	"linli/people"
)

var errNoConsent = &problem{http.StatusForbidden, "no_consent", "the person has not agreed that you see this", ""}

// scopeOf is what somebody must have agreed to before their family sees a field of their device.
func scopeOf(t *devices.Type, field string) people.Scope {
	switch {
	case field == "lat" || field == "lon":
		return people.Location
	case t.Health:
		return people.Vitals
	}
	return people.Wellbeing
}

// shows reports whether who asks may see a field of a device within their reach. Staff may; who reaches a person as family needs
// that person's consent, given to the member of the circle that they are.
func (s *Server) shows(r *http.Request, d *devices.Device, scope people.Scope) bool {
	who := principal(r)
	if !who.Kin() || d.Person == "" {
		return true
	}
	elder := s.People.Person(d.Person)
	if elder == nil || who.Person == "" {
		return false
	}
	return slices.ContainsFunc(elder.Circle, func(m people.Member) bool { return m.Person == who.Person && m.Agreed(scope, s.Now()) })
}
