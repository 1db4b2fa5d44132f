package alerts

import (
	"os"
	"strings"
	"testing"
	"time"

	"linli/bus"
)

func newBeyond(t *testing.T) *world {
	t.Helper()
	data, err := os.ReadFile("testdata/beyond.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w := newTold(t)
	w.core = newCore(rulesOf(t, string(data)), w.people)
	w.book.resolver = neighbours
	return w
}

// TestWhoIsToldThatAnAlertIsConfirmed: medium is told once, high has a ladder.
func TestWhoIsToldThatAnAlertIsConfirmed(t *testing.T) {
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"the first page waits for nothing, and the ladder of the higher severity begins": {
			func(w *world) {
				w.say("p1 0s smoke=true", "p2 1m heat=61")
				w.tick(12 * time.Minute)
			},
			[]string{"0s opened wang zhao", "1m corroborated wang zhao", "11m escalated chen"},
		},
		"who looks after it hears of it": {
			func(w *world) {
				w.say("p1 0s smoke=true")
				w.of("m_sure")
				w.do(30*time.Second, with(bus.Action{Kind: "acknowledge", Person: "li"}, w))
				w.say("p2 1m heat=61")
				w.tick(12 * time.Minute)
			},
			[]string{"0s opened wang zhao", "30s acknowledged", "1m corroborated li wang zhao"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newBeyond(t)
			c.play(w)
			w.of("m_sure")
			w.expectTold(c.want...)
			if a := w.last(); a.ConfirmedBy == "" || a.Severity != bus.High || w.book.out[len(w.book.out)-1].Alert.ConfirmedBy != a.ConfirmedBy {
				t.Errorf("confirmed by %q, severity %s", a.ConfirmedBy, a.Severity)
			}
		})
	}
}

func TestMistakesInConfirmationsAreNamed(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		"{rules: [t_leve], same: unit}":                       `confirmed_by: unknown rule "t_leve"`,
		"{rules: [t_level], same: colour}":                    `"colour" is none of`,
		"{rules: [t_level]}":                                  `key "same" is missing`,
		"{rules: [t_level], same: unit, severity: low}":       "low is no more severe than the rule",
		"{rules: [t_level], same: unit, within: soon}":        "want a duration",
		"{rules: [t_level], same: unit, severity: important}": "want one of [critical high",
	} {
		_, err := load(cat, []file{{"site.yaml", []byte(strings.Replace(goodRule, "  basis: judgement", "  basis: judgement\n  confirmed_by: "+said, 1))}}, nil)
		if err == nil || !strings.Contains(err.Error(), "site.yaml:11: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", said, err, want)
		}
	}
}

// TestEveryFigureOfAConfirmationIsShown: the examples of the rule notice each of its figures.
func TestEveryFigureOfAConfirmationIsShown(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules := newBeyond(t).rules
	r := rules.Rule("m_sure")
	if err := r.Replay(); err != nil {
		t.Error(err)
	}
	for what, mutant := range mutations(cat, r) {
		if examplesPass(t, cat, rules, mutant) {
			t.Errorf("no example notices %s", what)
		}
	}
}
