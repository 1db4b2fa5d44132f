//go:build !race

// Compiling InfluxDB with the race detector takes minutes; what is concurrent in this package is tested without it.

package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/internal/testkit/influxtest"
	"linli/series"
)

type history struct {
	Device, Field, Unit string
	Points              []point
}

// flat is times after noon and values.
func (h history) flat() []any {
	flat := []any{}
	for _, p := range h.Points {
		flat = append(flat, p.Time.Sub(noon).String(), p.Value)
	}
	return flat
}

func influx(t *testing.T) *series.Influx {
	t.Helper()
	client, url := influxtest.Influx(t)
	x, err := series.OpenInflux(series.Options{URL: url, HTTPClient: client, Bucket: influxtest.Database + "/" + influxtest.RetentionPolicy})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// line is a reading of ws-1 some minutes after noon.
func line(tags string, minutes int, fields string) string {
	at := noon.Add(time.Duration(minutes) * time.Minute)
	return fmt.Sprintf("waste_station,community=tianjin,device=ws-1%s %s %d\n", tags, fields, at.UnixNano())
}

// inHour is the readings of ws-1 in the hour after noon.
func inHour(query string) string {
	return "/api/v1/devices/ws-1/readings?from=" + noon.Format(time.RFC3339) + "&to=" + fmt.Sprint(noon.Add(time.Hour).UnixMilli()) + "&" + query
}

func TestReadings(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x, func(c *Config) { c.Now = func() time.Time { return noon.Add(time.Hour) } })
	err := x.Write(t.Context(), []byte(
		line(",inlet=1", 0, `fill_level_pct=10,deliveries_total=4294967290,door_state="closed",mains_ok=true`)+
			line(",inlet=1", 10, `fill_level_pct=20,deliveries_total=4294967295,door_state="open"`)+
			line(",inlet=1", 20, `fill_level_pct=60,deliveries_total=4`)+
			line(",inlet=2", 5, `fill_level_pct=90`)))
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string][]any{
		"field=fill_level_pct":                                          {"0s", 10.0, "5m0s", 90.0, "10m0s", 20.0, "20m0s", 60.0},
		"field=fill_level_pct&limit=2":                                  {"0s", 10.0, "5m0s", 90.0},
		"field=fill_level_pct&inlet=1":                                  {"0s", 10.0, "10m0s", 20.0, "20m0s", 60.0},
		"field=fill_level_pct&inlet=1&window=1h":                        {"0s", 30.0},
		"field=fill_level_pct&inlet=1&window=15m&fn=max":                {"0s", 20.0, "15m0s", 60.0},
		"field=fill_level_pct&inlet=2&window=1d&fn=last":                {"-20h0m0s", 90.0}, // midnight in Shanghai
		"field=deliveries_total&window=1h":                              {"0s", 10.0},       // a counter: increase, over the rollover
		"field=deliveries_total&window=15m&fn=increase":                 {"0s", 5.0, "15m0s", 5.0},
		"field=door_state&window=1h":                                    {"0s", "open"},
		"field=mains_ok":                                                {"0s", true},
		"field=fill_level_pct&inlet=9":                                  {},
		"field=fill_level_pct&inlet=" + url.QueryEscape("1' OR '1'='1"): {},
	} {
		got := ask[history](s, 200, "GET", inHour(query), "")
		if diff := cmp.Diff(want, got.flat()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	got := ask[history](s, 200, "GET", inHour("field=fill_level_pct&limit=1"), "")
	want := history{"ws-1", "fill_level_pct", "%", []point{{noon, 10.0, map[string]string{"inlet": "1"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := ask[history](s, 200, "GET", "/api/v1/devices/ws-1/readings?field=fill_level_pct", ""); len(got.Points) != 4 {
		t.Errorf("the last 24 hours: %v", got.Points)
	}
	// The + of a zone that was not escaped.
	if got := ask[history](s, 200, "GET", "/api/v1/devices/ws-1/readings?field=mains_ok&from=2026-03-01T20:00:00+08:00", ""); len(got.Points) != 1 {
		t.Errorf("from in another zone: %v", got.Points)
	}
	for query, field := range map[string]string{
		"": "field", "field=nope": "field", "field=fill_level_pct&window=5": "window", "field=fill_level_pct&window=100ms": "window",
		"field=fill_level_pct&window=1m&fn=median": "fn", "field=fill_level_pct&fn=mean": "fn", "field=fill_level_pct&window=1h&fn=increase": "fn",
		"field=door_state&window=1h&fn=mean": "fn", "field=fill_level_pct&limit=0": "limit", "field=fill_level_pct&window=1h&limit=1": "limit",
		"field=fill_level_pct&outlet=1": "outlet", "field=fill_level_pct&care=x": "care",
	} {
		s.refused(http.StatusBadRequest, field, "GET", inHour(query), "")
	}
	const base = "/api/v1/devices/ws-1/readings?field=fill_level_pct"
	for query, field := range map[string]string{
		"&from=yesterday": "from", "&to=-1": "to", "&from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z": "from", "&from=0001-01-01T00:00:00Z": "from",
		"&from=2020-01-01T00:00:00Z&window=1s": "window",
	} {
		s.refused(http.StatusBadRequest, field, "GET", base+query, "")
	}
	s.refused(http.StatusNotFound, "", "GET", "/api/v1/devices/none/readings?field=fill_level_pct", "")
}

func TestDeviceWithItsLastValues(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x)
	if err := x.Write(t.Context(), []byte(line(",inlet=1", 0, "fill_level_pct=10")+line(",inlet=1", 5, "fill_level_pct=20"))); err != nil {
		t.Fatal(err)
	}
	got := ask[struct {
		ID, Topic string
		TypeName  map[string]string `json:"type_name"`
		Values    []struct {
			Field, Unit string
			Name        map[string]string
			point
		}
	}](s, 200, "GET", "/api/v1/devices/ws-1", "")
	if got.ID != "ws-1" || got.Topic != "linli/telemetry/tianjin/waste_station/ws-1" || got.TypeName["en"] == "" || len(got.Values) != 1 {
		t.Fatalf("got %+v", got)
	}
	if v := got.Values[0]; v.Field != "fill_level_pct" || v.Unit != "%" || v.Name["zh"] != "满溢度" || v.Value != 20.0 || v.Tags["inlet"] != "1" {
		t.Errorf("got %+v", v)
	}
}

func TestReplacedDeviceIsReadUnderTheNewOne(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x)
	if err := x.Write(t.Context(), []byte(line("", 0, "fill_level_pct=10"))); err != nil {
		t.Fatal(err)
	}
	ask[credentials](s, 200, "POST", "/api/v1/devices/ws-1/replace", `{"with":"ws-2"}`)
	if err := x.Write(t.Context(), []byte(strings.ReplaceAll(line("", 5, "fill_level_pct=20"), "ws-1", "ws-2"))); err != nil {
		t.Fatal(err)
	}
	got := ask[history](s, 200, "GET", strings.ReplaceAll(inHour("field=fill_level_pct"), "ws-1", "ws-2"), "")
	if diff := cmp.Diff([]any{"0s", 10.0, "5m0s", 20.0}, got.flat()); diff != "" || got.Device != "ws-2" {
		t.Errorf("%s (-want +got):\n%s", got.Device, diff)
	}
}

func TestReadingsImport(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x)
	const path = "/api/v1/readings/import"
	stored := func() int {
		points, err := x.Raw(t.Context(), series.Query{
			Measurement: "waste_station", Field: "fill_level_pct", Devices: []string{"ws-1"}, From: noon, To: noon.Add(1000 * time.Hour),
		}, 0)
		if err != nil {
			t.Fatal(err)
		}
		return len(points)
	}
	var b strings.Builder
	b.WriteString("# history of ws-1\n\n")
	const n = 30_000 // more than one chunk
	for i := range n {
		b.WriteString(line(",inlet=1", i, `fill_level_pct=1.5,door_state="open",mains_ok=true,received_at=1i,seq=2i`))
	}
	lines := strings.TrimSuffix(b.String(), "\n")
	for range 2 {
		if got := ask[struct{ Lines int }](s, 200, "POST", path, lines); got.Lines != n || stored() != n {
			t.Fatalf("%d lines, %d stored; want %d", got.Lines, stored(), n)
		}
	}
	good := line(",inlet=2", 0, "fill_level_pct=1")
	for name, bad := range map[string]string{
		"line protocol":       "nonsense",
		"measurement":         strings.Replace(good, "waste_station", "toaster", 1),
		"device":              strings.Replace(good, "ws-1", "ws-9", 1),
		"no device":           strings.Replace(good, ",device=ws-1", "", 1),
		"community":           strings.Replace(good, "tianjin", "nantong", 1),
		"tag":                 strings.Replace(good, "inlet=2", "outlet=2", 1),
		"tag value":           strings.Replace(good, "inlet=2", `inlet=a\ b`, 1),
		"unknown tag value":   strings.Replace(good, "inlet=2", "waste_kind=gold", 1),
		"registry tag":        strings.Replace(good, "inlet=2", "care=lives_alone", 1),
		"field":               strings.Replace(good, "fill_level_pct", "nope", 1),
		"integer for float":   strings.Replace(good, "=1 ", "=1i ", 1),
		"text for float":      strings.Replace(good, "=1 ", `="1" `, 1),
		"number for bool":     strings.Replace(good, "fill_level_pct=1", "mains_ok=1", 1),
		"float sequence":      strings.Replace(good, "fill_level_pct=1", "seq=1", 1),
		"not a number":        strings.Replace(good, "=1 ", "=NaN ", 1),
		"out of every range":  strings.Replace(good, "=1 ", "=1e400 ", 1),
		"time in ms":          good[:len(good)-7],
		"no time":             "waste_station,community=tianjin,device=ws-1 fill_level_pct=1",
		"a line that is long": strings.Repeat("x", maxLine+1),
	} {
		got := ask[detail](s, 400, "POST", path, good+bad)
		if got.Field != "line" || !strings.Contains(got.Detail, "line 2") {
			t.Errorf("%s: %+v, want line 2 named", name, got)
		}
	}
	for bad, hint := range map[string]string{
		strings.Replace(good, "=1 ", "=1i ", 1):                        "want a number without i",
		strings.Replace(good, "fill_level_pct=1", "received_at=1", 1):  "want a whole number with i",
		strings.Replace(good, "community=tianjin,", "", 1):             "want the tag community=tianjin",
		"waste_station,community=tianjin,device=ws-1 fill_level_pct=1": "want measurement,tags fields nanoseconds",
	} {
		if got := ask[detail](s, 400, "POST", path, bad); !strings.Contains(got.Detail, hint) {
			t.Errorf("%s: %q, want it to say %q", bad, got.Detail, hint)
		}
	}
	if got := stored(); got != n {
		t.Errorf("%d stored, want %d: the line before a bad one waits for its chunk", got, n)
	}
}

// A simulation writes its past through the import: events as ingest would write them, and nothing else.
func TestEventsAreImported(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x)
	const path = "/api/v1/readings/import"
	good := fmt.Sprintf("event,community=tianjin,device=ws-1,type=waste_station,event=delivery "+
		`net_weight_kg=0.9,waste_kind="kitchen",inlet="1",received_at=1i,seq=2i,time_source="device",late=true %d`+"\n", noon.UnixNano())
	if got := ask[struct{ Lines int }](s, 200, "POST", path, good); got.Lines != 1 {
		t.Fatalf("%d lines stored", got.Lines)
	}
	for name, bad := range map[string]string{
		"type":              strings.Replace(good, "waste_station", "toaster", 1),
		"type of another":   strings.Replace(good, "waste_station", "smoke_detector", 1),
		"event":             strings.Replace(good, "event=delivery", "event=party", 1),
		"tag":               strings.Replace(good, ",type=", ",inlet=1,type=", 1),
		"field":             strings.Replace(good, "net_weight_kg", "nope", 1),
		"field of readings": strings.Replace(good, "net_weight_kg", "fill_level_pct", 1),
		"text for number":   strings.Replace(good, "=0.9", `="0.9"`, 1),
		"number for bool":   strings.Replace(good, "late=true", "late=1", 1),
		"integer for float": strings.Replace(good, "=0.9", "=1i", 1),
	} {
		got := ask[detail](s, 400, "POST", path, bad)
		if got.Field != "line" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
