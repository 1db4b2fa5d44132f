package alerts

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
)

// newGraded is a world with the rules of levels.
func newGraded(t testing.TB) *world {
	w := newTold(t)
	w.core = newCore(memoryRules(t), w.people)
	w.book.resolver = neighbours
	return w
}

// of leaves only what happened to the alerts of one rule.
func (w *world) of(rule string) {
	w.book.out = slices.DeleteFunc(w.book.out, func(ev bus.AlertEvent) bool { return ev.Alert.Rule != rule })
}

// TestWhoIsToldOfLevels: what is informational goes to the desk, high has a ladder.
func TestWhoIsToldOfLevels(t *testing.T) {
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"raised is told by the plan of the higher severity, from its beginning": {
			func(w *world) {
				w.say("p1 0s level=60", "p1 1m level=97")
				w.tick(12 * time.Minute)
			},
			[]string{"0s opened duty", "1m raised wang zhao", "11m escalated chen"},
		},
		"lowered is told to nobody, and the ladder goes on until somebody answers": {
			func(w *world) {
				w.say("p1 0s level=60", "p1 1m level=97", "p1 2m level=60")
				w.tick(12 * time.Minute)
			},
			[]string{"0s opened duty", "1m raised wang zhao", "2m lowered", "11m escalated chen"},
		},
		"who looks after it hears of it with those of the first step, and nobody else": {
			func(w *world) {
				w.say("p1 0s level=60")
				w.do(30*time.Second, with(bus.Action{Kind: "acknowledge", Person: "li"}, w))
				w.say("p1 1m level=97")
				w.tick(12 * time.Minute)
			},
			[]string{"0s opened duty", "30s acknowledged", "1m raised li wang zhao"},
		},
		"cleared is told to whom it was told": {
			func(w *world) { w.say("p1 0s level=60", "p1 1m level=97", "p1 2m level=0") },
			[]string{"0s opened duty", "1m raised wang zhao", "2m cleared duty wang zhao"},
		},
		"it comes back as it is then, by the plan of that": {
			func(w *world) {
				w.say("p1 0s level=60", "p1 1m level=0", "p1 2m level=97")
				w.tick(12 * time.Minute)
			},
			[]string{"0s opened duty", "1m cleared duty", "2m reopened wang zhao", "12m escalated chen"},
		},
		"what is raised again and again flaps": {
			func(w *world) {
				w.say("p1 0s level=60", "p1 1m level=97", "p1 2m level=60", "p1 3m level=97", "p1 4m level=60", "p1 5m level=97", "p1 6m level=60", "p1 7m level=97")
			},
			[]string{
				"0s opened duty", "1m raised wang zhao", "2m lowered", "3m raised wang zhao", "4m lowered", "5m flapping wang zhao", "5m kept",
				"6m lowered", "7m raised wang!flapping zhao!flapping",
			},
		},
		"of what was late nobody is told before it comes in time": {
			func(w *world) {
				w.say("p1 0s +2h level=60", "p1 1m +2h level=97", "p1 121m level=97")
			},
			[]string{"0s opened duty!late", "1m raised wang!late zhao!late", "2h1m confirmed wang zhao"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newGraded(t)
			c.play(w)
			w.of("m_step")
			w.expectTold(c.want...)
		})
	}
}

// TestTheAlertSaysItsLevel follows severity, level, value and text of one alert.
func TestTheAlertSaysItsLevel(t *testing.T) {
	w := newGraded(t)
	w.say("p1 0s level=60", "p1 1m level=97", "p1 2m level=90", "p1 3m level=70")
	w.of("m_step")
	var got []string
	for _, ev := range w.book.out {
		a := ev.Alert
		if a.ID != w.book.out[0].Alert.ID {
			t.Errorf("%s: another alert", ev.Kind)
		}
		_, text, _ := strings.Cut(a.Text.EN, " (")
		got = append(got, strings.Join([]string{ev.Kind, a.Level, string(a.Severity), "(" + text, ev.Note}, " "))
	}
	w.expectLines([]string{
		"opened low informational (Level 60%) ", "raised top high (Level 97%) low to top", "lowered mid medium (Level 90%) top to mid", "lowered low informational (Level 70%) mid to low",
	}, got)
}

// TestLatchedLevelsAreNotLowered: what was once severe stays so until a person closes it.
func TestLatchedLevelsAreNotLowered(t *testing.T) {
	rules := memoryRules(t)
	w := newGraded(t)
	for _, b := range rules.byType["probe"].bounds {
		if b.ID == "m_step" {
			b.Latched = true
		}
	}
	w.core = newCore(rules, w.people)
	w.book.resolver = neighbours
	w.say("p1 0s level=97", "p1 1m level=60", "p1 2m level=0")
	w.of("m_step")
	w.expectTold("0s opened wang zhao")
	if a := w.last(); a.Level != "top" || a.Severity != bus.High {
		t.Errorf("level %s, severity %s", a.Level, a.Severity)
	}
}

