package alerts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"linli/devices"
)

// rulesDir is a --rules directory with one file.
func rulesDir(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

const goodRule = `rules:
- id: site_level
  name: {zh: 液位, en: Level}
  kind: threshold
  type: probe
  severity: low
  category: water
  field: level
  when: value > 50.0
  basis: judgement
  example:
  - {readings: "0s:51 1m:50", expect: "0s:opened 1m:cleared"}
  - {readings: "0s:50", expect: ""}
`

func TestSiteAddsARule(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(cat, rulesDir(t, goodRule))
	if err != nil {
		t.Fatal(err)
	}
	r := rules.Rule("site_level")
	if r == nil || !strings.HasSuffix(r.Where(), "site.yaml:2") {
		t.Fatalf("rule %+v", r)
	}
	if err := r.Replay(); err != nil {
		t.Error(err)
	}
}

// TestMistakesInRulesAreNamed changes one line of a rule that is right, and wants the file, the line and what is wrong.
func TestMistakesInRulesAreNamed(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{"rules:", "rule:", `site.yaml:1: unknown key "rule"`},
		{"- id: site_level", "- id: t_level", "rule t_level is at testdata/types/probe.yaml:"},
		{"- id: site_level", "- id: Level!", `:2: "Level!" is not an identifier`},
		{"  severity: low", "  severity: lowish", `:6: want one of [critical high`},
		{"  severity: low", "  severity: low\n  severity: low", `:7: key "severity" is here twice`},
		{"  severity: low\n", "", `:2: key "severity" is missing`},
		{"  kind: threshold", "  kind: treshold", "treshold"},
		{"  field: level", "  field: levle", `probe has no field "levle"`},
		{"  type: probe", "  type: prob", `unknown device type "prob"`},
		{"  when: value > 50.0", "  when: value > 50", ":9: rule site_level: column 7"},
		{"  when: value > 50.0", "  when: valeu > 50.0", "undeclared reference to 'valeu'"},
		{"  when: value > 50.0", "  when: value", "want a condition"},
		{"  when: value > 50.0\n", "", `key "when" or "levels" is missing`},
		{"  when: value > 50.0", "  when: value > 50.0\n  window: 5m", `:10: unknown key "window"`},
		{"  when: value > 50.0", "  when: value > 50.0\n  for: soon", `:10: want a duration`},
		{"  when: value > 50.0", "  when: value > 50.0\n  between: 8-9", `:10: want a window such as 22:00-06:00`},
		{"  when: value > 50.0", "  when: value > 50.0\n  identity: [colour]", "identity"},
		{"  when: value > 50.0", "  when: value > 50.0\n  applies: care == \"alone\"", `care is never "alone"`},
		{"  when: value > 50.0", "  when: value > 50.0\n  signals: {a: {field: door}, b: {field: heat, fn: mean}}", "signal b: mean needs a window"},
		{"  when: value > 50.0", "  when: value > 50.0\n  signals: {b: {field: door, fn: mean, window: 1h}}", `signal b: field "door" is no number`},
		{"  when: value > 50.0", "  when: value > 50.0\n  signals: {b: {field: heat, fn: mean, window: 1d, bucket: 10s}}", "more than 1500 buckets"},
		{"  when: value > 50.0", "  when: value > 50.0\n  signals: {b: {field: heat, fn: mean, window: 1h, min_coverage: 2}}", "want a share from 0 to 1"},
		{"  when: value > 50.0", "  when: value > 50.0\n  signals: {b: {field: heat, fn: mean, window: 1h, when: valeu > 1.0}}", "undeclared reference to 'valeu'"},
		{"  basis: judgement", "  basis: verified", "a verified figure names its source"},
		{`expect: ""}`, `expect: "soon"}`, ":13: want time:WORD, one of opened, raised"},
		{`"0s:50"`, `"0s"`, ":13: "},
		{"  when: value > 50.0", "  levels: {warn: {when: value > 50.0, severity: low}}", ":2: rule site_level: severity stands in each of the levels"},
		{"  severity: low", "  levels: {warn: {when: value > 50.0}}", `:6: key "severity" is missing`},
		{"  severity: low", "  levels: {warn: {severity: low}}", `:6: key "when" is missing`},
		{"  severity: low", "  levels: {warn: {severity: low, when: value > 1.0}, crit: {severity: low, when: value > 2.0}}", "levels warn and crit have the same severity"},
		{"  severity: low", "  levels: {warn: {severity: low, when: value > 1.0}, warn: {severity: high, when: value > 2.0}}", `level "warn" is no identifier, or here twice`},
		{"  severity: low", "  levels: {warn: {severity: low, when: valeu > 1.0}}", "undeclared reference to 'valeu'"},
		{"  severity: low", "  levels: [warn]", "want a mapping of levels"},
	} {
		text := strings.Replace(goodRule, c.old, c.new, 1)
		_, err := LoadRules(cat, rulesDir(t, text))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "site.yaml:") {
			t.Errorf("%q: got %v, want an error with %q", c.new, err, c.want)
		}
	}
}

