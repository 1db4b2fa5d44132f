package alerts

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// refHold keeps people from being told of what it is about.
type refHold struct {
	id, kind, why, device string
	from, until           int64
	everyDays             int64
	safety                bool // of life-safety too; nothing is kept back until somebody else has confirmed it, which they must soon
	confirmed             bool
	by, person            string
	confirmBy             int64
}

func (h *refHold) over(now int64) bool {
	return h.everyDays == 0 && now >= h.until || h.safety && !h.confirmed && now >= h.confirmBy
}

func (m *reference) actOnHold(x refAction) {
	h := m.holds[x.hold.id]
	if h != nil && h.over(x.at) {
		h = nil
	}
	switch {
	case x.kind == "hold" && h == nil && m.tooOften(x):
	case x.kind == "hold" && h == nil:
		if x.hold.kind == "commissioning" {
			m.begun[x.hold.id] = x.hold
		}
		x.hold.by, x.hold.person, x.hold.confirmBy = x.by, x.person, min(x.at+15*refMinute, x.hold.until)
		m.holds[x.hold.id] = x.hold
	case h == nil:
	case x.kind == "confirm":
		same := x.by == h.by || x.person != "" && x.person == h.person
		h.confirmed = h.confirmed || h.safety && !same
	case x.kind == "release":
		delete(m.holds, h.id)
		m.lookAgain(h.id, x.at)
	}
}

// tooOften reports whether somebody has put a device into service four times within a day.
func (m *reference) tooOften(x refAction) bool {
	n := 0
	for id, h := range m.begun {
		same := h.by == x.by || h.person != "" && h.person == x.person
		if id != x.hold.id && same && h.device == x.hold.device && x.hold.from-h.from < 24*refHour {
			n++
		}
	}
	return x.hold.kind == "commissioning" && n >= 4
}

// lookAgain looks at what something held back that is over.
func (m *reference) lookAgain(by string, at int64) {
	for _, a := range slices.SortedFunc(slices.Values(m.alerts), byID) {
		if a.heldBy == by && (a.state != "closed" || a.owed) {
			a.heldUntil = at
			m.release(a, at)
		}
	}
}

// holding is the hold that keeps an alert back at a time, and its end; of several the one that ends last.
func (m *reference) holding(a *refAlert, now int64) (by *refHold, end int64) {
	for _, h := range m.holds {
		from, until := h.from, h.until
		for h.everyDays > 0 && from+h.everyDays*24*refHour <= now {
			from, until = from+h.everyDays*24*refHour, until+h.everyDays*24*refHour
		}
		switch {
		case now < from || now >= until || h.safety && !h.confirmed || h.device != "" && h.device != a.device:
		case h.kind != "commissioning" && a.rule.safety && !h.safety:
		case h.kind == "maintenance" && (a.rule.safety || a.rule.category != "device"):
		case by == nil || until > end || until == end && h.id < by.id:
			by, end = h, until
		}
	}
	return by, end
}

// cause is the open alert that a follows from: a high level at its gateway stands for its jams. While one may still show, until when
// it is waited for.
func (m *reference) cause(a *refAlert) (by string, until int64) {
	gateway := m.gateways[a.device]
	if a.rule.id != "t_jam" || gateway == "" {
		return "", 0
	}
	for _, c := range m.alerts {
		if c.rule.id == "t_level" && c.device == gateway && (c.state == "opened" || c.state == "acknowledged") && (by == "" || c.id() < by) {
			by = c.id()
		}
	}
	if by != "" {
		return by, 0
	}
	return "", max(a.opened, a.received) + 3*refMinute
}

// freed lets the effects of a cause wait a while after its end.
func (m *reference) freed(cause *refAlert, at int64) {
	if cause.rule.id != "t_level" {
		return
	}
	for _, a := range slices.SortedFunc(slices.Values(m.alerts), byID) {
		if a.heldBy == cause.id() && (a.state != "closed" || a.owed) {
			a.heldUntil = at + 3*refMinute
			m.record(a, at, "kept")
		}
	}
}

// keep is why nobody is told of an alert, what that is, and until when; 0 is until something happens.
func (m *reference) keep(a *refAlert, now int64) (why, by string, until int64) {
	switch h, end := m.holding(a, now); {
	case a.late:
		return "late", "", 0
	case a.held == "flapping" && a.heldUntil > now:
		return "flapping", "", a.heldUntil
	case h != nil:
		return h.why, h.id, end
	}
	if by, until := m.cause(a); by != "" || until > now {
		return "inhibited", by, until
	}
	return "", "", 0
}

// release looks again at what is kept back. What is still open is told now; the end of what people were told of, too.
func (m *reference) release(a *refAlert, now int64) {
	at := a.heldUntil
	if now-at > 2000 {
		at = now
	}
	a.held, a.heldBy, a.heldUntil = m.keep(a, now)
	switch {
	case a.held != "":
		m.record(a, at, "kept")
	case a.owed:
		a.owed = false
		kind := a.state
		if a.listed != nil {
			kind = "cleared"
		}
		m.record(a, at, kind, m.tellEnd(a, now)...)
	case a.state == "opened" && a.due != never && a.due <= now:
		a.resume(at)
		m.climb(a, at, "confirmed", now)
	case a.state == "opened":
		m.climb(a, at, "kept", now)
	default:
		m.record(a, at, "kept")
	}
}

