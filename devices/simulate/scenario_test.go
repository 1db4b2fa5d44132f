package simulate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"linli/devices"
	"linli/internal/testkit"
	"linli/seeds"
)

func ruleKind(rules yaml.Node, id string) string {
	for _, r := range rules.Content {
		var head struct{ ID, Kind string }
		if r.Decode(&head) == nil && head.ID == id {
			return head.Kind
		}
	}
	return ""
}

func TestEveryScenarioSaysWhatItsTypesKnow(t *testing.T) {
	cat := catalogue(t)
	all, err := Scenarios()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 8 {
		t.Errorf("%d scenarios", len(all))
	}
	for _, s := range all {
		if !slices.Contains(seeds.IDs, s.Community) {
			t.Errorf("%s: community %q", s.ID, s.Community)
		}
		for _, truth := range s.Expect.Opened {
			if s.Length-truth.At > 55*time.Minute {
				t.Errorf("%s goes on for %s after %s opens, which would be late", s.ID, s.Length-truth.At, truth.Rule)
			}
		}
		byID := map[string]*devices.Device{}
		for i := range s.Devices {
			d := &s.Devices[i]
			byID[d.ID] = d
			typ := cat.Type(d.Type)
			if typ == nil {
				t.Fatalf("%s: type %q of %s is not in the catalogue", s.ID, d.Type, d.ID)
			}
			for tag, value := range d.Tags {
				if x := typ.Tag(tag); x == nil || !x.Registry || len(x.Values) > 0 && !slices.Contains(x.Values, value) {
					t.Errorf("%s: %s has no registry tag %s=%s", s.ID, d.Type, tag, value)
				}
			}
			for attribute := range d.Attributes {
				if typ.Attribute(attribute) == nil {
					t.Errorf("%s: %s has no attribute %s", s.ID, d.Type, attribute)
				}
			}
		}
		checkTruths(t, cat, s, byID)
		decodeScenario(t, cat, s, byID)
	}
}

func checkTruths(t *testing.T, cat *devices.Catalogue, s *Scenario, byID map[string]*devices.Device) {
	t.Helper()
	for _, truth := range slices.Concat(s.Expect.Opened, s.Expect.Never) {
		kind := ruleKind(cat.Common().Rules, truth.Rule)
		for _, d := range byID {
			if kind == "" && (truth.Device == "" || truth.Device == d.ID) {
				kind = ruleKind(cat.Type(d.Type).Rules, truth.Rule)
			}
		}
		if kind == "" {
			t.Errorf("%s: device %q has no rule %s", s.ID, truth.Device, truth.Rule)
		}
	}
	for _, truth := range s.Expect.Opened {
		if truth.Device == "" || truth.Within <= 0 || truth.At > s.Length {
			t.Errorf("%s: opening of %s needs a device, a tolerance and a time within %s", s.ID, truth.Rule, s.Length)
		}
	}
}

func decodeScenario(t *testing.T, cat *devices.Catalogue, s *Scenario, byID map[string]*devices.Device) {
	t.Helper()
	var decoder devices.Decoder
	start := someDay
	err := s.Play(t.Context(), cat, "linli", func(topic string, payload []byte) error {
		at, err := devices.ParseTopic("linli", topic)
		if err != nil {
			return err
		}
		d := byID[at.Device]
		typ := cat.Type(d.Type)
		if typ.Safety != (at.Lane == devices.Safety) && at.Lane != devices.EventLane {
			return fmt.Errorf("%s: wrong lane", topic)
		}
		var out devices.Outcome
		if at.Lane == devices.EventLane {
			_, out = decoder.Event(nil, typ, d, at.Name, payload, start.Add(s.Length))
		} else {
			_, out = decoder.Reading(nil, typ, d, payload, start.Add(s.Length))
		}
		if out.Code != "" || len(out.Faults) > 0 || len(out.Unknown) > 0 {
			return fmt.Errorf("%s: %s %s, faults %v, unknown %q in %s", topic, out.Code, out.Reason, out.Faults, out.Unknown, payload)
		}
		return nil
	}, start)
	if err != nil {
		t.Errorf("%s: %v", s.ID, err)
	}
}

const tale = `
name: {zh: 甲, en: Tale}
community: hegang
people: {elder: 甲老人}
devices:
- {role: probe, type: probe, person: elder, tags: {}}
- {role: other, type: ticker}
timeline:
- {at: 0s, until: 2m, every: 1m, device: probe, set: {gauge: [10, 20], open: true, label: spring}}
- {at: 90s, device: probe, event: opened}
- {at: 95s, device: other, set: {tick: 1.5}}
- {at: 3m, device: probe, event: cleared, set: {}}
expect:
  opened:
  - {rule: r1, device: probe, at: 90s, within: 5s, cleared: 3m}
  - {rule: r2, device: other, at: 95s, within: 5s}
  never:
  - {rule: r3}
`

