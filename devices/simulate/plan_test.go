package simulate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"linli/devices"
)

func catalogue(t testing.TB, dirs ...string) *devices.Catalogue {
	t.Helper()
	cat, err := devices.LoadCatalogue(dirs...)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func TestEveryMistakeInASimulationBlockNamesItsLine(t *testing.T) {
	_, err := newPlan(catalogue(t, "testdata/broken").Type("probe"))
	if err == nil {
		t.Fatal("no error")
	}
	var got []string
	for line := range strings.Lines(err.Error()) {
		got = append(got, strings.TrimPrefix(strings.TrimSpace(line), "testdata/broken/probe.yaml:"))
	}
	want := []string{
		`20: simulation: period: want a duration above zero, got "0s"`,
		`34: simulation: unknown key "size", want one of per_day, profile, hours, sigma, longest`,
		`34: simulation: sessions: want per_day and hours above zero, and longest up to 20 hours`,
		`21: simulation: tag "kind" is no payload tag of probe`,
		`21: simulation: want a list`,
		`24: simulation: unknown key "scal", want one of model, series, of, scale, offset`,
		`25: simulation: "asleep" is no value of mode`,
		`26: simulation: field "flag" is a bool: this model makes none`,
		`26: simulation: mean: want a number, got "warm"`,
		`27: simulation: unknown model "magic" of field "battery_pct"`,
		`28: simulation: values: want 24 numbers, got 2`,
		`29: simulation: want per_day ≥ 0 and noise in [0, 1)`,
		`30: simulation: empty_at: want a time of day such as "21:30", got "25:00"`,
		`31: simulation: unknown weather "snow"`,
		`32: simulation: field "other" is not one of probe`,
		`33: simulation: unknown show "magic", want power, energy, total or elapsed`,
		`36: simulation: field "x" is not one of event opened`,
		`36: simulation: per_day -2 is below zero`,
		`37: simulation: event "closed" is not one of probe`,
		`38: simulation: session: want start or end, of a type that has sessions`,
		`19: simulation: unknown key "speed", want one of period, sessions, tags, fields, events, commands`,
		`23: simulation: field "nothing" is not played`,
		`23: simulation: field "a" is made of itself`,
		`24: simulation: field "b" is made of itself`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func FuzzPlan(f *testing.F) {
	for _, dir := range []string{"types", "broken"} {
		data, err := os.ReadFile(filepath.Join("testdata", dir, "probe.yaml"))
		if err != nil {
			f.Fatal(err)
		}
		_, block, _ := strings.Cut(string(data), "simulation:\n")
		f.Add(block)
	}
	probe := *catalogue(f, "testdata/types").Type("probe")
	f.Fuzz(func(t *testing.T, block string) {
		var doc yaml.Node
		if yaml.Unmarshal([]byte(block), &doc) != nil || len(doc.Content) == 0 {
			return
		}
		typ := probe
		typ.Simulation = *doc.Content[0]
		p, err := newPlan(&typ)
		if err == nil && p.period <= 0 {
			t.Fatalf("period %v accepted", p.period)
		}
	})
}
