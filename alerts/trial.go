package alerts

import (
	"linli/bus"
	"linli/devices"
)

// trial writes down that an event of devices.Probe would have opened an alert. It is no alert: the book does not know it, nobody
// answers it, no other rule looks at the probe, and the record takes the place of the one before, so that trials leave nothing behind.
func (c *core) trial(p *program, event string, at, received int64) {
	if c.recalling {
		return
	}
	for _, b := range p.onEvent[event] {
		if b.Kind != EventKind || !b.Safety {
			continue
		}
		sub := c.subjectOfEvent(p, nil)
		a := c.alert(b, sub, identity(b.Rule, sub), at, at)
		a.ID, a.Synthetic, a.Received, a.Events = devices.Probe.ID, true, moment(received), 1
		a.State, a.ClosedAt = bus.Closed, &a.OpenedAt
		c.book.out = append(c.book.out, bus.AlertEvent{N: 1, Kind: opened, At: a.OpenedAt, Alert: *a})
		return
	}
}