func parseTale(t *testing.T) *Scenario {
	t.Helper()
	s, err := ParseScenario("scenarios/a_tale.yaml", []byte(tale))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestScenarioIsPlayedAsEachDevicesBacklog(t *testing.T) {
	s := parseTale(t)
	start := time.UnixMilli(1_800_000_000_000)
	var got []string
	keep := func(topic string, payload []byte) error {
		got = append(got, topic+" "+string(payload))
		return nil
	}
	if err := s.Play(t.Context(), catalogue(t, "testdata/types"), "linli", keep, start); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`linli/safety/hegang/probe/a-tale-probe [{"ts":1800000000000,"gauge":10,"label":"spring","open":true},{"ts":1800000060000,"gauge":15,"label":"spring","open":true}]`,
		`linli/event/hegang/probe/a-tale-probe/opened {"ts":1800000090000}`,
		`linli/safety/hegang/probe/a-tale-probe [{"ts":1800000120000,"gauge":20,"label":"spring","open":true}]`,
		`linli/event/hegang/probe/a-tale-probe/cleared {"ts":1800000180000}`,
		`linli/telemetry/hegang/ticker/a-tale-other [{"ts":1800000095000,"tick":1.5}]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if s.Length != 3*time.Minute || s.Devices[0].Person != "a-tale-elder" || s.People[0].ID != "a-tale-elder" {
		t.Errorf("length %s, person %q, people %v", s.Length, s.Devices[0].Person, s.People)
	}
}

func TestPlayEndsWithTheFirstErrorAndWithItsContext(t *testing.T) {
	s, cat := parseTale(t), catalogue(t, "testdata/types")
	boom := errors.New("no network")
	if err := s.Play(t.Context(), cat, "linli", func(string, []byte) error { return boom }, time.Now()); !errors.Is(err, boom) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Play(ctx, cat, "linli", func(string, []byte) error { return nil }, time.Now()); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestJudgeNamesEveryDifference(t *testing.T) {
	s := parseTale(t)
	start := time.UnixMilli(1_800_000_000_000)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	right := []Raised{
		{Rule: "r1", Device: "a-tale-probe", Opened: at(91 * time.Second), Cleared: at(3*time.Minute + 4*time.Second)},
		{Rule: "r2", Device: "a-tale-other", Opened: at(95 * time.Second)},
		{Rule: "r9", Device: "somewhere-else", Opened: at(0)},
	}
	if got := s.Judge(start, right); got != nil {
		t.Errorf("the truth is judged %q", got)
	}
	wrong := []Raised{
		{Rule: "r1", Device: "a-tale-probe", Opened: at(2 * time.Minute)},
		{Rule: "r2", Device: "a-tale-other", Opened: at(95 * time.Second), Cleared: at(2 * time.Minute)},
		{Rule: "r3", Device: "a-tale-other", Opened: at(time.Second)},
	}
	want := []string{
		"r1 of a-tale-probe was opened at 2m0s, want 1m30s",
		"r1 of a-tale-probe was not cleared, want it at 3m0s",
		"r2 of a-tale-other was cleared",
		"r3 of a-tale-other was opened at 1s, want never",
	}
	if diff := cmp.Diff(want, s.Judge(start, wrong)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	late := []Raised{{Rule: "r1", Device: "a-tale-probe", Opened: at(90 * time.Second), Cleared: at(4 * time.Minute)}, right[1]}
	if diff := cmp.Diff([]string{"r1 of a-tale-probe was cleared at 4m0s, want 3m0s"}, s.Judge(start, late)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	want = []string{"r1 of a-tale-probe was opened 0 times, want once at 1m30s", "r2 of a-tale-other was opened 2 times, want once at 1m35s"}
	if diff := cmp.Diff(want, s.Judge(start, []Raised{right[1], right[1]})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMistakesInAScenarioAreNamed(t *testing.T) {
	for _, row := range []struct{ old, new, want string }{
		{"community:", "village:", "field village not found"},
		{"role: other", "role: probe", `device "probe": twice or no identifier`},
		{"devices:", "away: [nobody]\ndevices:", `away: unknown person "nobody"`},
		{"person: elder", "person: nobody", `device "probe": unknown person "nobody"`},
		{"person: elder", "gateway: later", `device "probe": gateway "later" is no earlier device`},
		{"at: 95s, device: other", "at: 95s, device: third", `timeline at 1m35s: unknown device "third"`},
		{"until: 2m, every: 1m", "until: 2m", "timeline at 0s: until and every go together, and until comes later"},
		{"at: 3m", "at: soon", `want a distance from the start such as 90s, got "soon"`},
		{"{rule: r3}", "{rule: r3, device: third}", `expected r3: unknown device "third"`},
		{"label: spring", "label: [a, b, c]", "want a value, or a list of two numbers to go from and to"},
	} {
		_, err := ParseScenario("scenarios/x.yaml", []byte(strings.Replace(tale, row.old, row.new, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) || !strings.HasPrefix(err.Error(), "scenarios/x.yaml: ") {
			t.Errorf("%s: got %v, want %s", row.new, err, row.want)
		}
	}
	if _, err := ScenarioByID("flood"); err == nil || !strings.HasPrefix(err.Error(), `unknown scenario "flood", want one of burst_pipe, burst_rain, `) {
		t.Errorf("got %v", err)
	}
}

func TestScenarioIsPerformedOverMQTT(t *testing.T) {
	t.Parallel()
	b, _ := newBroker(t)
	cfg := config(t, b.url())
	s := parseTale(t)
	if err := s.Perform(t.Context(), cfg, time.Now().Add(-s.Length)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.seqs) == 2
	})
	cfg.Credentials = func(string) string { return "guess" }
	if err := s.Perform(t.Context(), cfg, time.Now()); err == nil || !strings.HasPrefix(err.Error(), "scenario a_tale: device a-tale-probe: connect: ") {
		t.Errorf("got %v", err)
	}
}
