package alerts

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
)

// siteRules are the rules of the probe and of silence with what a site says of them.
func siteRules(t testing.TB, said string) *Rules {
	t.Helper()
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := load(cat, []file{{"site.yaml", []byte(said)}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

const layers = `
overrides:
- {rule: t_level, type: probe, reason: a type, set: {when: value > 60.0}}
- {rule: t_level, community: tianjin, reason: a community, set: {when: value > 70.0}}
- {rule: t_level, group: {care: lives_alone}, reason: a group, set: {when: value > 80.0, for: 1m, severity: critical}}
- {rule: t_level, device: p1, reason: broken, disable: true}
- {rule: dev_offline, type: probe, reason: not watched here, disable: true}
`

func TestTheMostSpecificOverrideHolds(t *testing.T) {
	rules := siteRules(t, layers)
	dir := newPeople()
	elsewhere := &devices.Device{ID: "p9", Community: "ningbo", Type: "probe", State: devices.Active}
	for _, c := range []struct {
		device *devices.Device
		want   string
		layers int
	}{
		{dir.Device("p1"), "", 3},
		{dir.Device("p2"), "value > 70.0", 2},
		{dir.Device("p3"), "value > 80.0", 3},
		{elsewhere, "value > 60.0", 1},
	} {
		for _, a := range rules.Why(c.device, dir) {
			if a.Rule != "t_level" {
				continue
			}
			if got := a.Params["when"]; a.InForce != (c.want != "") || c.want != "" && got != c.want {
				t.Errorf("%s: in force %v (%s) with %q, want %q", c.device.ID, a.InForce, a.Why, got, c.want)
			}
			if len(a.Overrides) != c.layers {
				t.Errorf("%s: %d overrides, want %d", c.device.ID, len(a.Overrides), c.layers)
			}
			if c.device.ID == "p1" && !strings.Contains(a.Why, "broken (site.yaml:6)") {
				t.Errorf("why not: %q", a.Why)
			}
		}
	}
	w := &world{core: newCore(rules, dir), t: t, people: dir}
	w.say("p1 0m level=96", "p2 0m level=75", "p3 0m level=85", "p1 5m level=96", "p2 5m level=75", "p3 5m level=85",
		"p2 10m level=75", "p3 10m level=50")
	w.expect("t_level[device=p3] 1m:opened", "t_level[device=p2] 10m:opened", "t_level[device=p3] 10m:cleared")
}

func TestMistakesInOverrides(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for said, want := range map[string]string{
		"{rule: t_level, device: p1, disable: true}":                                     `"reason" is missing`,
		"{rule: t_level, reason: x, disable: true}":                                      "whom it is for",
		"{rule: nothing, device: p1, reason: x, disable: true}":                          "unknown rule",
		"{rule: t_level, device: p1, reason: x}":                                         "either disable: true or set",
		"{rule: t_level, device: p1, reason: x, set: {id: other}}":                       `unknown key "id"`,
		"{rule: t_level, device: p1, reason: x, set: {when: value > 1}}":                 "decimal point",
		"{rule: t_sos, community: tianjin, reason: x, disable: true}":                    "one device at a time",
		"{rule: t_level, group: {nonsense: }, device: p1, reason: x, disable: 7}":        "true or false",
		"{rules: [t_level, t_heat], type: probe, reason: x, set: {for: soon, when: a }}": "duration",
	} {
		_, err := load(cat, []file{{"site.yaml", []byte("overrides:\n- " + said + "\n")}}, nil)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "site.yaml:2") {
			t.Errorf("%s: %v, want %q at site.yaml:2", said, err, want)
		}
	}
}

// What the settings say of rules is in force at once, and what was going on goes on.
func TestRulesChangeWhileTheEngineRuns(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.rules = siteRules(t, "overrides:\n- {rule: dev_offline, type: probe, reason: not watched here, disable: true}\n")
	e := s.engine(nil)
	kv, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	s.say("p1 0m level=96", "p2 0m level=96", "p3 0m level=90", "p1 4m level=96", "p2 4m level=96", "p3 4m level=90")
	s.judged()
	put := func(name, said string) {
		t.Helper()
		before := changes(t, e)
		if _, err := kv.Put(t.Context(), bus.RulesPrefix+name, []byte(said)); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, 30*time.Second, func() bool { return changes(t, e) > before })
	}
	put("a", "overrides:\n- {rule: t_level, device: p2, reason: x, disable: true}\n")
	put("b", "overrides:\n- {rule: t_level, device: p3, reason: x, set: {when: value > 88.0}}\n")
	put("c", "this is no document of rules")
	s.say("p1 9m level=96", "p2 9m level=96", "p3 9m level=90", "p1 11m level=96", "p2 11m level=96", "p3 14m level=90", "p3 19m level=90")
	s.judged()
	s.expect("t_level[device=p1] 10m:opened", "t_level[device=p3] 19m:opened")
	if err := e.stop(); err != nil {
		t.Error(err)
	}
}

// changes is how often an engine took over other rules.
func changes(t *testing.T, e *running) float64 {
	t.Helper()
	all, err := e.Registerer.(*prometheus.Registry).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.GetName() == "linli_alerts_rule_changes_total" {
			return f.GetMetric()[0].GetCounter().GetValue()
		}
	}
	return 0
}
