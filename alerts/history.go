package alerts

import (
	"maps"
	"slices"
	"time"

	"linli/bus"
)

// History judges what is stored as the engine would have judged it when it came: lines go in by the time of receipt, transitions
// come out. It stores and tells nothing. It is not safe for concurrent use.
//
// It knows the registry as it is now, and takes it that devices could be heard all the time.
type History struct {
	core *core
	from time.Time
}

// NewHistory begins without any memory. What happens before from is judged, so that windows are known, but not handed out.
func NewHistory(rules *Rules, dir Directory, from time.Time) *History {
	silent := *rules
	silent.plans = map[planKey]*Plan{}
	for k, p := range rules.plans { // nobody climbs a ladder
		silent.plans[k] = &Plan{ID: p.ID, Steps: p.Steps[:1], AckAny: p.AckAny, Remind: p.Remind, Lapse: p.Lapse}
	}
	return &History{newCore(&silent, dir), from}
}

// Reading judges a line of readings.
func (h *History) Reading(line []byte) error {
	_, err := h.core.reading(line)
	return err
}

// Event judges a line of the measurement event.
func (h *History) Event(line []byte) error { return h.core.event(line) }

// Act does what somebody did to an alert, if it is here too: what is closed opens anew, and what is not goes on.
func (h *History) Act(x *bus.Action) {
	if !slices.Contains([]string{"acknowledge", "close", "reopen"}, x.Kind) || h.core.book.alerts[x.Alert] == nil {
		return
	}
	_ = h.core.book.act(x) // what the engine refused is refused again
	h.core.settle()
}

// Advance lets the clock move on to a time of receipt.
func (h *History) Advance(to time.Time) {
	h.core.vigil.hear(&bus.Listening{Until: to})
	h.core.book.advance(to.UnixMilli())
	h.core.book.wake(to)
	h.core.advance(to.UnixMilli())
}

// Happened returns what rules have led to since it was asked last: openings, changes of severity and endings.
func (h *History) Happened() (all []bus.AlertEvent) {
	for _, ev := range h.core.book.out {
		if h.core.rules.Rule(ev.Alert.Rule) != nil && !ev.At.Before(h.from) && conditional(&ev) { // a digest ends without having cleared
			all = append(all, ev)
		}
	}
	h.core.book.out = nil
	clear(h.core.book.changed)
	return all
}

// conditional reports whether an event is what became of a condition; the others are who is told, and what people say.
func conditional(ev *bus.AlertEvent) bool {
	switch ev.Kind {
	case opened, reopened, flapping, raised, lowered:
		return true
	case cleared: // and not told of a second time, when nothing keeps it back any more
		return ev.At.Equal(*ev.Alert.ClearedAt)
	}
	return false
}

// EventMeasurement is where events are stored.
const EventMeasurement = "event"

// Inputs are the fields that rules read, by measurement, each with the time of receipt. Of events it is the payload.
func (r *Rules) Inputs() map[string][]string {
	all := map[string]map[string]bool{EventMeasurement: {}}
	add := func(measurement, field string) {
		if all[measurement] == nil {
			all[measurement] = map[string]bool{}
		}
		all[measurement][field] = true
	}
	for measurement, p := range r.programs {
		for id := range p.uses {
			add(measurement, id)
		}
		for _, b := range p.absences {
			if b.field != nil {
				add(measurement, b.field.ID)
			}
			add(measurement, "received_at")
		}
		for _, tag := range p.tags {
			add(EventMeasurement, tag)
		}
		for _, e := range p.typ.Events {
			for _, f := range e.Fields {
				add(EventMeasurement, f.ID)
			}
		}
	}
	fields := map[string][]string{}
	for measurement, of := range all {
		of["received_at"] = true
		fields[measurement] = slices.Sorted(maps.Keys(of))
	}
	return fields
}
