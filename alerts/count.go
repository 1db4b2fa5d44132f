package alerts

import (
	"encoding/binary"
	"maps"
	"slices"

	"linli/devices"
)

// countKind judges whether an event came count times within window, of one identity, which may name payload fields of the event.
// While an alert is open every event with which that is so repeats it, and it clears window after the last of them.
var countKind = &kind{keys: "event/events count window | when cleared_by", byEvent: true, declare: declareCount}

// maxCount bounds what is remembered of one identity: the times of the last count events.
const maxCount = 1000

func declareCount(b *binder, x *bound, _ schema) {
	if n := b.rule.count; n != float64(int(n)) || n < 2 || n > maxCount {
		b.failAt(b.rule.Line, "count: want a whole number from 2 to %d, got %v", maxCount, n)
	}
	if b.rule.own.window.fixed == 0 {
		b.failAt(b.rule.Line, "window: a count needs a duration")
	}
	x.countWindow = b.rule.own.window.fixed.Milliseconds()
}

// maxTallies bounds how many identities a rule counts for. The one that was silent the longest is forgotten for another.
const maxTallies = 10_000

// tallies are the counts of all count rules: by bound and identity.
type tallies map[string]map[string]*tally

// tally is the times of the last events that count, ms, in their order.
type tally struct {
	at     []int64
	window int64
}

// add takes the time of an event and reports whether that completes a count. One as old as another is that one again; one too old to
// matter is passed over.
func (t *tally) add(at int64, count int) (newest int64, complete bool) {
	i, again := slices.BinarySearch(t.at, at)
	if !again {
		t.at = slices.Insert(t.at, i, at)
	}
	if excess := len(t.at) - count; excess > 0 {
		t.at = slices.Delete(t.at, 0, excess)
	}
	newest = t.at[len(t.at)-1]
	return newest, len(t.at) == count && t.at[0] > newest-t.window && at >= t.at[0]
}

// count takes an event that counts for a bound, and reports whether it completes a count, and at what time.
func (c *core) count(b *bound, who string, at int64) (newest int64, complete bool) {
	of := c.tallies[b.name]
	if of == nil {
		of = map[string]*tally{}
		c.tallies[b.name] = of
	}
	t := of[who]
	if t == nil {
		if len(of) >= maxTallies {
			delete(of, silent(of))
		}
		t = &tally{window: b.countWindow}
		of[who] = t
	}
	c.dirty[shardOf(who)] = true
	return t.add(at, int(b.count))
}

// silent is the identity that was heard of least lately.
func silent(of map[string]*tally) (who string) {
	oldest := int64(0)
	for key, t := range of {
		if at := t.at[len(t.at)-1]; who == "" || at < oldest || at == oldest && key < who {
			who, oldest = key, at
		}
	}
	return who
}

// payloadTags are the fields of an event's payload that are part of the identity of its rule.
func (c *core) payloadTags(b *bound) (tags []pair) {
	for _, id := range b.payload {
		if text := seriesTag(&c.line, id); text != "" {
			tags = append(tags, pair{id, text})
		}
	}
	return tags
}

// payloadIdentity are the names in a rule's identity that are fields of each of its events.
func payloadIdentity(r *Rule, t *devices.Type) (ids []string) {
	for _, name := range r.Identity {
		missing := func(event string) bool { return t.Event(event) == nil || t.Event(event).Field(name) == nil }
		if t.Tag(name) == nil && len(r.Events) > 0 && !slices.ContainsFunc(r.Events, missing) {
			ids = append(ids, name)
		}
	}
	return ids
}

// packTallies writes the counts of a shard: their number, then each by its bound and identity, the number of times and the times.
// Those that the clock has passed are forgotten.
func (c *core) packTallies(b []byte, table *stringTable, shard uint8) []byte {
	var body []byte
	var used uint64
	for _, name := range slices.Sorted(maps.Keys(c.tallies)) {
		for _, who := range slices.Sorted(maps.Keys(c.tallies[name])) {
			t := c.tallies[name][who]
			if shardOf(who) != shard {
				continue
			}
			if t.at[len(t.at)-1] <= c.clock-t.window-forgetAfter.Milliseconds() {
				delete(c.tallies[name], who)
				continue
			}
			used++
			body = binary.AppendUvarint(body, table.number(name))
			body = binary.AppendUvarint(body, uint64(len(who)))
			body = append(body, who...)
			body = binary.AppendUvarint(body, uint64(len(t.at)))
			before := int64(0)
			for _, at := range t.at {
				body = binary.AppendVarint(body, at-before)
				before = at
			}
		}
	}
	b = binary.AppendUvarint(b, used)
	return append(b, body...)
}

func (c *core) unpackTallies(r *unpacker, text func(uint64) string) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		name, who, before := text(r.uvarint()), r.text(), int64(0)
		t := &tally{}
		for left := r.uvarint(); left > 0 && !r.bad; left-- {
			before += r.varint()
			t.at = append(t.at, before)
		}
		b := c.rules.counting[name]
		if r.bad || b == nil || len(t.at) == 0 {
			continue
		}
		t.window = b.countWindow
		if excess := len(t.at) - int(b.count); excess > 0 { // the rule counts to less now
			t.at = t.at[excess:]
		}
		if c.tallies[name] == nil {
			c.tallies[name] = map[string]*tally{}
		}
		c.tallies[name][who] = t
	}
}
