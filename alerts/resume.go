package alerts

import (
	"maps"
	"slices"

	"linli/bus"
)

// startWaits lets watches and digests wait before anything is judged.
func (e *Engine) startWaits() {
	e.core.book.recallDigests()
	e.core.book.recallEnds()
	now := e.Now().UnixMilli()
	e.core.vigil.notAfter(now)
	e.anew = e.core.startWaits(now)
}

// replay keeps alerts from moving until EVENTS are recalled and, if there are any to be judged again, readings are.
func (e *Engine) replay(readings bool) {
	e.replays = readings
	if e.core.quiet = readings || e.recall > 0; !e.core.quiet {
		e.core.endReplay()
	}
}

// fired is a cell that fired in a replay.
type fired struct {
	series *series
	bound  int
	since  int64
	finding
}

// endReplay lets alerts move again. What the book has and what the cells say can differ where the wall clock had a part: it moves
// before a reading that is on its way, and a replay does not see it.
func (c *core) endReplay() {
	c.quiet = false
	c.recallLookouts()
	for _, x := range c.fired {
		if cl := &x.series.cells[x.bound]; cl.state == firing && cl.since == x.since && !c.told(x) {
			c.tell(x.series, x.bound, x.finding)
		}
	}
	c.fired = nil
	c.adopt()
	c.endWatchReplay()
	c.catchUp()
}

// told reports whether the book has an alert that the firing belongs to, open or not. One that came too late has raised none that was
// told in time.
func (c *core) told(x fired) bool {
	b := x.series.bound(x.bound)
	a := c.known(b.ID, identity(b.Rule, subjectOf(x.series, b, x.series.dev)), x.opened, max(x.opened, x.received))
	return a != nil && (b.level == 0 || b.level >= b.levelOf(a) || b.late(x.received-x.at) && !a.Late)
}

// known is the alert that the book has of a rule and an identity and that was opened at a time, ms, or was open then or until that was
// heard of; or nil.
func (c *core) known(rule, who string, opened, heard int64) *bus.Alert {
	at := moment(opened)
	if a := c.book.alerts[alertID(rule, who, at)]; a != nil {
		return a
	}
	for _, a := range c.book.alerts {
		over := a.ClosedAt != nil && a.ClosedAt.Before(at) || a.ClearedAt != nil && a.ClearedAt.Before(at)
		if a.Rule == rule && a.Identity == who && !a.OpenedAt.After(moment(heard)) && !over {
			return a
		}
	}
	return nil
}

// adopt finds the cells of open alerts that no cell feeds, so that the next reading can clear them. It clears that of an event as it
// is, and a cell that did not fire must not: it could not fire again.
func (c *core) adopt() {
	orphan := func(e *episode, level int) bool {
		return e != nil && e.alert != nil && (e.firing == 0 || level > 0 && e.levels[level-1] == 0) && e.alert.State != bus.Cleared && !e.alert.Latched
	}
	orphans := map[string]bool{} // devices
	for _, e := range c.book.episodes {
		if orphan(e, 1) {
			orphans[e.alert.Device] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(c.series)) { // of several cells the first is the one
		s := c.series[key]
		for i := 0; orphans[s.device] && i < len(s.cells); i++ {
			cl, b := &s.cells[i], s.bound(i)
			e := c.book.episodes[episodeKey(b.ID, identity(b.Rule, subjectOf(s, b, s.dev)))]
			if !orphan(e, b.level) || cl.judged == 0 || len(b.Events) > 0 || b.level > 0 && b.level != b.levelOf(e.alert) {
				continue
			}
			cl.state, cl.since, cl.armed = firing, e.alert.EventTime.UnixMilli(), false
			e.fire(b, 1)
			c.dirty[s.shard] = true
			c.noteLookout(s, i)
		}
	}
}
