package alerts

import (
	"container/heap"
	"slices"
	"time"

	"linli/bus"
)

const (
	// lag is how late a step may run and still count as in time: the ladder then keeps its times. What is later is overdue.
	lag = 2 * time.Second
	// breath is how long those who are told of what was overdue have to answer before the next are told, where it is about
	// life-safety.
	breath = 20 * time.Second
)

// toldAt is when what came in at a time is told of: then, or now if it waited for an engine.
func (b *book) toldAt(at time.Time) time.Time {
	if b.clock.Sub(at) > lag {
		return b.clock
	}
	return at
}

// raise lets people be told of an alert that came to be known at a time, by its ladder from the beginning, unless something keeps it
// back. What waited for an engine has its whole ladder from now on: its steps count from when somebody could be told.
func (b *book) raise(a *bus.Alert, ev bus.AlertEvent, at time.Time) {
	e, now := a.Escalation, b.toldAt(at)
	e.Round, e.Next, e.Due, e.NoAnswer, e.Called = 0, 0, now, false, ev.At
	b.climb(a, ev, now)
}

// climb records ev with the recipients of what is due of the ladder at now, all of it together, and of the steps that are told
// again. What keeps the alert back is noted in it, and the ladder stays where it is.
func (b *book) climb(a *bus.Alert, ev bus.AlertEvent, now time.Time, again ...bus.Step) {
	e := a.Escalation
	if ev.At.IsZero() {
		if ev.At = e.Due; now.Sub(e.Due) > lag {
			ev.At = now
		}
	}
	was := e.NoAnswer
	var all []bus.Recipient
	for i, s := range again {
		all = merge(all, b.recipients(a, s, e.Round, i, now))
	}
	a.Held, a.HeldBy, a.HeldUntil = b.keep(a, now)
	if a.Held != "" {
		if e.Next < len(e.Steps) && len(all) == 0 {
			all = b.recipients(a, e.Steps[e.Next], e.Round, e.Next, now)
		}
		b.countHeld(a)
	}
	if a.Held == "" {
		all = merge(all, b.rungs(a, now))
	}
	switch {
	case ev.Kind != "":
	case a.Held != "":
		ev.Kind = kept
	case e.NoAnswer && !was:
		ev.Kind = unanswered
	default:
		ev.Kind = escalated
	}
	if ev.Kind == declined {
		all = slices.DeleteFunc(all, func(r bus.Recipient) bool { return r.Person != "" && r.Person == ev.Who })
	}
	if len(all) == 0 && a.Held != "" {
		all = []bus.Recipient{{Target: duty}}
	}
	ev.Tell = b.address(a, all, now)
	e.N, e.Reaching = a.Events+1, nil
	for i := range ev.Tell {
		if r := &ev.Tell[i]; r.Held == "" {
			e.Reaching = append(e.Reaching, r.Who())
		}
	}
	b.record(a, ev)
}

// rungs runs every step that is due.
func (b *book) rungs(a *bus.Alert, now time.Time) (all []bus.Recipient) {
	e := a.Escalation
	if !e.Due.IsZero() && now.Sub(e.Due) > lag {
		return b.makeUp(a, now)
	}
	for !e.Due.IsZero() && !e.Due.After(now) {
		all = merge(all, b.rung(a, e.Due, now))
	}
	return all
}

// makeUp runs what fell due while no engine was there: all of it at once, and everybody is told once.
//
// The steps to come are a breath later than planned at most where it is about life-safety; others go on as if the last step had been
// due now. When all who are on the ladder have been told, however many rounds were missed, the next round begins as if this one had
// begun now: nobody is told again within seconds.
func (b *book) makeUp(a *bus.Alert, now time.Time) (all []bus.Recipient) {
	e := a.Escalation
	last := e.Due
	for n := 0; n <= len(e.Steps) && !e.Due.IsZero() && !e.Due.After(now); n++ {
		last = e.Due
		all = merge(all, b.rung(a, last, now))
	}
	switch {
	case e.Due.IsZero():
	case !e.Due.After(now):
		if e.Next == 0 { // the last step that ran was the end of a round
			e.Round--
		}
		e.Next, e.Began = 0, now
		e.Due = b.nextRound(a, now)
		e.Round++
	case e.Next == 0 && present(e).Gathered(): // has its time of day
	case a.Safety && e.Next > 0 && e.Next < len(e.Steps):
		e.Due = latest(e.Due, now.Add(min(breath, e.Due.Sub(last))))
	default:
		e.Due, e.Began = e.Due.Add(now.Sub(last)), e.Began.Add(now.Sub(last))
	}
	return all
}

