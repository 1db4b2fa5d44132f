package alerts

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
)

// Level is a grade of a rule with levels: how bad the same thing is. Each is judged like a rule of its own, all feed one alert, and
// the alert has the most severe of those that fire:
//
//	a level fires    opened; raised when the alert is open and less severe: people are told anew, by the plan of that severity
//	a level clears   lowered to the next that fires, or is true while its for is not over; cleared when there is none
//
// What several levels say of one reading is one transition. A latched alert is never lowered. One that a person closed is not followed
// by another because a lower level of the same series fires: whoever closed it has seen worse.
type Level struct {
	Name     string
	Severity bus.Severity
	rule     Rule // its when, clear and for
}

// mostLevels is the number of severities: no two levels have the same.
const mostLevels = 5

// levels reads those of a rule, or what an override says of some of them.
func (p *parser) levels(r *Rule) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
			p.fail(n.Line, "want a mapping of levels, such as warn and crit")
			return
		}
		all, seen := slices.Clone(r.Levels), map[string]bool{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, body := n.Content[i].Value, n.Content[i+1]
			at := slices.IndexFunc(all, func(l Level) bool { return l.Name == name })
			switch _, err := identifier(name); {
			case err != nil || seen[name]:
				p.fail(n.Content[i].Line, "level %q is no identifier, or here twice", name)
				continue
			case at < 0 && len(r.Levels) > 0:
				p.fail(n.Content[i].Line, "the rule has no level %q", name)
				continue
			case at < 0:
				at, all = len(all), append(all, Level{Name: name})
			}
			seen[name] = true
			l := &all[at]
			keys := map[string]read{
				"severity": p.severity(&l.Severity), "when": p.source(&l.rule.when), "clear": p.source(&l.rule.clear), "for": p.duration(&l.rule.For),
			}
			if len(r.Levels) > 0 {
				p.mapping(body, keys)
			} else {
				p.mapping(body, keys, "severity", "when")
			}
		}
		slices.SortStableFunc(all, func(a, b Level) int { return a.Severity.Rank() - b.Severity.Rank() })
		for i := range all {
			if i > 0 && all[i].Severity == all[i-1].Severity {
				p.fail(n.Line, "levels %s and %s have the same severity", all[i-1].Name, all[i].Name)
			}
			if len(r.Levels) > 0 && all[i].Name != r.Levels[i].Name {
				p.fail(n.Line, "the levels are in another order than those of the rule")
				return
			}
		}
		r.Levels, r.Severity = all, all[0].Severity
	}
}

// grades are a rule as it is at each of its levels, the most severe first; of a rule without levels the rule itself.
func (r *Rule) grades() []*Rule {
	if len(r.Levels) == 0 {
		return []*Rule{r}
	}
	all := make([]*Rule, len(r.Levels))
	for i, l := range r.Levels {
		at := *r
		at.level, at.Severity = i+1, l.Severity
		at.when, at.clear, at.For = l.rule.when, l.rule.clear, l.rule.For
		all[i] = &at
	}
	return all
}

// levelName is the level that a rule is at; empty when it has none.
func (r *Rule) levelName() string {
	if r.level == 0 {
		return ""
	}
	return r.Levels[r.level-1].Name
}

// levelOf is the number of an alert's level, from 1 for the most severe; beyond all when the rule has none of that name.
func (r *Rule) levelOf(a *bus.Alert) int {
	if i := slices.IndexFunc(r.Levels, func(l Level) bool { return l.Name == a.Level }); i >= 0 {
		return i + 1
	}
	return len(r.Levels) + 1
}

// below reports whether the next cell of a series is that of the next lower level.
func (b *bound) below() bool { return b.level > 0 && b.level < len(b.Levels) }

// fire counts a cell that begins to fire, or with -1 one that ends.
func (e *episode) fire(b *bound, by int) {
	e.firing += by
	if b.level > 0 {
		e.levels[b.level-1] += by
	}
}

// rest lets every cell be counted anew.
func (e *episode) rest() { e.firing, e.levels = 0, [mostLevels]int{} }

