package alerts

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"linli/bus"
)

// lookout is a cell that looks at alerts or at events. A replay does not judge it: those have no common order with the readings that
// are judged again, and what they were then is not known any more. So what it comes to is stored with every commit.
type lookout struct {
	series *series
	cell   int
}

// lookouts are those of a core that have something to keep.
type lookouts struct {
	busy   [shards]map[lookout]bool // that wait or fire, or were judged later than their series was heard
	moved  [shards]bool             // of one of them something may have changed since the last commit
	stored [shards]*bus.Lookouts    // as CORE has them; nil: none were ever stored
	loaded bool                     // they are to take the place of what a checkpoint says
}

// looksOut reports whether a bound looks at alerts or events.
func (b *bound) looksOut() bool {
	return slices.ContainsFunc(b.signals, func(s signal) bool { return s.rule != nil || s.event != nil })
}

// noteLookout lets the next commit store a cell that has moved, if it is a lookout.
func (c *core) noteLookout(s *series, i int) {
	if !s.bound(i).lookout {
		return
	}
	of := &c.lookouts
	if of.busy[s.shard] == nil {
		of.busy[s.shard] = map[lookout]bool{}
	}
	of.busy[s.shard][lookout{s, i}] = true
	of.moved[s.shard] = true
}

// lookoutRecords are the records of lookouts that have changed, by subject.
func (c *core) lookoutRecords() map[string]any {
	var all map[string]any
	of := &c.lookouts
	for shard := range of.moved {
		if !of.moved[shard] {
			continue
		}
		of.moved[shard] = false
		x, before := c.packLookouts(uint8(shard)), of.stored[shard]
		if before == nil && len(x.Cells) == 0 || before != nil && slices.Equal(before.Cells, x.Cells) {
			continue
		}
		if all == nil {
			all = map[string]any{}
		}
		of.stored[shard], all[bus.LookoutsSubject(strconv.Itoa(shard))] = x, x
	}
	return all
}

func (c *core) packLookouts(shard uint8) *bus.Lookouts {
	x := &bus.Lookouts{Shard: shard}
	for l := range c.lookouts.busy[shard] {
		s, cl := l.series, &l.series.cells[l.cell]
		judged := cl.judged
		if judged <= s.last {
			judged = 0 // it is as its series
		}
		if cl.state == idle && judged == 0 || c.series[s.key] != s {
			delete(c.lookouts.busy[shard], l)
			continue
		}
		at := bus.Lookout{Series: s.key, Rule: s.prog.bounds[l.cell].name, State: uint8(cl.state), Judged: judged, Late: cl.late}
		if cl.state != idle {
			at.Since = cl.since
		}
		x.Cells = append(x.Cells, at)
	}
	slices.SortFunc(x.Cells, func(a, b bus.Lookout) int {
		return cmp.Or(cmp.Compare(a.Series, b.Series), cmp.Compare(a.Rule, b.Rule))
	})
	return x
}

// loadLookouts takes those of a shard as CORE has them. They count when the readings that are judged again have been.
func (c *core) loadLookouts(x *bus.Lookouts) {
	if x.Shard < shards {
		c.lookouts.stored[x.Shard], c.lookouts.loaded = x, true
	}
}

// recallLookouts puts them in the place of what a checkpoint said.
func (c *core) recallLookouts() {
	of := &c.lookouts
	for _, key := range slices.Sorted(maps.Keys(c.series)) {
		s := c.series[key]
		for i := range s.cells {
			cl, b := &s.cells[i], s.bound(i)
			switch {
			case !b.lookout:
			case of.loaded && of.stored[s.shard] != nil:
				if cl.state == firing {
					c.book.episode(episodeKey(b.ID, identity(b.Rule, subjectOf(s, b, s.dev)))).fire(b, -1)
				}
				cl.state, cl.armed, cl.late = idle, false, false
			case cl.state == pending && !cl.armed:
				c.arm(s, i)
			}
		}
	}
	for _, x := range of.stored {
		for i := 0; of.loaded && x != nil && i < len(x.Cells); i++ {
			c.recallLookout(&x.Cells[i])
		}
	}
	of.loaded = false
}

func (c *core) recallLookout(x *bus.Lookout) {
	s := c.seriesNamed(x.Series)
	if s == nil {
		return
	}
	if i, ok := s.prog.index[x.Rule]; ok && s.bound(i).lookout {
		flags := x.State & stateBits
		if x.Late {
			flags |= lateBit
		}
		c.restore(s, i, flags, max(x.Judged, s.cells[i].judged), x.Since)
	}
}
