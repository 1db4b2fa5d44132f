package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// refPlan says who is told of an alert, in which order.
type refPlan struct {
	steps         []refStep
	unanswered    int64 // after the last step; 0: never
	repeat        func(round int) int64
	days          func(round int) int64 // in place of repeat: how many mornings later everybody is told together
	ackAny        bool
	remind, lapse int64
}

type refStep struct {
	wait  int64
	tell  []string
	voice bool
}

const never = int64(-1)

// climbing is how far the telling of an alert has come.
type climbing struct {
	plan        *refPlan
	round, next int
	due, began  int64
	noAnswer    bool
	asked       int      // how many the last step told
	climbed     int      // the number of the event by which the last step was told
	hoped       []string // who of it may be reached yet
	handled     int64    // the last sign of who acknowledged it
	reminded    bool
	held        string // why nobody is told
	heldBy      string
	heldUntil   int64
	owed        bool
	closedBy    string
	closedNo    int
}

// told is one who is told of something, or is not.
type told struct {
	who, held   string
	voice       bool
	round, step int
	until       int64 // of "together"
}

func (t told) String() string {
	s := fmt.Sprintf("%s/%d.%d", t.who, t.round, t.step)
	if t.voice {
		s += "@voice"
	}
	if t.held != "" {
		s += "!" + t.held
	}
	return s
}

