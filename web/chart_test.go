//go:build !race

// Compiling InfluxDB with the race detector takes minutes; what is concurrent in this package is tested without it.

package web

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"linli/series"
)

// year writes a value a minute for a year before the next noon, with one peak and a day without any.
func (s *site) year() {
	s.Helper()
	var b bytes.Buffer
	flush := func() {
		if err := s.web.Writer.Write(s.Context(), b.Bytes()); err != nil {
			s.Fatal(err)
		}
		b.Reset()
	}
	for i := range 365 * 24 * 60 {
		value := 20 + i%60
		switch {
		case i == 250_000:
			value = 99
		case i/1440 == 100:
			continue
		}
		at := noon.Add(time.Duration(i) * time.Minute)
		received := at.Add(time.Second)
		if i/1440 == 200 { // a day that was kept until the next
			received = noon.AddDate(0, 0, 202)
		}
		fmt.Fprintf(&b, "waste_station,community=tianjin,device=ws-1 fill_level_pct=%d,received_at=%di %d\n", value, received.UnixMilli(), at.UnixNano())
		if b.Len() > 4<<20 {
			flush()
		}
	}
	flush()
}

func TestAYearInAChart(t *testing.T) {
	t.Parallel()
	s := run(t, influx(t), func(c *Config) { c.Now = func() time.Time { return noon.AddDate(1, 0, 0) } })
	s.year()
	path := fmt.Sprintf("/api/v1/devices/ws-1/chart?field=fill_level_pct&from=%d&to=%d&points=800", noon.Unix(), noon.AddDate(1, 0, 0).Unix())
	began := time.Now()
	code, _, body := s.do(s.request("GET", path, ""))
	t.Logf("a year of one-minute data: %d bytes in %v", len(body), time.Since(began))
	if code != 200 || len(body) > 100_000 {
		t.Fatalf("%d, %d bytes", code, len(body))
	}
	got := ask[chart](s, 200, "GET", path, "").Series
	if len(got) != 1 {
		t.Fatalf("%d series", len(got))
	}
	peak, gaps := 0.0, 0
	for i, v := range got[0].Value {
		if v == nil {
			gaps++
			if got[0].Min[i] != nil || got[0].Max[i] != nil {
				t.Error("a gap with values")
			}
			continue
		}
		peak = max(peak, got[0].Max[i].(float64))
	}
	if peak != 99 || gaps != 1 || len(got[0].Value) != len(got[0].Time) || len(got[0].Value) > 801 {
		t.Errorf("peak %v, %d gaps, %d windows; one sample must be seen and one day be missing", peak, gaps, len(got[0].Value))
	}

	if late := got[0].Late; len(late) < 2 || len(late) > 4 || late[0] < noon.AddDate(0, 0, 199).Unix() || late[len(late)-1] > noon.AddDate(0, 0, 201).Unix() {
		t.Errorf("late windows %v, want those of the day that came late", late)
	}

	c := ask[completeness](s, 200, "GET", fmt.Sprintf("/api/v1/devices/ws-1/completeness?from=%d&to=%d", noon.AddDate(0, 0, 99).Unix(), noon.AddDate(0, 0, 102).Unix()), "")
	if len(c.Days) != 4 || c.Days[0].Received != 1440 || c.Days[1].Received == 1440 || c.Days[1].Received+c.Days[2].Received != 1440 {
		t.Errorf("completeness %+v", c)
	}
	c = ask[completeness](s, 200, "GET", fmt.Sprintf("/api/v1/devices/ws-1/completeness?from=%d&to=%d", noon.AddDate(0, 0, 192).Unix(), noon.AddDate(0, 0, 203).Unix()), "")
	late := 0
	for _, d := range c.Days {
		if d.Late > 0 && d.Day != "2026-09-17" && d.Day != "2026-09-18" {
			t.Errorf("late on %s: %d", d.Day, d.Late)
		}
		late += d.Late
	}
	if late != 1440 {
		t.Errorf("%d readings came late, want those of the day that came two days later: %+v", late, c)
	}
}

