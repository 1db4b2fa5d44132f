package web

import (
	"net/http"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/web/account"
)

// Family see of an elder what that elder has agreed to show the member of the circle that they are, from when it was agreed until it
// ends:
//
//	alerts of life-safety       every member
//	other alerts                events
//	the daily line, activity    wellbeing
//	readings of health devices  vitals
//	positions                   location
//	readings of other devices   wellbeing
//
// The directory is asked for every answer and for every change on the stream, so what ends or is taken back ends at once. Whoever is not of
// the circle sees nothing, whatever elders their account names. An alert is shown as it was told, with the value that its text says.
var errNoConsent = &problem{http.StatusForbidden, "no_consent", "the person has not agreed that you see this", ""}

// scopeOf is what somebody must have agreed to before their family sees a field of their device.
func scopeOf(t *devices.Type, field string) people.Scope {
	switch {
	case field == "lat" || field == "lon" || field == "accuracy_m":
		return people.Location
	case t.Health:
		return people.Vitals
	}
	return people.Wellbeing
}

// shows reports whether who asks may see one kind of data of a device within their reach. Staff may.
func (s *Server) shows(r *http.Request, d *devices.Device, scope people.Scope) bool {
	return s.agreed(principal(r), d.Person, scope)
}

// agreed reports whether who asks may see a kind of data of a person within their reach. Staff may.
func (s *Server) agreed(who *account.Principal, person string, scope people.Scope) bool {
	if !who.Kin() || person == "" {
		return true
	}
	m := s.People.Member(person, who.Person)
	return m != nil && m.Agreed(scope, s.Now())
}

// seesAlert reports whether an alert is within the reach of who asks and, of family, whether they may know of it.
func (s *Server) seesAlert(who *account.Principal, a *bus.Alert) bool {
	return reaches(who, alertOwner(a)) && (!who.Kin() || s.mayKnow(s.People.Member(a.Person, who.Person), a))
}

// mayKnow reports whether a member of the circle may know of an alert of the elder.
func (s *Server) mayKnow(m *people.Member, a *bus.Alert) bool {
	switch {
	case m == nil:
		return false
	case a.Safety, a.Rule == bus.ContactOrderRule:
		return true
	case a.Rule == bus.AllIsWellRule:
		return m.Agreed(people.Wellbeing, s.Now())
	}
	return m.Agreed(people.Events, s.Now())
}

// seesDevice reports whether a device is within the reach of who asks. Family know of one while its person shows them anything.
func (s *Server) seesDevice(who *account.Principal, d *devices.Device) bool {
	return reaches(who, deviceOwner(d)) && (!who.Kin() || len(s.scopes(s.People.Member(d.Person, who.Person))) > 0)
}

// scopes are what a member of a circle may see at present; nil: somebody who is no member.
func (s *Server) scopes(m *people.Member) (all []people.Scope) {
	for _, scope := range people.Scopes {
		if m != nil && m.Agreed(scope, s.Now()) {
			all = append(all, scope)
		}
	}
	return all
}
