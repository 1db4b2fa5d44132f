package alerts

import "linli/bus"

// Whom plans name, beyond person:ID and role:ROLE.
const duty = "duty" // the notifier's duty channels

// Why somebody is not told.
const (
	heldLate      = "late"
	heldSynthetic = "synthetic"
)

// tell says who is told of an event. People are told that an alert opens, clears, and is closed by a person; by itself it closes
// long after it cleared. A repeat is counted in the alert: a device that was cut off sends its press again.
func (b *book) tell(ev *bus.AlertEvent) {
	switch {
	case ev.Kind == opened, ev.Kind == confirmed, ev.Kind == cleared, ev.Kind == closed && ev.By != "":
		ev.Tell = []bus.Recipient{{Target: duty, Held: held(&ev.Alert)}}
	}
}

// held is why nobody is told of an alert; empty when somebody is.
func held(a *bus.Alert) string {
	switch {
	case a.Synthetic:
		return heldSynthetic
	case a.Late:
		return heldLate
	}
	return ""
}
