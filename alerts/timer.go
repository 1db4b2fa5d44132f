package alerts

// timer is the end of a for. It counts only while the cell still waits for just that.
type timer struct {
	due    int64
	series *series
	bound  int
}

// before is the order of timers: of levels that are due together the most severe comes first, and of series the same on every replay.
func (t *timer) before(u *timer) bool {
	switch {
	case t.due != u.due:
		return t.due < u.due
	case t.bound != u.bound:
		return t.bound < u.bound
	}
	return t.series.key < u.series.key
}

// timerHeap has the earliest timer first.
type timerHeap []timer

func (h *timerHeap) push(t timer) {
	a := append(*h, t)
	*h = a
	for i := len(a) - 1; i > 0; {
		parent := (i - 1) / 2
		if !a[i].before(&a[parent]) {
			return
		}
		a[parent], a[i] = a[i], a[parent]
		i = parent
	}
}

func (h *timerHeap) pop() timer {
	a := *h
	top := a[0]
	n := len(a) - 1
	a[0], a[n] = a[n], timer{}
	a = a[:n]
	*h = a
	for i := 0; ; {
		least := i
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < n && a[child].before(&a[least]) {
				least = child
			}
		}
		if least == i {
			return top
		}
		a[i], a[least] = a[least], a[i]
		i = least
	}
}

// present is when what is in hand came in, or the clock if that is later, ms. After a restart the clock alone is behind.
func (c *core) present() int64 { return max(c.clock, c.came) }

// advance moves the clock to now, ms, and completes what has become due until then, and what becomes due by that.
func (c *core) advance(now int64) {
	if now <= c.clock {
		return
	}
	c.clock = now
	c.watchUntil(now)
	c.sequencesUntil(now)
	c.settle()
	for len(c.timers) > 0 && c.timers[0].due <= now {
		for len(c.timers) > 0 && c.timers[0].due <= now {
			c.completeDue(c.timers.pop())
		}
		c.settle()
	}
}

// completeDue ends a for that the clock has reached.
func (c *core) completeDue(t timer) {
	cl, b := &t.series.cells[t.bound], t.series.bound(t.bound)
	if !cl.armed || cl.due(b) != t.due {
		return // it was another wait, long over
	}
	cl.armed = false
	c.dirty[t.series.shard] = true
	switch {
	case c.quiet && b.lookout:
	case c.fresh(t.series, b, max(t.due, t.series.received)):
		c.fulfil(t.series, t.bound)
	default:
		t.series.stale = true
		c.untilHeard(t.series, b)
	}
}

// rearm lets the pending cells of a series that is heard again wait for the clock. A field that is sent on change only says by
// that silence that it has not changed.
func (c *core) rearm(s *series) {
	s.stale = false
	for i := range s.cells {
		if cl := &s.cells[i]; cl.state == pending && !cl.armed {
			c.arm(s, i)
		}
	}
}

// arm lets a pending cell wait for the clock.
func (c *core) arm(s *series, i int) {
	cl := &s.cells[i]
	cl.armed = true
	c.timers.push(timer{cl.due(s.bound(i)), s, i})
}
