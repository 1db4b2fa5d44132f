package alerts

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
)

// sequenceKind judges the order of two things, events or what happens to alerts: first, and then within the time another, or no
// other. With without the alert opens when the time is over, and clears when the other comes after all; with then it opens at the
// second. There is one sequence at a time for each identity; with same, for each place that both share.
var sequenceKind = &kind{keys: "first then/without within | when", byEvent: true}

// step is one side of a sequence.
type step struct {
	event, rule string
	when        source // of an event, a condition; of a rule, what must have happened to its alert
	typ, same   string
	line        int
}

// String is the event that a step waits for, or the rule and what must happen to its alert.
func (s *step) String() string {
	switch {
	case s == nil:
		return ""
	case s.rule != "":
		return strings.TrimSpace(s.rule + " " + s.when.text)
	}
	return s.event
}

// grace is how long a sequence that begins late waits for what is still on its way.
const grace = time.Second

func (p *parser) step(to **step) read {
	return func(n *yaml.Node) {
		s := &step{line: n.Line}
		*to = s
		p.mapping(n, map[string]read{
			"event": p.str(&s.event), "rule": p.str(&s.rule), "when": p.source(&s.when), "type": p.str(&s.typ), "same": p.str(&s.same),
		})
		if (s.event == "") == (s.rule == "") {
			p.fail(n.Line, "want either an event or a rule")
		}
	}
}

// same is what both sides of a sequence have in common; empty: the identity of the rule.
func (r *Rule) same() string {
	for _, s := range []*step{r.first, r.then, r.without} {
		if s != nil && s.same != "" {
			return s.same
		}
	}
	return ""
}

type side uint8

const (
	firstSide side = iota
	thenSide
	withoutSide
)

// stepUse is where a step takes part.
type stepUse struct {
	bound *bound
	side  side
	when  *condition // of an event; nil: any
}

// what can happen to the alert that a step of a rule waits for.
var stepWords = []string{opened, acknowledged, cleared, closed}

// steps registers the sides of a sequence for what they wait for.
func (b *binder) steps(x *bound) {
	for i, s := range []*step{b.rule.first, b.rule.then, b.rule.without} {
		if s == nil {
			continue
		}
		use := stepUse{bound: x, side: side(i)}
		if s.rule != "" {
			word := cmp.Or(s.when.text, opened)
			if !slices.Contains(stepWords, word) {
				b.failAt(s.line, "want one of %s of a rule, got %q", strings.Join(stepWords, ", "), word)
			}
			b.sequels[stepKey("", s.rule, word)] = append(b.sequels[stepKey("", s.rule, word)], use)
			continue
		}
		t := b.typ
		if s.typ != "" {
			if t = b.cat.Type(s.typ); t == nil {
				b.failAt(s.line, "unknown device type %q", s.typ)
				continue
			}
		}
		ev := t.Event(s.event)
		if ev == nil {
			b.failAt(s.line, "%s has no event %q", t.ID, s.event)
			continue
		}
		if t != b.typ && b.rule.same() == "" {
			b.failAt(s.line, "want same, what both devices have in common")
		}
		if b.rule.same() != "" {
			b.checkPlace(s.line, b.rule.same(), t)
		}
		vars := b.registryVars()
		for _, f := range ev.Fields {
			vars["event."+f.ID] = variable{origin: fromEvent, typ: celType(f), key: f.ID, values: f.Enum}
		}
		use.when = b.compile(s.when, vars)
		b.sequels[stepKey(t.ID, s.event, "")] = append(b.sequels[stepKey(t.ID, s.event, "")], use)
	}
}

func stepKey(typ, name, word string) string { return typ + "|" + name + "|" + word }

// sequence is a first that waits for its second. It is in the book's episode only once it has opened an alert. Which there are is stored
// with everything that changes it, so that no restart has to find it out again.
type sequence struct {
	bound    *bound
	who      string
	sub      subject
	since    int64 // ms, of the first
	received int64 // ms
	gone     bool
}

func (q *sequence) ends() int64 { return q.since + q.bound.within.Milliseconds() }

// stepByEvent lets the event in hand take its part in sequences.
func (c *core) stepByEvent(p *program, dev *devices.Device, name string, at, received int64) {
	for _, use := range c.rules.sequels[stepKey(p.typ.ID, name, "")] {
		c.scope = scope{core: c, bound: use.bound, event: &c.line, dev: dev, at: at}
		if use.when != nil {
			if t := use.when.eval(&c.scope); t == no || t == unknown && !use.bound.Safety {
				continue
			}
		}
		c.step(use, c.subjectOfEvent(p, dev), at, received)
	}
}

