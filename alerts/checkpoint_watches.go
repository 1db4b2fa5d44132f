package alerts

import (
	"encoding/binary"
	"maps"
	"slices"
)

const (
	firingBit  = 1
	excusedBit = 2
)

// packWatches writes the watches of a shard: their number, then each by rule and identity, flags, since when it waits, the last sign
// of life, the last will, and when it fired. One that is read without its device or its rule is dropped.
func (c *core) packWatches(b []byte, table *stringTable, shard uint8) []byte {
	all := c.vigil.byShard[shard]
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, key := range slices.Sorted(maps.Keys(all)) {
		w := all[key]
		var flags byte
		if w.firing {
			flags |= firingBit
		}
		if w.excused {
			flags |= excusedBit
		}
		b = binary.AppendUvarint(b, table.number(w.bound.ID))
		b = binary.AppendUvarint(b, uint64(len(w.who)))
		b = append(b, w.who...)
		b = append(b, flags)
		for _, at := range []int64{w.from, w.heard, w.gone, w.opened} {
			b = binary.AppendVarint(b, at)
		}
	}
	return b
}

func (c *core) unpackWatches(r *unpacker, text func(uint64) string) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		rule, who, flags := text(r.uvarint()), r.text(), r.byte()
		from, heard, gone, opened := r.varint(), r.varint(), r.varint(), r.varint()
		w := c.vigil.watches[episodeKey(rule, who)]
		if r.bad || w == nil {
			continue
		}
		w.from, w.heard, w.gone, w.opened = from, heard, gone, opened
		w.firing, w.excused = flags&firingBit != 0, flags&excusedBit != 0
		switch {
		case w.firing:
			c.book.episode(w.key()).firing++
		case from != 0:
			c.await(w)
		}
	}
}
