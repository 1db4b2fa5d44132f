package alerts

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"linli/devices"
)

// lastEvent is a signal: the age in seconds of the last event of its kind, of the own device or of any that shares a place with it,
// and with by only of those that say the same in a field. An event rule that looks at its own event sees the one before.
type lastEvent struct {
	typ   *devices.Type
	event string
	same  string
	by    string // field; empty: none
}

// eventTimes are when events that rules look at came last, by lastEvent.key. It is bounded: of more than eventTimesKept the oldest
// are forgotten.
const eventTimesKept = 50_000

func (b *binder) declareEvent(x *bound, vars schema, s *signalSource, t *devices.Type) {
	e := &lastEvent{typ: t, event: s.event, same: cmp.Or(s.of, s.same, "device"), by: s.by}
	ev := t.Event(s.event)
	switch {
	case ev == nil:
		b.failAt(s.line, "signal %s: %s has no event %q", s.name, t.ID, s.event)
		return
	case e.by != "" && ev.Field(e.by) == nil:
		b.failAt(s.line, "signal %s: event %s has no field %q", s.name, ev.ID, e.by)
		return
	case s.fn != "age":
		b.failAt(s.line, "signal %s: of an event there is its age only", s.name)
		return
	case e.by != "" && b.rule.Kind != EventKind:
		b.failAt(s.line, "signal %s: by is for event rules", s.name)
		return
	}
	b.checkPlace(s.line, e.same, t)
	vars[s.name] = variable{origin: fromSignal, typ: cel.DoubleType, index: len(x.signals), key: s.event}
	x.signals = append(x.signals, signal{event: e, otherwise: s.otherwise})
}

// key is where the time of an event is kept, for a device and what the event in hand says. It is good until the next one.
func (c *core) key(e *lastEvent, dev *devices.Device, l *devices.Line) (_ []byte, ok bool) {
	c.eventKey, ok = appendCommon(appendParts(c.eventKey[:0], e.typ.ID, e.event, ""), dev, e.same)
	if !ok || e.by == "" {
		return c.eventKey, ok
	}
	text, ok := l.Field(e.by).Text()
	c.eventKey = append(appendParts(c.eventKey, "", e.by, ""), text...)
	return c.eventKey, ok
}

// ago is the value of such a signal at a time.
func (c *core) ago(e *lastEvent, sc *scope) (float64, bool) {
	key, ok := c.key(e, sc.device(), sc.event)
	if !ok {
		return 0, false
	}
	at, known := c.eventTimes[string(key)]
	return float64(sc.at-at) / 1000, known && at <= sc.at
}

// noteEvent keeps when an event came.
func (c *core) noteEvent(p *program, dev *devices.Device, name string, at int64) {
	for _, e := range p.noted[name] {
		key, ok := c.key(e, dev, &c.line)
		if !ok || c.eventTimes[string(key)] >= at {
			continue
		}
		c.eventTimes[string(key)] = at
		c.dirty[shardOf(string(key))] = true
	}
	if len(p.heeded[name]) > 0 && !c.recalling {
		c.book.news = append(c.book.news, news{kind: name, at: at, prog: p, dev: dev})
	}
	if len(c.eventTimes) > eventTimesKept {
		c.forgetEvents()
	}
}

// forgetEvents drops the oldest tenth.
func (c *core) forgetEvents() {
	keys := slices.SortedFunc(maps.Keys(c.eventTimes), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.eventTimes[a], c.eventTimes[b]), strings.Compare(a, b))
	})
	for _, key := range keys[:len(keys)/10] {
		delete(c.eventTimes, key)
	}
}

// packEvents writes the times of events of a shard.
func (c *core) packEvents(b []byte, shard uint8) []byte {
	keys := keysOf(c.eventTimes, shard)
	b = binary.AppendUvarint(b, uint64(len(keys)))
	for _, key := range keys {
		b = appendText(b, key)
		b = binary.AppendVarint(b, c.eventTimes[key])
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

func (c *core) unpackEvents(r *unpacker) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		key, at := r.text(), r.varint()
		if !r.bad {
			c.eventTimes[key] = max(c.eventTimes[key], at)
		}
	}
}
