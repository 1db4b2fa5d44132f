package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// refAlert is an alert, with everything that ever happened to it.
type refAlert struct {
	rule        *refRule
	who, device string
	opened      int64
	last        int64 // of its events
	called      int64 // of its events, the one that was told
	received    int64
	late        bool
	latched     bool
	value       any
	severity    string
	confirmedBy string
	log         []refEvent
	listed      []*refAlert // of a digest: what it tells of

	state            string
	cleared          *int64
	acked            bool
	person, familyBy string // who acknowledged it
	openings         []int64
	climbing
}

// refEvent is one thing that happened.
type refEvent struct {
	at          int64
	kind, state string
	late        bool
	grade       string // how severe it is, and of which level
	value       any
	tell        []told
}

// refAction is what a person did.
type refAction struct {
	kind        string
	a           *refAlert
	at, until   int64
	by, person  string
	assignee    string
	disposition string
	n           int    // of unreached
	who         string // of unreached
	hold        *refHold
}

func (m *reference) current(r *refRule, who string) *refAlert {
	for _, a := range m.alerts {
		if a.rule.id == r.id && a.who == who && a.state != "closed" {
			return a
		}
	}
	return nil
}

// record notes what happened to an alert. What it was the cause of is looked at again when it ends.
func (m *reference) record(a *refAlert, at int64, kind string, tell ...told) {
	a.log = append(a.log, refEvent{at, kind, a.state, a.late, strings.TrimSpace(a.severity + " " + a.rule.grade), a.value, tell})
	m.news = append(m.news, refNews{a: a, kind: kind, at: at})
	over := a.state == "cleared" || a.state == "closed"
	if over {
		m.freed(a, at)
		m.conclude()
	}
	if a.rule.id != "dev_maintenance" || a.late {
		return
	}
	works := m.works[a.device]
	switch n := len(works); {
	case !over && (n == 0 || works[n-1].to != 0):
		m.works[a.device] = append(works, stretch{a.received, 0})
	case over && works[n-1].to == 0:
		works[n-1].to = at
	}
}

// open adds an alert, unless it is one that was there already, or one that ended a short while ago and comes back.
func (m *reference) open(a *refAlert) {
	if slices.ContainsFunc(m.alerts, func(x *refAlert) bool { return x.id() == a.id() }) {
		return
	}
	before := m.current(a.rule, a.who)
	if before == nil {
		before = m.ended(a.rule, a.who)
	}
	if before != nil && before.cleared != nil && !a.late && !before.late {
		if gap := a.opened - *before.cleared; gap >= 0 && gap <= 15*refMinute {
			m.comeBack(before, a)
			return
		}
	}
	if before != nil && before.state != "closed" {
		m.close(before, a.opened, "")
	}
	m.alerts = append(m.alerts, a)
	a.state = "opened"
	a.openings = []int64{a.opened}
	a.plan, a.severity = refPlans[a.rule.plan], a.rule.severity
	m.raise(a, a.opened, "opened", max(a.opened, a.received))
}

// ended is the alert of an identity that closed last, if it was not a person who closed it.
func (m *reference) ended(r *refRule, who string) (found *refAlert) {
	for _, a := range m.alerts {
		if a.rule.id == r.id && a.who == who && (found == nil || a.closedNo > found.closedNo) {
			found = a
		}
	}
	if found == nil || found.closedBy != "" {
		return nil
	}
	return found
}

// comeBack opens an alert again because its condition is true again.
func (m *reference) comeBack(a, now *refAlert) {
	if a.severity != now.rule.severity {
		a.plan = refPlans[now.rule.plan]
	}
	a.rule, a.severity, a.value, a.last, a.received = now.rule, now.rule.severity, now.value, now.last, now.received
	a.confirmedBy = ""
	m.again(a, now.opened, "reopened", max(now.opened, now.received), m.openAgain)
}

