package devices

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

const (
	// MaxReadings bounds the readings of one message.
	MaxReadings = 1000
	// MaxAge and MaxAhead bound the time of a reading or event, seen from the time it was received.
	MaxAge   = 7 * 24 * time.Hour
	MaxAhead = 5 * time.Minute
)

// Decoder turns payloads into line protocol. It reads any type's payload by its catalogue entry, keeps its buffers between calls and
// allocates only to report what is wrong. It is not safe for concurrent use.
type Decoder struct {
	json   scanner
	draft  draft
	fields []byte // of the reading at hand, as line protocol, each followed by a comma
	tags   []tagValue
	seen   []*Field
	kept   []byte // strings that outlive the scanner's
	out    Outcome
}

// draft is what is known of the reading at hand, next to its fields and tags.
type draft struct {
	received  time.Time
	ts        int64 // ms
	seq, boot int64
	saw, has  stamps // names that were there, and those with a usable value
	badTime   string // why ts is unusable
	rejected  bool
}

type stamps uint8

const (
	stampTS stamps = 1 << iota
	stampSeq
	stampBoot
)

type tagValue struct {
	tag   *Tag
	value []byte
}

// Reading appends to dst one line for each reading of a payload that came from dev, of type t. Identity is that of dev; the
// payload cannot change it. A message is rejected as a whole if any part of it cannot be read.
func (d *Decoder) Reading(dst []byte, t *Type, dev *Device, payload []byte, received time.Time) ([]byte, Outcome) {
	start := len(dst)
	d.begin(payload)
	switch {
	case !utf8.Valid(payload):
		d.json.fail("not UTF-8")
	case d.json.next() == '{':
		dst = d.reading(dst, t, dev, received)
	case d.json.next() == '[':
		for ok := d.json.element(true); ok; ok = d.json.element(false) {
			if d.json.next() != '{' {
				d.json.fail("want an object for a reading")
				break
			}
			if len(d.out.Readings) == MaxReadings {
				return dst[:start], d.refuse(BadCount, fmt.Sprintf("more than %d readings", MaxReadings))
			}
			dst = d.reading(dst, t, dev, received)
		}
	default:
		d.json.fail("want an object or an array of objects")
	}
	if d.json.wrong != "" || !d.json.end() {
		return dst[:start], d.refuse(BadJSON, d.mistake())
	}
	if len(d.out.Readings) == 0 {
		return dst, d.refuse(BadCount, "no reading")
	}
	return dst, d.out
}

func (d *Decoder) begin(payload []byte) {
	d.json.reset(payload)
	d.kept = d.kept[:0]
	d.refuse("", "")
}

// refuse rejects the whole message.
func (d *Decoder) refuse(code Code, reason string) Outcome {
	d.out = Outcome{Code: code, Reason: reason, Readings: d.out.Readings[:0], Faults: d.out.Faults[:0], Unknown: d.out.Unknown[:0]}
	return d.out
}

func (d *Decoder) mistake() string {
	return "byte " + strconv.Itoa(d.json.pos) + ": " + d.json.wrong
}

// reading reads the object at hand and appends its line.
func (d *Decoder) reading(dst []byte, t *Type, dev *Device, received time.Time) []byte {
	d.beginDraft(received)
	object := d.json.pos
	for name, ok := d.json.member(true); ok; name, ok = d.json.member(false) {
		f := t.fields[string(name)]
		switch {
		case f != nil:
			d.field(f)
		case d.stamp(name):
		default:
			if tag := t.tags[string(name)]; tag != nil && !tag.Registry {
				d.tag(tag)
			} else {
				d.unknown(name)
			}
		}
	}
	if d.json.wrong != "" {
		return dst
	}
	r := Reading{Start: len(dst), End: len(dst)}
	if d.draft.badTime != "" {
		d.reject(BadTime, d.draft.badTime)
	} else if len(d.fields) == 0 {
		d.reject(NoField, "no known field with a usable value")
	}
	if !d.draft.rejected {
		dst = d.line(dst, &r, t, dev, d.json.data[object:d.json.pos])
	}
	d.out.Readings = append(d.out.Readings, r)
	return dst
}

