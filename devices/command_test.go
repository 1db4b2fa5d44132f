package devices

import (
	"encoding/json"
	"errors"
	"testing"
	"time"
)

func TestParametersAreCheckedAgainstTheDeclaration(t *testing.T) {
	c := &Command{ID: "unlock", Params: []*Field{
		{ID: "seconds", Type: Int, Unit: "s", Min: 1, Max: 60},
		{ID: "force", Type: Float, Min: 0, Max: 1, Optional: true},
		{ID: "quiet", Type: Bool, Optional: true},
		{ID: "side", Type: Enum, Enum: []string{"in", "out"}, Optional: true},
		{ID: "reason", Type: String, Optional: true},
	}}
	for _, tt := range []struct{ params, wrong string }{
		{`{"seconds": 5}`, ""},
		{`{"seconds": 60, "force": 0.5, "quiet": false, "side": "out", "reason": "急救"}`, ""},
		{`{}`, "seconds"},
		{`{"seconds": 0}`, "seconds"},
		{`{"seconds": 61}`, "seconds"},
		{`{"seconds": 1.5}`, "seconds"},
		{`{"seconds": "5"}`, "seconds"},
		{`{"seconds": null}`, "seconds"},
		{`{"seconds": 5, "force": 1.01}`, "force"},
		{`{"seconds": 5, "quiet": 1}`, "quiet"},
		{`{"seconds": 5, "side": "up"}`, "side"},
		{`{"seconds": 5, "reason": ""}`, "reason"},
		{`{"seconds": 5, "reason": {"a": 1}}`, "reason"},
		{`{"seconds": 5, "minutes": 1}`, "minutes"},
		{`{"seconds": 5, "id": "x"}`, "id"},
	} {
		var params map[string]any
		if err := json.Unmarshal([]byte(tt.params), &params); err != nil {
			t.Fatal(err)
		}
		var wrong *ParamError
		switch err := c.Check(params); {
		case tt.wrong == "" && err != nil:
			t.Errorf("%s: %v", tt.params, err)
		case tt.wrong != "" && (!errors.As(err, &wrong) || wrong.Param != tt.wrong):
			t.Errorf("%s: got %v, want a mistake in %s", tt.params, err, tt.wrong)
		}
	}
}

func TestDangerousCommandsAreNotKeptForLong(t *testing.T) {
	catalogue, err := LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for device, commands := range map[string][]string{
		"access_controller": {"unlock", "fire_release"}, "water_meter": {"valve_close", "valve_open"}, "gas_detector": {"close_valve"},
		"ev_charger": {"remote_start", "remote_stop"}, "electricity_meter": {"relay_close"}, "lpr_camera": {"lower_barrier"},
	} {
		for _, id := range commands {
			c := catalogue.Type(device).Command(id)
			if usual, most := c.Life(); usual > time.Minute || most > 5*time.Minute {
				t.Errorf("%s of %s is kept for %s, at most %s", id, device, usual, most)
			}
		}
	}
}
