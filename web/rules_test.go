package web

import (
	"net/http"
	"strings"
	"sync"
	"testing"

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
