package web

import (
	"encoding/json"
	"slices"

	"linli/bus"
	"linli/people"
	"linli/web/account"
)

// What is shown of an alert to who looks after somebody, but not after the community: not how others are reached, nor what else a
// message told of. Family are not shown either why others were not told, which may be what the elder agreed with them; and without
// consent to events only what others are, see kindOf, and nothing of what those wrote.

// alertFor is an alert as who asks may see it.
func (s *Server) alertFor(who *account.Principal, a *bus.Alert) *bus.Alert {
	if !who.Kin() {
		return a
	}
	c := *a
	c.Told, c.Deferred, c.Listed, c.Escalation, c.HeldBy, c.ConfirmedBy = nil, nil, nil, nil, "", ""
	if s.agreed(who, a.Person, people.Events) {
		return &c
	}
	c.AckedBy, c.AckedPerson = s.whoFor(who, a.AckedBy, a.AckedPerson)
	c.FamilyAckBy, c.FamilyPerson = s.whoFor(who, a.FamilyAckBy, a.FamilyPerson)
	c.ClosedBy, _ = s.whoFor(who, a.ClosedBy, "")
	c.Assignee, _ = s.whoFor(who, a.Assignee, a.Assignee)
	return &c
}

// whoFor is what family without consent to events are told of who did something: that they did it, or what somebody else is.
func (s *Server) whoFor(who *account.Principal, name, person string) (string, string) {
	switch {
	case name == "":
		return "", ""
	case name == who.Name, person != "" && person == who.Person:
		return name, person
	}
	return s.kindOf(person), ""
}

// alertsFor are alerts as who asks may see them.
func (s *Server) alertsFor(who *account.Principal, all []*bus.Alert) []*bus.Alert {
	shown := make([]*bus.Alert, len(all))
	for i, a := range all {
		shown[i] = s.alertFor(who, a)
	}
	return shown
}

// changeFor is the JSON of an alert that has changed, as who asks may see it.
func (s *Server) changeFor(who *account.Principal, c change) []byte {
	if !who.Kin() {
		return c.data
	}
	data, _ := json.Marshal(s.alertFor(who, c.alert)) // it was JSON before
	return data
}

// eventFor is something that happened to an alert as who asks may see it.
func (s *Server) eventFor(who *account.Principal, e *bus.AlertEvent) *bus.AlertEvent {
	if who.Community(e.Alert.Community) {
		return e
	}
	c := *e
	c.Tell = slices.Clone(e.Tell)
	for i := range c.Tell {
		c.Tell[i].Reach = nil
	}
	if !who.Kin() {
		return &c
	}
	c.Alert, c.Key = *s.alertFor(who, &e.Alert), ""
	named := s.agreed(who, e.Alert.Person, people.Events)
	c.Tell = slices.DeleteFunc(c.Tell, func(r bus.Recipient) bool {
		return r.Person != who.Person && (r.Held != "" || !named)
	})
	if own := e.By == who.Name || e.Who != "" && e.Who == who.Person; !named && !own {
		c.By, c.Who = s.whoFor(who, e.By, e.Who)
		c.Note = ""
	}
	return &c
}

// deliveriesFor are deliveries of an alert as who asks may see them, without the bytes that were sent.
func (s *Server) deliveriesFor(who *account.Principal, a *bus.Alert, all []bus.Delivery) []bus.Delivery {
	if who.Kin() && !s.agreed(who, a.Person, people.Events) {
		all = slices.DeleteFunc(all, func(d bus.Delivery) bool { return d.Recipient.Person != who.Person })
	}
	for i := range all {
		d := &all[i]
		if d.Body = nil; who.Community(a.Community) {
			continue
		}
		d.To, d.Recipient.Reach, d.Contains, d.Within = "", nil, nil, nil
		if who.Kin() { // providers name the address in what they say of it
			d.Error = d.Class
		}
	}
	return all
}
