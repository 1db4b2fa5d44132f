package alerts

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"linli/devices"
)

func catalogueRules(t testing.TB) (*devices.Catalogue, *Rules) {
	t.Helper()
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(cat)
	if err != nil {
		t.Fatal(err)
	}
	return cat, rules
}

// TestEveryRule replays every example of the catalogue, and then again with each threshold and each for a little off: at least
// one example must notice.
func TestEveryRule(t *testing.T) {
	cat, rules := catalogueRules(t)
	for _, r := range rules.All() {
		t.Run(r.ID, func(t *testing.T) {
			if err := r.Replay(); err != nil {
				t.Fatal(err)
			}
			for what, mutant := range mutations(cat, r) {
				if examplesPass(t, cat, rules, mutant) {
					t.Errorf("%s:%d: rule %s: no example notices %s", r.File, r.Line, r.ID, what)
				}
			}
		})
	}
}

// beforeChoice is what stands before a number that ?: may choose.
var beforeChoice = regexp.MustCompile(`[?:] *$`)

var numberForm = regexp.MustCompile(`\b\d+\.\d+\b`)

// whenMutations are copies of a rule with one number of a condition moved by 2 %, whole numbers by 1.
func whenMutations(cat *devices.Catalogue, r *Rule, text string, condition func(*Rule) *source) map[string]*Rule {
	all := map[string]*Rule{}
	for _, at := range numberForm.FindAllStringIndex(text, -1) {
		if beforeChoice.MatchString(text[:at[0]]) {
			continue // a score, no threshold
		}
		v, _ := strconv.ParseFloat(text[at[0]:at[1]], 64)
		step := max(v*0.02, 0.001)
		if v == math.Trunc(v) && readsWholeNumbers(cat, r) {
			step = max(step, 1)
		}
		if r.Kind == GeofenceKind {
			step = max(step, 0.1) // outside_m has no finer steps
		}
		for _, moved := range []float64{v - step, v + step} {
			m := *r
			to := condition(&m)
			to.text = fmt.Sprintf("%s(%.9f)%s", text[:at[0]], moved, text[at[1]:])
			all[to.text] = &m
		}
	}
	return all
}

// mutations are copies of a rule with one number of when or clear moved, also of those of a level, or a for by 10 %, of a count rule its
// count by 1 and its window by 10 %, of a rate what it is for.
func mutations(cat *devices.Catalogue, r *Rule) map[string]*Rule {
	all := map[string]*Rule{}
	for text, m := range whenMutations(cat, r, r.when.text, func(m *Rule) *source { return &m.when }) {
		all[text] = m
	}
	if r.Kind != GeofenceKind { // whose clear is not its own
		for text, m := range whenMutations(cat, r, r.clear.text, func(m *Rule) *source { return &m.clear }) {
			all["clear: "+text] = m
		}
	}
	for _, moved := range []time.Duration{r.per * 9 / 10, r.per * 11 / 10} {
		if r.per > 0 {
			m := *r
			m.per = moved
			all["per: "+moved.String()] = &m
		}
	}
	for i, l := range r.Levels {
		level := func(m *Rule) *Level { // of a copy
			m.Levels = slices.Clone(r.Levels)
			return &m.Levels[i]
		}
		for text, m := range whenMutations(cat, r, l.rule.when.text, func(m *Rule) *source { return &level(m).rule.when }) {
			all[l.Name+" "+text] = m
		}
		for text, m := range whenMutations(cat, r, l.rule.clear.text, func(m *Rule) *source { return &level(m).rule.clear }) {
			all[l.Name+" clear: "+text] = m
		}
		for _, moved := range []time.Duration{l.rule.For * 9 / 10, l.rule.For * 11 / 10} {
			if l.rule.For > 0 {
				m := *r
				level(&m).rule.For = moved
				all[l.Name+" for: "+moved.String()] = &m
			}
		}
	}
	for what, field := range map[string]func(*Rule) *span{
		"window":         func(r *Rule) *span { return &r.own.window },
		"battery_window": func(r *Rule) *span { return &r.silence.battery },
		"will":           func(r *Rule) *span { return &r.silence.will },
	} {
		for _, share := range []float64{0.9, 1.1} {
			if share > 1 && r.Kind == CountKind && r.between != nil {
				continue // what it counts in may be as long as the window
			}
			m := *r
			if s := field(&m); *s != (span{}) {
				*s = span{time.Duration(float64(s.fixed) * share), s.periods * share}
				all[fmt.Sprintf("%s: %v", what, *s)] = &m
			}
		}
	}
	if r.silence.min > 0 {
		m := *r
		m.silence.min = r.silence.min * 9 / 10
		all["min: "+m.silence.min.String()] = &m
	}
	for _, by := range []float64{-1, 1} {
		if r.Kind == CountKind {
			m := *r
			m.count += by
			all[fmt.Sprintf("count: %v", m.count)] = &m
		}
	}
	if r.within > 0 {
		for _, moved := range []time.Duration{r.within * 9 / 10, r.within * 11 / 10} {
			m := *r
			m.within = moved
			all["within: "+moved.String()] = &m
		}
	}
	for _, by := range []int{-1, 1} {
		if m := *r; r.Kind == GeofenceKind && r.fence.fixes+by > 0 {
			m.fence.fixes += by
			all[fmt.Sprintf("fixes: %d", m.fence.fixes)] = &m
		}
	}
	if r.confirmation != nil {
		for _, moved := range []time.Duration{r.confirmation.within * 9 / 10, r.confirmation.within * 11 / 10} {
			m, x := *r, *r.confirmation
			x.within, m.confirmation = moved, &x
			all["confirmed_by: within "+moved.String()] = &m
		}
	}
	if r.For > 0 {
		for _, moved := range []time.Duration{r.For * 9 / 10, r.For * 11 / 10} {
			m := *r
			m.For = moved
			all["for: "+moved.String()] = &m
		}
	}
	return all
}

func readsWholeNumbers(cat *devices.Catalogue, r *Rule) bool {
	for i := range r.signals {
		if r.signals[i].rule != "" && r.signals[i].fn == "count" {
			return true
		}
	}
	typ := cat.Common()
	if len(r.Types) > 0 {
		typ = cat.Type(r.Types[0])
	}
	for _, s := range r.signals {
		if f := typ.Field(s.field); f != nil && f.Type == devices.Int || s.fn == "positive_buckets" || strings.Contains(r.when.text, "?") {
			return true
		}
	}
	for _, id := range r.Fields {
		if f := typ.Field(id); f != nil && f.Type == devices.Int {
			return true
		}
	}
	for _, id := range r.Events {
		for _, f := range typ.Event(id).Fields {
			if f.Type == devices.Int && strings.Contains(r.when.text, "event."+f.ID) {
				return true
			}
		}
	}
	return false
}

func examplesPass(t *testing.T, cat *devices.Catalogue, known *Rules, r *Rule) bool {
	t.Helper()
	l := &loader{cat: cat, ids: map[string]*Rule{}, rules: []*Rule{r}}
	for i := 0; i < len(l.rules); i++ { // with those that it looks at
		l.ids[l.rules[i].ID] = l.rules[i]
		named := l.rules[i].looksAt()
		if x := l.rules[i].confirmation; x != nil {
			named = append(named, x.rules...)
		}
		for _, id := range named {
			if seen := *known.Rule(id); l.ids[id] == nil {
				l.rules = append(l.rules, &seen)
			}
		}
	}
	l.bind()
	if len(l.errs) > 0 {
		t.Fatal(l.err())
	}
	return r.Replay() == nil
}
