package alerts

import (
	"time"

	"linli/bus"
)

// begin lets the ladder begin again, if it does, after its last step counted as having run at a time.
func (b *book) begin(a *bus.Alert, base time.Time) {
	e := a.Escalation
	if len(e.Repeat) == 0 {
		e.Due = time.Time{}
		return
	}
	e.Due, e.Next = b.nextRound(a, base), 0
	e.Round++
}

// nextRound is when the round after the present one begins, which is not before base.
func (b *book) nextRound(a *bus.Alert, base time.Time) time.Time {
	e := a.Escalation
	r := repeat(e, e.Round)
	if !r.Gathered() {
		return latest(base, e.Began.Add(wait(r.Every)))
	}
	local := base.In(b.zone(a.Community))
	clock, _ := time.Parse(timeOfRound, r.At) // was checked when it was read
	y, m, d := local.Date()
	at := time.Date(y, m, d, clock.Hour(), clock.Minute(), 0, 0, local.Location())
	if !at.After(base) {
		at = at.AddDate(0, 0, 1)
	}
	return at.AddDate(0, 0, r.Days-1).UTC()
}

// timeOfRound is how the time of day at which a round begins is written.
const timeOfRound = "15:04"

// repeat is how the round after so many begins.
func repeat(e *bus.Escalation, rounds int) (r bus.Repeat) {
	for _, r = range e.Repeat {
		if r.Rounds == 0 || rounds < r.Rounds {
			break
		}
		rounds -= r.Rounds
	}
	return r
}

// present is how the present round began, or is to begin. The first one is like none.
func present(e *bus.Escalation) (r bus.Repeat) {
	if e.Round > 0 {
		r = repeat(e, e.Round-1)
	}
	return r
}

// gather lets those who are told hear of it by a digest of that time. Of life-safety everybody hears at once.
func gather(a *bus.Alert, all []bus.Recipient, at time.Time) {
	for i := range all {
		if r := &all[i]; r.Held == "" && !a.Safety {
			r.Held, r.Until = heldTogether, at
		}
	}
}
