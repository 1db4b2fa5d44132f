package alerts

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"
)

// refOrder is the order that a rule looks at: first, and within a time then, or no without. With same it is of what devices have in
// common; "" is nothing.
type refOrder struct {
	first, then, without refPart
	within               int64
	same                 func(m *reference, device string) string
}

// refPart is an event, or what happens to an alert of a rule.
type refPart struct {
	event, rule, kind string
	fits              func(v sight) maybe // of the event
}

func (p refPart) given() bool { return p.event != "" || p.rule != "" }

// refSequence is a first that waits for its second.
type refSequence struct {
	rule            *refRule
	who, device     string
	since, received int64
}

func (q *refSequence) ends() int64 { return q.since + q.rule.order.within }

// due is when nothing that belongs to a sequence is still to be expected: one that begins late waits a second for what is on its way.
func (q *refSequence) due() int64 { return max(q.ends(), q.received+1000) }

// orderEvent lets an event take its part in sequences.
func (m *reference) orderEvent(s utterance) {
	m.order(s.device, s.series, s.at, s.received, func(r *refRule, p refPart) bool {
		if p.event != s.event || p.fits == nil {
			return p.event == s.event
		}
		t := p.fits(s.get)
		return t == yea || t == unsure && r.safety
	})
}

// orderNews does the same with what happened to an alert.
func (m *reference) orderNews(n refNews) {
	kind := n.kind
	if kind == "reopened" || kind == "flapping" {
		kind = "opened"
	}
	m.order(n.a.device, n.a.device, n.at, max(n.at, n.a.received), func(_ *refRule, p refPart) bool {
		return p.rule == n.a.rule.id && p.kind == kind
	})
}

// order looks at the rules for which something is a part of a sequence.
func (m *reference) order(device, series string, at, received int64, is func(r *refRule, p refPart) bool) {
	for _, r := range m.rules {
		o := r.order
		if o == nil {
			continue
		}
		who := m.identity(r, device, series)
		if o.same != nil {
			if who = o.same(m, device); who == "" {
				continue
			}
		}
		if is(r, o.first) {
			m.begin(r, who, device, at, received)
		}
		if is(r, o.then) {
			if q := m.sequence(r, who, received); q != nil && at >= q.since && at <= q.ends() {
				m.forget(q)
				m.follow(q, at, received)
			}
		}
		if is(r, o.without) {
			if q := m.sequence(r, who, received); q != nil && at >= q.since && at <= q.ends() {
				m.forget(q)
			}
			if a := m.current(r, who); a != nil && at >= a.last {
				m.clear(a, at)
			}
		}
	}
}

// sequence is the one of an identity that waits when something arrives, if any: one whose time was over before is over.
func (m *reference) sequence(r *refRule, who string, received int64) *refSequence {
	for _, q := range m.sequences {
		switch {
		case q.rule != r || q.who != who:
		case q.due() < received:
			m.end(q)
			return nil
		default:
			return q
		}
	}
	return nil
}

// begin begins a sequence, unless one waits: it is moved on if its second opens the alert.
func (m *reference) begin(r *refRule, who, device string, at, received int64) {
	switch q := m.sequence(r, who, received); {
	case q == nil && (r.safety || !m.inMaintenance(device, received)):
		m.sequences = append(m.sequences, &refSequence{r, who, device, at, received})
	case q != nil && r.order.then.given() && at > q.since:
		q.since, q.received = at, received
	}
}

func (m *reference) forget(q *refSequence) {
	m.sequences = slices.DeleteFunc(m.sequences, func(x *refSequence) bool { return x == q })
}

// end ends a sequence whose time is over.
func (m *reference) end(q *refSequence) {
	m.forget(q)
	told := slices.ContainsFunc(m.alerts, func(a *refAlert) bool { return a.rule == q.rule && a.who == q.who && a.opened == q.ends() })
	if q.rule.order.without.given() && !told {
		m.follow(q, q.ends(), q.received)
	}
}

