package alerts

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"linli/devices"
	"linli/people"
)

// Directory is what the engine asks about devices. Values are immutable: one that changes is another pointer.
type Directory interface {
	Device(id string) *devices.Device
	Person(id string) *people.Person
	Community(id string) *devices.Community
	// Devices is the inventory, in the order of ids; the same slice while nothing has changed.
	Devices() []*devices.Device
}

// core is the engine without time and without a bus: lines, actions and clocks go in, the book's records come out. It is not
// safe for concurrent use.
type core struct {
	rules      *Rules
	dir        Directory
	series     map[string]*series // by measurement and tags, as a line begins
	book       *book
	life       *life
	summary    summary
	timers     timerHeap
	clock      int64   // ms: the latest receive time of a reading, or the wall clock once the stream is read to its end
	came       int64   // ms: when what is in hand came in
	quiet      bool    // replaying what the book knows already: cells move, alerts do not
	fired      []fired // meanwhile
	unfollowed []news  // meanwhile
	recalling  bool    // an event is only to be remembered: the book knows what came of it
	lookouts   lookouts
	tallies    tallies
	dirty      [shards]bool

	line    devices.Line
	found   []found  // fields of the line that rules read
	touched []int    // bounds that the line concerns
	mark    uint64   // of the line
	marks   []uint64 // by bound: the last line that touched it
	scope   scope
	value   float64 // that a filter looks at

	vigil      vigil
	groups     map[placeKey][]*series // of a type that have something in common
	unheard    map[placeKey][]*series // that wait for such to be heard again
	rolled     rolled                 // the value of the last group that was asked for
	stirred    []stirred              // what the line changed that others look at
	eventTimes map[string]int64       // ms, by key
	eventKey   []byte                 // the last of key
	sequences  map[string]*sequence   // by rule and identity
	sequels    dueQueue[*sequence]
	stepped    [shards]bool // their sequences have changed since the last commit
}

// series is one device and one combination of its payload tags.
type series struct {
	key               string
	prog              *program
	community, device string
	tags              []string        // values of prog.tags; "" when the series has none
	dev               *devices.Device // as it was at the last reading; nil when the registry does not know it
	last              int64           // ms, event time of the newest reading
	received          int64           // ms, receive time of the newest reading
	slots             []slot
	memories          []memory
	cells             []cell
	grown             []float64 // last values of prog.activity; NaN before the first
	places            []string  // by prog.shared: what its device has in common with others; "" when nothing
	wants             []bool    // by prog.measures: whether a rule that applies needs the memory
	watches           []*watch  // of the device, as they were in this generation of the inventory
	generation        uint64
	stale             bool // a for was not completed because the series was silent; its next reading tries again
	shard             uint8
}

// slot is the last value of a field: a boolean as 0 or 1, an enum as its position.
type slot struct {
	value float64
	at    int64 // ms, event time; 0 before the first
}

const shards = 64

func newCore(rules *Rules, dir Directory) *core {
	c := &core{
		rules: rules, dir: dir, series: map[string]*series{}, book: newBook(rules, dir), life: newLife(),
		vigil: newVigil(), tallies: tallies{},
		groups: map[placeKey][]*series{}, unheard: map[placeKey][]*series{}, eventTimes: map[string]int64{}, sequences: map[string]*sequence{},
	}
	c.scope.core = c
	c.enrol()
	return c
}

// reading judges the first line of b, which came from READINGS, and returns what follows it.
func (c *core) reading(b []byte) (rest []byte, err error) {
	l := &c.line
	if rest, err = l.Parse(b); err != nil {
		return nil, fmt.Errorf("read line: %w", err)
	}
	received, ok := l.Field("received_at").Int()
	at := l.Time / 1e6
	if !ok {
		received = at
	}
	at = min(at, received)
	c.came = received
	c.advance(received)
	if !c.quiet {
		c.book.advance(received)
	}
	key := b[:bytes.IndexByte(b, ' ')]
	s := c.series[string(key)]
	if s == nil { // from now on: what came before does not concern it
		if s = c.newSeries(string(key), l); s == nil {
			return rest, nil
		}
	}
	c.refresh(s, at)
	c.dirty[s.shard] = true
	c.heardReading(s, at, received)
	if len(s.prog.activity) > 0 {
		c.life.notice(s, l, at)
	}

	c.touch(s)
	for _, i := range c.touched {
		c.complete(s, i, at)
	}
	if at >= s.last {
		s.last, s.received = at, received
	}
	c.absorb(s, at)
	for _, i := range c.touched {
		c.judge(s, i, at, received)
	}
	if s.stale {
		c.rearm(s)
	}
	c.heardAround(s)
	c.spread(s, at)
	c.settle()
	return rest, nil
}

// newSeries returns nil for a measurement without rules.
func (c *core) newSeries(key string, l *devices.Line) *series {
	p := c.rules.programs[string(l.Measurement)]
	if p == nil || len(p.bounds)+len(p.absences) == 0 {
		return nil
	}
	s := &series{
		key: key, prog: p, community: string(l.Tag("community")), device: string(l.Tag("device")),
		slots: make([]slot, len(p.slots)), memories: make([]memory, len(p.measures)), cells: make([]cell, len(p.bounds)),
	}
	for _, tag := range p.tags {
		s.tags = append(s.tags, string(l.Tag(tag)))
	}
	s.shard, s.dev = shardOf(s.device), c.dir.Device(s.device)
	c.join(s)
	for i := range s.cells {
		s.cells[i].applies = c.applies(s, i)
	}
	s.want()
	c.series[key] = s
	return s
}