// rung runs the next step of a ladder, or marks that nobody answered, and says when the one after it is due. base is when it
// counts as having run.
func (b *book) rung(a *bus.Alert, base, now time.Time) []bus.Recipient {
	e := a.Escalation
	desk := []bus.Recipient{{Target: duty, Round: e.Round, Step: e.Next}}
	if e.Next >= len(e.Steps) {
		e.NoAnswer = true
		asked := e.Reaching == nil || len(e.Reaching) > 0 // somebody who may have heard of it
		b.begin(a, base)
		if asked && present(e).Gathered() {
			gather(a, desk, b.toldAt(e.Due))
		}
		return desk
	}
	if e.Next == 0 {
		e.Began = base
	}
	all := b.recipients(a, e.Steps[e.Next], e.Round, e.Next, now)
	again := present(e).Gathered() && e.Round > 0
	if again {
		if e.Next == 0 && e.NoAnswer {
			all = merge(all, desk)
		}
		gather(a, all, b.toldAt(base))
	}
	if e.Next == 0 && !anybody(all) && (e.Round == 0 || a.Safety) {
		all = append(all, bus.Recipient{Target: duty, Round: e.Round})
	}
	e.Next++
	switch nobody := !anybody(all) && !slices.ContainsFunc(all, func(r bus.Recipient) bool { return r.Held == heldAnswered }); {
	case e.Next < len(e.Steps) && nobody:
		e.Due = base // there is nobody to wait for
	case e.Next < len(e.Steps):
		e.Due = base.Add(wait(e.Steps[e.Next].Wait))
	case e.Unanswered > 0 && !(again && e.NoAnswer): // at its time, however fast the steps went
		e.Due = latest(base, e.Began.Add(length(e)))
	default:
		b.begin(a, base)
	}
	return all
}

// length is from the beginning of a ladder to its end without an answer.
func length(e *bus.Escalation) time.Duration {
	total := e.Unanswered
	for _, s := range e.Steps {
		total += s.Wait
	}
	return wait(total)
}

func wait(seconds int) time.Duration { return time.Duration(seconds) * time.Second }

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// wakeAt is when the server's clock alone moves an alert; zero for never.
func (b *book) wakeAt(a *bus.Alert) (at time.Time) {
	e := a.Escalation
	switch {
	case !a.HeldUntil.IsZero() && (a.Owed || a.State != bus.Closed):
		return a.HeldUntil
	case a.Held != "" || e == nil:
		return at
	case a.State == bus.Opened:
		at = e.Due
	case a.State == bus.Acknowledged && e.Lapse > 0 && e.Remind > 0 && !e.Reminded:
		at = e.Handled.Add(wait(e.Remind))
	case a.State == bus.Acknowledged && e.Lapse > 0:
		at = e.Handled.Add(wait(e.Lapse))
	}
	return at
}

func (b *book) arm(a *bus.Alert) {
	if at := b.wakeAt(a); !at.IsZero() {
		heap.Push(&b.wakes, dueAlert{at.UnixMilli(), a.ID})
	}
}

// wake does what the server's clock says is due at now. It is not called before every event and action that came earlier is known:
// an acknowledgement stops what has not run.
func (b *book) wake(now time.Time) {
	for len(b.wakes) > 0 && b.wakes[0].at <= now.UnixMilli() {
		next := heap.Pop(&b.wakes).(dueAlert)
		a := b.alerts[next.alert]
		if a == nil {
			continue
		}
		if at := b.wakeAt(a); at.IsZero() || at.UnixMilli() != next.at || at.After(now) {
			continue // it was another wait, long over; the present one is in the heap too
		}
		switch {
		case !a.HeldUntil.IsZero():
			b.release(a, now)
		case a.State == bus.Opened:
			b.climb(a, bus.AlertEvent{}, now)
		case a.Escalation.Remind > 0 && !a.Escalation.Reminded:
			b.remind(a, now)
		default:
			b.lapse(a, now)
		}
	}
	b.digests(now)
	b.endHolds(now)
}

// remind asks who acknowledged an alert for a sign. One who is asked late has as long to give it.
func (b *book) remind(a *bus.Alert, now time.Time) {
	e := a.Escalation
	at := e.Handled.Add(wait(e.Remind))
	if behind := now.Sub(at); behind > lag {
		at, e.Handled = now, e.Handled.Add(behind)
	}
	e.Reminded = true
	b.record(a, bus.AlertEvent{Kind: reminded, At: at, Tell: b.address(a, b.handler(a, now), now)})
}

