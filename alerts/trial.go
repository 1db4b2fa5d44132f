package alerts

// trial opens the alert that an event of devices.Probe stands for, and closes it again: nobody is to answer it. No other rule looks
// at the probe, and no memory keeps it.
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
		a.Received, a.Synthetic = moment(received), true
		if c.book.alerts[a.ID] == nil {
			c.book.open(a)
			c.book.close(a, a.OpenedAt, "", "a trial of linli itself")
		}
		return
	}
}
