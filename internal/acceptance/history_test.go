package acceptance

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var replayDevices = flag.Int("replay-devices", 100, "devices whose 30 days -speed replays")

// minuteTypes are what reports every minute in the measured history, with a line of each: i is the minute, v goes up and down with
// the day.
var minuteTypes = []struct {
	id, measurement string
	fields          func(i int, v float64) string
}{
	{"people_counter", "people_count", func(i int, v float64) string {
		return fmt.Sprintf("in_total=%d,out_total=%d,occupancy=%.0f,occupancy_pct=%.1f", i, i, v, v)
	}},
	{"presence_radar", "presence", func(_ int, v float64) string {
		return fmt.Sprintf(`presence=true,motion_level=%.0f,resp_rate_pm=%.1f,posture="standing",illuminance_lx=%.0f`, v, v-8, v*10)
	}},
	{"indoor_environment", "indoor", func(_ int, v float64) string {
		return fmt.Sprintf("temperature_c=%.1f,humidity_pct=%.0f,co2_ppm=%.0f,pm25_ugm3=%.0f,hcho_mgm3=0.04,tvoc_mgm3=0.1,illuminance_lx=%.0f", v, v+20, v*20+400, v, v*10)
	}},
	{"electricity_meter", "electricity", func(i int, v float64) string {
		return fmt.Sprintf("energy_import_kwh=%.2f,power_w=%.1f,voltage_l1_v=%.1f,current_l1_a=%.2f,frequency_hz=50,power_factor=0.97,residual_current_ma=%.1f,relay_closed=true", float64(i)/100, v*40, 210+v/2, v/5, v/4)
	}},
}

// speedReplay measures a replay of 30 days of readings that came every minute, and how far the memory of the server goes up.
func speedReplay(t *testing.T) []row {
	const days = 30
	s := newServer(t)
	s.start()
	s.linli("communities", "add", "--id", loadCommunity, "--name", "压力测试")
	var list bytes.Buffer
	w := csv.NewWriter(&list)
	w.Write([]string{"id", "community", "type"})
	for i := range *replayDevices {
		w.Write([]string{fmt.Sprintf("d-%d", i), loadCommunity, minuteTypes[i%len(minuteTypes)].id})
	}
	w.Flush()
	name := filepath.Join(t.TempDir(), "devices.csv")
	if err := os.WriteFile(name, list.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	s.linli("devices", "import", name)
	to := time.Now().Truncate(time.Hour).Add(-time.Hour)
	from := to.AddDate(0, 0, -days)
	began := time.Now()
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		s.send("/api/v1/readings/import", minuteHistory(from, day, day.AddDate(0, 0, 1)))
	}
	t.Logf("%d readings are stored after %.0f s", *replayDevices*days*24*60, time.Since(began).Seconds())

	before := s.rss()
	s.forgetPeak()
	began = time.Now()
	out := s.linliWithin(10*time.Minute, "rules", "replay", "--json", "--from", from.UTC().Format(time.RFC3339), "--to", to.UTC().Format(time.RFC3339))
	took := time.Since(began)
	t.Logf("%d transitions; memory before %d MB, at most %d MB", bytes.Count(out, []byte("\n")), before>>20, s.peak()>>20)
	s.terminate()
	target := ""
	switch *replayDevices {
	case 100:
		target = "≤ 10"
	case 1000:
		target = "≤ 120"
	}
	what := fmt.Sprintf("replay of %d devices × 30 days, a reading a minute", *replayDevices)
	rate := float64(*replayDevices*days*24*60) / took.Seconds()
	return []row{{what, "s", took.Seconds(), target, fmt.Sprintf("%.0f readings/s", rate)}}
}

// minuteHistory is line protocol of all devices, minute by minute, in [from, to) of a history that begins at first.
func minuteHistory(first, from, to time.Time) io.Reader {
	in, out := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(out, 1<<20)
		for minute := from; minute.Before(to); minute = minute.Add(time.Minute) {
			i := int(minute.Sub(first) / time.Minute)
			for d := range *replayDevices {
				typ := minuteTypes[d%len(minuteTypes)]
				at := minute.Add(time.Duration(d) * time.Minute / time.Duration(*replayDevices))
				v := 20 + 10*math.Sin(float64(i)/700+float64(d))
				fmt.Fprintf(w, "%s,community=%s,device=d-%d %s,received_at=%di %d\n",
					typ.measurement, loadCommunity, d, typ.fields(i, v), at.UnixMilli()+20, at.UnixNano())
			}
		}
		out.CloseWithError(w.Flush())
	}()
	return in
}

// send posts a body as long as it takes.
func (s *server) send(path string, body io.Reader) {
	s.t.Helper()
	token, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url(path), body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	r, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK {
		s.t.Fatalf("POST %s: %s, %v: %s", path, r.Status, err, b)
	}
}

// forgetPeak lets peak begin anew.
func (s *server) forgetPeak() {
	s.t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.cmd.Process.Pid), []byte("5"), 0); err != nil {
		s.t.Fatal(err)
	}
}

// peak is the most resident memory of the server in bytes.
func (s *server) peak() int64 { return s.memory("VmHWM") }