// again tells of an alert that comes back, or becomes worse. Four times in half an hour is once too often.
func (m *reference) again(a *refAlert, at int64, kind string, heard int64, tell func(a *refAlert, at int64, kind string, heard int64)) {
	a.openings = append(a.openings, at)
	n := len(a.openings)
	if !a.rule.safety && n >= 4 && at-a.openings[n-4] <= 30*refMinute && a.held != "flapping" {
		kind = "flapping"
	}
	if a.held == "flapping" {
		a.heldUntil = heard + 30*refMinute
	}
	tell(a, at, kind, heard)
	if kind == "flapping" {
		a.held, a.heldUntil = "flapping", heard+30*refMinute
		m.record(a, at, "kept")
	}
}

func (m *reference) openAgain(a *refAlert, at int64, kind string, now int64) {
	a.state, a.acked, a.person, a.familyBy, a.cleared, a.closedBy, a.owed = "opened", false, "", "", nil, "", false
	m.raise(a, at, kind, now)
}

// rouse lets people be told of an alert that came too late, once the same comes in time.
func (m *reference) rouse(a *refAlert, s utterance) {
	if a.late && !a.rule.lateBy(s.received-s.at) {
		a.received = s.received
		m.confirm(a, s.at)
	}
}

func (m *reference) confirm(a *refAlert, at int64) {
	if !a.late {
		return
	}
	a.late = false
	if a.state == "opened" {
		m.raise(a, at, "confirmed", max(at, a.received))
		return
	}
	a.held, a.heldBy, a.heldUntil = "", "", 0
	m.record(a, at, "confirmed")
}

func (m *reference) clear(a *refAlert, at int64) {
	if a.latched || a.state == "cleared" || a.state == "closed" {
		return
	}
	a.state, a.cleared = "cleared", &at
	m.record(a, at, "cleared", m.tellEnd(a, at)...)
	if a.acked {
		m.close(a, at, "")
	}
}

// close ends an alert. People are told when a person does it: else they know already that it has cleared.
func (m *reference) close(a *refAlert, at int64, by string) {
	m.closings++
	a.state, a.closedBy, a.closedNo = "closed", by, m.closings
	var tell []told
	if by != "" {
		tell = m.tellEnd(a, at)
	}
	m.record(a, at, "closed", tell...)
}

// deadline is when the time of what comes in alone moves an alert.
func (a *refAlert) deadline() (int64, bool) {
	switch {
	case a.state == "closed":
		return 0, false
	case a.state == "cleared":
		return *a.cleared + 24*refHour, true
	case a.latched || a.rule.event == "" || len(a.rule.fields) > 0:
		return 0, false
	case a.rule.count > 0:
		return a.last + a.rule.window, true
	}
	return a.last + 24*refHour, true
}

// expire does what is due by then, the earliest first.
func (m *reference) expire(now int64) {
	for {
		var next *refAlert
		var due int64
		for _, a := range m.alerts {
			if at, ok := a.deadline(); ok && at <= now && (next == nil || at < due || at == due && a.id() < next.id()) {
				next, due = a, at
			}
		}
		switch {
		case next == nil:
			return
		case next.state == "cleared":
			m.close(next, due, "")
		default:
			m.clear(next, due)
		}
	}
}

// repeat notes one more event. Ten seconds after the one that was told it is another cry for help, unless it was long on its way.
func (m *reference) repeat(a *refAlert, s utterance) {
	again := a.rule.safety && !a.late && a.held == "" && s.at-a.called >= 10_000 && s.received-s.at <= refMinute
	a.last = max(a.last, s.at)
	if again {
		a.called = s.at
	}
	now := m.toldAt(s.received)
	switch {
	case !again:
		m.record(a, s.at, "repeated")
	case a.state == "acknowledged":
		first := m.recipients(a, a.plan.steps[0], a.round, 0)
		m.record(a, s.at, "repeated", m.address(a, mergeTold(m.handler(a), first), now)...)
	default:
		told := a.plan.steps[:min(a.next, len(a.plan.steps))]
		if a.next < len(a.plan.steps) && a.due > now {
			a.due = now
		}
		m.climb(a, s.at, "repeated", now, told...)
	}
}

