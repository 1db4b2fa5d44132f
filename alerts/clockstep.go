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

// minded looks whether the clock was set back, and lets what waits for it go on waiting for as long as it would have: a ladder would
// else stand still for as much as the clock was wrong. After a step forward it is overdue, and runs at once; that too many are told is
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
	return e.commit(ctx, false)
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
