package alerts

import (
	"context"
	"time"

	"linli/bus"
)

// clockStep is what the clock is set by at least to count as set; what is less it was only adjusted.
const clockStep = time.Second

// steps returns how far the wall clock was set since it was last asked, forward or back.
func steps() func() time.Duration {
	last := time.Now()
	return func() time.Duration {
		now := time.Now()
		step := now.Round(0).Sub(last.Round(0)) - now.Sub(last) // by the wall, less what went by
		last = now
		return step
	}
}

// minded looks whether the clock was set back, and lets what waits for it go on waiting for as long as it would have: ladders would else
// stand still, and silence not count, for as much as the clock was wrong. After a step forward it is overdue, and runs at once; that too many are told is
// better than too few.
func (e *Engine) minded(ctx context.Context) error {
	if e.stepped == nil {
		return nil
	}
	by := e.stepped()
	if by.Abs() < clockStep {
		return nil
	}
	e.Log.Warn("the clock was set", "by", by)
	if by > 0 {
		return nil
	}
	if err := e.commit(ctx, false); err != nil { // what was before is written as it was
		return err
	}
	e.opened, e.checkpointed = e.opened.Add(by), e.checkpointed.Add(by)
	e.core.book.shift(by)
	e.core.shift(by)
	return e.commit(ctx, true)
}

// shift moves the times at which ladders go on.
func (b *book) shift(by time.Duration) {
	for _, a := range b.alerts {
		e := a.Escalation
		if e == nil || a.State != bus.Opened && a.State != bus.Acknowledged {
			continue
		}
		for _, at := range []*time.Time{&e.Began, &e.Due, &e.Handled} {
			if !at.IsZero() {
				*at = at.Add(by)
			}
		}
		b.arm(a)
		now, plan := *a, *e
		now.Escalation = &plan
		b.changed[bus.AlertSubject(a.ID)] = &now
	}
}

// shift moves the clock of silence, and with it all that a watch knows of the time.
func (c *core) shift(by time.Duration) {
	v, ms, now := &c.vigil, by.Milliseconds(), moment(c.clock)
	for _, w := range v.watches {
		for from := moment(w.from); w.from > 0; from = moment(w.from) { // the gaps stay where they are
			next := v.listening.Since(from, now)
			if !next.After(from) {
				break
			}
			w.from = next.UnixMilli()
		}
		for _, at := range []*int64{&w.from, &w.heard, &w.gone, &w.queued} {
			if *at > 0 {
				*at += ms
			}
		}
		c.dirty[w.shard] = true
	}
	for i := range v.queue {
		v.queue[i].due += ms
	}
	if c.clock > 0 {
		c.clock += ms
	}
}

// notAfter lets no wait have begun later than now: the clock was set back while no engine ran.
func (v *vigil) notAfter(now int64) {
	for _, w := range v.watches {
		w.from, w.gone = min(w.from, now), min(w.gone, now)
	}
}
