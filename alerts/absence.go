package alerts

import (
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
)

// absenceKind judges silence: a device of the inventory that has said nothing, not that field, or not that event, for the window.
// There is one watch for each identity; an identity of several devices, a person, is silent when all of them are.
//
// Silence is counted by the server's clock, and only while devices could be heard: see bus.Listening. A device never heard of has
// neverSeen, if that is longer, from the moment it was added. With a schedule the whole window lies within one of its windows. While
// when is false, or the device is in maintenance, the wait begins anew. An alert clears with the next sign of life.
var absenceKind = &kind{keys: "window | min battery_window will event events field when also", watches: true}

const (
	// neverSeen is how long a device may take from being added to its first word.
	neverSeen = 24 * time.Hour
	// excusedEvery is how often a wait that does not count at present is looked at again.
	excusedEvery = 10 * time.Minute
)

// silence is what an absence rule says of it.
type silence struct {
	battery span          // the window of devices on a battery, if it is longer than that of the rule
	min     time.Duration // no window is shorter
	will    span          // that suffices after the last will of a device; 0: as without one
	also    []lifeSign
}

// lifeSign is an event of another device of the same identity that counts as well.
type lifeSign struct {
	typ, event string
	line       int
}

func (p *parser) also(to *[]lifeSign) read {
	return p.each(func(n *yaml.Node) {
		s := lifeSign{line: n.Line}
		p.mapping(n, map[string]read{"type": p.str(&s.typ), "event": p.str(&s.event)}, "type", "event")
		*to = append(*to, s)
	})
}

// checkSilence checks what an absence rule says, and works out its window for one type.
func (b *binder) checkSilence(x *bound) {
	s, period := &b.rule.silence, b.typ.Period
	if x.field != nil {
		period = periodOf(b.typ, x.field)
	}
	x.window = max(b.rule.own.window.of(period), s.min)
	if b.typ.Battery {
		x.window = max(x.window, s.battery.of(period))
	}
	x.will = s.will.of(period)
	if x.will > 0 {
		x.will = max(x.will, s.min)
	}
	for _, a := range s.also {
		if t := b.cat.Type(a.typ); t == nil || t.Event(a.event) == nil {
			b.failAt(a.line, "also: there is no event %q of a type %q", a.event, a.typ)
		}
	}
	if between := b.rule.between; between != nil && x.window >= between.longest() {
		b.failAt(between.line, "no window of the schedule is longer than %s", x.window)
	}
}

// watch waits for a sign of life of one identity. Waiting, it has one entry in the queue, at or before the end of its wait; firing,
// it has none.
type watch struct {
	bound   *bound
	who     string // identity
	members []string
	dev     *devices.Device // the first of the members
	from    int64           // ms: since when it waits; 0: from the next moment on
	heard   int64           // ms: the last sign of life; 0: never
	gone    int64           // ms: the last will that came since; 0: none
	opened  int64           // ms: when the wait ended, of one that fires
	firing  bool
	excused bool  // the wait does not count at present
	queued  int64 // ms: its entry in the queue; any other that is there is void
	retired bool  // it has no members any more
	shard   uint8

	relieved int64 // ms: of a replay, when the first word came that ends the alert which the book has; 0: none
}

func (w *watch) key() string { return episodeKey(w.bound.ID, w.who) }

// vigil is all watches. It is bounded by the inventory: a watch for every absence rule that applies to a device.
type vigil struct {
	watches    map[string]*watch   // by key
	byDevice   map[string][]*watch // that the device is a member of
	byShard    [shards]map[string]*watch
	queue      dueQueue[*watch]
	unstarted  []*watch
	enrolled   map[string]*devices.Device
	inventory  []*devices.Device // as it was last looked at
	generation uint64            // of the inventory
	began      int64             // ms: the first time this engine knew
	listening  bus.Listening
}

// heardReading takes a line of readings as a sign of life.
func (c *core) heardReading(s *series, at, received int64) {
	if s.generation != c.vigil.generation {
		s.generation, s.watches = c.vigil.generation, c.vigil.byDevice[s.device]
	}
	for _, w := range s.watches {
		switch {
		case w.bound.typ != s.prog.typ, len(w.bound.Events) > 0:
		case w.bound.field == nil:
			c.sign(w, received, received)
		case c.line.Field(w.bound.field.ID).Value != nil:
			c.sign(w, at, received)
		}
	}
}

