package alerts

import (
	"slices"
	"time"

	"linli/bus"
)

const (
	// reopenWithin is how soon after its condition ended an alert opens again instead of a new one.
	reopenWithin = 15 * time.Minute
	// An alert that opens for the flapOpenings-th time within flapWindow flaps.
	flapOpenings = 4
	flapWindow   = 30 * time.Minute
)

// returning is the alert of an episode that a new one continues; nil when it is a new one.
func (e *episode) returning(a *bus.Alert) *bus.Alert {
	old := e.alert
	if old == nil {
		old = e.last
	}
	if old == nil || old.ClearedAt == nil || a.Late || old.Late || a.Synthetic != old.Synthetic {
		return nil
	}
	if gap := a.OpenedAt.Sub(*old.ClearedAt); gap < 0 || gap > reopenWithin {
		return nil
	}
	return old
}

// comeBack opens an alert again, with what the new one says.
func (b *book) comeBack(a, now *bus.Alert) {
	if a.Severity != now.Severity {
		a.Escalation = nil // it has another plan
	}
	a.Text, a.Value, a.Severity, a.LastEvent, a.Received = now.Text, now.Value, now.Severity, now.LastEvent, now.Received
	a.Level, a.ConfirmedBy = now.Level, ""
	a.Count++
	b.again(a, bus.AlertEvent{Kind: reopened, At: now.OpenedAt}, begun(now), func(ev bus.AlertEvent) { b.openAgain(a, ev, begun(now)) })
	b.schedule(a)
}

// again lets tell say of an alert that it comes again, or becomes more severe. One that does so once too often is told a last time,
// and then kept back until it keeps still.
func (b *book) again(a *bus.Alert, ev bus.AlertEvent, now time.Time, tell func(bus.AlertEvent)) {
	if len(a.Openings) == 0 {
		a.Openings = []time.Time{a.OpenedAt}
	}
	a.Openings = append(slices.Clone(a.Openings[max(0, len(a.Openings)-flapOpenings+1):]), ev.At)
	until := now.Add(flapWindow)
	flaps := !a.Safety && len(a.Openings) == flapOpenings && ev.At.Sub(a.Openings[0]) <= flapWindow && a.Held != heldFlapping
	if flaps {
		ev.Kind = flapping
	}
	if a.Held == heldFlapping {
		a.HeldUntil = until
	}
	tell(ev)
	if flaps {
		a.Held, a.HeldUntil = heldFlapping, until
		b.record(a, bus.AlertEvent{Kind: kept, At: ev.At, Note: "nothing more is told until it keeps still"})
	}
}

// openAgain makes an alert one that has just opened.
func (b *book) openAgain(a *bus.Alert, ev bus.AlertEvent, now time.Time) {
	if a.State == bus.Closed {
		b.closed = slices.DeleteFunc(b.closed, func(id string) bool { return id == a.ID })
	}
	e := b.episode(episodeKey(a.Rule, a.Identity))
	e.alert, e.last = a, nil
	a.State, a.AckedAt, a.AckedBy, a.AckedPerson, a.FamilyAckBy, a.FamilyPerson = bus.Opened, nil, "", "", "", ""
	a.ClearedAt, a.ClosedAt, a.ClosedBy, a.Disposition, a.Owed, a.SnoozedUntil = nil, nil, "", "", false, nil
	if a.Escalation == nil {
		a.Escalation = b.rules.plan(a.Rule, a.Severity).freeze()
	}
	b.raise(a, ev, now)
}
