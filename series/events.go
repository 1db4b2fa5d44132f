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
	Time   time.Time
	Device string
	Event  string
	Fields map[string]any
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
	var events []Event
	err := x.run(ctx, &r, func(row row) error {
		e := Event{Time: row.time(), Fields: map[string]any{}}
		for i, column := range row.columns {
			v := row.values[i]
			switch text, _ := v.(string); {
			case i == 0 || v == nil || column == "community" || column == "type":
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