// A device that reports every quarter of an hour, though its type says every minute, has a line; where it was silent for hours it has a gap.
func TestGapsAreMeasuredByTheRhythmOfTheDevice(t *testing.T) {
	t.Parallel()
	var all []series.Bucket
	for _, inlet := range []string{"1", "2"} {
		for i := range 40 {
			if i < 20 || i >= 32 {
				at := noon.Add(time.Duration(i) * 15 * time.Minute)
				all = append(all, series.Bucket{Time: at, Tags: map[string]string{"inlet": inlet}, Mean: 1, Min: 1, Max: 1})
			}
		}
	}
	of := func(b series.Bucket) (map[string]string, time.Time) { return b.Tags, b.Time }
	if got := rhythm(all, 5*time.Minute, of); got != 15*time.Minute {
		t.Errorf("rhythm %v", got)
	}
	if got := rhythm(all[:6], 5*time.Minute, of); got != 0 {
		t.Errorf("of few: %v", got)
	}
	if got := rhythm(all, 15*time.Minute, of); got != 0 {
		t.Errorf("in windows as wide: %v", got)
	}
	for _, c := range peaks(all, 5*time.Minute, max(3*time.Minute, 3*rhythm(all, 5*time.Minute, of))) {
		if gaps := len(c.Value) - 28; gaps != 1 {
			t.Errorf("%v: %d gaps, want 1", c.Tags, gaps)
		}
	}
}

func TestLatestSaysHowFreshItIs(t *testing.T) {
	t.Parallel()
	x := influx(t)
	s := run(t, x, func(c *Config) { c.Now = func() time.Time { return noon.Add(time.Hour) } })
	lines := fmt.Sprintf("waste_station,community=tianjin,device=ws-1,inlet=1 fill_level_pct=96,received_at=%di %d\n"+
		"waste_station,community=tianjin,device=ws-1,inlet=2 fill_level_pct=10,received_at=%di %d\n"+
		"electricity,community=tianjin,device=em-1,circuit=grid energy_import_kwh=100 %d\n"+
		"electricity,community=tianjin,device=em-1,circuit=grid energy_import_kwh=112.5 %d\n"+
		"electricity,community=tianjin,device=em-2,circuit=household energy_import_kwh=5 %d\n"+
		`event,community=tianjin,device=ws-1,type=waste_station,event=fault code="e1",received_at=%di %d`+"\n",
		noon.Add(30*time.Minute).UnixMilli(), noon.UnixNano(), noon.Add(55*time.Minute).UnixMilli(), noon.Add(55*time.Minute).UnixNano(),
		noon.UnixNano(), noon.Add(time.Minute).UnixNano(), noon.UnixNano(), noon.UnixMilli(), noon.UnixNano())
	if err := x.Write(t.Context(), []byte(lines)); err != nil {
		t.Fatal(err)
	}
	got := map[string]latestValue{}
	for _, v := range ask[latestList](s, 200, "GET", "/api/v1/devices/ws-1/latest", "").Values {
		got[v.Tags["inlet"]] = v
	}
	if !got["1"].Late || !got["1"].Old || got["2"].Late || got["2"].Old || got["2"].Value != 10.0 || got["2"].Received == nil {
		t.Errorf("latest %+v", got)
	}
	events := ask[eventList](s, 200, "GET", "/api/v1/devices/ws-1/events", "").Events
	if len(events) != 1 || events[0].Event != "fault" || events[0].Name.EN != "Fault" || events[0].Fields["code"] != "e1" {
		t.Errorf("events %+v", events)
	}
	o := ask[overview](s, 200, "GET", "/api/v1/overview?community=tianjin", "")
	if o.Devices.Total != 1 || o.Devices.Online != 1 || *o.Energy != 12.5 || *o.Bins != 1 || *o.Chargers != 0 {
		t.Errorf("overview %+v: %v kWh, %d bins", o, *o.Energy, *o.Bins)
	}
	_, _, sheet := s.do(s.request("GET", fmt.Sprintf("/api/v1/devices/ws-1/readings.csv?field=fill_level_pct&from=%d", noon.Add(-time.Hour).Unix()), ""))
	if want := "\ufefftime,fill_level_pct %,inlet\n2026-03-01T20:00:00.000+08:00,96,1\n"; !strings.HasPrefix(sheet, want) {
		t.Errorf("%q, want %q", sheet, want)
	}
}