// endSequences ends those whose time is over at now.
func (m *reference) endSequences(now int64) {
	all := slices.SortedFunc(slices.Values(m.sequences), func(a, b *refSequence) int {
		return cmp.Or(cmp.Compare(a.due(), b.due()), cmp.Compare(a.rule.id, b.rule.id), cmp.Compare(a.who, b.who))
	})
	for _, q := range all {
		if q.due() <= now {
			m.end(q)
		}
	}
}

// follow tells of a sequence that came true.
func (m *reference) follow(q *refSequence, at, received int64) {
	late := q.rule.lateBy(received - q.since)
	received = max(received, at)
	a := m.current(q.rule, q.who)
	if a == nil || a.state == "cleared" {
		m.open(&refAlert{
			rule: q.rule, who: q.who, device: q.device, opened: at, last: q.since, received: received, late: late, latched: q.rule.latched,
		})
		return
	}
	if a.late && !late {
		a.received = received
		m.confirm(a, at)
	}
	m.repeat(a, utterance{at: at, received: received})
}

// refSequenceRules are those of testdata/reference_sequences.yaml.
func refSequenceRules() []*refRule {
	event := func(id string) refPart { return refPart{event: id} }
	person := func(m *reference, device string) string {
		if p := m.persons[device]; p != "" {
			return "person=tianjin|" + p
		}
		return ""
	}
	return []*refRule{
		{
			id: "r_unhelped", severity: "high", category: "water", plan: "urgent",
			order: &refOrder{first: refPart{event: "jam", fits: atLeast("attempts", 3)}, without: event("jam_over"), within: 5 * refMinute},
		},
		{
			id: "r_jam_sos", severity: "critical", category: "health", plan: "sos", safety: true, latched: true, person: true,
			order: &refOrder{first: event("jam"), then: refPart{event: "sos", fits: above("confidence", 0.6)}, within: 5 * refMinute},
		},
		{
			id: "r_alone", severity: "high", category: "health", plan: "sos", safety: true, person: true,
			order: &refOrder{first: refPart{rule: "t_sos", kind: "opened"}, without: refPart{rule: "t_sos", kind: "acknowledged"}, within: 2 * refMinute},
		},
		{
			id: "r_cooled", severity: "medium", category: "device", plan: "once",
			order: &refOrder{first: refPart{rule: "r_warm", kind: "cleared"}, then: event("jam"), within: 10 * refMinute, same: person},
		},
		{
			id: "r_unclosed", severity: "critical", category: "fire", plan: "safety", safety: true,
			order: &refOrder{first: refPart{event: "jam", fits: atLeast("attempts", 3)}, without: refPart{rule: "t_jam", kind: "closed"}, within: 15 * refMinute},
		},
	}
}

// inOrder lets one thing follow another after about the time that rules look at.
func (w *trio) inOrder() {
	t := w.T
	device := rapid.SampledFrom([]string{"p1", "p2", "p3", "p9"}).Draw(t, "device")
	found := 300_000 + wallGrace.Milliseconds()
	for range rapid.IntRange(1, 4).Draw(t, "times") {
		s := utterance{device: device, series: device, at: w.now, received: w.now, event: rapid.SampledFrom([]string{"jam", "jam", "jam_over", "sos"}).Draw(t, "event")}
		s.at -= rapid.SampledFrom([]int64{0, 0, 0, 1000, 299_000, 300_000, found, found, 400_000, 3_700_000, 5_000_000}).Draw(t, "lag")
		if s.event == "jam" {
			s.fields = []field{{"attempts", 3.0}}
		}
		w.happen(s)
		if rapid.Bool().Draw(t, "wait") {
			w.pass(rapid.SampledFrom([]int64{0, 1, 1000, 1001, 120_000, 299_999, 300_000, 300_001, found, found, 600_000, 900_000}).Draw(t, "gap"))
			w.mayTick(t)
		}
	}
}
