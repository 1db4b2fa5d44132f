package alerts

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
)

// confirmation is confirmed_by of a rule: an alert of one of other rules, or of the same, from another device with which this one has
// something in common, and from about the same time, confirms an alert. That is said in its log and to everybody who was told of it,
// and may make it more severe; then its ladder begins anew, by the plan of that severity. What opens is told at once, whether or not
// anything confirms it.
type confirmation struct {
	rules    []string
	same     string
	within   time.Duration
	severity bus.Severity // empty: as it is
	line     int
}

// confirmedWithin is how far apart two devices may say the same: two independent detectors, as in GB 50116.
const confirmedWithin = 3 * time.Minute

func (p *parser) confirmation(to **confirmation) read {
	return func(n *yaml.Node) {
		x := &confirmation{within: confirmedWithin, line: n.Line}
		*to = x
		p.mapping(n, map[string]read{
			"rules": p.words(&x.rules), "same": p.str(&x.same), "within": p.duration(&x.within), "severity": p.severity(&x.severity),
		}, "rules", "same")
	}
}

// confirmation checks confirmed_by of a rule against the types of all that takes part.
func (l *loader) confirmation(r *Rule) {
	x := r.confirmation
	if x == nil {
		return
	}
	if x.severity != "" && x.severity.Rank() >= r.Severity.Rank() {
		l.fail(r.File, x.line, "rule %s: confirmed_by: %s is no more severe than the rule", r.ID, x.severity)
	}
	for _, id := range append(slices.Clone(x.rules), r.ID) {
		if l.ids[id] == nil {
			l.fail(r.File, x.line, "rule %s: confirmed_by: unknown rule %q", r.ID, id)
			continue
		}
		for _, t := range l.typesOf(l.ids[id]) {
			b := binder{l, r, t}
			b.checkPlace(x.line, x.same, t)
		}
	}
}

// corroborate looks for what confirms an alert that has just begun, and for what it confirms.
func (c *core) corroborate(n news) {
	if n.kind != opened && n.kind != reopened && n.kind != flapping && n.kind != repeated && n.kind != confirmed {
		return
	}
	if r := c.rules.byID[n.alert.Rule]; r != nil && r.confirmation != nil {
		for _, id := range r.confirmation.rules {
			for _, other := range c.goingOf(id) {
				c.confirmBy(r, n.alert, other, n.at)
			}
		}
	}
	for _, r := range c.rules.confirms[n.alert.Rule] {
		for _, a := range c.goingOf(r.ID) {
			c.confirmBy(r, a, n.alert, n.at)
		}
	}
}

// goingOf are the alerts of a rule that have not ended, the oldest first.
func (c *core) goingOf(rule string) []*bus.Alert {
	return slices.SortedFunc(maps.Values(c.book.going[rule]), func(a, b *bus.Alert) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
}

// confirmBy confirms an alert of a rule if another alert does that.
func (c *core) confirmBy(r *Rule, a, other *bus.Alert, at int64) {
	x := r.confirmation
	if a.ConfirmedBy != "" || a.Device == other.Device || !x.near(a, other) || !inEarnest(a) || !inEarnest(other) {
		return
	}
	here, known := common(c.dir.Device(a.Device), x.same)
	there, too := common(c.dir.Device(other.Device), x.same)
	if !known || !too || here != there {
		return
	}
	a.ConfirmedBy = other.ID
	worse := x.severity != "" && x.severity.Rank() < a.Severity.Rank()
	ev := bus.AlertEvent{Kind: corroborated, At: latest(a.OpenedAt, moment(at)), Note: other.Rule + " of " + other.Device}
	now := latest(ev.At, moment(max(c.present(), at)))
	if worse {
		a.Severity = x.severity
		c.book.lift(a, ev, now)
		return
	}
	ev.Tell = c.book.address(a, c.book.resolve(a, a.Told, now), now)
	c.book.record(a, ev)
}

// inEarnest reports whether an alert can confirm, and be confirmed: not one of something that is being tried or worked on, or long past.
func inEarnest(a *bus.Alert) bool {
	return (a.State == bus.Opened || a.State == bus.Acknowledged) && !a.Synthetic && !a.Late && a.Held != heldCommissioning && a.Held != heldMaintenance
}

// near reports whether two alerts are of about the same time.
func (x *confirmation) near(a, b *bus.Alert) bool {
	for _, t := range []time.Time{a.OpenedAt, a.LastEvent} {
		for _, u := range []time.Time{b.OpenedAt, b.LastEvent} {
			if t.Sub(u).Abs() <= x.within {
				return true
			}
		}
	}
	return false
}
