package alerts

import "slices"

// graded are the rules that a rule with levels comes to, the most severe first. They have one alert together.
func graded(of refRule, levels ...refRule) (all []*refRule) {
	for i, l := range levels {
		r := of
		r.level, r.grade, r.severity, r.plan, r.when, r.clear, r.hold = i+1, l.grade, l.severity, l.plan, l.when, l.clear, l.hold
		all = append(all, &r)
	}
	return all
}

// inTheirOrder are cells as a reading touches them, but for the levels of a rule, of which what was long enough first is told first.
func inTheirOrder(all []*refCell) []*refCell {
	all = slices.Clone(all)
	for i := range all {
		for j := i; j > 0 && all[j].rule.id == all[j-1].rule.id && all[j].due() < all[j-1].due(); j-- {
			all[j], all[j-1] = all[j-1], all[j]
		}
	}
	return all
}

func (a *refAlert) goesOn() bool { return a.state == "opened" || a.state == "acknowledged" }

// lift raises an alert to the level of a cell, which was true since then and opened at a time. What came too late raises nothing that
// was told in time.
func (m *reference) lift(a *refAlert, c *refCell, since, opened int64, by utterance, v any) {
	r := c.rule
	if r.level == 0 || r.level >= a.rule.level || !a.goesOn() || !a.late && r.lateBy(by.received-by.at) {
		return
	}
	a.regrade(r, v)
	a.last = max(a.last, since)
	m.worsen(a, r.plan, max(a.opened, opened), "raised", max(opened, by.received))
}

// outdone reports whether a more severe level of a series is true. A person who closed its alert has seen worse.
func (m *reference) outdone(c *refCell) bool {
	return slices.ContainsFunc(m.cells, func(other *refCell) bool {
		return other.rule.id == c.rule.id && other.series == c.series && other.rule.level < c.rule.level && other.state == burning
	})
}

func (a *refAlert) regrade(r *refRule, v any) {
	a.rule, a.severity, a.value = r, r.severity, v
	if x := r.confirmation; x != nil && a.confirmedBy != "" && severer(x.severity, a.severity) {
		a.severity = x.severity
	}
}

// worsen tells people of an alert that is more severe than it was, by the plan of that, from its beginning. Who has acknowledged it
// hears of it with those of the first step.
func (m *reference) worsen(a *refAlert, plan string, at int64, kind string, now int64) {
	a.climbing = climbing{
		plan: refPlans[plan], due: never, handled: a.handled, held: a.held, heldBy: a.heldBy, heldUntil: a.heldUntil, owed: a.owed,
	}
	a.familyBy = ""
	switch {
	case a.state == "acknowledged":
		m.record(a, at, kind, m.address(a, mergeTold(m.handler(a), m.recipients(a, a.plan.steps[0], 0, 0)), now)...)
	case kind != "raised":
		m.raise(a, at, kind, now)
	default:
		m.again(a, at, kind, now, m.raise)
	}
}

// sink lowers the alert of a cell that ends to the most severe level that is still true.
func (m *reference) sink(c *refCell, at int64) {
	a := m.current(c.rule, m.who(c))
	if a == nil || c.rule.level == 0 || a.latched || !a.goesOn() {
		return
	}
	for _, r := range m.rules {
		if r.id == c.rule.id && m.burns(r, m.who(c)) {
			if r.level > a.rule.level {
				at = max(at, a.last)
				a.regrade(r, m.shown(&refCell{rule: r, series: c.series}, at))
				m.record(a, at, "lowered")
			}
			return
		}
	}
}

// burns reports whether a rule, at its level, is true of somebody.
func (m *reference) burns(r *refRule, who string) bool {
	return slices.ContainsFunc(m.cells, func(c *refCell) bool { return c.rule == r && c.state == burning && m.who(c) == who })
}

// passDown lets the next level that is true take over from one that ends, even if its time is not over: what was worse was bad enough.
func (m *reference) passDown(c *refCell, s utterance) {
	for _, r := range m.rules {
		if r.id != c.rule.id || r.level <= c.rule.level {
			continue
		}
		lower := m.cell(r, s)
		if m.judge(lower, s); lower.state == waiting {
			m.fire(lower, s.at, s, m.shown(lower, s.at))
		}
		if lower.state == burning {
			return
		}
	}
}

// refLevelRules are those of testdata/reference_levels.yaml.
func refLevelRules() []*refRule {
	wet := atLeast("level", 85)
	return slices.Concat(
		graded(refRule{id: "r_grade", category: "water", fields: []string{"level"}},
			refRule{grade: "top", severity: "high", plan: "urgent", when: atLeast("level", 96)},
			refRule{grade: "mid", severity: "medium", plan: "once", when: wet, clear: below("level", 80), hold: 2 * refMinute},
			refRule{grade: "low", severity: "informational", plan: "desk", when: atLeast("level", 60), clear: below("level", 55), hold: 3 * refMinute},
		),
		graded(refRule{id: "r_hot", category: "fire", safety: true, whole: true, fields: []string{"heat"}},
			refRule{grade: "fire", severity: "critical", plan: "safety", when: above("heat", 100), clear: below("heat", 70)},
			refRule{grade: "warm", severity: "high", plan: "safety", when: above("heat", 50), clear: below("heat", 30)},
		),
		graded(refRule{id: "r_worst", category: "water", person: true, latched: true, fields: []string{"level", "heat"}},
			refRule{
				grade: "boiling", severity: "critical", plan: "urgent", hold: refMinute,
				when: func(v sight) maybe { return both(wet(v), above("heat", 50)(v)) },
			},
			refRule{grade: "wet", severity: "low", plan: "once", when: wet},
		),
	)
}
