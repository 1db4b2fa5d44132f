package alerts

import (
	"time"

	"linli/bus"
)

const (
	// lateAfter is how old a reading or event may be when it arrives, without being only recorded.
	lateAfter = time.Hour
	// safetyLateAfter is the same for life-safety rules.
	safetyLateAfter = 24 * time.Hour
)

// late reports whether something that arrived lag ms after it happened is recorded only.
func (r *Rule) late(lag int64) bool {
	if r.Safety {
		return lag > safetyLateAfter.Milliseconds()
	}
	return lag > lateAfter.Milliseconds()
}

// cell is the machine of one rule, and of one field of it, for one series. See the package comment.
type cell struct {
	judged  int64 // ms, event time of the newest reading judged
	since   int64 // ms, event time at which the condition began; meaningless when idle
	state   cellState
	applies bool
	armed   bool   // a timer is in the heap for since + for
	variant uint16 // of the bound, from 1; 0: the rule as it is
	late    bool   // it opened an alert that was late
}

type cellState uint8

const (
	idle cellState = iota
	pending
	firing
)

// due is when the for of a pending cell completes.
func (cl *cell) due(b *bound) int64 {
	if cl.state != pending {
		return -1
	}
	return cl.since + b.For.Milliseconds()
}

// complete opens what was fulfilled before a reading at at: the for ran out while the signals were fresh.
func (c *core) complete(s *series, i int, at int64) {
	cl, b := &s.cells[i], s.bound(i)
	if c.quiet && b.lookout {
		return
	}
	if cl.state == pending && at >= cl.judged {
		due := cl.due(b)
		if b.below() && s.cells[i+1].state == pending && s.cells[i+1].due(s.bound(i+1)) < due {
			c.complete(s, i+1, at)
		}
		if at >= due && c.fresh(s, b, due) {
			c.fulfil(s, i)
		}
	}
}

// fulfil ends a for that is over. A rule with a time of day stays pending outside it, and while its device is worked on.
func (c *core) fulfil(s *series, i int) {
	cl, b := &s.cells[i], s.bound(i)
	due := cl.due(b)
	if cl.applies && (b.Safety || !c.book.maintained(s.device, due)) && b.between.contains(moment(due).In(c.zone(s.community))) {
		c.raise(s, i, finding{due, s.last, s.received, c.shown(s, b, s.last)})
	}
}

// judge moves a cell by a reading at at.
func (c *core) judge(s *series, i int, at, received int64) {
	cl, b := &s.cells[i], s.bound(i)
	if c.quiet && b.lookout {
		if at >= s.last {
			cl.judged = max(cl.judged, at)
		}
		return
	}
	c.noteLookout(s, i)
	switch {
	case at >= cl.judged:
	case b.beyond && at >= s.last:
		at = cl.judged
	default:
		c.judgeLate(s, i, at, received)
		return
	}
	cl.judged = at
	c.scope = scope{core: c, series: s, bound: b, at: at, heard: received}
	holds := c.holds(b, cl, at)
	switch {
	case cl.state == firing:
		if c.ends(b, cl, holds) {
			c.passDown(s, i, at, received)
			c.lower(s, b, cl, subjectOf(s, b, s.dev), at)
		} else if holds == yes && cl.late && received-at <= lateAfter.Milliseconds() {
			c.confirm(s, b, cl, at, received)
		}
	case holds == yes:
		if cl.state == idle {
			cl.state, cl.since = pending, at
		}
		due := cl.due(b)
		if b.Kind == GeofenceKind && c.enough(s, b, cl.since, at) {
			due = min(due, at)
		}
		if at >= due {
			c.raise(s, i, finding{due, at, received, c.shown(s, b, at)})
		} else if !cl.armed {
			c.arm(s, i)
		}
	case holds == no:
		cl.state, cl.armed = idle, false
		if len(b.Events) > 0 && c.ends(b, cl, holds) {
			c.lower(s, b, cl, subjectOf(s, b, s.dev), at)
		}
	}
}

// judgeLate judges a reading that is older than the newest: only a life-safety rule without a for opens by it. The next reading
// in order clears.
func (c *core) judgeLate(s *series, i int, at, received int64) {
	cl, b := &s.cells[i], s.bound(i)
	if !b.Safety || b.For > 0 || cl.state != idle || len(b.signals) != 1 || b.signals[0].measure != nil || !b.signals[0].own() || received-at > safetyLateAfter.Milliseconds() {
		return
	}
	v, ok := number(b.signals[0].field, c.line.Field(b.signals[0].field.ID))
	if !ok {
		return
	}
	c.scope = scope{core: c, series: s, bound: b, at: at, heard: received, own: &v}
	if c.holds(b, cl, at) == yes {
		cl.since = at
		c.raise(s, i, finding{at, at, received, b.display(v)})
	}
}

// finding is what fires a cell.
type finding struct {
	opened   int64 // ms: since + for
	at       int64 // ms, event time of the reading that told
	received int64 // ms
	value    any   // that an alert shows
}