// heardEvent takes an event as one. The last will of a device is the opposite.
func (c *core) heardEvent(p *program, dev *devices.Device, name string, at, received int64) {
	if dev == nil {
		return
	}
	for _, w := range c.vigil.byDevice[dev.ID] {
		switch {
		case w.bound.typ != p.typ:
		case len(w.bound.Events) > 0:
			if slices.Contains(w.bound.Events, name) {
				c.sign(w, at, received)
			}
		case w.bound.field != nil:
		case name == "offline":
			c.lastWill(w, received)
		default:
			c.sign(w, received, received)
		}
	}
	for _, r := range c.rules.signs[lifeSign{typ: p.typ.ID, event: name}] {
		if w := c.vigil.watches[episodeKey(r.ID, identity(r, subject{device: dev.ID, dev: dev}))]; w != nil {
			c.sign(w, at, received)
		}
	}
}

// sign is a sign of life at a time, which came at another.
func (c *core) sign(w *watch, at, received int64) {
	first := w.heard == 0
	w.heard, w.from = max(w.heard, at), max(w.from, at)
	if w.gone <= at { // after a restart what came before the last will is heard after it
		w.gone = 0
	}
	c.dirty[w.shard] = true
	speaks := (c.quiet || w.firing) && c.waitEnds(w) > received
	if c.quiet && speaks && w.relieved == 0 {
		if e := c.book.episodes[w.key()]; e != nil && e.alert != nil && at > e.alert.LastEvent.UnixMilli() {
			w.relieved = received
		}
	}
	switch {
	case w.firing && speaks:
		c.relent(w, received)
	case first && !w.firing: // it has less time now
		c.await(w)
	}
}

// lastWill notes one even of a watch that fires: after a restart it is there before the word that came before it.
func (c *core) lastWill(w *watch, received int64) {
	if w.bound.will == 0 || received < w.from {
		return
	}
	w.gone = received
	c.dirty[w.shard] = true
	if !w.firing {
		c.await(w)
	}
}

// await puts a watch into the queue, unless it comes up early enough already or its wait can never end.
func (c *core) await(w *watch) {
	if due := c.waitEnds(w); due != math.MaxInt64 {
		c.enqueue(w, due)
	}
}

func (c *core) enqueue(w *watch, due int64) {
	if w.queued == 0 || due < w.queued {
		w.queued = due
		c.vigil.queue.push(due, w)
	}
}

// waitEnds is when a watch has waited long enough, ms, if nothing more is heard.
func (c *core) waitEnds(w *watch) int64 {
	b, l := w.bound, &c.vigil.listening
	wait := b.window
	if w.heard == 0 {
		wait = max(wait, neverSeen)
	}
	from := moment(w.from)
	end := l.After(from, wait)
	if b.between != nil {
		var ok bool
		for { // all of the window was listened to
			if end, ok = b.between.reach(from.In(c.zone(w.dev.Community)), wait); !ok {
				return math.MaxInt64
			}
			next := l.Since(from, end)
			if !next.After(from) {
				break
			}
			from = next
		}
	}
	if w.gone > 0 {
		if will := l.After(moment(w.gone), b.will); will.Before(end) {
			end = will
		}
	}
	return end.UnixMilli()
}

// startWaits lets the waits that no checkpoint knows begin at now, or when their devices were added, and reports whether there are any.
func (c *core) startWaits(now int64) (anew bool) {
	v := &c.vigil
	if v.began == 0 {
		v.began = now
	}
	for _, w := range v.unstarted {
		switch {
		case w.firing, w.retired:
			continue
		case w.from == 0:
			w.from = now
			if made := w.dev.Created.UnixMilli(); made > v.began && made < now {
				w.from = made
			}
			anew, c.dirty[w.shard] = true, true
		}
		c.await(w)
	}
	v.unstarted = nil
	return anew
}

