package web

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"linli/web/account"

	"linli/alerts"
	"linli/bus"
	"linli/devices"
)

// allRules are the rules of the catalogue, as app hands them to web.
type allRules struct{ dir alerts.Directory }

var catalogueRules = sync.OnceValues(func() (*alerts.Rules, error) {
	cat, err := devices.LoadCatalogue()
	if err != nil {
		return nil, err
	}
	return alerts.LoadRules(cat)
})

func (a allRules) with(settings map[string][]byte) (*alerts.Rules, error) {
	rules, err := catalogueRules()
	if err != nil || len(settings) == 0 {
		return rules, err
	}
	return rules.With(settings)
}

func (a allRules) Why(d *devices.Device, settings map[string][]byte) ([]bus.RuleInForce, error) {
	rules, err := a.with(settings)
	if err != nil {
		return nil, err
	}
	return rules.Why(d, a.dir), nil
}

func (a allRules) Check(settings map[string][]byte) error {
	_, err := a.with(settings)
	return err
}

func (a allRules) List(settings map[string][]byte) ([]bus.RuleView, []bus.RuleOverride, error) {
	rules, err := a.with(settings)
	if err != nil {
		return nil, nil, err
	}
	return rules.Describe(), rules.Overrides(), nil
}

func (a allRules) Plans() []*bus.Escalation {
	rules, err := catalogueRules()
	if err != nil {
		panic(err) // the catalogue is part of the program
	}
	return rules.Plans()
}

func TestRulesOfADevice(t *testing.T) {
	s := run(t, empty{})
	overflow := func() (found bus.RuleInForce) {
		t.Helper()
		for _, r := range ask[rulesInForce](s, http.StatusOK, "GET", "/api/v1/devices/ws-1/rules", "").Rules {
			if r.Rule == "ws_overflow" {
				found = r
			}
		}
		return found
	}
	if r := overflow(); !r.InForce || r.Params["when"] == "" || !strings.Contains(r.Where, "waste_station.yaml:") || len(r.Overrides) != 0 {
		t.Errorf("as it is: %+v", r)
	}
	const stations = "/api/v1/rules/settings/stations"
	disable := `{"document": "overrides:\n- {rule: ws_overflow, device: ws-1, reason: being rebuilt, disable: true}\n"}`
	ask[ruleDocument](s, http.StatusOK, "PUT", stations, disable)
	if r := overflow(); r.InForce || !strings.Contains(r.Why, "being rebuilt (settings stations:2)") || len(r.Overrides) != 1 || !r.Overrides[0].Holds {
		t.Errorf("disabled: %+v", r)
	}
	s.refused(http.StatusBadRequest, "document", "PUT", stations, strings.Replace(disable, "ws_overflow", "no_such_rule", 1))
	s.refused(http.StatusBadRequest, "name", "PUT", "/api/v1/rules/settings/No", disable)
	ask[ruleDocument](s, http.StatusOK, "DELETE", stations, "")
	if r := overflow(); !r.InForce {
		t.Errorf("taken back: %+v", r)
	}
	s.refused(http.StatusNotFound, "", "DELETE", stations, "")
}

