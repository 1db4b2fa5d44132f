package alerts

import (
	"math"
	"slices"
)

// refGroup is what the series of all devices that have something in common say of a field. of is that of a device; "" is nothing.
type refGroup struct {
	field    string
	onChange bool
	of       refPlaceOf
	sum      func(values []any) any
	coverage float64
}

// refGroupRules are the rules of testdata/reference_group.yaml.
func refGroupRules() []*refRule {
	everywhere := func(*reference, string) string { return "tianjin" }
	gateway := func(m *reference, device string) string {
		if g := m.gateways[device]; g != "" {
			return g
		}
		return device
	}
	person := func(m *reference, device string) string { return m.persons[device] }
	return []*refRule{
		{
			id: "g_hot", severity: "low", category: "device", plan: "once", everyone: true, fields: []string{"n"}, when: atLeast("n", 3),
			groups: map[string]*refGroup{"n": {field: "heat", of: everywhere, sum: func(values []any) any {
				n := 0.0
				for _, v := range values {
					if v.(float64) > 55 {
						n++
					}
				}
				return n
			}}},
		},
		{
			id: "g_smoke", severity: "low", category: "device", plan: "once", fields: []string{"any"},
			when:   func(v sight) maybe { return is(v("any"), 1.0) },
			groups: map[string]*refGroup{"any": {field: "smoke", onChange: true, of: gateway, sum: anyOf}},
		},
		{
			id: "g_awake", severity: "low", category: "device", plan: "once", fields: []string{"all", "level"},
			when:   func(v sight) maybe { return both(is(v("all"), 1.0), below("level", 70)(v)) },
			clear:  func(v sight) maybe { return is(v("all"), 0.0) },
			groups: map[string]*refGroup{"all": {field: "awake", onChange: true, of: person, sum: func(values []any) any { return number01(!slices.Contains(values, any(false))) }}},
		},
		{
			id: "g_mean", severity: "low", category: "device", plan: "once", whole: true, fields: []string{"mean"},
			when: above("mean", 80), clear: below("mean", 60),
			groups: map[string]*refGroup{"mean": {field: "level", of: everywhere, coverage: 0.5, sum: func(values []any) any {
				sum := 0.0
				for _, v := range values {
					sum += v.(float64)
				}
				return sum / float64(len(values))
			}}},
		},
	}
}

func anyOf(values []any) any { return number01(slices.Contains(values, any(true))) }

// number01 is how an alert shows what is true or false of several.
func number01(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// nearby are the series that have something in common with a device, in the order of their names.
func (m *reference) nearby(of refPlaceOf, device string) (all []string) {
	here := of(m, device)
	for _, s := range m.said {
		if here != "" && of(m, s.device) == here && !slices.Contains(all, s.series) {
			all = append(all, s.series)
		}
	}
	slices.Sort(all)
	return all
}

// together is what a group says at a time. When too few are known, that is too old to count.
func (m *reference) together(g *refGroup, device string, at int64) (v any, age int64) {
	all := m.nearby(g.of, device)
	var values []any
	for _, series := range all {
		said, _ := m.newest(series, says(g.field))
		last := said
		if g.onChange {
			last, _ = m.newest(series, anything)
		}
		if v := said.get(g.field); v != nil && at-last.at <= refMaxAge {
			values = append(values, v)
		}
	}
	if len(values) == 0 || float64(len(values)) < g.coverage*float64(len(all)) {
		return nil, math.MaxInt64
	}
	return g.sum(values), 0
}

// lookers are the cells of a series that look at other devices: they are judged whatever it says.
func (m *reference) lookers(s utterance) (all []*refCell) {
	for _, r := range m.rules {
		if r.beyond() {
			all = append(all, m.cell(r, s))
		}
	}
	return all
}

// judgeBehind judges a reading that is older than what was judged of other devices, if it is the newest of its own, at that time.
func (m *reference) judgeBehind(c *refCell, s utterance) {
	if last, _ := m.newest(s.series, anything); s.at >= last.at {
		s.at = c.judged
		m.judge(c, s)
	}
}

// stirs are the fields of a reading, not heard yet, that say something else than before, or again after a long time.
func (m *reference) stirs(s utterance) (all []string) {
	for _, f := range s.fields {
		before, ok := m.newest(s.series, says(f.id))
		if !ok || s.at >= before.at && (before.get(f.id) != f.v || s.at-before.at > refMaxAge) {
			all = append(all, f.id)
		}
	}
	return all
}

// spread judges, around a device, what looks at the fields that it has stirred.
func (m *reference) spread(s utterance, fields []string) {
	for _, id := range fields {
		for _, r := range m.rules {
			for _, g := range r.groups {
				if g.field != id {
					continue
				}
				for _, series := range m.nearby(g.of, s.device) {
					if series != s.series {
						m.judgeNow(m.cell(r, utterance{series: series}), s.at)
					}
				}
			}
		}
	}
}