// handler is who acknowledged an alert; the duty channels if that is not known.
func (b *book) handler(a *bus.Alert, now time.Time) []bus.Recipient {
	if a.AckedPerson != "" {
		if all := b.resolve(a, []string{"person:" + a.AckedPerson}, now); anybody(all) {
			return all
		}
	}
	return []bus.Recipient{{Target: duty}}
}

// lapse takes an acknowledgement back whose author has gone silent. The ladder goes on with its next step; the time that somebody
// looked after the alert does not count.
func (b *book) lapse(a *bus.Alert, now time.Time) {
	e := a.Escalation
	at := e.Handled.Add(wait(e.Lapse))
	a.State, a.AckedAt = bus.Opened, nil
	note := a.AckedBy + " gave no sign"
	a.AckedBy, a.AckedPerson = "", ""
	resume(e, at)
	b.climb(a, bus.AlertEvent{Kind: unacknowledged, At: at, Note: note}, now)
}

// resume lets a ladder that stood still go on with its next step at a time. How long it stood does not count.
func resume(e *bus.Escalation, at time.Time) {
	if behind := at.Sub(e.Due); behind > 0 && !e.Due.IsZero() {
		e.Began = e.Began.Add(behind)
	}
	e.Due = at
}

// sign notes that somebody looks after an alert.
func sign(a *bus.Alert, at time.Time) {
	if e := a.Escalation; e != nil && a.State == bus.Acknowledged && at.After(e.Handled) {
		e.Handled, e.Reminded = at, false
	}
}

const (
	// pressAfter is how much later than what people were told of a press is another one, and not the same by a nervous hand. However
	// fast it goes on, people hear of it that often.
	pressAfter = 10 * time.Second
	// pressFresh is how old a press may be on arrival; one that waited on the way is no second cry.
	pressFresh = time.Minute
)

// pressedAgain reports whether a repeated event of life-safety is another call for help.
func pressedAgain(a *bus.Alert, at, received time.Time) bool {
	if !a.Safety || a.Late || a.Held != "" || a.Escalation == nil {
		return false
	}
	told := a.Escalation.Called
	if told.IsZero() { // not known of an alert that is older than the field
		told = a.LastEvent
	}
	return at.Sub(told) >= pressAfter && received.Sub(at) <= pressFresh
}

// press tells everybody again who was told in this round, and runs the next step at once. One who has acknowledged goes on
// looking after the alert, and hears of it with those of the first step.
func (b *book) press(a *bus.Alert, ev bus.AlertEvent, received time.Time) {
	e, now := a.Escalation, b.toldAt(received)
	e.Called = ev.At
	if a.State == bus.Acknowledged {
		ev.Tell = b.address(a, merge(b.handler(a, now), b.recipients(a, e.Steps[0], e.Round, 0, now)), now)
		b.record(a, ev)
		return
	}
	told := e.Steps[:min(e.Next, len(e.Steps))]
	if e.Next < len(e.Steps) && e.Due.After(now) {
		e.Due = now
	}
	b.climb(a, ev, now, told...)
}

// unreachable notes that every way to a recipient of the last step failed.
func (b *book) unreachable(a *bus.Alert, x *bus.Action, ev bus.AlertEvent) {
	e := a.Escalation
	if e == nil || x.Recipient == nil || x.N != e.N || !slices.Contains(e.Reaching, x.Recipient.Who()) {
		return
	}
	if ev.Kind = unreached; a.State == bus.Opened && a.Held == "" {
		b.without(a, x.Recipient.Who(), ev)
	}
}

// without goes on without a recipient of the last step. When that was the last of them, the next step runs at once; a new round does
// not. Of what waited for an engine the ladder takes care: somebody may have answered since.
func (b *book) without(a *bus.Alert, who string, ev bus.AlertEvent) {
	e := a.Escalation
	last := slices.Equal(e.Reaching, []string{who})
	e.Reaching = slices.DeleteFunc(slices.Clone(e.Reaching), func(x string) bool { return x == who })
	if !last || e.Due.IsZero() || e.Next == 0 {
		b.record(a, ev)
		return
	}
	if e.Due.After(ev.At) {
		e.Due = ev.At
	}
	if b.clock.Sub(e.Due) > lag {
		b.record(a, ev)
		return
	}
	b.climb(a, ev, e.Due)
}
