package alerts

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rulesOf are the rules of the text alone, on the type probe.
func rulesOf(t *testing.T, text string) *Rules {
	t.Helper()
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	l := &loader{cat: cat, ids: map[string]*Rule{}}
	l.file("site.yaml", []byte(text))
	rules := l.bind()
	if len(l.errs) > 0 {
		t.Fatal(l.err())
	}
	return rules
}

// TestRuleThatIsGoneClosesItsAlerts restarts with other rules: alerts that nothing judges any more end with the reason, latched ones
// stay.
func TestRuleThatIsGoneClosesItsAlerts(t *testing.T) {
	before := newCore(memoryRules(t), newPeople())
	w := &world{core: before, t: t}
	w.say("p1 0s heat=60", "p1 1m level=96", "p1 2m level=96", "p1 3m level=96", "p1 4m level=96", "p2 5m heat=101")
	data, err := os.ReadFile("testdata/memory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	after := newCore(rulesOf(t, string(data)), newPeople()) // without the rules of probe.yaml, such as t_heat
	for _, a := range before.book.alerts {
		kept := *a
		after.book.load(&kept)
	}
	after.book.retire(start)
	closed := map[string]string{}
	for _, ev := range after.book.out {
		closed[ev.Alert.Rule] = ev.Kind + ": " + ev.Note
		if len(ev.Tell) != 1 || ev.Tell[0].Target != duty || ev.Tell[0].Held != "" {
			t.Errorf("who was told of %s is told of its end: %+v", ev.Alert.Rule, ev.Tell)
		}
	}
	want := map[string]string{"t_heat": "closed: rule retired"}
	if diff := cmp.Diff(want, closed); diff != "" {
		t.Errorf("closed (-want +got):\n%s", diff)
	}
}

// TestChangedMeasureStartsAnew changes the window of a rule over a restart: its alert stays while the new window fills, and is judged
// by it then.
func TestChangedMeasureStartsAnew(t *testing.T) {
	text := func(window string) string {
		return `rules:
- {id: m, name: {zh: 均值, en: Mean}, kind: window, type: probe, severity: low, category: water, basis: judgement, field: level, fn: mean,
   window: ` + window + `, min_coverage: 0.9, when: value > 90.0, example: [{readings: "0s:1", expect: ""}]}
`
	}
	w := &world{core: newCore(rulesOf(t, text("2m")), newPeople()), t: t}
	w.say("p1 0s level=96", "p1 1m level=96", "p1 2m level=96")
	after := newCore(rulesOf(t, text("3m")), newPeople())
	for _, a := range w.book.alerts {
		kept := *a
		after.book.load(&kept)
	}
	for shard := range shards {
		if err := after.unpack(w.pack(uint8(shard), func(*series) bool { return true })); err != nil {
			t.Fatal(err)
		}
	}
	after.book.retire(start)
	after.endReplay()
	w = &world{core: after, t: t}
	w.say("p1 3m level=0", "p1 4m level=0", "p1 5m level=0")
	if len(w.book.out) > 0 {
		t.Errorf("judged by a window that is not known: %v", spellEvents(w.book.out))
	}
	w.say("p1 6m level=0")
	if diff := cmp.Diff([]string{"m[device=p1] 6m:cleared"}, spellEvents(w.book.out)); diff != "" {
		t.Errorf("transitions (-want +got):\n%s", diff)
	}
}
