package series

import (
	"context"
	"time"
)

// EventMeasurement is where the events of every type are stored.
const EventMeasurement = "event"

// Event is something that happened to a device. Fields are the payload and what linli noted of it: received_at in ms, late,
// time_source.
type Event struct {
	Time      time.Time
	Community string
	Type      string
	Device    string
	Event     string
	Fields    map[string]any
}

// Events returns the newest events of devices in [from, to), the newest first, at most limit.
func (x *Influx) Events(ctx context.Context, devices []string, from, to time.Time, limit int) ([]Event, error) {
	if err := (Query{Measurement: EventMeasurement, Field: EventMeasurement, Devices: devices, From: from, To: to}).validate(); err != nil {
		return nil, err
	}
	if limit < 1 || limit > MaxPoints {
		return nil, refuse("limit", "%d is not within 1 and %d", limit, MaxPoints)
	}
	var r request
	r.begin("SELECT * FROM %s WHERE ", quote(EventMeasurement))
	r.devices(devices...)
	r.between(from, to)
	r.add(" ORDER BY time DESC LIMIT ")
	r.bind(limit)
	return x.events(ctx, &r)
}

// EventKind is an event of a device type.
type EventKind struct{ Type, Event string }

// EventQuery selects events of whole communities.
type EventQuery struct {
	Communities []string    // none: all
	Kinds       []EventKind // at least one
	From, To    time.Time
}

// EventsOf returns the newest events of some kinds, the newest first, at most limit.
func (x *Influx) EventsOf(ctx context.Context, q EventQuery, limit int) ([]Event, error) {
	switch {
	case len(q.Kinds) == 0:
		return nil, refuse("kinds", "none is given")
	case !q.From.Before(q.To):
		return nil, refuse("from", "%s is not before %s", q.From, q.To)
	case limit < 1 || limit > MaxPoints:
		return nil, refuse("limit", "%d is not within 1 and %d", limit, MaxPoints)
	}
	var r request
	r.begin("SELECT * FROM %s WHERE ", quote(EventMeasurement))
	join := "("
	for _, k := range q.Kinds {
		r.add(join + `("type" = `)
		r.bind(k.Type)
		r.add(` AND "event" = `)
		r.bind(k.Event)
		r.add(")")
		join = " OR "
	}
	r.add(")")
	join = " AND ("
	for _, c := range q.Communities {
		r.add(join + `"community" = `)
		r.bind(c)
		join = " OR "
	}
	if len(q.Communities) > 0 {
		r.add(")")
	}
	r.between(q.From, q.To)
	r.add(" ORDER BY time DESC LIMIT ")
	r.bind(limit)
	return x.events(ctx, &r)
}

// events runs a query for whole events.
func (x *Influx) events(ctx context.Context, r *request) ([]Event, error) {
	var events []Event
	err := x.run(ctx, r, func(row row) error {
		e := Event{Time: row.time(), Fields: map[string]any{}}
		for i, column := range row.columns {
			v := row.values[i]
			switch text, _ := v.(string); {
			case i == 0 || v == nil:
			case column == "community":
				e.Community = text
			case column == "type":
				e.Type = text
			case column == "device":
				e.Device = text
			case column == "event":
				e.Event = text
			default:
				e.Fields[column] = v
			}
		}
		events = append(events, e)
		return nil
	})
	return events, err
}
