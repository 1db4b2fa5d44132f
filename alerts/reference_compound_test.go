package alerts

import (
	"math"
	"slices"
)

// refLook is a signal of what lies beyond the readings of the own device: whether a rule has an alert that has not ended, of a device
// that has something in common with the own one, or how many devices have one; or the seconds since an event of such a device.
type refLook struct {
	rule, event string
	of          refPlaceOf
	count       bool
	window      int64 // of a count: alerts of which the last was heard within it
}

// refPlaceOf is what a device has in common with others; "" is nothing.
type refPlaceOf func(m *reference, device string) string

// beyond reports whether a rule looks beyond the readings of its own device.
func (r *refRule) beyond() bool { return r.groups != nil || r.looks != nil }

// look is what a signal comes to for a device at a time.
func (m *reference) look(l refLook, device string, at int64) (v any, age int64) {
	here := l.of(m, device)
	switch {
	case here == "":
		return nil, math.MaxInt64
	case l.event != "":
		return m.since(l, here, at)
	}
	var devices []string
	for _, a := range m.alerts {
		near := a.rule.id == l.rule && l.of(m, a.device) == here
		if near && a.goesOn() && a.opened <= at && (l.window == 0 || a.last > at-l.window) && !slices.Contains(devices, a.device) {
			devices = append(devices, a.device)
		}
	}
	if l.count {
		return float64(len(devices)), 0
	}
	return len(devices) > 0, 0
}

func (m *reference) since(l refLook, here string, at int64) (v any, age int64) {
	newest := int64(math.MinInt64)
	for _, e := range m.events {
		if e.event == l.event && l.of(m, e.device) == here {
			newest = max(newest, e.at)
		}
	}
	if newest == math.MinInt64 || newest > at {
		return nil, math.MaxInt64
	}
	return float64(at-newest) / 1000, 0
}

// lookAt judges what looks at a rule or an event around a device of which that says something at a time.
func (m *reference) lookAt(device string, at int64, is func(l refLook) bool) {
	for _, r := range m.rules {
		for _, l := range r.looks {
			if is(l) {
				for _, series := range m.nearby(l.of, device) {
					m.judgeNow(m.cell(r, utterance{series: series}), at)
				}
			}
		}
	}
}

// judgeNow judges a cell without a reading of its own.
func (m *reference) judgeNow(c *refCell, at int64) {
	m.judge(c, utterance{device: c.device, series: c.series, at: max(at, c.judged), received: max(at, m.clock, m.came)})
}

// refCompoundRules are those of testdata/reference_compound.yaml.
func refCompoundRules() []*refRule {
	known := func(of refPlaceOf) refPlaceOf {
		return func(m *reference, device string) string {
			if slices.Contains([]string{"p1", "p2", "p3"}, device) {
				return of(m, device)
			}
			return ""
		}
	}
	everywhere := known(func(*reference, string) string { return "tianjin" })
	itself := known(func(_ *reference, device string) string { return device })
	gateway := known(func(m *reference, device string) string {
		if g := m.gateways[device]; g != "" {
			return g
		}
		return device
	})
	person := func(m *reference, device string) string { return m.persons[device] }
	true2 := func(id string) func(v sight) maybe { return func(v sight) maybe { return is(v(id), true) } }
	return slices.Concat([]*refRule{
		{
			id: "k_both", severity: "low", category: "device", plan: "once", fields: []string{"level"}, hold: refMinute,
			looks: map[string]refLook{"smoke": {rule: "t_smoke", of: everywhere}},
			when:  func(v sight) maybe { return both(true2("smoke")(v), above("level", 50)(v)) },
		},
		{
			id: "k_two", severity: "critical", category: "fire", plan: "safety", safety: true, everyone: true,
			looks: map[string]refLook{"n": {rule: "t_smoke", of: everywhere, count: true, window: 10 * refMinute}},
			when:  atLeast("n", 2),
		},
		{
			id: "k_call", severity: "low", category: "device", plan: "once", whole: true, fields: []string{"door"}, onChange: true,
			looks: map[string]refLook{"call": {rule: "t_jam", of: person}},
			when:  func(v sight) maybe { return both(true2("call")(v), not(is(v("door"), "open"))) },
			clear: func(v sight) maybe { return not(true2("call")(v)) },
		},
		{
			id: "k_lost", severity: "low", category: "device", plan: "once", hold: 3 * refMinute,
			looks: map[string]refLook{"lost": {rule: "a_still", of: gateway, count: true}, "warm": {rule: "r_warm", of: itself}},
			when:  func(v sight) maybe { return not(both(below("lost", 1)(v), not(true2("warm")(v)))) },
			clear: func(v sight) maybe { return both(below("lost", 1)(v), not(true2("warm")(v))) },
		},
		{
			id: "k_ago", severity: "low", category: "device", plan: "once", fields: []string{"level"},
			looks: map[string]refLook{"ago": {event: "jam", of: gateway}},
			when:  func(v sight) maybe { return both(not(above("ago", 300)(v)), above("level", 50)(v)) },
			clear: above("ago", 600),
		},
		{
			id: "k_since", severity: "low", category: "device", plan: "once", whole: true, fields: []string{"door"}, onChange: true, hold: 2 * refMinute,
			looks: map[string]refLook{"since": {event: "jam", of: itself}}, signals: map[string]refSignal{"since": {otherwise: 86_400.0}},
			when: func(v sight) maybe { return both(atLeast("since", 600)(v), is(v("door"), "open")) },
		},
	}, graded(refRule{
		id: "k_chain", category: "fire", safety: true, fields: []string{"heat", "all"},
		looks: map[string]refLook{"both": {rule: "k_both", of: everywhere}},
		groups: map[string]*refGroup{"all": {field: "awake", onChange: true, of: person, sum: func(values []any) any {
			return slices.Contains(values, any(true))
		}}},
	},
		refRule{
			grade: "hot", severity: "critical", plan: "safety", hold: refMinute, clear: below("heat", 40),
			when: func(v sight) maybe { return both(true2("both")(v), above("heat", 50)(v)) },
		},
		refRule{
			grade: "any", severity: "high", plan: "safety",
			when: func(v sight) maybe { return both(true2("both")(v), true2("all")(v)) },
		},
	))
}