// TestAnOverrideSetsLevels changes one level for one device and leaves the others.
func TestAnOverrideSetsLevels(t *testing.T) {
	const site = goodGrade + `overrides:
- {rule: site_grade, device: p1, reason: a big tank, set: {levels: {crit: {when: value > 99.0}}}}
`
	w := newTold(t)
	rules := siteRules(t, site)
	w.core = newCore(rules, w.people)
	w.say("p1 0s level=60", "p2 0s level=60", "p1 1m level=98", "p2 1m level=98", "p1 2m level=100")
	w.of("site_grade")
	var got []string
	for _, ev := range w.book.out {
		got = append(got, ev.Alert.Device+" "+ev.Kind+" "+ev.Alert.Level)
	}
	w.expectLines([]string{"p1 opened warn", "p2 opened warn", "p2 raised crit", "p1 raised crit"}, got)
	for _, ev := range w.book.out {
		want := map[string]string{"fields": "level", "warn": "low", "warn when": "value > 50.0", "crit": "high", "crit when": "value > 90.0"}
		if ev.Alert.Device == "p1" {
			want["crit when"] = "value > 99.0"
		}
		if diff := cmp.Diff(want, ev.Alert.Judged); diff != "" {
			t.Errorf("%s %s is judged by (-want +got):\n%s", ev.Alert.Device, ev.Kind, diff)
		}
	}
	if o := rules.Overrides(); len(o) != 1 || o[0].Set["crit when"] != "value > 99.0" {
		t.Errorf("the override is shown as %v", o)
	}
	for _, a := range rules.Why(w.people.Device("p1"), w.people) {
		if a.Rule == "site_grade" && (a.Params["crit when"] != "value > 99.0" || a.Params["warn when"] != "value > 50.0" || a.Severity != bus.High) {
			t.Errorf("why: %s %v", a.Severity, a.Params)
		}
	}
}

const goodGrade = `rules:
- id: site_grade
  name: {zh: 液位, en: Level}
  kind: threshold
  type: probe
  category: water
  field: level
  levels: {warn: {when: value > 50.0, severity: low}, crit: {when: value > 90.0, severity: high}}
  basis: judgement
`

func TestMistakesInOverridesOfLevelsAreNamed(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for set, want := range map[string]string{
		"when: value > 1.0":                    "rule site_grade has levels, each with its own when",
		"for: 1m":                              "rule site_grade has levels, each with its own for",
		"levels: {worse: {severity: medium}}":  `the rule has no level "worse"`,
		"levels: {warn: {severity: critical}}": "the levels are in another order",
	} {
		_, err := load(cat, []file{{"site.yaml", []byte(goodGrade + "overrides:\n- {rule: site_grade, device: p1, reason: r, set: {" + set + "}}\n")}}, nil)
		if err == nil || !strings.Contains(err.Error(), "site.yaml:11: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", set, err, want)
		}
	}
	_, err = load(cat, []file{{"site.yaml", []byte("overrides:\n- {rule: t_level, device: p1, reason: r, set: {levels: {warn: {severity: low}}}}\n")}}, nil)
	if err == nil || !strings.Contains(err.Error(), "rule t_level has no levels") {
		t.Errorf("levels for a rule without: %v", err)
	}
}

// TestAFormOffersWhatIsASingleValue: of levels, those of each.
func TestAFormOffersWhatIsASingleValue(t *testing.T) {
	got := map[string]string{}
	for _, v := range memoryRules(t).Describe() {
		got[v.ID] = strings.Join(v.Settable, " ")
	}
	if got["t_level"] != "severity when clear for between max_age" || !strings.HasPrefix(got["m_grade"], "crit when crit clear crit for ") || !strings.HasSuffix(got["m_grade"], " max_age between") {
		t.Errorf("settable: t_level %q, m_grade %q", got["t_level"], got["m_grade"])
	}
}

// TestEveryThresholdOfALevelIsShown: the examples of the graded rules notice each of their numbers.
func TestEveryThresholdOfALevelIsShown(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules := memoryRules(t)
	for _, id := range []string{"m_grade", "m_step"} {
		all := mutations(cat, rules.Rule(id))
		if len(all) < 6 {
			t.Errorf("%s: only %d mutations", id, len(all))
		}
		for what, mutant := range all {
			if examplesPass(t, cat, rules, mutant) {
				t.Errorf("%s: no example notices %s", id, what)
			}
		}
	}
}
