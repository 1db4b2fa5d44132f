package alerts

import (
	"fmt"

	"linli/bus"
	"linli/devices"
)

// recall lets the memory of rules have an event again whose alerts are in the book.
func (c *core) recall(b []byte) error {
	c.recalling = true
	defer func() { c.recalling = false }()
	return c.event(b)
}

// event judges one line that came from EVENTS. It never asks more of a life-safety event than its topic: a device that the
// registry does not know yet, a missing field and a bad payload all count as fulfilled.
func (c *core) event(b []byte) error {
	l := &c.line
	if _, err := l.Parse(b); err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	device, name := string(l.Tag("device")), l.Tag("event")
	p := c.rules.byType[string(l.Tag("type"))]
	if p == nil {
		return fmt.Errorf("read event: unknown device type %q of device %q", l.Tag("type"), device)
	}
	received, ok := l.Field("received_at").Int()
	at := l.Time / 1e6
	if !ok {
		received = at
	}
	at = min(at, received)
	c.came = received
	if device == devices.Probe.ID {
		c.trial(p, string(name), at, received)
		return nil
	}
	dev := c.dir.Device(device)
	c.heardEvent(p, dev, string(name), at, received)
	if !c.recalling { // sequences are stored as they were after it
		c.stepByEvent(p, dev, string(name), at, received)
	}
	c.judgeEvent(p, dev, string(name), at, received)
	c.noteEvent(p, dev, string(name), at)
	c.settle()
	return nil
}

// judgeEvent lets the rules that name the event in hand have it.
func (c *core) judgeEvent(p *program, dev *devices.Device, name string, at, received int64) {
	if !c.recalling {
		c.book.advance(received)
	}
	for _, x := range p.ends[name] {
		if c.recalling {
			break
		}
		sub := c.subjectOfEvent(p, dev)
		sub.tags = append(sub.tags, c.payloadTags(x)...)
		e := c.book.episodes[episodeKey(x.ID, identity(x.Rule, sub))]
		if e != nil && e.alert != nil && at >= e.alert.LastEvent.UnixMilli() {
			ends := at
			if x.Rule == maintenance { // whose time goes by what arrives
				ends = received
			}
			c.book.clear(e.alert, moment(ends))
		}
	}
	for _, x := range p.onEvent[name] {
		if x, _ = x.forDevice(dev); x == nil {
			continue
		}
		if (x.Kind == CountKind || !c.recalling) && c.eventHolds(x, dev, at, received) {
			c.raiseByEvent(x, p, dev, at, received)
		}
	}
}

// eventHolds evaluates an event against one rule. Unknown is enough for a life-safety rule.
func (c *core) eventHolds(b *bound, dev *devices.Device, at, received int64) bool {
	l := &c.line
	if !b.between.contains(moment(at).In(c.zone(string(l.Tag("community"))))) {
		return false
	}
	if b.Kind != CountKind && c.suspended(b, received) {
		return false
	}
	c.scope = scope{core: c, bound: b, event: l, dev: dev, at: at}
	conditions := []*condition{b.applies, b.when}
	if !b.spec.byEvent {
		conditions = conditions[:1] // when is about the field
	}
	for _, x := range conditions {
		if x == nil {
			continue
		}
		if t := x.eval(&c.scope); t == no || t == unknown && !b.Safety {
			return false
		}
	}
	return true
}

// suspended reports whether the device of an event is being worked on.
func (c *core) suspended(b *bound, received int64) bool {
	return !b.Safety && b.Rule != maintenance && c.book.maintained(string(c.line.Tag("device")), received)
}

func (c *core) raiseByEvent(b *bound, p *program, dev *devices.Device, at, received int64) {
	sub := c.subjectOfEvent(p, dev)
	sub.tags = append(sub.tags, c.payloadTags(b)...)
	who := identity(b.Rule, sub)
	if b.Kind == CountKind {
		newest, complete := c.count(b, who, at)
		if !complete || c.recalling || c.suspended(b, received) {
			return
		}
		at, received = newest, max(received, newest)
	}
	if e := c.book.episodes[episodeKey(b.ID, who)]; e != nil && e.alert != nil && e.alert.State != bus.Cleared {
		c.wake(b, sub, e.alert, at, at, received)
		c.book.repeat(e.alert, moment(at), moment(received))
		return
	}
	a := c.alert(b, sub, who, at, at)
	a.Received, a.Late = moment(received), b.late(received-at)
	a.Text = c.text(b, sub, a)
	c.book.open(a)
}

// wake lets people be told of an alert that was only recorded, because it had come too late, once the same comes in time.
func (c *core) wake(b *bound, sub subject, a *bus.Alert, since, at, received int64) {
	if !a.Late || b.late(received-at) {
		return
	}
	a.EventTime, a.Received = moment(since), moment(received)
	told := *a
	told.Late = false
	a.Text = c.text(b, sub, &told)
	c.book.confirm(a, moment(at))
}

func (c *core) subjectOfEvent(p *program, dev *devices.Device) subject {
	l := &c.line
	sub := subject{
		community: string(l.Tag("community")), device: string(l.Tag("device")), typ: p.typ, dev: dev, event: string(l.Tag("event")),
	}
	for _, tag := range p.tags {
		sub.tags = append(sub.tags, pair{tag, seriesTag(l, tag)})
	}
	return sub
}

// seriesTag is a series tag of an event. It is a text field of the line: the events of all types share one measurement, which
// does not take their tags as its own.
func seriesTag(l *devices.Line, id string) string {
	text, _ := l.Field(id).Text()
	return string(text)
}
