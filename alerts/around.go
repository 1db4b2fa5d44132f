package alerts

import "linli/devices"

// A rule that looks beyond its own device is judged at every reading of that device and, at the time of what happened there, when
//
//	an alert that it looks at opens or ends                           see follow
//	a device of its group says something else than before             see spread
//	an event that it looks at comes                                   see spreadEvent
//
// Its cell goes by the newest of these times, so a reading of its own that is older than that is judged then.

// mostAround bounds what one reading leads to: where more series than that have something in common, a rule is judged at the readings
// of its own device, and at alerts, only.
const mostAround = 256

// watcher is a bound that looks at what devices around its own say, or at an event of theirs.
type watcher struct {
	bound *bound
	same  string
	group *group // nil: an event
}

// watches makes the series of a bound known by what they have in common with others, if it has cells that can be judged at what those
// say. Variants are found by the bound that they belong to.
func (r *Rules) watches(b *bound, same string) bool {
	p := r.byType[b.typ.ID]
	i, judged := p.index[b.name]
	if !judged || p.bounds[i] != b {
		return false
	}
	p.share(same)
	return true
}

// stirred is a value that others look at, and what it was.
type stirred struct {
	use    *fieldUse
	before slot
}

// minds reports whether a value is another for a watcher.
func (w *watcher) minds(before, now slot) bool {
	each := &w.group.each
	return each.measure != nil || before.at == 0 || before.value != now.value || now.at-before.at > each.maxAge
}

// spread judges what looks at the series in hand from around it.
func (c *core) spread(s *series, at int64) {
	for _, x := range c.stirred {
		for i := range x.use.watchers {
			if w := &x.use.watchers[i]; w.minds(x.before, s.slots[x.use.slot]) {
				if place, ok := s.place(w.same, s.dev); ok {
					c.judgeAround(w, place, s, at)
				}
			}
		}
	}
}

// spreadEvent judges what looks at an event.
func (c *core) spreadEvent(p *program, dev *devices.Device, name string, at int64) {
	for i := range p.heeded[name] {
		w := &p.heeded[name][i]
		if dev != nil && dev.Type == w.bound.typ.ID {
			c.seriesOf(dev, w.bound.typ)
		}
		if place, ok := common(dev, w.same); ok {
			c.judgeAround(w, place, nil, at)
		}
	}
}

// judgeAround judges the cells of a watcher at a place, but that of a series which has been judged.
func (c *core) judgeAround(w *watcher, place string, judged *series, at int64) {
	all := c.groups[placeKey{w.bound.typ.ID, place}]
	if len(all) > mostAround {
		return
	}
	for _, s := range all {
		if s != judged {
			c.judgeNow(s, s.prog.index[w.bound.name], at)
		}
	}
}