// seriesNamed is the series of a key, which is the head of a line, made if it is new.
func (c *core) seriesNamed(key string) *series {
	var head devices.Line // that in hand is still needed
	if s := c.series[key]; s != nil {
		return s
	}
	if _, err := head.Parse([]byte(key + " x=1 0")); err != nil {
		return nil
	}
	return c.newSeries(key, &head)
}

func shardOf(device string) uint8 {
	h := fnv.New32a()
	h.Write([]byte(device))
	return uint8(h.Sum32() % shards)
}

// keysOf are the keys of a map that belong to a shard, in order.
func keysOf[V any](m map[string]V, shard uint8) (keys []string) {
	for key := range m {
		if shardOf(key) == shard {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// found is a field of the line and where it goes.
type found struct {
	use  *fieldUse
	pair int
}

// touch finds the bounds that read a field of the line.
func (c *core) touch(s *series) {
	c.touched, c.found = c.touched[:0], c.found[:0]
	if more := len(s.prog.bounds) - len(c.marks); more > 0 {
		c.marks = append(c.marks, make([]uint64, more)...)
	}
	c.mark++
	for i := range c.line.Fields {
		use := s.prog.uses[string(c.line.Fields[i].Key)]
		if use == nil {
			continue
		}
		c.found = append(c.found, found{use, i})
		for _, b := range use.bounds {
			if c.marks[b] != c.mark {
				c.marks[b] = c.mark
				c.touched = append(c.touched, b)
			}
		}
	}
	for _, b := range s.prog.always {
		if c.marks[b] != c.mark {
			c.touched = append(c.touched, b)
		}
	}
}

// absorb keeps the values of the line that are newer than what is known.
func (c *core) absorb(s *series, at int64) {
	c.stirred, c.rolled.group = c.stirred[:0], nil
	for _, f := range c.found {
		to := &s.slots[f.use.slot]
		if at < to.at {
			continue
		}
		v, ok := number(s.prog.slots[f.use.slot], c.line.Fields[f.pair])
		if !ok {
			continue
		}
		if len(f.use.watchers) > 0 {
			c.stirred = append(c.stirred, stirred{f.use, *to})
		}
		*to = slot{v, at}
		for _, i := range f.use.measures {
			c.remember(s, i, at, v)
		}
	}
	for i := range s.prog.fixes {
		s.fix(&s.prog.fixes[i], at)
	}
}

// remember keeps a value for a measure. One outside its time of day is passed over.
func (c *core) remember(s *series, i int, at int64, v float64) {
	m := s.prog.measures[i]
	if !s.wants[i] {
		return
	}
	if m.at != nil && !m.at.contains(moment(at).In(c.zone(s.community))) {
		return
	}
	counts := true
	if m.when != nil {
		c.scope = scope{core: c, series: s, at: at, own: &c.value, field: m.field}
		c.value = v
		counts = m.when.eval(&c.scope) == yes
	}
	s.memories[i].add(m, at, v, counts)
}

// number is how a slot keeps a value.
func number(f *devices.Field, p devices.Pair) (float64, bool) {
	switch f.Type {
	case devices.Float, devices.Int:
		return p.Float()
	case devices.Bool:
		b, ok := p.Bool()
		if b {
			return 1, ok
		}
		return 0, ok
	}
	text, ok := p.Text()
	if !ok {
		return 0, false
	}
	for i, v := range f.Enum {
		if v == string(text) {
			return float64(i), true
		}
	}
	return 0, false
}

// refresh looks at the registry again. A rule that no longer applies, or an identity that is another now, ends at time at.
func (c *core) refresh(s *series, at int64) {
	dev := c.dir.Device(s.device)
	if dev == s.dev {
		return
	}
	before := s.dev
	s.dev = dev
	c.join(s)
	for i := len(s.cells) - 1; i >= 0; i-- { // of levels the lowest first, so that none is lowered to one that ends too
		cl := &s.cells[i]
		cl.applies = c.applies(s, i)
		b := s.bound(i)
		moved := before != nil && identity(b.Rule, subjectOf(s, b, before)) != identity(b.Rule, subjectOf(s, b, dev))
		if cl.state == firing && (moved || !cl.applies) {
			c.noteLookout(s, i)
			c.lower(s, b, cl, subjectOf(s, b, before), at)
		}
	}
	s.want()
}

// want lets go of memories that no rule that applies needs. One that is needed later begins then.
func (s *series) want() {
	s.wants = make([]bool, len(s.prog.measures))
	for i := range s.wants {
		s.wants[i] = s.prog.lent[i] || slices.ContainsFunc(s.prog.users[i], func(cell int) bool { return s.cells[cell].applies })
		if !s.wants[i] {
			s.memories[i].buckets = nil
		}
	}
}

// bound is what judges a cell: a rule of the type, as it is for this device.
func (s *series) bound(i int) *bound {
	b := s.prog.bounds[i]
	if v := s.cells[i].variant; v > 0 && b.variants[v-1].bound != nil {
		return b.variants[v-1].bound
	}
	return b
}

// applies chooses the variant of a bound and evaluates its applies. What is unknown applies to a life-safety rule only.
func (c *core) applies(s *series, i int) bool {
	if base := s.prog.bounds[i]; len(base.variants) > 0 {
		v := base.choose(s.dev)
		if s.cells[i].variant = v; v > 0 && base.variants[v-1].bound == nil {
			return false
		}
	}
	b := s.bound(i)
	if b.applies == nil {
		return true
	}
	c.scope = scope{core: c, series: s, bound: b, at: c.clock}
	t := b.applies.eval(&c.scope)
	return t == yes || t == unknown && b.Safety
}

// zone is the local time of a community.
func (c *core) zone(community string) *time.Location { return c.book.zone(community) }
