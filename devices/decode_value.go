package devices

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"
	"unsafe"
)

// field reads the value of f. A null is no value; anything else that f does not accept is left out and reported.
func (d *Decoder) field(f *Field) {
	if slices.Contains(d.seen, f) {
		d.reject(DuplicateKey, strconv.Quote(f.ID)+" is there twice")
	}
	d.seen = append(d.seen, f)
	s := &d.json
	switch c := s.next(); {
	case c == 'n':
		s.word("null")
	case (c == '-' || c-'0' <= 9) && f.Type.Numeric():
		d.number(f)
	case c == 't' && f.Type == Bool:
		if s.word("true") {
			d.put(f.ID, "true")
		}
	case c == 'f' && f.Type == Bool:
		if s.word("false") {
			d.put(f.ID, "false")
		}
	case c == '"' && f.Type == Enum:
		if v, ok := s.str(); ok && !slices.Contains(f.Enum, string(v)) {
			d.leaveOut(f.ID, fmt.Sprintf("%q is none of its values", clip(v)))
		} else if ok {
			d.putText(f.ID, v)
		}
	case c == '"' && f.Type == String:
		if v, ok := s.str(); ok && !printable(v) {
			d.leaveOut(f.ID, fmt.Sprintf("text is longer than %d characters or has control characters", MaxTextRunes))
		} else if ok {
			d.putText(f.ID, v)
		}
	default:
		start := s.pos
		if s.skip(1) {
			d.leaveOut(f.ID, fmt.Sprintf("%s is no %s", clip(s.data[start:s.pos]), f.Type))
		}
	}
}

// longNumber is how many bytes a number may have to be stored as it is written.
const longNumber = 32

func (d *Decoder) number(f *Field) {
	raw, v, ok := d.json.number()
	switch {
	case !ok:
	case math.IsInf(v, 0) || v < f.Min || v > f.Max:
		d.leaveOut(f.ID, fmt.Sprintf("%s is outside %g to %g", clip(raw), f.Min, f.Max))
	case f.Type == Int && v != math.Trunc(v):
		d.leaveOut(f.ID, fmt.Sprintf("%s has a fraction", clip(raw)))
	case len(raw) > longNumber:
		d.name(f.ID)
		d.fields = append(strconv.AppendFloat(d.fields, v, 'g', -1, 64), ',')
	default:
		d.name(f.ID)
		d.fields = append(append(d.fields, raw...), ',')
	}
}

func (d *Decoder) name(field string) {
	d.fields = append(append(d.fields, field...), '=')
}

func (d *Decoder) put(field, value string) {
	d.name(field)
	d.fields = append(append(d.fields, value...), ',')
}

func (d *Decoder) putText(field string, value []byte) {
	d.name(field)
	d.fields = append(appendText(d.fields, value), ',')
}

