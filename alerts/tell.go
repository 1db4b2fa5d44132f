package alerts

import (
	"slices"
	"strings"
	"time"

	"linli/bus"
	"linli/people"
)

// Resolver says who is meant by the targets of plans at a moment. A *people.Directory.
type Resolver interface {
	Resolve(people.Question) []bus.Recipient
}

// duty is the target that stands for the notifier's duty channels.
const duty = "duty"

// Why nobody, or somebody, is not told. Package people has reasons of its own.
const (
	heldLate          = "late"
	heldSynthetic     = "synthetic"
	heldSilenced      = "silenced"
	heldMaintenance   = "maintenance"
	heldCommissioning = "commissioning"
	heldInhibited     = "inhibited"
	heldFlapping      = "flapping"
	heldStorm         = "storm"
	heldTogether      = "together" // is told again at a time of day, with what else there is then
	heldAnswered      = "answered" // of the family, one of whom looks after it
	heldUntold        = "not_told" // of the end of what nobody was told of
)

// begun is when an alert came to be known: what is told of it is told from then on.
func begun(a *bus.Alert) time.Time { return latest(a.OpenedAt, a.Received) }

// keep is why nobody is to be told of an alert at a moment, what that is, and until when at least; empty when people are told.
func (b *book) keep(a *bus.Alert, now time.Time) (why, by string, until time.Time) {
	switch {
	case a.Synthetic:
		return heldSynthetic, "", until
	case a.Late:
		return heldLate, "", until
	case a.Held == heldFlapping && a.HeldUntil.After(now):
		return heldFlapping, "", a.HeldUntil
	}
	if h, end := b.holding(a, now); h != nil {
		return reasons[h.Kind], h.ID, end
	}
	if cause, end := b.cause(a); cause != "" || end.After(now) {
		return heldInhibited, cause, end
	}
	return "", "", until
}

// release looks again at what is kept back. An alert that is still open is told now; of one that ended meanwhile, those who knew
// of it are told the end.
func (b *book) release(a *bus.Alert, now time.Time) {
	at := a.HeldUntil
	if now.Sub(at) > lag {
		at = now
	}
	was := a.Held
	a.Held, a.HeldBy, a.HeldUntil = b.keep(a, now)
	ev := bus.AlertEvent{Kind: kept, At: at, Note: "no longer " + was}
	switch {
	case a.Held != "":
		ev.Note = was + ", now " + a.Held
		b.record(a, ev)
	case a.Owed:
		a.Owed = false
		ev.Kind = cleared
		if a.State == bus.Closed && a.Rule != digest.ID {
			ev.Kind, ev.By = closed, a.ClosedBy
		}
		ev.Tell = b.ended(a, now)
		b.record(a, ev)
	case a.State == bus.Opened && a.Escalation != nil:
		if e := a.Escalation; !e.Due.IsZero() && !e.Due.After(now) {
			ev.Kind = confirmed
			resume(e, at)
		}
		b.climb(a, ev, now)
	default:
		b.record(a, ev)
	}
}

// recipients are those of a step.
func (b *book) recipients(a *bus.Alert, step bus.Step, round, n int, now time.Time) []bus.Recipient {
	all := b.resolve(a, step.Tell, now)
	for i := range all {
		r := &all[i]
		r.Round, r.Step = round, n
		if w := step.Way - 1; w > 0 && w < len(r.Reach) {
			r.Reach = append(slices.Clone(r.Reach[w:]), r.Reach[:w]...)
		}
		if a.FamilyAckBy != "" && b.family(r.Person) {
			r.Held = heldAnswered
		}
	}
	return all
}

// resolve is who targets are at a moment. Without a directory of people only the duty channels are known.
func (b *book) resolve(a *bus.Alert, targets []string, now time.Time) []bus.Recipient {
	if b.resolver == nil {
		if slices.Contains(targets, duty) {
			return []bus.Recipient{{Target: duty}}
		}
		return nil
	}
	return b.resolver.Resolve(people.Question{Targets: targets, Community: a.Community, Person: a.Person, Safety: a.Safety, At: now})
}

// merge adds recipients, nobody twice. One who is held as one thing and told as another is told.
func merge(all, more []bus.Recipient) []bus.Recipient {
	for _, r := range more {
		i := slices.IndexFunc(all, func(x bus.Recipient) bool { return x.Who() == r.Who() })
		switch {
		case i < 0:
			all = append(all, r)
		case all[i].Held != "" && r.Held == "":
			all[i] = r
		}
	}
	return all
}

// anybody reports whether somebody is told, or will be.
func anybody(all []bus.Recipient) bool {
	return slices.ContainsFunc(all, func(r bus.Recipient) bool { return r.Held == "" || !r.Until.IsZero() })
}

// address completes the recipients of an event, and notes in the alert who is told. Nobody is while it is kept back; who has been
// told of too much lately, or rests, hears of it by a digest.
func (b *book) address(a *bus.Alert, all []bus.Recipient, now time.Time) []bus.Recipient {
	for i := range all {
		r := &all[i]
		if a.Held != "" {
			r.Held, r.Until = a.Held, a.HeldUntil
			continue
		}
		b.throttle(a, r, now)
		if who := r.Who(); r.Held == "" && !slices.Contains(a.Told, who) {
			a.Told = append(slices.Clip(a.Told), who)
		}
	}
	return all
}

// ended is who is told of the end of an alert: those who were told of it. While something keeps it back they are owed it. Who rests
// hears of it by a digest; who heard of the alert by one is told the end of that, see conclude.
func (b *book) ended(a *bus.Alert, now time.Time) []bus.Recipient {
	if len(a.Told) == 0 {
		why := a.Held
		if why == "" {
			why = heldUntold
		}
		return []bus.Recipient{{Target: duty, Held: why}}
	}
	all := b.resolve(a, a.Told, now)
	if h, end := b.holding(a, now); h != nil && a.Held == "" {
		a.Held, a.HeldBy, a.HeldUntil = reasons[h.Kind], h.ID, end
	}
	a.Owed = a.Held != ""
	for i := range all {
		switch {
		case a.Owed:
			all[i].Held, all[i].Until = a.Held, a.HeldUntil
		case b.unagreed(a, all[i].Who(), now):
			all[i].Held, all[i].Until = people.HeldNoConsent, time.Time{}
		case all[i].Held != "" && !all[i].Until.IsZero():
			b.postpone(a, &all[i])
		}
	}
	return all
}

// unagreed reports whether a member of a circle may not hear of an alert of the elder, who has not agreed to it or does not any more.
// Targets are asked for consent when they are resolved; this is for those who were told, or put off, before.
func (b *book) unagreed(a *bus.Alert, who string, now time.Time) bool {
	id, known := strings.CutPrefix(who, "person:")
	elder := b.dir.Person(a.Person)
	if !known || elder == nil || a.Safety || a.Rule == contactOrder.ID || !b.family(id) {
		return false
	}
	scope := people.Events
	if a.Rule == allIsWell.ID {
		scope = people.Wellbeing
	}
	i := slices.IndexFunc(elder.Circle, func(m people.Member) bool { return m.Person == id })
	return i >= 0 && !elder.Circle[i].Agreed(scope, now)
}

// family reports whether a person is known and has no part in looking after the community.
func (b *book) family(id string) bool {
	p := b.dir.Person(id)
	return p != nil && !slices.ContainsFunc(p.Roles, func(r people.Role) bool {
		return r != people.Elder && r != people.Resident && r != people.Contact
	})
}
