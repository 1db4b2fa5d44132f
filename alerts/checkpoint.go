package alerts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
)

// A checkpoint is the state of all cells of one shard, packed:
//
//	version, table of strings, watches, tallies, times of events, then series until the end:
//	series  key, last, received, number of slots, slots, number of cells, cells, memories
//	slot    field and whether it is a word, time before last, value or word
//	cell    bound, flags, judged before last, since before last (unless idle)
//
// Strings are numbers of the table, times are varints. Fields and bounds are named, so that a cell survives a change of its rule
// or type; what is no longer there is dropped. So are enum values, which a slot keeps as positions.
const checkpointVersion = 6

var errCheckpoint = errors.New("checkpoint is damaged")

const (
	stateBits = 3
	lateBit   = 4
)

// pack writes the cells of a shard. Series for which keep is false are forgotten.
func (c *core) pack(shard uint8, keep func(*series) bool) []byte {
	table := stringTable{at: map[string]uint64{}}
	body := c.packTallies(c.packWatches(nil, &table, shard), &table, shard)
	body = c.packEvents(body, shard)
	var keys []string
	for key, s := range c.series {
		if s.shard == shard {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		s := c.series[key]
		if !keep(s) {
			c.leave(s)
			delete(c.series, key)
			continue
		}
		body = s.pack(body, &table)
	}
	out := binary.AppendUvarint(nil, checkpointVersion)
	out = binary.AppendUvarint(out, uint64(len(table.all)))
	for _, text := range table.all {
		out = binary.AppendUvarint(out, uint64(len(text)))
		out = append(out, text...)
	}
	return append(out, body...)
}

type stringTable struct {
	at  map[string]uint64
	all []string
}

func (t *stringTable) number(text string) uint64 {
	n, ok := t.at[text]
	if !ok {
		n = uint64(len(t.all))
		t.at[text] = n
		t.all = append(t.all, text)
	}
	return n
}

func (s *series) pack(b []byte, table *stringTable) []byte {
	b = binary.AppendUvarint(b, uint64(len(s.key)))
	b = append(b, s.key...)
	b = binary.AppendVarint(b, s.last)
	b = binary.AppendVarint(b, s.received-s.last)
	var known, used uint64
	for _, x := range s.slots {
		if x.at != 0 {
			known++
		}
	}
	for i := range s.cells {
		if s.cells[i].judged != 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, known)
	for i, x := range s.slots {
		if x.at != 0 {
			f := s.prog.slots[i]
			ref := table.number(f.ID) << 1
			if len(f.Enum) > 0 {
				b = binary.AppendUvarint(b, ref|1)
				b = binary.AppendVarint(b, s.last-x.at)
				b = binary.AppendUvarint(b, table.number(f.Enum[int(x.value)]))
				continue
			}
			b = binary.AppendUvarint(b, ref)
			b = binary.AppendVarint(b, s.last-x.at)
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.value))
		}
	}
	b = binary.AppendUvarint(b, used)
	for i := range s.cells {
		if cl := &s.cells[i]; cl.judged != 0 {
			flags := byte(cl.state)
			if cl.late {
				flags |= lateBit
			}
			b = binary.AppendUvarint(b, table.number(s.prog.bounds[i].name))
			b = append(b, flags)
			b = binary.AppendVarint(b, s.last-cl.judged)
			if cl.state != idle {
				b = binary.AppendVarint(b, s.last-cl.since)
			}
		}
	}
	return s.packMemories(b, table)
}

// unpack adds the cells of a checkpoint. One of version 1 has no memories, of version 2 no watches and of version 3 no tallies; one of
// version 5 has the sequences too.
func (c *core) unpack(data []byte) error {
	r := &unpacker{data: data}
	version := r.uvarint()
	if version == 0 || version > checkpointVersion {
		return fmt.Errorf("checkpoint of version %d", version)
	}
	table := make([]string, 0, 64)
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		table = append(table, r.text())
	}
	text := func(n uint64) string {
		if n < uint64(len(table)) {
			return table[n]
		}
		r.bad = true
		return ""
	}
	if version > 2 {
		c.unpackWatches(r, text)
	}
	if version > 3 {
		c.unpackTallies(r, text)
	}
	if version > 4 {
		c.unpackEvents(r)
	}
	if version == 5 {
		c.unpackSequences(r, func() string { return text(r.uvarint()) })
	}
	for len(r.data) > 0 && !r.bad {
		c.unpackSeries(r, text, version)
	}
	if r.bad {
		return errCheckpoint
	}
	return nil
}

func (c *core) unpackSeries(r *unpacker, text func(uint64) string, version uint64) {
	key := r.text()
	last := r.varint()
	received := last + r.varint()
	if r.bad {
		return
	}
	s := c.seriesNamed(key)
	if s == nil { // its type has no rules any more: read on, keep nothing
		s = &series{prog: newProgram(nil)}
	}
	s.last, s.received = last, received
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		ref, at := r.uvarint(), last-r.varint()
		use := s.prog.uses[text(ref>>1)]
		if ref&1 == 0 {
			value := math.Float64frombits(r.uint64())
			if use != nil && len(s.prog.slots[use.slot].Enum) == 0 {
				s.slots[use.slot] = slot{value, at}
			}
			continue
		}
		word := text(r.uvarint())
		if use != nil {
			if i := slices.Index(s.prog.slots[use.slot].Enum, word); i >= 0 {
				s.slots[use.slot] = slot{float64(i), at}
			}
		}
	}
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		name, flags, judged, since := text(r.uvarint()), r.byte(), last-r.varint(), int64(0)
		if flags&stateBits != byte(idle) {
			since = last - r.varint()
		}
		if i, ok := s.prog.index[name]; ok {
			c.restore(s, i, flags, judged, since)
		}
	}
	if version > 1 {
		s.unpackMemories(r, text)
	}
}

func (c *core) restore(s *series, i int, flags byte, judged, since int64) {
	cl, b := &s.cells[i], s.bound(i)
	cl.state, cl.late, cl.judged, cl.since = cellState(flags&stateBits), flags&lateBit != 0, judged, since
	c.noteLookout(s, i)
	switch cl.state {
	case pending:
		c.arm(s, i)
	case firing:
		c.book.episode(episodeKey(b.ID, identity(b.Rule, subjectOf(s, b, c.dir.Device(s.device))))).fire(b, 1)
	}
}

// unpacker reads a checkpoint; after a mistake everything is zero.
type unpacker struct {
	data []byte
	bad  bool
}

func (r *unpacker) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.data) {
		r.bad = true
		return make([]byte, min(max(n, 0), 8))
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	r.skip(n)
	return v
}

func (r *unpacker) varint() int64 {
	v, n := binary.Varint(r.data)
	r.skip(n)
	return v
}

func (r *unpacker) skip(n int) {
	if n <= 0 {
		r.bad = true
		return
	}
	r.data = r.data[n:]
}

func (r *unpacker) byte() byte     { return r.take(1)[0] }
func (r *unpacker) uint64() uint64 { return binary.LittleEndian.Uint64(r.take(8)) }
func (r *unpacker) text() string {
	n := r.uvarint()
	if n > uint64(len(r.data)) {
		r.bad = true
		return ""
	}
	return string(r.take(int(n)))
}