// outdone reports whether a more severe level than that of a cell fires.
func (s *series) outdone(i int) bool {
	return slices.ContainsFunc(s.cells[i-max(0, s.bound(i).level-1):i], func(cl cell) bool { return cl.state == firing })
}

// lift raises an open alert to the level of a cell, unless it is as severe already. What came too late raises nothing that was
// told in time; the next reading that still fulfils it does.
func (c *core) lift(s *series, b *bound, a *bus.Alert, f finding, since int64) {
	if b.level == 0 || b.level >= b.levelOf(a) || b.late(f.received-f.at) && !a.Late || a.State != bus.Opened && a.State != bus.Acknowledged {
		return
	}
	note := a.Level + " to " + b.levelName()
	c.grade(s, b, a, f, since)
	a.LastEvent = latest(a.LastEvent, moment(since))
	c.book.lift(a, bus.AlertEvent{Kind: raised, At: latest(a.OpenedAt, moment(f.opened)), Note: note}, moment(max(f.opened, f.received)))
}

// sink lowers the alert of an episode to the most severe level that still fires.
func (c *core) sink(s *series, b *bound, e *episode, at int64) {
	a := e.alert
	i := slices.IndexFunc(e.levels[:], func(n int) bool { return n > 0 })
	if b.level == 0 || a.Latched || i < 0 || i+1 <= b.levelOf(a) || a.State != bus.Opened && a.State != bus.Acknowledged {
		return
	}
	note := a.Level + " to " + b.Levels[i].Name
	to := *b.Rule
	to.level, to.Severity = i+1, b.Levels[i].Severity
	at = max(at, a.LastEvent.UnixMilli())
	x := *b
	x.Rule = &to
	c.grade(s, &x, a, finding{at: at, received: at, value: c.shown(s, b, at)}, at)
	c.book.record(a, bus.AlertEvent{Kind: lowered, At: moment(at), Note: note})
}

// grade gives an alert the level of a bound, and says with which value.
func (c *core) grade(s *series, b *bound, a *bus.Alert, f finding, since int64) {
	a.Level, a.Severity = b.levelName(), b.Severity
	if x := b.confirmation; a.ConfirmedBy != "" && x != nil && x.severity != "" && x.severity.Rank() < a.Severity.Rank() {
		a.Severity = x.severity
	}
	if b.field != nil {
		a.Value, a.Unit = f.value, b.field.Unit
	}
	told := *a
	told.EventTime, told.Received = moment(since), moment(f.received)
	a.Text = c.text(b, subjectOf(s, b, s.dev), &told)
}

// passDown lets the lower levels of a cell that ends be judged before it, by the same reading. The highest that is true takes over,
// even if its for is not over: what was worse was bad enough.
func (c *core) passDown(s *series, i int, at, received int64) {
	for b := s.bound(i); b.below(); b = s.bound(i) {
		i++
		c.judge(s, i, at, received)
		if s.cells[i].state == pending {
			c.raise(s, i, finding{at, at, received, c.shown(s, s.bound(i), at)})
		}
		if s.cells[i].state == firing {
			return
		}
	}
}

// lift tells that an alert has become more severe: by the plan of its severity, from the beginning. Who has acknowledged it goes on
// looking after it, and hears of it with those of the first step.
func (b *book) lift(a *bus.Alert, ev bus.AlertEvent, now time.Time) {
	was := a.Escalation
	a.Escalation = b.rules.plan(a.Rule, a.Severity).freeze()
	a.FamilyAckBy, a.SnoozedUntil = "", nil
	if a.State == bus.Acknowledged {
		e := a.Escalation
		if was != nil {
			e.Handled = was.Handled
		}
		e.Called = ev.At
		ev.Tell = b.address(a, merge(b.handler(a, now), b.recipients(a, e.Steps[0], 0, 0, now)), now)
		b.record(a, ev)
		return
	}
	if ev.Kind != raised {
		b.raise(a, ev, now)
		return
	}
	b.again(a, ev, now, func(ev bus.AlertEvent) { b.raise(a, ev, now) })
}
