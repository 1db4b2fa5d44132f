package alerts

import (
	"cmp"
	"slices"
)

// refConfirmation is what confirms a rule: an alert of another device of the same place or person, of about the same time. It makes it
// as severe as it says.
type refConfirmation struct {
	rules          []string
	same           func(m *reference, device string) string // "" is nothing
	within         int64
	severity, plan string
}

// refNews is something that happened to an alert, or an event. Others hear of it when all that came of the same has happened.
type refNews struct {
	a    *refAlert
	kind string
	at   int64

	device string // of an event
}

func (m *reference) settle() {
	for len(m.news) > 0 {
		n := m.news[0]
		m.news = m.news[1:]
		if n.a == nil {
			m.lookAt(n.device, n.at, func(l refLook) bool { return l.event == n.kind })
			continue
		}
		m.orderNews(n)
		m.corroborate(n)
		m.lookAt(n.a.device, n.at, func(l refLook) bool { return l.rule == n.a.rule.id })
	}
}

// corroborate looks for what confirms an alert that begins, and for what it confirms.
func (m *reference) corroborate(n refNews) {
	if !slices.Contains([]string{"opened", "reopened", "flapping", "repeated", "confirmed"}, n.kind) {
		return
	}
	if x := n.a.rule.confirmation; x != nil {
		for _, id := range x.rules {
			for _, other := range m.going(id) {
				m.confirmBy(n.a, other, n.at)
			}
		}
	}
	for _, r := range m.rules {
		if r.confirmation != nil && slices.Contains(r.confirmation.rules, n.a.rule.id) {
			for _, a := range m.going(r.id) {
				m.confirmBy(a, n.a, n.at)
			}
		}
	}
}

// going are the alerts of a rule that have not ended, the oldest first.
func (m *reference) going(rule string) (all []*refAlert) {
	for _, a := range m.alerts {
		if a.rule.id == rule && a.goesOn() {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *refAlert) int { return cmp.Or(cmp.Compare(a.opened, b.opened), byID(a, b)) })
	return all
}

func (m *reference) confirmBy(a, other *refAlert, at int64) {
	x := a.rule.confirmation
	here, there := x.same(m, a.device), x.same(m, other.device)
	near := func(t, u int64) bool { return max(t-u, u-t) <= x.within }
	switch {
	case a.confirmedBy != "" || a.device == other.device || here == "" || here != there || !a.inEarnest() || !other.inEarnest():
		return
	case !near(a.opened, other.opened) && !near(a.opened, other.last) && !near(a.last, other.opened) && !near(a.last, other.last):
		return
	}
	a.confirmedBy = other.id()
	at = max(a.opened, at)
	now := max(at, m.clock, m.came)
	if severer(x.severity, a.severity) {
		a.severity = x.severity
		m.worsen(a, x.plan, at, "corroborated", now)
		return
	}
	m.record(a, at, "corroborated", m.address(a, a.everTold(), now)...)
}

func (a *refAlert) inEarnest() bool {
	return a.goesOn() && !a.late && a.held != "commissioning" && a.held != "maintenance"
}

// refConfirmedRules are those of testdata/reference_confirmations.yaml.
func refConfirmedRules() []*refRule {
	return []*refRule{
		{
			id: "r_stuck", severity: "medium", category: "device", plan: "once", fields: []string{"door"}, onChange: true,
			when: func(v sight) maybe { return is(v("door"), "jammed") },
			confirmation: &refConfirmation{
				rules: []string{"r_stuck", "t_jam"}, within: 3 * refMinute, severity: "high", plan: "urgent",
				same: func(_ *reference, device string) string {
					if slices.Contains([]string{"p1", "p2", "p3"}, device) {
						return "tianjin"
					}
					return ""
				},
			},
		},
		{
			id: "r_awake", severity: "critical", category: "fire", plan: "safety", safety: true, fields: []string{"awake"}, onChange: true,
			when: func(v sight) maybe { return is(v("awake"), true) },
			confirmation: &refConfirmation{
				rules: []string{"t_sos", "r_awake"}, within: 10 * refMinute,
				same: func(m *reference, device string) string { return m.persons[device] },
			},
		},
	}
}