// act does what a person asks for; nothing if that makes no sense.
func (m *reference) act(x refAction) {
	defer m.settle()
	m.came = x.at
	switch a := x.a; {
	case x.hold != nil:
		m.actOnHold(x)
	case a == nil:
	case x.kind == "comment":
		if !slices.Contains(m.family, x.person) || x.person == a.person {
			a.sign(x.at)
		}
		m.record(a, x.at, "commented")
	case x.kind == "reopen":
		if cur := m.current(a.rule, a.who); (a.state == "closed" || a.state == "cleared") && a.rule.id != "alert_digest" && (cur == nil || cur == a) {
			a.latched = true
			m.openAgain(a, x.at, "reopened", x.at)
		}
	case a.state == "closed":
	case x.kind == "acknowledge":
		m.acknowledge(a, x)
	case x.kind == "decline":
		m.decline(a, x)
	case x.kind == "close" && (!a.latched || x.disposition != "") && !m.aside(a, x):
		m.close(a, x.at, "li")
	case x.kind == "assign":
		a.sign(x.at)
		var tell []told
		if a.held == "" {
			tell = m.address(a, m.resolve([]string{"person:" + x.assignee}, 0, 0, false), x.at)
		}
		m.record(a, x.at, "assigned", tell...)
	case x.kind == "snooze" && (!a.rule.safety || a.acked):
		if a.state == "opened" && a.due != never && a.due < x.until {
			a.resume(x.until)
		}
		a.sign(x.until)
		m.record(a, x.at, "snoozed")
	case x.kind == "unreached":
		m.unreached(a, x)
	}
}

// aside reports whether what the family does about an emergency leaves it with the property.
func (m *reference) aside(a *refAlert, x refAction) bool {
	return a.rule.safety && !a.plan.ackAny && slices.Contains(m.family, x.person)
}

func (m *reference) acknowledge(a *refAlert, x refAction) {
	switch {
	case a.acked && a.reminded:
		a.sign(x.at)
		m.record(a, x.at, "renewed")
	case a.acked:
	case m.aside(a, x):
		if a.familyBy == "" {
			a.familyBy = x.person
			m.record(a, x.at, "family_acknowledged")
		}
	case a.state == "cleared":
		a.acked = true
		m.record(a, x.at, "acknowledged")
		m.close(a, x.at, "li")
	default:
		a.state, a.acked, a.person = "acknowledged", true, x.person
		a.handled, a.reminded = x.at, false
		m.record(a, x.at, "acknowledged")
	}
}

// sign notes that whoever acknowledged an alert does something about it.
func (a *refAlert) sign(at int64) {
	if a.state == "acknowledged" && at > a.handled {
		a.handled, a.reminded = at, false
	}
}

// id orders alerts of which else neither comes first.
func (a *refAlert) id() string {
	who := a.who
	if a.rule.id == "alert_digest" {
		who = "tianjin " + who
	}
	return alertID(a.rule.id, who, start.Add(msec(a.opened)))
}

func byID(a, b *refAlert) int { return cmp.Compare(a.id(), b.id()) }

// lines are the log, in an order that says nothing of which of two alerts came first.
func (m *reference) lines() (all []string) {
	for _, a := range m.alerts {
		for i, ev := range a.log {
			line := fmt.Sprintf("%s[%s] %d #%02d %d %s %s %s", a.rule.id, a.who, a.opened, i+1, ev.at, ev.kind, ev.state, ev.grade)
			if ev.late {
				line += " late"
			}
			if ev.value != nil {
				line += fmt.Sprint(" ", ev.value)
			}
			for _, t := range ev.tell {
				line += fmt.Sprint(" ", t)
			}
			all = append(all, strings.TrimSpace(line))
		}
	}
	slices.Sort(all)
	return all
}
