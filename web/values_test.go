//go:build !race

package web

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestValuesOfAllDevicesOfAType(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x, func(c *Config) { c.Now = func() time.Time { return noon.Add(time.Hour) } })
	lines := line(",inlet=1", 1, "fill_level_pct=10") + line(",inlet=1", 2, "fill_level_pct=20,weight_kg=3") + line(",inlet=2", 2, "fill_level_pct=90")
	if err := x.Write(t.Context(), []byte(lines)); err != nil {
		t.Fatal(err)
	}
	got := ask[valueList](s, 200, "GET", "/api/v1/values?type=waste_station&community=tianjin&fields=fill_level_pct,weight_kg", "")
	flat := map[string]any{}
	for _, v := range got.Values {
		flat[v.Device+" "+v.Field+" "+v.Tags["inlet"]] = v.Value
	}
	want := map[string]any{"ws-1 fill_level_pct 1": 20.0, "ws-1 weight_kg 1": 3.0, "ws-1 fill_level_pct 2": 90.0}
	if diff := cmp.Diff(want, flat); diff != "" || len(got.Devices) != 1 || got.More {
		t.Errorf("%d devices, values (-want +got):\n%s", len(got.Devices), diff)
	}
	got = ask[valueList](s, 200, "GET", "/api/v1/values?type=waste_station&community=elsewhere&fields=weight_kg", "")
	if len(got.Devices) != 0 || len(got.Values) != 0 {
		t.Errorf("elsewhere there are %d devices and %d values, want none", len(got.Devices), len(got.Values))
	}
	s.refused(http.StatusBadRequest, "type", "GET", "/api/v1/values?type=kettle&fields=x", "")
	s.refused(http.StatusBadRequest, "fields", "GET", "/api/v1/values?type=waste_station&fields=x", "")
}