func (d *Decoder) beginDraft(received time.Time) {
	d.draft = draft{received: received}
	d.fields, d.tags, d.seen = d.fields[:0], d.tags[:0], d.seen[:0]
}

// line appends the draft: measurement and tags, fields, time.
func (d *Decoder) line(dst []byte, r *Reading, t *Type, dev *Device, object []byte) []byte {
	dst = append(dst, t.Measurement...)
	dst = append(dst, ",community="...)
	dst = append(dst, dev.Community...)
	dst = append(dst, ",device="...)
	dst = append(dst, dev.ID...)
	for _, v := range d.tags {
		dst = append(dst, ',')
		dst = append(dst, v.tag.ID...)
		dst = append(dst, '=')
		dst = append(dst, v.value...)
	}
	series := xxhash.Sum64(dst[r.Start:])
	if len(d.tags) > 0 {
		r.Series = series
	}
	dst = append(dst, ' ')
	dst = append(dst, d.fields...)
	dst = append(dst, "received_at="...)
	dst = strconv.AppendInt(dst, d.draft.received.UnixMilli(), 10)
	dst = append(dst, 'i')
	return d.time(d.stamps(dst), r, series, object)
}

// stamps appends seq and boot.
func (d *Decoder) stamps(dst []byte) []byte {
	if d.draft.has&stampSeq != 0 {
		dst = append(dst, ",seq="...)
		dst = strconv.AppendInt(dst, d.draft.seq, 10)
		dst = append(dst, 'i')
	}
	if d.draft.has&stampBoot != 0 {
		dst = append(dst, ",boot="...)
		dst = strconv.AppendInt(dst, d.draft.boot, 10)
		dst = append(dst, 'i')
	}
	return dst
}

// time ends the line: its nanoseconds below the millisecond come from the key, so that the same reading always has the same
// time and two readings of one millisecond have two.
func (d *Decoder) time(dst []byte, r *Reading, series uint64, object []byte) []byte {
	ms, below := d.draft.received.UnixMilli(), uint64(0)
	r.Identified = d.draft.has&(stampTS|stampSeq) != 0
	r.Key = series
	if d.draft.has&stampTS != 0 {
		ms = d.draft.ts
		r.Key = mix(r.Key, uint64(ms))
	}
	// Without ts, a seq that began again after a restart must not pass for the old one: the bytes join it.
	if d.draft.has&(stampTS|stampSeq) != stampTS|stampSeq {
		below = xxhash.Sum64(object)
		r.Key = mix(r.Key, below)
	}
	if d.draft.has&stampSeq != 0 {
		below = uint64(d.draft.seq)
		r.Key = mix(r.Key, below)
	}
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, ms*1e6+int64(below%1e6), 10)
	dst = append(dst, '\n')
	r.End = len(dst)
	return dst
}

// mix adds v to a hash (the finalizer of SplitMix64).
func mix(h, v uint64) uint64 {
	h ^= v + 0x9e3779b97f4a7c15 + h<<6 + h>>2
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// reject rejects the reading at hand.
func (d *Decoder) reject(code Code, reason string) {
	d.draft.rejected = true
	d.fault("", code, reason)
}

// leaveOut reports a field that the reading is stored without.
func (d *Decoder) leaveOut(field, reason string) {
	d.fault(field, BadField, reason)
}

func (d *Decoder) fault(field string, code Code, reason string) {
	if len(d.out.Faults) < MaxFaults {
		d.out.Faults = append(d.out.Faults, Fault{Reading: len(d.out.Readings), Field: field, Code: code, Reason: reason})
	}
}

// unknown passes the value of a name that the type does not have.
func (d *Decoder) unknown(name []byte) {
	if len(d.out.Unknown) < MaxFaults {
		d.out.Unknown = append(d.out.Unknown, d.keep(name))
	}
	d.json.skip(1)
}

// keep copies a string, which the scanner keeps only until the next one.
func (d *Decoder) keep(b []byte) []byte {
	n := len(d.kept)
	d.kept = append(d.kept, b...)
	return d.kept[n:]
}