func msec(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// breath0 is how long those who are told of what was overdue have to answer, where it is about life-safety.
const breath0 = 20_000

// toldAt is when what came in at a time is told of: then, or now if it waited for an engine.
func (m *reference) toldAt(at int64) int64 {
	if m.wall-at > 2000 {
		return m.wall
	}
	return at
}

// raise begins the ladder of an alert that came to be known at a time.
func (m *reference) raise(a *refAlert, at int64, kind string, heard int64) {
	a.round, a.next, a.due, a.noAnswer, a.called = 0, 0, m.toldAt(heard), false, at
	m.climb(a, at, kind, a.due)
}

// climb tells those of some steps again, and of all that is due. What happened is kind, unless that is empty; then it is what came of
// the climb.
func (m *reference) climb(a *refAlert, at int64, kind string, now int64, again ...refStep) {
	var all []told
	for i, s := range again {
		all = mergeTold(all, m.recipients(a, s, a.round, i))
	}
	was := a.noAnswer
	a.held, a.heldBy, a.heldUntil = m.keep(a, now)
	switch {
	case a.held == "":
		all = mergeTold(all, m.rungs(a, now))
	case len(all) == 0 && a.next < len(a.plan.steps):
		all = m.recipients(a, a.plan.steps[a.next], a.round, a.next)
	}
	if who, ok := strings.CutPrefix(kind, "declined by "); ok {
		kind = "declined"
		all = slices.DeleteFunc(all, func(t told) bool { return t.who == who })
	}
	if a.held != "" && len(all) == 0 {
		all = []told{{who: duty}}
	}
	switch {
	case kind != "":
	case a.held != "":
		kind = "kept"
	case a.noAnswer && !was:
		kind = "unanswered"
	default:
		kind = "escalated"
	}
	all = m.address(a, all, now)
	a.climbed, a.hoped = len(a.log)+1, nil
	for _, t := range all {
		if t.held == "" {
			a.hoped = append(a.hoped, t.who)
		}
	}
	a.asked = len(a.hoped)
	m.record(a, at, kind, all...)
}

// rungs runs what is due.
func (m *reference) rungs(a *refAlert, now int64) (all []told) {
	last, overdue := a.due, a.due != never && now-a.due > 2000
	for n := 0; a.due != never && a.due <= now && (!overdue || n <= len(a.plan.steps)); n++ { // each step once
		last = a.due
		all = mergeTold(all, m.rung(a, last))
	}
	switch { // what waited for an engine
	case !overdue || a.due == never:
	case a.due <= now: // all of the ladder are told, however many rounds were missed, and then a whole interval of rest follows
		if a.next == 0 {
			a.round--
		}
		a.began = now
		a.again(now)
	case a.next == 0 && a.plan.days != nil: // has its time of day
	case a.rule.safety && a.next > 0 && a.next < len(a.plan.steps): // nobody waits longer than planned, but for one of the others to answer
		a.due = max(a.due, now+min(breath0, a.due-last))
	default: // as if the last step had been due now
		a.due, a.began = a.due+now-last, a.began+now-last
	}
	return all
}

// resume lets a ladder go on with its next step at a time. How long it stood does not count.
func (a *refAlert) resume(at int64) {
	if a.due != never && at > a.due {
		a.began += at - a.due
	}
	a.due = at
}

// rung runs the next step, or finds that nobody has answered. It counts as having run at ran.
func (m *reference) rung(a *refAlert, ran int64) []told {
	p := a.plan
	if a.next == len(p.steps) {
		desk := []told{{who: duty, round: a.round, step: a.next}}
		a.noAnswer = true
		a.again(ran)
		if a.asked == 0 || len(a.hoped) > 0 { // else nobody has heard of it
			a.together(desk, m.toldAt(a.due))
		}
		return desk
	}
	if a.next == 0 {
		a.began = ran
	}
	all := m.recipients(a, p.steps[a.next], a.round, a.next)
	inTheMorning := p.days != nil && a.round > 0
	if inTheMorning && a.next == 0 && a.noAnswer {
		all = mergeTold(all, []told{{who: duty, round: a.round}})
	}
	somebody := slices.ContainsFunc(all, func(t told) bool { return t.held == "" })
	if a.next == 0 && !somebody && (a.round == 0 || a.rule.safety) {
		all = append(all, told{who: duty, round: a.round})
		somebody = true
	}
	if inTheMorning {
		a.together(all, m.toldAt(ran))
	}
	somebody = somebody || slices.ContainsFunc(all, func(t told) bool { return t.held == "answered" })
	a.next++
	switch {
	case a.next < len(p.steps) && !somebody:
		a.due = ran // there is nobody to wait for
	case a.next < len(p.steps):
		a.due = ran + p.steps[a.next].wait
	case p.unanswered > 0 && !(inTheMorning && a.noAnswer): // at its time, however fast the steps went
		total := p.unanswered
		for _, s := range p.steps {
			total += s.wait
		}
		a.due = max(ran, a.began+total)
	default:
		a.again(ran)
	}
	return all
}

// again lets the ladder begin again.
func (a *refAlert) again(ran int64) {
	switch {
	case a.plan.days != nil:
		for a.due = 20 * refHour; a.due <= ran; a.due += 24 * refHour { // 08:00 in Shanghai
		}
		a.due += (a.plan.days(a.round) - 1) * 24 * refHour
	case a.plan.repeat != nil:
		a.due = max(ran, a.began+a.plan.repeat(a.round))
	default:
		a.due = never
		return
	}
	a.next = 0
	a.round++
}

// together lets people hear of an alert again by a digest.
func (a *refAlert) together(all []told, at int64) {
	for i := range all {
		if a.plan.days != nil && all[i].held == "" && !a.rule.safety {
			all[i].held, all[i].until = "together", at
		}
	}
}

// watch does what the server's clock says is due.
func (m *reference) watch(now int64) {
	for {
		var next *refAlert
		var due int64
		for _, a := range m.alerts {
			if at := a.wakes(); at != never && at <= now && (next == nil || at < due || at == due && a.id() < next.id()) {
				next, due = a, at
			}
		}
		if next == nil {
			break
		}
		m.wake(next, now)
	}
	m.digests(now)
}

// wakes is when the server's clock moves an alert.
func (a *refAlert) wakes() int64 {
	switch {
	case a.heldUntil != 0 && (a.owed || a.state != "closed"):
		return a.heldUntil
	case a.held != "" || a.plan == nil:
		return never
	case a.state == "opened":
		return a.due
	case a.state == "acknowledged" && a.plan.lapse > 0 && !a.reminded:
		return a.handled + a.plan.remind
	case a.state == "acknowledged" && a.plan.lapse > 0:
		return a.handled + a.plan.lapse
	}
	return never
}

func (m *reference) wake(a *refAlert, now int64) {
	switch {
	case a.heldUntil != 0:
		m.release(a, now)
	case a.state == "opened":
		at := a.due
		if now-at > 2000 {
			at = now
		}
		m.climb(a, at, "", now)
	case !a.reminded: // one who is asked late has as long to give a sign
		at := a.handled + a.plan.remind
		if now-at > 2000 {
			a.handled, at = a.handled+now-at, now
		}
		a.reminded = true
		m.record(a, at, "reminded", m.address(a, m.handler(a), now)...)
	default: // whoever acknowledged it has gone silent
		at := a.handled + a.plan.lapse
		a.state, a.acked, a.person = "opened", false, ""
		a.resume(at)
		m.climb(a, at, "unacknowledged", now)
	}
}

// unreached notes that all ways to somebody failed.
func (m *reference) unreached(a *refAlert, x refAction) {
	if a.state == "opened" && a.held == "" && x.n == a.climbed && slices.Contains(a.hoped, x.who) {
		m.without(a, x.who, x.at, "unreached")
	}
}

// without goes on without one who was told. When nobody of the last step is left, the next one runs at once.
func (m *reference) without(a *refAlert, who string, at int64, kind string) {
	last := len(a.hoped) == 1 && a.hoped[0] == who
	a.hoped = slices.DeleteFunc(a.hoped, func(x string) bool { return x == who })
	if last && a.due != never && a.next > 0 {
		if a.due = min(a.due, at); m.wall-a.due <= 2000 {
			m.climb(a, at, kind, a.due)
			return
		}
	}
	kind, _, _ = strings.Cut(kind, " ")
	m.record(a, at, kind)
}

// decline notes that somebody cannot look after an alert. What they had taken on is open again.
func (m *reference) decline(a *refAlert, x refAction) {
	now, kind := m.toldAt(x.at), "declined by "+x.person
	switch {
	case x.person == "" || a.held != "":
		m.record(a, x.at, "declined")
	case a.state == "acknowledged" && a.person == x.person:
		a.state, a.acked, a.person = "opened", false, ""
		a.resume(now)
		m.climb(a, x.at, kind, now)
	case a.state == "opened" && a.familyBy == x.person:
		a.familyBy = ""
		told := slices.Clone(a.plan.steps[:min(a.next, len(a.plan.steps))])
		for i := range told {
			told[i].tell = slices.DeleteFunc(slices.Clone(told[i].tell), func(t string) bool { return !strings.HasPrefix(t, "circle") })
		}
		m.climb(a, x.at, kind, now, told...)
	case a.state == "opened":
		m.without(a, x.person, x.at, kind)
	default:
		m.record(a, x.at, "declined")
	}
}

// recipients are those of a step. When one of the family has answered, the others need not.
func (m *reference) recipients(a *refAlert, s refStep, round, n int) []told {
	all := m.resolve(s.tell, round, n, s.voice)
	for i := range all {
		if a.familyBy != "" && slices.Contains(m.family, all[i].who) {
			all[i].held = "answered"
		}
	}
	return all
}

func (m *reference) resolve(targets []string, round, step int, voice bool) (all []told) {
	for _, target := range targets {
		people := m.people[target]
		if name, ok := strings.CutPrefix(target, "person:"); ok {
			people = []string{name}
		}
		for _, who := range people {
			t := told{who: who, round: round, step: step, voice: voice}
			if who == "mute" {
				t.held, t.voice = "no_address", false
			}
			all = mergeTold(all, []told{t})
		}
	}
	return all
}

// handler is who acknowledged an alert; the duty desk if that is not known.
func (m *reference) handler(a *refAlert) []told {
	if a.person != "" {
		return []told{{who: a.person}}
	}
	return []told{{who: duty}}
}

// mergeTold adds people, nobody twice; who is told for one reason and not for another, is told.
func mergeTold(all, more []told) []told {
	for _, t := range more {
		i := slices.IndexFunc(all, func(x told) bool { return x.who == t.who })
		switch {
		case i < 0:
			all = append(all, t)
		case all[i].held != "" && t.held == "":
			all[i] = t
		}
	}
	return all
}
