package alerts

import (
	"errors"
	"fmt"
	"time"

	"linli/bus"
)

// maxSnooze is how long an alert may be put off.
const maxSnooze = 7 * 24 * time.Hour

// act does what a person, or the notifier, asked for. What makes no sense any more changes nothing, so an action may come twice.
//
//	acknowledge  "I am looking after it": stops the ladder. Of the family of whom an emergency is about, it stops only the family's part
//	decline      "I cannot": what they had taken on is open again; when nobody is left who was told, the next step runs
//	close        needs a disposition where the alert is latched; not of the family where an acknowledgement of theirs does not stop the ladder
//	reopen       a person's judgement, so only a person closes it again
//	assign       to Assignee
//	comment      Note; a sign that somebody looks after it, unless it is the family's and they do not
//	snooze       nothing is repeated before Until
//	unreached    every way to Recipient, who was told by event N, has failed
//	bad_address  an Address of Person does not exist: the provider says so
//	good_address and something has arrived over its channel since
//	reordered    the contact circle of About: the others of it are told
//	hold         a silence, a maintenance window or a commissioning begins; a silence of life-safety waits for confirm
//	confirm      the word of a second person, without which a silence of life-safety keeps nothing back and lapses
//	release      of a hold, before its time
func (b *book) act(x *bus.Action) error {
	switch x.Kind {
	case "hold", "confirm", "release":
		return b.hold(x)
	case "bad_address":
		return b.badAddress(x)
	case "good_address":
		return b.goodAddress(x)
	case "reordered":
		return b.reordered(x)
	}
	a := b.alerts[x.Alert]
	ev := bus.AlertEvent{At: x.At, By: x.By, Who: x.Person, Note: x.Note, Key: x.Key}
	switch {
	case a == nil:
		return fmt.Errorf("%s: no open alert %q", x.Kind, x.Alert)
	case x.Kind == "reopen":
		return b.reopen(a, x, ev)
	case x.Kind == "comment":
		if x.Note == "" {
			return errors.New("comment: note wanted")
		}
		if !b.kin(x) || x.Person != "" && x.Person == a.AckedPerson {
			sign(a, x.At)
		}
		ev.Kind = commented
		b.record(a, ev)
		return nil
	case a.State == bus.Closed:
		return nil
	}
	switch x.Kind {
	case "acknowledge":
		b.acknowledge(a, x, ev)
	case "decline":
		b.decline(a, x, ev)
	case "close":
		switch {
		case a.Latched && x.Disposition == "":
			return fmt.Errorf("close: alert %s of rule %s needs a disposition", a.ID, a.Rule)
		case b.aside(a, x):
			return fmt.Errorf("close: alert %s of rule %s is of life-safety: the family cannot end it", a.ID, a.Rule)
		}
		a.Disposition = x.Disposition
		ev.Kind = closed
		b.closeAs(a, ev)
	case "assign":
		return b.assign(a, x, ev)
	case "snooze":
		return b.snooze(a, x, ev)
	case "unreached":
		b.unreachable(a, x, ev)
	default:
		return fmt.Errorf("unknown action %q", x.Kind)
	}
	return nil
}

// kin reports whether an action is the family's.
func (b *book) kin(x *bus.Action) bool { return x.Family || b.family(x.Person) }

// aside reports whether an action is the family's about an emergency that the property looks after, whatever they do.
func (b *book) aside(a *bus.Alert, x *bus.Action) bool {
	return a.PropertyEnds() && b.kin(x)
}

func (b *book) acknowledge(a *bus.Alert, x *bus.Action, ev bus.AlertEvent) {
	e := a.Escalation
	if a.AckedAt != nil {
		if e != nil && e.Reminded {
			sign(a, x.At)
			ev.Kind = renewed
			b.record(a, ev)
		}
		return
	}
	if b.aside(a, x) {
		if a.FamilyAckBy == "" {
			a.FamilyAckBy, a.FamilyPerson = x.By, x.Person
			ev.Kind = familyAcknowledged
			b.record(a, ev)
		}
		return
	}
	a.AckedAt, a.AckedBy, a.AckedPerson = &x.At, x.By, x.Person
	wasCleared := a.State == bus.Cleared
	if !wasCleared {
		a.State = bus.Acknowledged
		sign(a, x.At)
	}
	ev.Kind = acknowledged
	b.record(a, ev)
	if wasCleared {
		b.close(a, x.At, x.By, "acknowledged and cleared")
	}
}

func (b *book) assign(a *bus.Alert, x *bus.Action, ev bus.AlertEvent) error {
	if x.Assignee == "" {
		return errors.New("assign: assignee wanted")
	}
	a.Assignee = x.Assignee
	sign(a, x.At)
	ev.Kind = assigned
	if b.dir.Person(x.Assignee) != nil && a.Held == "" {
		ev.Tell = b.address(a, b.resolve(a, []string{"person:" + x.Assignee}, x.At), x.At)
	}
	b.record(a, ev)
	return nil
}

func (b *book) snooze(a *bus.Alert, x *bus.Action, ev bus.AlertEvent) error {
	switch length := x.Until.Sub(x.At); {
	case length <= 0 || length > maxSnooze:
		return fmt.Errorf("snooze: for %s, want up to %s", length, maxSnooze)
	case a.Safety && a.AckedAt == nil:
		return fmt.Errorf("snooze: alert %s is of life-safety, and nobody has acknowledged it", a.ID)
	}
	a.SnoozedUntil = &x.Until
	if e := a.Escalation; e != nil && a.State == bus.Opened && !e.Due.IsZero() && e.Due.Before(x.Until) {
		resume(e, x.Until)
	}
	sign(a, x.Until)
	ev.Kind = snoozed
	b.record(a, ev)
	return nil
}

// reopen is a person's judgement that an alert is not over.
func (b *book) reopen(a *bus.Alert, x *bus.Action, ev bus.AlertEvent) error {
	if a.State != bus.Closed && a.State != bus.Cleared || a.Rule == digest.ID {
		return nil
	}
	e := b.episode(episodeKey(a.Rule, a.Identity))
	if e.alert != nil && e.alert != a {
		return fmt.Errorf("reopen: alert %s of the same episode is open", e.alert.ID)
	}
	a.Latched = true
	ev.Kind = reopened
	b.openAgain(a, ev, x.At)
	return nil
}
