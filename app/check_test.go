package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A threshold that was changed without its example is named with its line, by check and by the test of that rule alone.
func TestExamplesOfRulesAreReplayed(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "rules"), 0o700); err != nil {
		t.Fatal(err)
	}
	rule := `rules:
- id: garden_noise
  name: {zh: 花园噪声, en: Noise in the garden}
  kind: threshold
  type: environment_station
  severity: low
  category: environment
  field: laeq_dba
  when: value > 70.0
  basis: judgement
  example:
  - {readings: "0s:71 1m:70", expect: "0s:opened 1m:cleared"}
  - {readings: "0s:70", expect: ""}
`
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "rules", "garden.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	write(rule)
	if err := TestRules([]string{"--rules", dir, "garden_noise", "wb_sos"}, &out, t.Output()); err != nil {
		t.Error(err)
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "garden_noise") || !strings.Contains(got, "2 examples") {
		t.Errorf("printed %q, want a line for each of the two", got)
	}
	write(strings.Replace(rule, "value > 70.0", "value > 71.0", 1))
	for name, test := range map[string]func() error{
		"check":      func() error { return Check([]string{dir}, &out, t.Output()) },
		"rules test": func() error { return TestRules([]string{"--rules", dir, "garden_noise"}, &out, t.Output()) },
	} {
		if err := test(); err == nil || !strings.Contains(err.Error(), "garden.yaml:12") {
			t.Errorf("%s: %v, want the example and its line", name, err)
		}
	}
	if err := TestRules([]string{"nobody_knows"}, &out, t.Output()); err == nil {
		t.Error("a rule that does not exist was tested")
	}
}
