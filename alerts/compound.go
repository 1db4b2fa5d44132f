package alerts

import (
	"cel.dev/cel-go/cel"

	"linli/bus"
	"linli/devices"
)

// compoundKind judges several signals together, of its own device and of others: see group, ruleSignal, lastEvent and watcher.
var compoundKind = &kind{keys: "signals when/levels | clear for max_age event events"}

// ruleSignal says whether a rule has an alert that has not ended, of something that shares a place with the rule's own device; or
// how many devices have one, counted by the latest time of each within the window.
type ruleSignal struct {
	rule   string
	same   string
	count  bool
	window int64 // ms, of a count; 0: any
}

// beyond reports whether a signal looks further than the readings of its own device.
func (s *signalSource) beyond() bool {
	return s.typ != "" || s.event != "" || s.rule != "" || s.of != ""
}

// declareBeyond declares such a signal.
func (b *binder) declareBeyond(x *bound, vars schema, s *signalSource, t *devices.Type) {
	switch {
	case s.rule != "":
		b.declareRule(x, vars, s)
	case s.event != "":
		b.declareEvent(x, vars, s, t)
	case s.field == "":
		b.failAt(s.line, "signal %s: want a field, an event or a rule", s.name)
	case s.same == "" && s.of == "":
		b.failAt(s.line, "signal %s: want same or of, what the devices have in common", s.name)
	default:
		b.declareGroup(x, vars, s, t)
	}
}

func (b *binder) declareRule(x *bound, vars schema, s *signalSource) {
	r := &ruleSignal{rule: s.rule, same: s.same, count: s.fn == "count", window: s.window.of(b.typ.Period).Milliseconds()}
	if r.same == "" {
		r.same = "device"
	}
	b.checkPlace(s.line, r.same, b.typ)
	sig := signal{rule: r, truth: !r.count}
	v := variable{origin: fromSignal, typ: cel.BoolType, index: len(x.signals), key: s.rule}
	switch {
	case r.count:
		v.typ = cel.DoubleType
	case s.fn != "" && s.fn != "last", r.window > 0:
		b.failAt(s.line, "signal %s: of a rule there is only whether it is firing, or with fn: count [and a window] on how many devices", s.name)
		return
	}
	vars[s.name] = v
	x.signals = append(x.signals, sig)
}

// going is the value of a rule signal for a device at a time.
func (c *core) going(r *ruleSignal, dev *devices.Device, at int64) (float64, bool) {
	here, ok := common(dev, r.same)
	if !ok {
		return 0, false
	}
	seen := map[string]bool{}
	for _, a := range c.book.going[r.rule] {
		there, ok := common(c.dir.Device(a.Device), r.same)
		last := a.LastEvent.UnixMilli()
		if !ok || here != there || a.OpenedAt.UnixMilli() > at || r.window > 0 && last <= at-r.window {
			continue
		}
		seen[a.Device] = true
	}
	if r.count {
		return float64(len(seen)), true
	}
	return float64(min(len(seen), 1)), true
}

// news is something that happened that rules look at: to an alert, or an event.
type news struct {
	alert *bus.Alert
	kind  string
	at    int64           // ms
	prog  *program        // of an event
	dev   *devices.Device // of an event
}

// settle lets what happened have its effect on rules that look at it. Rules do not look at each other in a circle, so it ends. Sequences
// are stored with what happened, and so take it at once; what looks at cells waits for the end of a replay.
func (c *core) settle() {
	for len(c.book.news) > 0 {
		all := c.book.news
		c.book.news = nil
		for _, n := range all {
			if n.alert != nil {
				c.stepByAlert(n)
			}
			if c.quiet {
				c.unfollowed = append(c.unfollowed, n)
				continue
			}
			c.follow(n)
		}
	}
}

// mostUnfollowed bounds what is stored of that; of more the oldest is left out.
const mostUnfollowed = 1000

// unfollowedNews is what waits for the end of a replay, as it is stored.
func (c *core) unfollowedNews() (all []bus.News) {
	for _, n := range c.unfollowed[max(0, len(c.unfollowed)-mostUnfollowed):] {
		x := bus.News{Kind: n.kind, At: n.at}
		switch {
		case n.alert != nil:
			x.Alert = n.alert.ID
		case n.dev != nil:
			x.Type, x.Device = n.prog.typ.ID, n.dev.ID
		}
		all = append(all, x)
	}
	return all
}

// loadUnfollowed takes what an engine before this one did not come to.
func (c *core) loadUnfollowed(all []bus.News) {
	for _, x := range all {
		n := news{alert: c.book.alerts[x.Alert], kind: x.Kind, at: x.At, prog: c.rules.byType[x.Type], dev: c.dir.Device(x.Device)}
		if n.alert != nil || n.prog != nil {
			c.unfollowed = append(c.unfollowed, n)
		}
	}
}

// catchUp follows what happened in a replay.
func (c *core) catchUp() {
	all := c.unfollowed
	c.unfollowed = nil
	for _, n := range all {
		c.follow(n)
	}
	c.settle()
}

// follow judges again what looks at an event, or at the rule of an alert, around its device.
func (c *core) follow(n news) {
	if n.alert == nil {
		c.spreadEvent(n.prog, n.dev, n.kind, n.at)
		return
	}
	c.corroborate(n)
	dev := c.dir.Device(n.alert.Device)
	for _, b := range c.rules.looking[n.alert.Rule] {
		for i := range b.signals {
			r := b.signals[i].rule
			if r == nil || r.rule != n.alert.Rule {
				continue
			}
			if dev != nil && dev.Type == b.typ.ID {
				c.seriesOf(dev, b.typ)
			}
			key, ok := common(dev, r.same)
			if !ok {
				continue
			}
			for _, s := range c.groups[placeKey{b.typ.ID, key}] {
				c.judgeNow(s, s.prog.index[b.name], n.at)
			}
		}
	}
}

// judgeNow judges a cell without a reading of its own.
func (c *core) judgeNow(s *series, i int, at int64) {
	c.dirty[s.shard] = true
	c.judge(s, i, max(at, s.cells[i].judged), max(at, c.present()))
}

// seriesOf makes the series of a device that has sent nothing but events, if its type has no payload tags.
func (c *core) seriesOf(dev *devices.Device, t *devices.Type) {
	key := t.Measurement + ",community=" + dev.Community + ",device=" + dev.ID
	if len(c.rules.byType[t.ID].tags) == 0 {
		c.seriesNamed(key)
	}
}

// circle finds a rule that looks at itself, directly or through others.
func (l *loader) circles() {
	state := map[string]int{} // 1: being looked at, 2: done
	var visit func(r *Rule)
	visit = func(r *Rule) {
		if state[r.ID] == 1 {
			l.fail(r.File, r.Line, "rule %s: it looks at itself, by the rules that it names", r.ID)
			return
		}
		if state[r.ID] == 2 {
			return
		}
		state[r.ID] = 1
		for _, id := range r.looksAt() {
			if next := l.ids[id]; next != nil {
				visit(next)
			}
		}
		state[r.ID] = 2
	}
	for _, r := range l.rules {
		visit(r)
	}
}

// looksAt are the rules whose alerts a rule looks at.
func (r *Rule) looksAt() (ids []string) {
	for i := range r.signals {
		if id := r.signals[i].rule; id != "" {
			ids = append(ids, id)
		}
	}
	for _, s := range []*step{r.first, r.then, r.without} {
		if s != nil && s.rule != "" {
			ids = append(ids, s.rule)
		}
	}
	return ids
}