// TestExamplesThatShowNothingAreRefused wants Replay to notice what a rule's examples leave out or get wrong.
func TestExamplesThatShowNothingAreRefused(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ old, new, want string }{
		{`expect: "0s:opened 1m:cleared"`, `expect: "0s:opened"`, `:12: rule site_level: want "0s:opened", got "0s:opened 1m:cleared"`},
		{`1m:50", expect: "0s:opened 1m:cleared"`, `1m:51", expect: "0s:opened"`, "no example expects cleared"},
		{"  - {readings: \"0s:50\", expect: \"\"}\n", "", "no example expects nothing"},
		{`0s:51 1m:50`, `0s:510 1m:50`, `field level is never "510"`},
		{`0s:51 1m:50`, `0s:lvl=51 1m:50`, `probe has no field "lvl"`},
		{`0s:51 1m:50`, `0s:51@colour=red 1m:50`, `no payload tag "colour"`},
		{`  - {readings: "0s:50"`, `  - {tags: {care: x}, readings: "0s:50"`, `tag care is never "x"`},
		{`  - {readings: "0s:50"`, `  - {attr: {x: 1}, readings: "0s:50"`, `no attribute "x"`},
	} {
		rules, err := LoadRules(cat, rulesDir(t, strings.Replace(goodRule, c.old, c.new, 1)))
		if err != nil {
			t.Fatalf("%q: %v", c.new, err)
		}
		if err := rules.Rule("site_level").Replay(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want an error with %q", c.new, err, c.want)
		}
	}
}

func FuzzRules(f *testing.F) {
	f.Add(goodRule)
	f.Add("rules:\n- {id: x, kind: event, event: sos, when: event.confidence > 1.0, signals: {a: {}}, example: [{events: \"1s:sos{a=1}\", expect: \"\"}]}")
	f.Add("rules: [{kind: sequence, first: {event: sos}, without: [1], within: -1s}]")
	for _, name := range []string{"common", "wearable_band", "presence_radar", "electricity_meter"} {
		data, err := os.ReadFile(filepath.Join("..", "devices", "catalogue", name+".yaml"))
		if err != nil {
			f.Fatal(err)
		}
		if _, rules, found := strings.Cut(string(data), "\nrules:\n"); found {
			rules, _, _ = strings.Cut(rules, "\nsimulation:")
			f.Add("rules:\n" + rules)
		}
	}
	cat, err := devices.LoadCatalogue("testdata/types")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(_ *testing.T, text string) {
		l := &loader{cat: cat, ids: map[string]*Rule{}}
		l.file("fuzz.yaml", []byte(text))
		l.bind()
		if len(l.errs) > 0 {
			_ = l.err()
			return
		}
		for _, r := range l.rules {
			_ = r.Replay()
		}
	})
}
