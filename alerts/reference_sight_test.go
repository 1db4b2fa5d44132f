package alerts

import (
	"math"
	"slices"
)

// newest is the newest utterance of a series of which is is true; of two at the same time the one that came later.
func (m *reference) newest(series string, is func(s utterance) bool) (found utterance, ok bool) {
	for _, s := range m.said {
		if s.series == series && is(s) && (!ok || s.at >= found.at) {
			found, ok = s, true
		}
	}
	return found, ok
}

func anything(utterance) bool { return true }

func says(id string) func(s utterance) bool {
	return func(s utterance) bool {
		return slices.ContainsFunc(s.fields, func(f field) bool { return f.id == id })
	}
}

func (s utterance) get(id string) any {
	for _, f := range s.fields {
		if f.id == id {
			return f.v
		}
	}
	return nil
}

// value is the last value of a field, or what a signal comes to, and how long ago that held at a time. What is sent on change only
// holds while its series says anything.
func (m *reference) value(c *refCell, id string, at int64) (v any, age int64) {
	if l, ok := c.rule.looks[id]; ok {
		return m.look(l, c.device, at)
	}
	if g := c.rule.groups[id]; g != nil {
		return m.together(g, c.device, at)
	}
	if id == "outside_m" {
		return m.outside(c, at)
	}
	field := c.rule.field(id)
	s, ok := m.newest(c.series, says(field))
	if !ok {
		return nil, math.MaxInt64
	}
	if v = s.get(field); c.rule.signals[id].fn != "" {
		v = m.past(c, c.rule.signals[id], at)
	}
	if c.rule.onChange {
		s, _ = m.newest(c.series, anything)
	}
	return v, at - s.at
}

// shown is what an alert shows: the first of what its rule reads, at a time. What is not known of the past is shown by the last value.
func (m *reference) shown(c *refCell, at int64) any {
	if len(c.rule.fields) == 0 {
		return nil
	}
	id := c.rule.fields[0]
	if c.rule.fence != nil {
		return m.lastOutside(c)
	}
	v, _ := m.value(c, id, at)
	if s, ok := m.newest(c.series, says(c.rule.field(id))); v == nil && ok {
		v = s.get(c.rule.field(id))
	}
	return v
}

// sight is what a cell sees at a time.
func (m *reference) sight(c *refCell, at int64) sight {
	return func(id string) any {
		if v, age := m.value(c, id, at); age <= c.rule.maxAge() {
			return v
		}
		return nil
	}
}

func (m *reference) fresh(c *refCell, at int64) bool {
	for _, id := range c.rule.fields {
		if _, age := m.value(c, id, at); age > c.rule.maxAge() {
			return false
		}
	}
	return true
}