// stepByAlert does the same for what happened to an alert.
func (c *core) stepByAlert(n news) {
	kind := n.kind
	if kind == reopened || kind == flapping {
		kind = opened
	}
	for _, use := range c.rules.sequels[stepKey("", n.alert.Rule, kind)] {
		a := n.alert
		sub := subject{community: a.Community, device: a.Device, typ: use.bound.typ, dev: c.dir.Device(a.Device)}
		if p := c.rules.byType[a.Type]; p != nil && use.bound.same() != "" {
			sub.typ = p.typ
		}
		if !a.Synthetic && a.Type == sub.typ.ID {
			c.step(use, sub, n.at, max(n.at, a.Received.UnixMilli()))
		}
	}
}

func (c *core) step(use stepUse, sub subject, at, received int64) {
	b := use.bound
	who := identity(b.Rule, sub)
	if same := b.same(); same != "" {
		var ok bool
		if who, ok = common(sub.dev, same); !ok {
			return
		}
		who = strings.Replace(who, "|", "=", 1)
	}
	key := episodeKey(b.ID, who)
	q := c.sequences[key]
	if q != nil && c.sequenceDue(q) < received { // the clock has not found it yet
		c.endSequence(q)
		c.conclude(q)
		q = nil
	}
	if use.side == firstSide {
		c.begin(q, use, sub, who, at, received)
		return
	}
	if q != nil && at >= q.since && at <= q.ends() {
		c.endSequence(q)
		if use.side == thenSide {
			c.openSequence(q, at, received)
		}
	}
	if e := c.book.episodes[key]; use.side == withoutSide && e != nil && e.alert != nil && at >= e.alert.LastEvent.UnixMilli() {
		c.book.clear(e.alert, moment(at))
	}
}

// begin starts a sequence. While one waits for its second, a first more moves it on only if the second opens the alert.
func (c *core) begin(q *sequence, use stepUse, sub subject, who string, at, received int64) {
	b, _ := use.bound.forDevice(sub.dev)
	if b == nil {
		return
	}
	if q != nil {
		if b.then != nil && at > q.since {
			q.since, q.received = at, received
			c.addSequence(q)
		}
		return
	}
	c.scope = scope{core: c, bound: b, dev: sub.dev, at: at}
	if c.scope.event = nil; b.applies != nil && b.applies.eval(&c.scope) == no || !b.between.contains(moment(at).In(c.zone(sub.community))) {
		return
	}
	if !b.Safety && c.book.maintained(sub.device, received) {
		return
	}
	c.addSequence(&sequence{bound: b, who: who, sub: sub, since: at, received: received})
}

func (c *core) addSequence(q *sequence) {
	key := episodeKey(q.bound.ID, q.who)
	c.sequences[key] = q
	c.stepped[shardOf(key)] = true
	c.sequels.push(c.sequenceDue(q), q)
}

func (c *core) endSequence(q *sequence) {
	key := episodeKey(q.bound.ID, q.who)
	q.gone = true
	delete(c.sequences, key)
	c.stepped[shardOf(key)] = true
}

// sequenceDue is when nothing that belongs to a sequence is still to be expected.
func (c *core) sequenceDue(q *sequence) int64 { return max(q.ends(), q.received+grace.Milliseconds()) }

// sequencesUntil ends those whose time is over at now: those that are over together in the same order whenever it is looked.
func (c *core) sequencesUntil(now int64) {
	var over []*sequence
	for {
		_, q, ok := c.sequels.pop(now)
		if !ok {
			break
		}
		if !q.gone && c.sequenceDue(q) <= now { // else it is in the queue a second time
			c.endSequence(q)
			over = append(over, q)
		}
	}
	slices.SortFunc(over, func(a, b *sequence) int {
		return cmp.Or(cmp.Compare(c.sequenceDue(a), c.sequenceDue(b)), cmp.Compare(a.bound.ID, b.bound.ID), cmp.Compare(a.who, b.who))
	})
	for _, q := range over {
		c.conclude(q)
	}
}

// conclude tells of a sequence whose time is over, unless the same was told already: its first came twice.
func (c *core) conclude(q *sequence) {
	if q.bound.without != nil && c.book.alerts[alertID(q.bound.ID, q.who, moment(q.ends()))] == nil {
		c.openSequence(q, q.ends(), q.received)
	}
}

// openSequence tells of a sequence that came true at a time, and was heard of at another.
func (c *core) openSequence(q *sequence, at, heard int64) {
	b, late := q.bound, q.bound.late(heard-q.since)
	heard = max(heard, at)
	if e := c.book.episodes[episodeKey(b.ID, q.who)]; e != nil && e.alert != nil && e.alert.State != bus.Cleared {
		if !late {
			c.wake(b, q.sub, e.alert, q.since, at, heard)
		}
		c.book.repeat(e.alert, moment(at), moment(heard))
		return
	}
	a := c.alert(b, q.sub, q.who, at, q.since)
	a.Received, a.Late = moment(heard), late
	a.Text = c.text(b, q.sub, a)
	c.book.open(a)
}
