package ingest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/internal/failpoint"
)

// event is an event to be stored, at once and alone; without a line there is only something to settle, in its turn.
type event struct {
	entry
	reject *rejected // of its payload
	again  bool      // it may be stored already, by a process that was killed before it acknowledged it
	settlement
}

// event settles a message of the event, state or reply lane. no is why its topic does not agree with the registry: a life-safety event
// of a known, active device pages nevertheless, as what the registry says the device is.
func (l *lane) event(b *burst, m *message, from source, no refusal) {
	if no.code != "" && !l.pages(from) {
		l.refuse(b, m, from, no)
		return
	}
	name, payload := from.topic.Name, m.payload
	switch from.topic.Lane {
	case devices.ReplyLane:
		name = devices.ReplyEvent
	case devices.StateLane:
		if name, payload = string(payload), nil; name != "online" && name != "offline" {
			l.refuse(b, m, from, refusal{BadState, "want the bare word online or offline"})
			return
		}
	}
	line, out := l.decoder.Event(nil, from.kind, from.device, name, payload, b.received)
	if len(out.Readings) == 0 {
		l.refuse(b, m, from, refusal{out.Code, out.Reason})
		return
	}
	if no.code == "" {
		no = refusal{out.Code, out.Reason}
	}
	if no.code == "" && len(out.Faults) > 0 {
		no = faults(out.Faults)
	}
	e := &event{}
	if l.news(b, m, from, name, out.Readings[0].Identified, e) {
		d := from.device
		e.subject, e.data = bus.EventSubject(d.Community, d.Type, d.ID, name), line
	} else {
		e.counts.events.duplicate++
	}
	if no.code != "" {
		r := l.reject(b, m, from, no)
		e.reject = &r
	}
	l.note(&e.counts, from.device, out)
	e.counts.accepted++
	e.owe(b, m)
	l.waiting = append(l.waiting, e)
}

// pages reports whether the message is a life-safety event of a known, active device.
func (l *lane) pages(from source) bool {
	if from.topic.Lane != devices.EventLane || from.kind == nil || from.device.State != devices.Active {
		return false
	}
	e := from.kind.Event(from.topic.Name)
	return e != nil && e.Safety
}

// news gives e its message id and reports whether it may be one that was not there before. The bus decides on equal ids.
func (l *lane) news(b *burst, m *message, from source, name string, identified bool, e *event) bool {
	e.id = fingerprint(m)
	switch {
	case from.topic.Lane == devices.StateLane:
		// The broker repeats retained states at every subscription.
		if l.states[from.device.ID] == name {
			return false
		}
		l.states[from.device.ID] = name
		e.id += "-" + strconv.FormatInt(b.received.UnixMilli(), 10)
	case identified:
	case m.retained:
		return false
	default:
		e.again = m.again && l.broker.KeepsIDs
		first := l.repeats.at(e.id, press{b.received, m.id, m.again})
		e.id += "-" + strconv.FormatInt(first.at.UnixMilli(), 10) + "-" + strconv.Itoa(int(first.packet))
	}
	return true
}

// stored reports whether a message that the broker sends again is the last of its subject on the bus: the same bytes, received under
// the same packet id. When the bus does not answer it counts as new: twice is better than never.
func (l *lane) stored(ctx context.Context, e *event) bool {
	s, err := l.bus.JS.Stream(ctx, bus.Events)
	if err != nil {
		return false
	}
	m, err := s.GetLastMsgForSubject(ctx, e.subject)
	if err != nil || time.Since(m.Time) > againWindow {
		return false
	}
	was, is := strings.Split(m.Header.Get(jetstream.MsgIDHeader), "-"), strings.Split(e.id, "-")
	return len(was) == 3 && len(is) == 3 && was[0] == is[0] && was[2] == is[2]
}

// againWindow is longer than a process is away, and shorter than it takes a broker to give the same packet id to the same bytes.
const againWindow = 10 * time.Minute

// post stores events until there are no more or ctx ends.
func (l *lane) post(ctx context.Context) {
	for e := range l.events {
		if e.data != nil && e.again && l.stored(ctx, e) {
			e.data = nil
			e.counts.events.duplicate++
		}
		if e.data != nil {
			failpoint.Hit("ingest before store")
			duplicate, err := l.store(ctx, &l.posting, e.entry)
			if err != nil {
				return
			}
			failpoint.Hit("ingest after store")
			if duplicate {
				e.counts.events.duplicate++
			} else {
				e.counts.events.stored++
			}
		}
		if e.reject != nil {
			if _, err := l.store(ctx, &l.posting, e.reject.entry); err != nil {
				return
			}
			e.counts.codes = map[devices.Code]int{e.reject.code: 1}
		}
		e.settle(l.metrics)
	}
}