// appendText appends a string field value of line protocol.
func appendText(dst, value []byte) []byte {
	dst = append(dst, '"')
	for _, c := range value {
		if c == '"' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// printable reports whether a free text may be stored: nothing in it moves or hides what stands beside it.
func printable(text []byte) bool {
	runes := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029 {
			return false
		}
		i += size
		runes++
	}
	return runes <= MaxTextRunes
}

// clip bounds what a reason quotes.
func clip(b []byte) []byte {
	const most = 40
	if len(b) <= most {
		return b
	}
	return append(b[:most:most], "..."...)
}

// tag reads the value of a series tag: an identifier, or a whole number, which stands for its digits.
func (d *Decoder) tag(t *Tag) {
	s := &d.json
	if slices.ContainsFunc(d.tags, func(v tagValue) bool { return v.tag == t }) {
		d.reject(DuplicateKey, strconv.Quote(t.ID)+" is there twice")
	}
	start := s.pos
	var v []byte
	switch c := s.next(); c {
	case 'n':
		s.word("null")
		return
	case '"':
		v, _ = s.str()
	default:
		if s.skip(1) && c-'0' <= 9 {
			v = s.data[start:s.pos]
		}
	}
	if s.wrong != "" {
		return
	}
	if !acceptable(t, v) {
		d.reject(BadTag, fmt.Sprintf("%s: %s is no value of this series tag", t.ID, clip(s.data[start:s.pos])))
		return
	}
	at := len(d.tags)
	for at > 0 && d.tags[at-1].tag.ID > t.ID {
		at--
	}
	d.tags = slices.Insert(d.tags, at, tagValue{t, d.keep(v)})
}

func acceptable(t *Tag, v []byte) bool {
	if len(t.Values) > 0 {
		return slices.Contains(t.Values, string(v))
	}
	return ValidID(string(v))
}

// stamp reads ts, seq or boot if name is one of them.
func (d *Decoder) stamp(name []byte) bool {
	var which stamps
	switch string(name) {
	case "ts":
		which = stampTS
	case "seq":
		which = stampSeq
	case "boot":
		which = stampBoot
	default:
		return false
	}
	if d.draft.saw&which != 0 {
		d.reject(DuplicateKey, strconv.Quote(string(name))+" is there twice")
	}
	d.draft.saw |= which
	switch c := d.json.next(); {
	case c == 'n':
		d.json.word("null")
	case which == stampTS:
		d.timestamp(c)
	default:
		d.counter(c, which, name)
	}
	return true
}

// counter reads seq or boot, whose value begins with c.
func (d *Decoder) counter(c byte, which stamps, name []byte) {
	s := &d.json
	start := s.pos
	var n int64
	var ok bool
	if c-'0' <= 9 {
		if raw, _, read := s.number(); read {
			n, ok = count(raw)
		}
	} else {
		s.skip(1)
	}
	switch {
	case s.wrong != "":
		return
	case !ok:
		d.leaveOut(string(name), fmt.Sprintf("%s is no whole number from 0 to 2^63-1", clip(s.data[start:s.pos])))
		return
	case which == stampSeq:
		d.draft.seq = n
	default:
		d.draft.boot = n
	}
	d.draft.has |= which
}

// count reads digits.
func count(digits []byte) (n int64, ok bool) {
	if len(digits) > 19 {
		return 0, false
	}
	for _, c := range digits {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, n >= 0
}

// timestamp reads ts, which begins with c, and judges it.
func (d *Decoder) timestamp(c byte) {
	s := &d.json
	start := s.pos
	var ms int64
	var ok bool
	switch {
	case c == '"':
		if text, read := s.str(); read {
			ms, ok = parseRFC3339(text)
		}
	case c-'0' <= 9:
		if _, v, read := s.number(); read {
			ms, ok = fromEpoch(v)
		}
	default:
		s.skip(1)
	}
	switch received := d.draft.received.UnixMilli(); {
	case s.wrong != "":
	case !ok:
		d.draft.badTime = fmt.Sprintf("ts %s is neither RFC 3339 nor seconds or milliseconds since 1970", clip(s.data[start:s.pos]))
	case ms < received-MaxAge.Milliseconds():
		d.draft.badTime = fmt.Sprintf("ts %s is more than 7 days old", time.UnixMilli(ms).UTC().Format(time.RFC3339))
	case ms > received+MaxAhead.Milliseconds():
		d.draft.badTime = fmt.Sprintf("ts %s is more than 5 minutes ahead", time.UnixMilli(ms).UTC().Format(time.RFC3339))
	default:
		d.draft.ts = ms
		d.draft.has |= stampTS
	}
}

func parseRFC3339(text []byte) (ms int64, ok bool) {
	if len(text) < len("2006-01-02T15:04:05Z") || len(text) > len("2006-01-02T15:04:05.999999999+08:00") {
		return 0, false
	}
	t, err := time.Parse(time.RFC3339, unsafe.String(&text[0], len(text)))
	return t.UnixMilli(), err == nil
}

// fromEpoch tells seconds from milliseconds by magnitude: both spans are the years 2001 to 2286.
func fromEpoch(v float64) (ms int64, ok bool) {
	switch {
	case v >= 1e9 && v < 1e10:
		return int64(math.Round(v * 1000)), true
	case v >= 1e12 && v < 1e13:
		return int64(v), true
	}
	return 0, false
}