// watchUntil ends the waits that are over at now, as far as devices could be heard.
func (c *core) watchUntil(now int64) {
	v := &c.vigil
	c.startWaits(now)
	if until := v.listening.Until; !until.IsZero() {
		now = min(now, until.Add(bus.ListeningGrace).UnixMilli())
	}
	for {
		at, w, ok := v.queue.pop(now)
		if !ok {
			return
		}
		if w.queued == at && !w.retired {
			w.queued = 0
			c.look(w, at)
		}
	}
}

// look sees whether the wait of a watch is over, its entry in the queue being due.
func (c *core) look(w *watch, at int64) {
	excuse := c.excuses(w, at)
	switch due := c.waitEnds(w); {
	case excuse && (w.excused || due <= at):
		w.excused = true
		c.dirty[w.shard] = true
		c.enqueue(w, at+excusedEvery.Milliseconds())
	case w.excused:
		w.excused, w.from = false, max(w.from, at)
		c.dirty[w.shard] = true
		c.await(w)
	case due > at:
		c.await(w)
	default:
		c.miss(w, due)
	}
}

// excuses reports whether silence does not count at present. What is unknown does not excuse a life-safety rule.
func (c *core) excuses(w *watch, at int64) bool {
	b := w.bound
	if !b.Safety && slices.ContainsFunc(w.members, func(id string) bool { return c.book.maintained(id, at) }) {
		return true
	}
	if b.when == nil {
		return false
	}
	c.scope = scope{core: c, bound: b, dev: w.dev, at: at}
	t := b.when.eval(&c.scope)
	return t == no || t == unknown && !b.Safety
}

// miss fires a watch.
func (c *core) miss(w *watch, due int64) {
	w.firing, w.opened, w.queued = true, due, 0
	c.dirty[w.shard] = true
	c.book.episode(w.key()).firing++
	if !c.quiet {
		c.report(w)
	}
}

// report opens the alert of a watch that fires, unless its episode has one.
func (c *core) report(w *watch) {
	if e := c.book.episode(w.key()); e.alert != nil && e.alert.State != bus.Cleared {
		return
	}
	sub := w.subject()
	a := c.alert(w.bound, sub, w.who, w.opened, w.from)
	a.Received = moment(w.opened)
	a.Text = c.text(w.bound, sub, a)
	c.book.open(a)
}

func (w *watch) subject() subject {
	return subject{community: w.dev.Community, device: w.dev.ID, typ: w.bound.typ, dev: w.dev}
}

// lastHeard says since when there is silence.
func (c *core) lastHeard(sub subject, a *bus.Alert) (zh, en string) {
	if w := c.vigil.watches[episodeKey(a.Rule, a.Identity)]; w != nil && w.heard == 0 {
		return "，从未上报", ", never heard of"
	}
	clock := a.EventTime.In(c.zone(sub.community)).Format("01-02 15:04")
	return "，最近一次 " + clock, ", last on " + clock
}

// relent ends the firing of a watch, and waits anew unless it has retired.
func (c *core) relent(w *watch, at int64) {
	w.firing = false
	c.dirty[w.shard] = true
	if e := c.book.episodes[w.key()]; e != nil {
		e.firing--
		if !c.quiet && e.firing <= 0 && e.alert != nil {
			c.book.clear(e.alert, moment(max(at, w.opened)))
		}
	}
	if !w.retired {
		c.await(w)
	}
}

// endWatchReplay brings watches and book together after a replay.
func (c *core) endWatchReplay() {
	for _, w := range c.vigil.sorted() {
		e := c.book.episodes[w.key()]
		open := e != nil && e.alert != nil && e.alert.State != bus.Cleared
		if open && w.relieved > 0 {
			c.book.clear(e.alert, moment(max(w.relieved, e.alert.OpenedAt.UnixMilli())))
			open = false
		}
		w.relieved = 0
		switch {
		case w.firing && c.known(w.bound.ID, w.who, w.opened, w.opened) == nil:
			c.report(w)
		case !w.firing && open:
			w.firing, w.opened, w.queued = true, e.alert.OpenedAt.UnixMilli(), 0
			e.firing++
		}
	}
}
