package alerts

import (
	"slices"
	"strings"

	"linli/bus"
)

// decline notes that somebody who was told cannot look after an alert. What they had taken on is open again: the ladder goes on, and
// the others of the family, who were left alone meanwhile, are told.
func (b *book) decline(a *bus.Alert, x *bus.Action, ev bus.AlertEvent) {
	e, now := a.Escalation, b.toldAt(x.At)
	ev.Kind = declined
	switch {
	case x.Person == "" || e == nil || a.Held != "":
		b.record(a, ev)
	case a.State == bus.Acknowledged && a.AckedPerson == x.Person:
		a.State, a.AckedAt, a.AckedBy, a.AckedPerson = bus.Opened, nil, "", ""
		resume(e, now)
		b.climb(a, ev, now)
	case a.State == bus.Opened && a.FamilyPerson == x.Person:
		a.FamilyAckBy, a.FamilyPerson = "", ""
		b.climb(a, ev, now, circles(e.Steps[:min(e.Next, len(e.Steps))])...)
	case a.State == bus.Opened:
		b.without(a, "person:"+x.Person, ev)
	default:
		b.record(a, ev)
	}
}

// circles are steps with what they tell the family alone.
func circles(steps []bus.Step) []bus.Step {
	all := slices.Clone(steps)
	for i := range all {
		all[i].Tell = slices.DeleteFunc(slices.Clone(all[i].Tell), func(t string) bool { return !strings.HasPrefix(t, "circle") })
	}
	return all
}
