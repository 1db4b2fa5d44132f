package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
)

const goodPlan = `plans:
- id: site_night
  steps:
  - {tell: [role:security_guard]}
  - {wait: 90s, tell: [role:manager, circle:1], way: 2}
  unanswered: 5m
  repeat: [{every: 10m, rounds: 2}, {every: 1h}]
  remind: 20m
  lapse: 30m
escalate:
- {plan: site_night, category: water, severity: [low, medium]}
causes:
- {cause: t_level, effect: t_jam, within: estate, wait: 1m}
`

func TestSiteHasPlansOfItsOwn(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	named := strings.Replace(goodRule, "  basis:", "  escalate: urgent\n  basis:", 1)
	for name, c := range map[string]struct{ rules, want string }{
		"by category": {goodRule, "site_night"}, "by name": {named, "urgent"},
	} {
		rules, err := LoadRules(cat, rulesDir(t, goodPlan+c.rules))
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.plan("site_level", "").ID; got != c.want {
			t.Errorf("%s: plan %s, want %s", name, got, c.want)
		}
		for rule, want := range map[string]string{"t_sos": "sos", "t_heat": "safety", "t_level": "urgent", "t_jam": "once", digest.ID: "desk"} {
			if got := rules.plan(rule, "").ID; got != want {
				t.Errorf("rule %s has plan %s, want %s", rule, got, want)
			}
		}
		want := &Plan{
			ID: "site_night", Unanswered: 5 * time.Minute, Remind: 20 * time.Minute, Lapse: 30 * time.Minute,
			Steps:  []bus.Step{{Tell: []string{"role:security_guard"}}, {Wait: 90, Tell: []string{"role:manager", "circle:1"}, Way: 2}},
			Repeat: []bus.Repeat{{Every: 600, Rounds: 2}, {Every: 3600}},
		}
		l := &loader{cat: cat, ids: map[string]*Rule{}}
		l.file("site.yaml", []byte(goodPlan))
		if diff := cmp.Diff(want, l.plans["site_night"]); diff != "" {
			t.Errorf("plan (-want +got):\n%s", diff)
		}
	}
	override := "plans:\n- {id: sos, steps: [{tell: [duty]}]}\n"
	rules, err := LoadRules(cat, rulesDir(t, override))
	if err != nil {
		t.Fatal(err)
	}
	if p := rules.plan("t_sos", ""); len(p.Steps) != 1 {
		t.Errorf("a plan of the site does not take the place of ours: %+v", p)
	}
}

func TestMistakesInPlansAreNamed(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"  - {tell: [role:security_guard]}", "  - {wait: 5s, tell: [role:security_guard]}", ":2: plan site_night: the first step comes at once"},
		{"[role:security_guard]", "[role:nobody]", `there is no role "nobody"`},
		{"wait: 90s", "wait: soon", ":5: want a duration"},
		{"  unanswered: 5m", "  unanswerd: 5m", `:6: unknown key "unanswerd"`},
		{"{every: 1h}", "{every: 1h, rounds: 1}", "a ladder never ends"},
		{"{every: 1h}", "{days: 1}", "a repeat is every so long, or every so many days at a time"},
		{"{every: 1h}", "{every: 1h, days: 1, at: 08:00}", "a repeat is every so long, or every so many days at a time"},
		{"{every: 1h}", "{days: 1, at: 25:00}", ":7: want a time of day such as 08:00"},
		{"{every: 10m, rounds: 2}", "{every: 10m}", "a repeat before the last has rounds"},
		{"  repeat: [{every: 10m, rounds: 2}, {every: 1h}]\n", "", "a plan of several steps repeats"},
		{"remind: 20m", "remind: 30m", "the reminder comes before"},
		{"- {plan: site_night,", "- {plan: site_day,", `:11: escalate: unknown plan "site_day"`},
		{"effect: t_jam", "effect: t_jem", `:13: causes: unknown rule "t_jem"`},
		{"within: estate", "within: street", ":13: want one of [gateway estate community]"},
	} {
		_, err := LoadRules(cat, rulesDir(t, strings.Replace(goodPlan, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "site.yaml:") {
			t.Errorf("%q: got %v, want an error with %q", c.new, err, c.want)
		}
	}
	_, err = LoadRules(cat, rulesDir(t, strings.Replace(goodRule, "  basis:", "  escalate: never\n  basis:", 1)))
	if err == nil || !strings.Contains(err.Error(), `rule site_level: unknown plan "never"`) {
		t.Errorf("error %v", err)
	}
}
