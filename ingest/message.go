package ingest

import (
	"fmt"
	"slices"
	"strings"
	"unsafe"

	"linli/devices"
)

// Codes of rejects that are not the decoder's; doc.go has them all.
const (
	BadTopic       devices.Code = "topic"
	UnknownDevice  devices.Code = "unknown_device"
	Revoked        devices.Code = "revoked"
	UnknownType    devices.Code = "unknown_type"
	WrongCommunity devices.Code = "community"
	WrongType      devices.Code = "type"
	WrongLane      devices.Code = "lane"
	Oversize       devices.Code = "oversize"
	BadState       devices.Code = "state"
	SeriesLimit    devices.Code = "series_limit"
)

// source is whom a message is from, as far as its topic and the registry tell.
type source struct {
	topic  devices.Topic // its strings live as long as the message
	device *devices.Device
	kind   *devices.Type
}

// refusal is why a message as a whole is rejected; the zero value is none.
type refusal struct {
	code   devices.Code
	reason string
}

// message settles one message: its lines, event or reject join what is stored next.
func (l *lane) message(b *burst, m *message) {
	from, no := l.identify(m)
	switch lane := from.topic.Lane; {
	case no.code == "" && (lane == devices.Telemetry || lane == devices.Safety):
		l.readings(b, m, from)
	case lane == devices.EventLane || lane == devices.StateLane || lane == devices.ReplyLane:
		l.event(b, m, from, no)
	default:
		l.refuse(b, m, from, no)
	}
}

// identify finds out whom a message is from. The device's entry in the registry is what counts; the topic must agree with it.
func (l *lane) identify(m *message) (source, refusal) {
	var from source
	var err error
	from.topic, err = devices.ParseTopic(l.root, unsafe.String(unsafe.SliceData(m.topic), len(m.topic)))
	if err != nil {
		return from, refusal{BadTopic, err.Error()}
	}
	t := from.topic
	if from.device = l.registry.Device(t.Device); t.Device == devices.Probe.ID {
		from.device = devices.Probe
	}
	if from.device == nil {
		return from, refusal{UnknownDevice, fmt.Sprintf("no device %q is registered", t.Device)}
	}
	from.kind = l.catalogue.Type(from.device.Type)
	switch d := from.device; {
	case d.State != devices.Active:
		return from, refusal{Revoked, fmt.Sprintf("device %q is %s", d.ID, d.State)}
	case from.kind == nil:
		return from, refusal{UnknownType, fmt.Sprintf("the catalogue has no type %q", d.Type)}
	case m.oversize > 0:
		return from, refusal{Oversize, fmt.Sprintf("payload of %d bytes, at most %d", m.oversize, MaxPayload)}
	case d.Community != t.Community:
		return from, refusal{WrongCommunity, fmt.Sprintf("device %q is of community %q, not %q", d.ID, d.Community, t.Community)}
	case d.Type != t.Type:
		return from, refusal{WrongType, fmt.Sprintf("device %q is a %q, not a %q", d.ID, d.Type, t.Type)}
	case t.Lane == devices.Safety && !from.kind.Safety:
		return from, refusal{WrongLane, fmt.Sprintf("type %q is no life-safety type: use the lane %s", d.Type, devices.Telemetry)}
	}
	return from, refusal{}
}

// readings decodes a message of readings into the batch of its community.
func (l *lane) readings(b *burst, m *message, from source) {
	d := from.device
	lines, out := l.decoder.Reading(l.lines[:0], from.kind, d, m.payload, b.received)
	l.lines = lines
	if out.Code != "" {
		l.refuse(b, m, from, refusal{out.Code, out.Reason})
		return
	}
	to := l.batch(from, len(out.Readings), len(lines))
	s := l.open
	for i, r := range out.Readings {
		switch {
		case r.Start == r.End:
			s.counts.readings.rejected++
		case r.Series != 0 && !l.series.admit(d.ID, r.Series):
			s.counts.readings.rejected++
			out.Faults = append(out.Faults, devices.Fault{
				Reading: i, Code: SeriesLimit, Reason: fmt.Sprintf("device has used %d combinations of series tags already", l.series.limit),
			})
		case l.duplicate(b, m, r):
			s.counts.readings.duplicate++
		default:
			s.counts.readings.stored++
			to.data = append(to.data, lines[r.Start:r.End]...)
			to.readings++
		}
	}
	l.note(&s.counts, d, out)
	if len(out.Faults) > 0 {
		s.reject(l.reject(b, m, from, faults(out.Faults)))
	}
	s.counts.accepted++
	s.owe(b, m)
}

// duplicate reports whether a reading has been taken already. One without ts and seq cannot be told from its like; but what the
// broker had kept as retained is not news.
func (l *lane) duplicate(b *burst, m *message, r devices.Reading) bool {
	if !r.Identified {
		return m.retained
	}
	return l.keys.add(r.Key) && !b.replay
}

// batch is where the readings of a message go. A batch that they would overfill is closed, with its shipment.
func (l *lane) batch(from source, readings, bytes int) *batch {
	community, health := from.device.Community, from.kind.Health
	to := l.open.batch(community, health)
	if to.readings > 0 && (to.readings+readings > maxBatchReadings || len(to.data)+bytes > maxBatchBytes) {
		l.full = append(l.full, l.open)
		l.open = newShipment()
		to = l.open.batch(community, health)
	}
	return to
}

// refuse rejects a whole message.
func (l *lane) refuse(b *burst, m *message, from source, no refusal) {
	s := l.open
	s.counts.rejected++
	s.reject(l.reject(b, m, from, no))
	s.owe(b, m)
}

// note counts unknown fields.
func (l *lane) note(c *counts, d *devices.Device, out devices.Outcome) {
	c.unknown += len(out.Unknown)
	for _, name := range out.Unknown {
		l.unknown.add(d.ID, name)
	}
}

// faults puts what is wrong with parts of a message into one refusal: the code of the first reading rejected, else of the first field.
func faults(all []devices.Fault) refusal {
	no := refusal{code: all[0].Code}
	if i := slices.IndexFunc(all, func(f devices.Fault) bool { return f.Field == "" }); i >= 0 {
		no.code = all[i].Code
	}
	var s strings.Builder
	for i, f := range all {
		if i > 0 {
			s.WriteString("; ")
		}
		fmt.Fprintf(&s, "reading %d: ", f.Reading)
		if f.Field != "" {
			s.WriteString(f.Field + " left out: ")
		}
		s.WriteString(f.Reason)
	}
	no.reason = s.String()
	return no
}