func TestOverrideOfARule(t *testing.T) {
	s := run(t, empty{})
	s.populate("north")
	s.populate("south")
	manager := s.user(account.User{Name: "manager-1", Role: account.Manager, Communities: []string{"north"}})
	as := func(status int, field, method, path, body string) string {
		t.Helper()
		r := s.request(method, path, body, "Cookie", manager)
		r.Header.Del("Authorization")
		got, _, text := s.do(r)
		if got != status || field != "" && !strings.Contains(text, `"field":"`+field+`"`) {
			t.Errorf("%s %s %s: %d %s, want %d and field %q", method, path, body, got, text, status, field)
		}
		return text
	}
	const path = "/api/v1/rules/overrides"
	for _, c := range []struct {
		status             int
		field, what, whose string
	}{
		{400, "set.for", `"set":{"for":"soon"}`, `"device":"north-band"`},
		{400, "set.when", `"set":{"when":"value >"}`, `"community":"north"`},
		{400, "set.identity", `"set":{"identity":"x"}`, `"community":"north"`},
		{400, "set", ``, `"community":"north"`},
		{400, "device", `"disable":true`, `"device":"south-band"`},
		{403, "community", `"disable":true`, `"community":"south"`},
		{403, "community", `"disable":true`, `"type":"wearable_band"`},
	} {
		body := strings.Replace(`{"rule":"wb_hr_high3","reason":"x",`+c.whose+`,`+c.what+`}`, ",}", "}", 1)
		as(c.status, c.field, "POST", path, body)
	}
	as(400, "rule", "POST", path, `{"rule":"no_such","reason":"x","disable":true,"device":"north-band"}`)
	as(400, "reason", "POST", path, `{"rule":"wb_hr_high3","disable":true,"device":"north-band"}`)
	as(400, "rule", "POST", path, `{"rule":"wb_sos","reason":"x","disable":true,"community":"north"}`) // life-safety, for all at once

	const forMinute = `{"rule":"wb_hr_high3","reason":"runs every \"morning\"","device":"north-band","set":{"for":"1m"}}`
	as(200, "", "POST", path, forMinute)
	as(200, "", "POST", path, strings.Replace(forMinute, "1m", "2m", 1)) // in the place of the first
	list := ask[ruleList](s, http.StatusOK, "GET", "/api/v1/rules?community=north", "")
	i := slices.IndexFunc(list.Overrides, func(o bus.RuleOverride) bool { return o.Device == "north-band" })
	if i < 0 || len(list.Overrides) != 2 || list.Overrides[i].Set["for"] != "2m" || list.Overrides[i].Document == "" || list.Devices["wearable_band"] != 2 {
		t.Fatalf("overrides %+v, devices %v", list.Overrides, list.Devices)
	}
	for _, r := range ask[rulesInForce](s, http.StatusOK, "GET", "/api/v1/devices/north-band/rules", "").Rules {
		if r.Rule == "wb_hr_high3" && r.Params["for"] != "2m" {
			t.Errorf("the device has %+v", r)
		}
	}
	as(404, "", "DELETE", path+"/"+(&overrideBody{Rule: "wb_fall", Community: "south"}).name(), "")
	as(200, "", "DELETE", path+"/"+list.Overrides[i].Document, "")
	if now := ask[ruleList](s, http.StatusOK, "GET", "/api/v1/rules?community=north", ""); len(now.Overrides) != 1 {
		t.Errorf("taken back: %+v", now.Overrides)
	}
}

// Who looks after an elder sees what her readings are compared with, and nothing of who changed it or why.
func TestLimitsOfADevice(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	ask[overrideBody](s, 200, "POST", "/api/v1/rules/overrides", `{"rule":"wb_hr_high3","reason":"weak heart","device":"north-band","set":{"when":"value > 101.0"}}`)
	nurse := s.user(account.User{Name: "nurse", Role: account.Caretaker, Elders: []string{"north-elder"}})
	see := func(path string) (int, string) {
		r := s.request("GET", path, "", "Cookie", nurse)
		r.Header.Del("Authorization")
		status, _, body := s.do(r)
		return status, body
	}
	if status, body := see("/api/v1/devices/north-band/limits"); status != 200 || !strings.Contains(body, `"when":"value \u003e 101.0"`) || strings.Contains(body, "weak heart") {
		t.Errorf("%d %s", status, body)
	}
	for path, want := range map[string]int{"/api/v1/devices/north-band2/limits": 404, "/api/v1/devices/north-band/rules": 403, "/api/v1/rules": 403} {
		if status, body := see(path); status != want {
			t.Errorf("%s: %d %s, want %d", path, status, body, want)
		}
	}
}

// gradedRules are those of the catalogue and a rule with levels.
func gradedRules(t *testing.T) *alerts.Rules {
	t.Helper()
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "site.yaml"), []byte(`rules:
- id: site_fill
  name: {zh: 满, en: Full}
  kind: threshold
  type: waste_station
  category: waste
  field: fill_level_pct
  levels: {warn: {when: value > 60.0, severity: low}, crit: {when: value > 90.0, severity: high}}
  basis: judgement
`), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := alerts.LoadRules(cat, dir)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}