// tellEnd is who is told that an alert is over: those who were told of it, at once or when nothing keeps them from it any more.
func (m *reference) tellEnd(a *refAlert, now int64) []told {
	all := a.everTold()
	if len(all) == 0 {
		why := a.held
		if why == "" {
			why = "not_told"
		}
		return []told{{who: duty, held: why}}
	}
	if h, end := m.holding(a, now); h != nil && a.held == "" {
		a.held, a.heldBy, a.heldUntil = h.why, h.id, end
	}
	a.owed = a.held != ""
	for i := range all {
		all[i].held = a.held
	}
	return all
}

func (a *refAlert) everTold() (all []told) {
	for _, ev := range a.log {
		for _, t := range ev.tell {
			if t.held == "" {
				all = mergeTold(all, []told{{who: t.who}})
			}
		}
	}
	return all
}

// refLoad is what one person is told.
type refLoad struct {
	told []int64 // the times of ordinary alerts
	due  int64   // of the next digest; 0: none
	done int64
	put  []putOff
}

type putOff struct {
	a     *refAlert
	until int64
	again bool // told only if it is open still
}

func (m *reference) load(who string) *refLoad {
	if m.loads[who] == nil {
		m.loads[who] = &refLoad{done: math.MinInt64 / 2}
	}
	return m.loads[who]
}

// address keeps everybody from being told of what is kept back, and of more than ten ordinary alerts in ten minutes.
func (m *reference) address(a *refAlert, all []told, now int64) []told {
	for i := range all {
		t := &all[i]
		l := m.load(t.who)
		now := max(now, l.last())
		switch {
		case a.held != "":
			t.held = a.held
		case t.held == "together":
			l.putOff(a, max(t.until, l.done+10*refMinute), true)
		case t.held != "" || a.rule.safety || a.rule.id == "alert_digest":
		case l.lately(now) < 10:
			l.told = append(l.told, now)
		default:
			t.held = "storm"
			until := l.due
			if until <= now {
				until = max(now+2*refMinute, l.done+10*refMinute)
			}
			l.putOff(a, until, false)
		}
	}
	return all
}

func (l *refLoad) putOff(a *refAlert, until int64, again bool) {
	if l.due == 0 || until < l.due {
		l.due = until
	}
	l.put = append(l.put, putOff{a, until, again})
}

// last is when the last ordinary alert was told. One that comes late is told after it, too.
func (l *refLoad) last() int64 {
	if n := len(l.told); n > 0 {
		return l.told[n-1]
	}
	return math.MinInt64
}

func (l *refLoad) lately(now int64) (n int) {
	for _, t := range l.told {
		if t > now-10*refMinute {
			n++
		}
	}
	return n
}

// digests tells of what was put off.
func (m *reference) digests(now int64) {
	for _, who := range slices.Sorted(maps.Keys(m.loads)) {
		l := m.loads[who]
		if l.due == 0 || l.due > now {
			continue
		}
		at, before := l.due, l.done
		var all []*refAlert
		l.done, l.due = at, 0
		for _, p := range l.put {
			switch {
			case p.until <= before:
			case p.until <= at:
				if !slices.Contains(all, p.a) && (!p.again || p.a.state == "opened") {
					all = append(all, p.a)
				}
			case l.due == 0 || p.until < l.due:
				l.due = p.until
			}
		}
		if len(all) == 0 {
			continue
		}
		slices.SortFunc(all, func(a, b *refAlert) int { return cmp.Compare(weight(a), weight(b)) })
		to := "person:" + who
		if who == duty {
			to = duty
		}
		d := &refAlert{
			rule: &refRule{id: "alert_digest", category: "service"}, who: "recipient=" + to, severity: all[0].severity,
			opened: at, last: at, received: at, state: "opened", value: len(all),
			listed: all,
		}
		d.owed = slices.ContainsFunc(all, func(a *refAlert) bool { return lasts(a) && !m.hasHeard(a, d, who) })
		m.alerts = append(m.alerts, d)
		m.record(d, at, "opened", m.address(d, []told{{who: who}}, now)...)
		m.close(d, at, "")
	}
}

// hasHeard reports whether somebody was told of an alert by itself, or will be told its end by another digest.
func (m *reference) hasHeard(a, d *refAlert, who string) bool {
	alone := slices.ContainsFunc(a.everTold(), func(t told) bool { return t.who == who })
	return alone || slices.ContainsFunc(m.alerts, func(x *refAlert) bool {
		return x.who == d.who && x.owed && x.held == "" && slices.Contains(x.listed, a)
	})
}

// lasts reports whether an alert is not over.
func lasts(a *refAlert) bool { return a.state == "opened" || a.state == "acknowledged" }

// conclude tells of the end of digests of which everything is over.
func (m *reference) conclude() {
	for _, d := range slices.Clone(m.alerts) {
		if !d.owed || d.held != "" || len(d.listed) == 0 || slices.ContainsFunc(d.listed, lasts) {
			continue
		}
		at := d.opened
		for _, a := range d.listed {
			at = max(at, a.overAt())
		}
		d.owed = false
		m.record(d, at, "cleared", m.tellEnd(d, at)...)
	}
}

// overAt is when an alert that is over ended first.
func (a *refAlert) overAt() (at int64) {
	if a.cleared != nil {
		return *a.cleared
	}
	for _, ev := range a.log {
		if ev.kind == "closed" {
			at = ev.at
		}
	}
	return at
}

var severities = []string{"critical", "high", "medium", "low", "informational"}

func weight(a *refAlert) int { return slices.Index(severities, a.severity) }

func severer(a, b string) bool {
	return a != "" && slices.Index(severities, a) < slices.Index(severities, b)
}
