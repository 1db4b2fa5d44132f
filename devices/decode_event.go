package devices

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/cespare/xxhash/v2"
)

const (
	// LateSafety and Late are the ages from which an event is marked late: it is recorded, and nobody is woken.
	LateSafety = 24 * time.Hour
	Late       = time.Hour
)

// ReplyEvent is how a device's answer to a command travels: as an event that every type has.
const ReplyEvent = "reply"

var reply = newReply()

func newReply() *Event {
	e := &Event{ID: ReplyEvent, Fields: []*Field{
		{ID: "id", Type: String},
		{ID: "state", Type: Enum, Enum: []string{"done", "failed"}},
		{ID: "reason", Type: String},
	}}
	e.fields = byID(e.Fields, func(f *Field) string { return f.ID })
	return e
}

// Event appends to dst the line of one event that came from dev, of type t. An empty payload is valid. A life-safety event always
// has a line: without what its payload says if that cannot be read, and at the time it was received if ts cannot be used.
// Series tags of the type are kept as text fields.
func (d *Decoder) Event(dst []byte, t *Type, dev *Device, event string, payload []byte, received time.Time) ([]byte, Outcome) {
	d.begin(payload)
	d.beginDraft(received)
	e := t.Event(event)
	if event == ReplyEvent {
		e = reply
	}
	if e == nil {
		return dst, d.refuse(UnknownEvent, t.ID+" has no event "+strconv.Quote(event))
	}
	if !utf8.Valid(payload) {
		d.json.fail("not UTF-8")
	} else if d.json.next() != 0 || d.json.pos < len(payload) {
		d.eventFields(t, e)
	}
	var unreadable bool
	switch {
	case d.json.wrong != "":
		d.refuse(BadJSON, d.mistake())
		unreadable = true
	case d.draft.rejected:
		d.refuse(d.out.Faults[0].Code, d.out.Faults[0].Reason)
		unreadable = true
	case d.draft.badTime != "":
		d.out.Code, d.out.Reason = BadTime, d.draft.badTime
	}
	if unreadable {
		d.beginDraft(received)
	}
	if d.out.Code != "" && !e.Safety {
		return dst, d.out
	}
	r := Reading{Start: len(dst)}
	dst = d.eventLine(dst, &r, t, dev, e, unreadable)
	d.out.Readings = append(d.out.Readings, r)
	return dst, d.out
}

// eventFields reads the payload's object.
func (d *Decoder) eventFields(t *Type, e *Event) {
	if d.json.next() != '{' {
		d.json.fail("want an object")
		return
	}
	for name, ok := d.json.member(true); ok; name, ok = d.json.member(false) {
		f := e.fields[string(name)]
		switch tag := t.tags[string(name)]; {
		case f != nil:
			d.field(f)
		case d.stamp(name):
		case tag != nil && !tag.Registry:
			d.tag(tag)
		default:
			d.unknown(name)
		}
	}
	if d.json.wrong == "" {
		d.json.end()
	}
}

func (d *Decoder) eventLine(dst []byte, r *Reading, t *Type, dev *Device, e *Event, unreadable bool) []byte {
	source := "received"
	switch {
	case d.draft.has&stampTS != 0:
		source = "device"
	case d.draft.badTime != "":
		source = "replaced"
	}
	dst = append(dst, EventMeasurement+",community="...)
	dst = append(dst, dev.Community...)
	dst = append(dst, ",device="...)
	dst = append(dst, dev.ID...)
	dst = append(dst, ",type="...)
	dst = append(dst, t.ID...)
	dst = append(dst, ",event="...)
	dst = append(dst, e.ID...)
	series := xxhash.Sum64(dst[r.Start:])
	dst = append(dst, " received_at="...)
	dst = strconv.AppendInt(dst, d.draft.received.UnixMilli(), 10)
	dst = append(dst, `i,time_source="`...)
	dst = append(dst, source...)
	dst = append(dst, '"')
	if source == "device" {
		age := time.Duration(d.draft.received.UnixMilli()-d.draft.ts) * time.Millisecond
		if age > LateSafety || age > Late && !e.Safety {
			dst = append(dst, ",late=true"...)
		}
	}
	if unreadable {
		dst = append(dst, ",bad_payload=true"...)
	}
	for _, v := range d.tags {
		d.putText(v.tag.ID, v.value)
	}
	if n := len(d.fields); n > 0 {
		dst = append(dst, ',')
		dst = append(dst, d.fields[:n-1]...) // without the last comma
	}
	return d.time(d.stamps(dst), r, series, bytes.TrimSpace(d.json.data))
}
