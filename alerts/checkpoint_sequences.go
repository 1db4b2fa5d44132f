package alerts

import (
	"encoding/binary"
	"fmt"
	"maps"
)

// The sequences of a shard are a record of their own:
//
//	version, shard, number of sequences, then each by rule and identity, with its device, times and payload tags
const stepsVersion = 1

func (c *core) packSteps(shard uint8) []byte {
	keys := keysOf(c.sequences, shard)
	b := binary.AppendUvarint([]byte{stepsVersion, shard}, uint64(len(keys)))
	for _, key := range keys {
		q := c.sequences[key]
		for _, text := range []string{q.bound.ID, q.who, q.sub.community, q.sub.device} {
			b = appendText(b, text)
		}
		b = binary.AppendVarint(b, q.since)
		b = binary.AppendVarint(b, q.received)
		b = binary.AppendUvarint(b, uint64(len(q.sub.tags)))
		for _, t := range q.sub.tags {
			b = appendText(appendText(b, t.name), t.value)
		}
	}
	return b
}

// unpackSteps puts the sequences of a record in the place of those that the shard has.
func (c *core) unpackSteps(data []byte) error {
	r := &unpacker{data: data}
	version, shard := r.byte(), r.byte()
	if version != stepsVersion || shard >= shards {
		return fmt.Errorf("sequences of version %d, shard %d", version, shard)
	}
	maps.DeleteFunc(c.sequences, func(key string, q *sequence) bool {
		q.gone = q.gone || shardOf(key) == shard
		return q.gone
	})
	c.unpackSequences(r, r.text)
	if r.bad {
		return errCheckpoint
	}
	c.stepped[shard] = false
	return nil
}

// unpackSequences adds those of a record, whose names of rules and tags are written as name reads them. One without its rule is dropped.
func (c *core) unpackSequences(r *unpacker, name func() string) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		rule := name()
		q := &sequence{who: r.text(), sub: subject{community: r.text(), device: r.text()}}
		q.since, q.received = r.varint(), r.varint()
		for m := r.uvarint(); m > 0 && !r.bad; m-- {
			q.sub.tags = append(q.sub.tags, pair{name(), r.text()})
		}
		if r.bad {
			return
		}
		typ := ""
		if q.sub.dev = c.dir.Device(q.sub.device); q.sub.dev != nil {
			typ = q.sub.dev.Type
		}
		if q.bound = c.rules.sequence(rule, typ); q.bound == nil {
			continue
		}
		if q.sub.typ = q.bound.typ; typ != "" {
			q.sub.typ = c.rules.cat.Type(typ)
		}
		if q.bound, _ = q.bound.forDevice(q.sub.dev); q.bound != nil {
			c.addSequence(q)
		}
	}
}

// sequence is the bound of a sequence rule for a device, whose type is empty if it is not known any more; nil when there is none.
func (r *Rules) sequence(rule, deviceType string) (found *bound) {
	for _, t := range r.cat.Types() {
		for _, b := range r.byType[t.ID].sequences {
			if b.ID == rule && (t.ID == deviceType || (b.same() != "" || deviceType == "") && found == nil) {
				found = b
			}
		}
	}
	return found
}
