package alerts

import (
	"encoding/binary"
	"math"
	"slices"
)

// packMemories writes what a series remembers: the number of memories, then each by the name of its measure, its length in bytes
// and its buckets. One whose measure is gone or is another now is passed over when it is read, and starts anew.
func (s *series) packMemories(b []byte, table *stringTable) []byte {
	var used uint64
	for i := range s.memories {
		if len(s.memories[i].buckets) > 0 {
			used++
		}
	}
	b = binary.AppendUvarint(b, used)
	for i := range s.memories {
		if m := &s.memories[i]; len(m.buckets) > 0 {
			body := m.pack(nil, s.last)
			b = binary.AppendUvarint(b, table.number(s.prog.measures[i].name))
			b = binary.AppendUvarint(b, uint64(len(body)))
			b = append(b, body...)
		}
	}
	return b
}

// pack writes buckets, the newest first: time before the next one, number of values and whether there is a y, covered, x, y.
func (m *memory) pack(b []byte, last int64) []byte {
	next := last
	for i := range m.buckets {
		x := &m.buckets[len(m.buckets)-1-i]
		b = binary.AppendVarint(b, next-x.at)
		next = x.at
		head := uint64(x.n) << 1
		if x.y != 0 {
			head |= 1
		}
		b = binary.AppendUvarint(b, head)
		b = binary.AppendUvarint(b, uint64(x.covered))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.x))
		if x.y != 0 {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.y))
		}
	}
	return b
}

func (s *series) unpackMemories(r *unpacker, text func(uint64) string) {
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		name := text(r.uvarint())
		length := r.uvarint()
		if length > uint64(len(r.data)) {
			r.bad = true
			return
		}
		body := &unpacker{data: r.take(int(length))}
		i := slices.IndexFunc(s.prog.measures, func(m *measure) bool { return m.name == name })
		if i < 0 || !s.wants[i] {
			continue
		}
		s.memories[i].unpack(body, s.last)
		r.bad = r.bad || body.bad
	}
}

func (m *memory) unpack(r *unpacker, last int64) {
	m.buckets = nil
	next := last
	for len(r.data) > 0 && !r.bad && len(m.buckets) < maxBuckets+2 {
		x := bucket{at: next - r.varint()}
		next = x.at
		head := r.uvarint()
		x.n, x.covered = uint32(head>>1), uint32(r.uvarint())
		x.x = math.Float64frombits(r.uint64())
		if head&1 == 1 {
			x.y = math.Float64frombits(r.uint64())
		}
		m.buckets = append(m.buckets, x)
	}
	slices.Reverse(m.buckets)
}