// raise fires a cell.
func (c *core) raise(s *series, i int, f finding) {
	cl, b := &s.cells[i], s.bound(i)
	cl.state, cl.armed, cl.late = firing, false, b.late(f.received-f.at)
	c.noteLookout(s, i)
	who := identity(b.Rule, subjectOf(s, b, s.dev))
	c.book.episode(episodeKey(b.ID, who)).fire(b, 1)
	if c.quiet {
		c.fired = append(c.fired, fired{s, i, cl.since, f})
		return
	}
	c.tell(s, i, f)
}

// tell opens the alert of a cell that fired, unless its episode has one.
func (c *core) tell(s *series, i int, f finding) {
	cl, b := &s.cells[i], s.bound(i)
	sub := subjectOf(s, b, s.dev)
	who := identity(b.Rule, sub)
	if e := c.book.episode(episodeKey(b.ID, who)); e.alert != nil && e.alert.State != bus.Cleared {
		c.lift(s, b, e.alert, f, cl.since)
		c.wake(b, sub, e.alert, f.at, f.at, f.received)
		return
	}
	if s.outdone(i) {
		return
	}
	a := c.alert(b, sub, who, f.opened, cl.since)
	a.Received, a.Late = moment(f.received), b.late(f.received-f.at)
	if b.field != nil {
		a.Value, a.Unit = f.value, b.field.Unit
	}
	a.Text = c.text(b, sub, a)
	c.book.open(a)
}

// shown is the value of a bound's signal that an alert shows, at a time; the last value of its field when that is not known, and nil
// when there is none.
func (c *core) shown(s *series, b *bound, at int64) any {
	if b.main < 0 || len(b.signals) == 0 {
		return nil
	}
	sig := &b.signals[b.main]
	switch {
	case sig.group != nil:
		if x, known := c.together(sig.group, s, s.dev, at); known {
			return b.display(x)
		}
		return nil
	case sig.fence != nil:
		return s.lastOutside(sig)
	case sig.measure != nil:
		if x, ok := s.memories[sig.memory].value(sig.measure, at); ok {
			return x
		}
	}
	if last := s.slots[sig.slot]; last.at != 0 {
		return b.display(last.value)
	}
	return nil
}

// moment is a time in ms as the records have it.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// lower ends what a cell contributes to its episode. The alert of an event that a field denies clears as well.
func (c *core) lower(s *series, b *bound, cl *cell, sub subject, at int64) {
	was := cl.state
	cl.state, cl.armed, cl.late = idle, false, false
	e := c.book.episodes[episodeKey(b.ID, identity(b.Rule, sub))]
	if e == nil {
		return
	}
	if was == firing {
		e.fire(b, -1)
	}
	switch {
	case c.quiet || e.alert == nil:
		return
	case e.firing > 0:
		c.sink(s, b, e, at)
		return
	}
	last := e.alert.LastEvent.UnixMilli()
	if was == firing && len(b.Events) == 0 { // a cell of another series had the last word, and has ended too
		at = max(at, last)
	}
	if at > last || at == last && was == firing {
		c.book.clear(e.alert, moment(at))
	}
}

// confirm ends the lateness of the alert of a cell.
func (c *core) confirm(s *series, b *bound, cl *cell, at, received int64) {
	cl.late = false
	e := c.book.episodes[episodeKey(b.ID, identity(b.Rule, subjectOf(s, b, s.dev)))]
	if !c.quiet && e != nil && e.alert != nil {
		c.lift(s, b, e.alert, finding{at, at, received, c.shown(s, b, at)}, at)
		c.book.confirm(e.alert, moment(at))
	}
}

// holds is the condition of a bound in the present scope.
func (c *core) holds(b *bound, cl *cell, at int64) truth {
	s := c.scope.series
	switch {
	case !cl.applies || b.between != nil && !b.between.contains(moment(at).In(c.zone(s.community))):
		return no
	case !b.Safety && c.book.maintained(s.device, c.scope.heard):
		return unknown
	}
	return b.when.eval(&c.scope)
}

// ends reports whether the clearing condition of a bound is true in the present scope.
func (c *core) ends(b *bound, cl *cell, holds truth) bool {
	switch {
	case !cl.applies:
		return true
	case !b.Safety && c.book.maintained(c.scope.series.device, c.scope.heard):
		return false
	case b.clear == nil && !b.guesses:
		return holds == no
	}
	c.scope.strict = true
	defer func() { c.scope.strict = false }()
	if b.clear == nil {
		return c.holds(b, cl, c.scope.at) == no
	}
	return b.clear.eval(&c.scope) == yes
}

// fresh reports whether every signal of a bound was known and young enough at at.
func (c *core) fresh(s *series, b *bound, at int64) bool {
	for i := range b.signals {
		sig := &b.signals[i]
		if sig.own() && !s.fresh(sig, at) {
			return false
		}
		if sig.group != nil {
			if _, known := c.together(sig.group, s, s.dev, at); !known {
				return false
			}
		}
	}
	return true
}

func (s *series) fresh(sig *signal, at int64) bool {
	seen := s.slots[sig.slot].at
	if sig.measure != nil {
		seen = s.memories[sig.memory].newest()
	}
	switch {
	case seen == 0:
		return false
	case sig.measure != nil && sig.measure.fn == ageOf:
		return true
	case sig.measure != nil && sig.measure.at != nil:
		return at-seen <= sig.maxAge+dayLength
	case sig.onChange:
		seen = s.last
	}
	return at-seen <= sig.maxAge
}