func TestAnOverrideSetsWhatALevelAsksFor(t *testing.T) {
	rules := gradedRules(t)
	o := overrideBody{Rule: "site_fill", Device: "ws-1", Reason: "small", Set: map[string]string{
		"warn when": "value > 50.0", "crit when": "value > 70.0", "crit for": "5m", "max_age": "2h",
	}}
	text, fields := o.document()
	changed, err := rules.With(map[string][]byte{o.name(): []byte(text)})
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, r := range changed.Why(&devices.Device{ID: "ws-1", Type: "waste_station", State: devices.Active}, everybody{}) {
		if r.Rule == "site_fill" && (r.Params["warn when"] != "value > 50.0" || r.Params["crit when"] != "value > 70.0" || r.Params["crit for"] != "5m" || r.Params["max_age"] != "2h") {
			t.Errorf("in force: %v", r.Params)
		}
	}
	if lines := strings.Count(text, "\n"); lines != len(fields) {
		t.Errorf("%d lines, %d fields: %q\n%s", lines, len(fields), fields, text)
	}
	for key, value := range map[string]string{"crit when": "value >", "warn for": "soon", "crit clear": "nothing < 1.0"} {
		o.Set = map[string]string{"warn when": "value > 50.0", key: value}
		text, fields := o.document()
		_, err := rules.With(map[string][]byte{o.name(): []byte(text)})
		if p := toProblem(mistakeIn(o.name(), fields, err)); p.field != "set."+key {
			t.Errorf("%s: %s: the mistake stands at %q: %v", key, value, p.field, err)
		}
	}
}

func TestEveryRuleIsShown(t *testing.T) {
	s := run(t, empty{})
	list := ask[ruleList](s, http.StatusOK, "GET", "/api/v1/rules", "")
	rules, err := catalogueRules()
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Rules) != len(rules.All()) || list.Devices["waste_station"] != 1 {
		t.Errorf("%d rules of %d, devices %v", len(list.Rules), len(rules.All()), list.Devices)
	}
	for _, r := range list.Rules {
		if r.ID == "ws_overflow" && !slices.Equal(r.Settable, []string{"severity", "when", "clear", "for", "between", "max_age"}) {
			t.Errorf("a form offers %v", r.Settable)
		}
		if r.Name.ZH == "" || r.Name.EN == "" || len(r.Types) == 0 || r.Origin == "" || len(r.Params) == 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestReplayOfAnEditedRule(t *testing.T) {
	var asked Replay
	began, end := make(chan struct{}), make(chan struct{})
	s := run(t, empty{}, func(c *Config) {
		c.ReplayRules = func(ctx context.Context, q Replay, emit func(any) error) error {
			asked = q
			for _, rule := range []string{"ws_overflow", "ws_fire"} {
				if err := emit(bus.AlertEvent{Kind: "opened", Alert: bus.Alert{Rule: rule}}); err != nil {
					return err
				}
			}
			if err := emit(ReplayProgress{q.From}); err != nil {
				return err
			}
			began <- struct{}{}
			select {
			case <-end:
				return nil
			case <-ctx.Done():
				close(end)
				return ctx.Err()
			}
		}
	})
	const path = "/api/v1/rules/replay"
	const body = `{"from":"2026-03-01T00:00:00Z","to":"2026-03-02T00:00:00Z","device":"ws-1","rule":"ws_overflow",
		"overrides":[{"rule":"ws_overflow","device":"ws-1","reason":"what if","set":{"when":"value > 30.0"}}]}`
	s.refused(http.StatusBadRequest, "set.when", "POST", path, strings.Replace(body, "30.0", "full", 1))
	s.refused(http.StatusNotFound, "", "POST", path, strings.Replace(body, "ws-1", "ws-9", 1))

	ctx, cancel := context.WithCancel(t.Context())
	resp, err := http.DefaultClient.Do(s.request("POST", path, body).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	<-began
	s.refused(http.StatusServiceUnavailable, "", "POST", path, body) // one at a time
	first, err := lines.ReadString('\n')
	second, err2 := lines.ReadString('\n')
	if err != nil || err2 != nil || !strings.Contains(first, "ws_overflow") || second != `{"until":"2026-03-01T00:00:00Z"}`+"\n" {
		t.Errorf("while it goes on: %q %q, %v %v", first, second, err, err2)
	}
	if text := string(asked.Settings[(&overrideBody{Rule: "ws_overflow", Device: "ws-1"}).name()]); !strings.Contains(text, "value > 30.0") {
		t.Errorf("replayed with %q", text)
	}
	cancel() // who asked has gone, and so the replay ends
	<-end
}
