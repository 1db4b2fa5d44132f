package alerts

import (
	"cmp"
	"slices"

	"pgregory.net/rapid"
)

// refSilence is an absence rule: of all devices of an identity nothing is heard for the window, nor for will after a last will.
type refSilence struct {
	rule         *refRule
	window, will int64
	sign         func(s utterance) (at int64, is bool) // of life
}

// refWatch is such a rule on one identity.
type refWatch struct {
	refSilence
	who     string
	members []string
	firing  bool
	opened  int64
}

// refSilences are the rules of testdata/reference_absence.yaml.
func refSilences() []refSilence {
	fire := func(id string, person bool) *refRule {
		return &refRule{id: id, severity: "critical", category: "fire", plan: "safety", safety: true, person: person}
	}
	return []refSilence{
		{
			rule: fire("a_still", false), window: 20 * refMinute, will: 2 * refMinute,
			sign: func(s utterance) (int64, bool) { return s.received, s.event != "offline" },
		},
		{
			rule: fire("a_level", false), window: 45 * refMinute,
			sign: func(s utterance) (int64, bool) { return s.at, s.event == "" && s.get("level") != nil },
		},
		{
			rule: fire("a_jam", true), window: 3 * refHour,
			sign: func(s utterance) (int64, bool) { return s.at, s.event == "jam" },
		},
	}
}

// enrol lets devices be missed from the beginning on.
func (m *reference) enrol(devices ...string) {
	for _, s := range refSilences() {
		for _, id := range devices {
			who := m.identity(s.rule, id, id)
			i := slices.IndexFunc(m.watches, func(w *refWatch) bool { return w.rule.id == s.rule.id && w.who == who })
			if i < 0 {
				i = len(m.watches)
				m.watches = append(m.watches, &refWatch{refSilence: s, who: who})
			}
			m.watches[i].members = append(m.watches[i].members, id)
		}
	}
}

// wait is since when a watch has waited, and until when it does if nothing more is heard. Who was never heard has a day.
func (m *reference) wait(w *refWatch) (from, until int64) {
	var heard bool
	gone := never
	for _, s := range m.heard {
		switch at, is := w.sign(s); {
		case !slices.Contains(w.members, s.device):
		case is:
			from, heard, gone = max(from, at), true, never
		case s.event == "offline" && w.will > 0:
			gone = s.received
		}
	}
	until = from + w.window
	if !heard {
		until = from + 24*refHour
	}
	if gone != never {
		until = min(until, gone+w.will)
	}
	return from, until
}

// overdue reports whether a wait is over that the clock has not found yet.
func (m *reference) overdue() bool {
	return slices.ContainsFunc(m.watches, func(w *refWatch) bool {
		_, until := m.wait(w)
		return !w.firing && until <= m.clock
	})
}

// miss opens what has been silent for long enough at now, the longest first.
func (m *reference) miss(now int64) {
	type miss struct {
		*refWatch
		from, until int64
	}
	var all []miss
	for _, w := range m.watches {
		if from, until := m.wait(w); !w.firing && until <= now {
			all = append(all, miss{w, from, until})
		}
	}
	slices.SortStableFunc(all, func(a, b miss) int {
		return cmp.Or(cmp.Compare(a.until, b.until), cmp.Compare(a.rule.id, b.rule.id), cmp.Compare(a.who, b.who))
	})
	for _, w := range all {
		w.firing, w.opened = true, w.until
		if a := m.current(w.rule, w.who); a == nil || a.state == "cleared" {
			m.open(&refAlert{rule: w.rule, who: w.who, device: w.members[0], opened: w.until, last: w.from, received: w.until})
		}
	}
}

// listen takes what a device said as a sign of life.
func (m *reference) listen(s utterance) {
	m.heard = append(m.heard, s)
	for _, w := range m.watches {
		_, is := w.sign(s)
		if _, until := m.wait(w); !w.firing || !is || !slices.Contains(w.members, s.device) || until <= s.received {
			continue
		}
		w.firing = false
		if a := m.current(w.rule, w.who); a != nil {
			m.clear(a, max(s.received, w.opened))
		}
	}
}

// hush lets about as much time pass as a watch waits.
func (w *trio) hush() {
	of := rapid.SampledFrom(w.m.watches).Draw(w.T, "watch")
	_, until := w.m.wait(of)
	if left := until - w.now + rapid.SampledFrom([]int64{-1, 0, wallGrace.Milliseconds() - 1, wallGrace.Milliseconds()}).Draw(w.T, "beside"); left > 0 {
		w.pass(left)
	}
	w.tick()
}
