package acceptance

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

var (
	speed  = flag.Bool("speed", false, "measure (make bench); takes about ten minutes")
	update = flag.Bool("update", false, "write the table of -speed into the README")
)

// row is one line of the table. Target and floor are in the unit of value; ratio is value/floor, measured in the same run.
type row struct {
	what, unit    string
	value         float64
	target, floor string
}

// TestSpeed measures the figures that the README shows. It asserts nothing: what is slow shows in the table.
func TestSpeed(t *testing.T) {
	if !*speed {
		t.Skip("make bench")
	}
	var rows []row
	t.Run("hops", func(t *testing.T) { rows = append(rows, hops(t)...) })
	t.Run("fleet", func(t *testing.T) { rows = append(rows, speedFleet(t)...) })
	t.Run("mosquitto", func(t *testing.T) { rows = append(rows, speedBehindMosquitto(t)...) })
	t.Run("embedded", func(t *testing.T) { rows = append(rows, speedEmbedded(t)...) })
	t.Run("sos", func(t *testing.T) { rows = append(rows, speedSOS(t)...) })
	t.Run("storm", func(t *testing.T) { rows = append(rows, speedStorm(t)...) })
	t.Run("20000 devices", func(t *testing.T) { rows = append(rows, speedManyDevices(t)...) })
	t.Run("replay", func(t *testing.T) { rows = append(rows, speedReplay(t)...) })
	table := format(rows)
	fmt.Println(table)
	if *update {
		writeTable(t, table)
	}
}

// hops runs the benchmark of each hop.
func hops(t *testing.T) []row {
	cmd := exec.CommandContext(t.Context(), "go", "test", "-run", "^$", "-bench", "^Benchmark(Decode|ParseLine|Device|Ingest|Store|Reading|SOS)$", "-benchmem", "-short",
		"./devices", "./ingest", "./ingest/store", "./alerts")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	line := regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s+([\d.]+) ns/op(.*?)(\d+) B/op\s+(\d+) allocs/op`)
	var rows []row
	for _, m := range line.FindAllStringSubmatch(string(out), -1) {
		ns, _ := strconv.ParseFloat(m[2], 64)
		r := row{what: "hop " + m[1], unit: "µs, " + m[5] + " allocs", value: ns / 1000}
		if strings.HasPrefix(m[1], "Decode") {
			r.target = "≤ 1.5 µs, ≤ 2 allocs"
		}
		rows = append(rows, r)
	}
	return rows
}

// speedFleet judges a day of 100,000 devices with five rules each, without a bus, by one goroutine.
func speedFleet(t *testing.T) []row {
	cmd := exec.CommandContext(t.Context(), "go", "test", "-run", "^$", "-bench", "^BenchmarkFleet$/^contact", "-benchtime", "3x", "./alerts")
	cmd.Dir = "../.."
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	metric := func(unit string) float64 {
		m := regexp.MustCompile(`([\d.e+]+) ` + unit).FindSubmatch(out)
		if m == nil {
			t.Errorf("no %s in\n%s", unit, out)
			return 0
		}
		v, _ := strconv.ParseFloat(string(m[1]), 64)
		return v
	}
	return []row{
		{"rules of 100,000 devices × 5, a day", "evaluations/s and core", metric("evaluations/s"), "≥ 500,000", ""},
		{"memory of a rule of one device", "B", metric("B/instance"), "", fmt.Sprintf("%.0f MB for %.0f", metric("MB"), metric("instances"))},
	}
}

// speedBehindMosquitto measures the whole way from an outside broker into an outside InfluxDB, whose own share is thus apart. The
// floor is a bare paho client that takes the same messages and throws them away.
func speedBehindMosquitto(t *testing.T) []row {
	broker := startMosquitto(t).addr
	floor := bareSubscriber(t, broker)
	db := newInfluxd(t)
	s := newServer(t, "--mqtt-url", "tcp://"+broker, "--influx-url", "http://"+db.http, "--influx-token", influxToken)
	s.start()
	ids := s.fleet(20, 25, 0)
	before := cpu(t, s.cmd.Process.Pid)
	began := time.Now()
	l := startLoad(t, broker, ids, "-inflight", "50", "-duration", "20s", "-journal", "")
	r := l.wait()
	s.await(time.Minute, "stored", func() bool { return s.metric(`linli_store_lines_total{result="stored"}`) >= float64(r.Acked) })
	took := time.Since(began).Seconds()
	used := cpu(t, s.cmd.Process.Pid) - before
	perReading := used.Seconds() * 1e6 / float64(r.Acked)
	s.terminate()
	return []row{
		{"mosquitto → InfluxDB, stored", "readings/s", float64(r.Acked) / took, "", ""},
		{"mosquitto → InfluxDB, CPU of linli", "µs/reading", perReading, "≤ 10", fmt.Sprintf("%.1f (bare paho subscriber), ratio %.1f", floor, perReading/floor)},
	}
}

// bareSubscriberEnv gives the process behind bareSubscriber its broker.
const bareSubscriberEnv = "ACCEPTANCE_BARE_SUBSCRIBER"

// bareSubscriber is the CPU in µs that a paho client needs to take and acknowledge one message.
func bareSubscriber(t *testing.T, broker string) float64 {
	var ids []identity
	for i := range 20 {
		ids = append(ids, identity{ID: fmt.Sprint("bare-", i), Secret: "x", Meters: []string{fmt.Sprint("m-", i)}})
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestBareSubscriber$", "-test.timeout", "1m")
	cmd.Env = append(os.Environ(), bareSubscriberEnv+"="+broker)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	time.Sleep(2 * time.Second) // until it has subscribed
	before := cpu(t, cmd.Process.Pid)
	r := startLoad(t, broker, ids, "-inflight", "50", "-duration", "10s", "-journal", "").wait()
	return (cpu(t, cmd.Process.Pid) - before).Seconds() * 1e6 / float64(r.Acked)
}

// TestBareSubscriber is the process behind bareSubscriber, not a test.
func TestBareSubscriber(t *testing.T) {
	broker := os.Getenv(bareSubscriberEnv)
	if broker == "" {
		t.Skip("started by TestSpeed")
	}
	c := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("bare"))
	if k := c.Connect(); !k.WaitTimeout(5*time.Second) || k.Error() != nil {
		t.Fatal(k.Error())
	}
	c.Subscribe("linli/telemetry/#", 1, func(mqtt.Client, mqtt.Message) {}).Wait()
	time.Sleep(30 * time.Second) // until it is killed
}

func speedEmbedded(t *testing.T) []row {
	var rows []row
	for _, sync := range []string{"interval", "always"} {
		s := newServer(t, "--sync", sync)
		s.start()
		ids := s.fleet(20, 25, 0)
		began := time.Now()
		r := startLoad(t, s.mqtt, ids, "-inflight", "50", "-duration", "20s", "-journal", "").wait()
		s.await(time.Minute, "stored", func() bool { return s.metric(`linli_store_lines_total{result="stored"}`) >= float64(r.Acked) })
		took := time.Since(began).Seconds()
		target := ""
		if sync == "interval" {
			target = "≥ 30,000"
		}
		rows = append(rows, row{"embedded broker → embedded InfluxDB, --sync " + sync, "readings/s", float64(r.Acked) / took, target, ""})
		s.terminate()
	}
	return rows
}

// speedSOS measures from the publish of an SOS to the arrival of the webhook, idle and beside a saturated telemetry lane.
func speedSOS(t *testing.T) []row {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	ids := s.fleet(22, 20, 300)
	idle := pressAll(t, s, hook, ids[20], 200, 40*time.Millisecond)
	l := startLoad(t, s.mqtt, ids[:20], "-inflight", "50", "-duration", "60s", "-journal", "")
	busy := pressAll(t, s, hook, ids[21], 250, 220*time.Millisecond)
	r := l.wait()
	s.terminate()
	return []row{
		{"SOS publish → webhook, idle, p99 of 200", "ms", percentile(idle, 99), "≤ 50", fmt.Sprintf("median %.0f", percentile(idle, 50))},
		{fmt.Sprintf("SOS publish → webhook beside %.0f readings/s, p99 of 250", float64(r.Acked)/r.Seconds), "ms", percentile(busy, 99), "≤ 200", fmt.Sprintf("median %.0f", percentile(busy, 50))},
	}
}

// pressAll presses n buttons of a gateway one after the other and returns how long each took to reach the receiver, in ms.
func pressAll(t *testing.T, s *server, hook *receiver, id identity, n int, apart time.Duration) []float64 {
	o := mqtt.NewClientOptions().AddBroker("tcp://" + s.mqtt).SetClientID(id.ID).SetUsername(id.ID).SetPassword(id.Secret)
	c := mqtt.NewClient(o)
	if k := c.Connect(); !k.WaitTimeout(5*time.Second) || k.Error() != nil {
		t.Fatal(k.Error())
	}
	defer c.Disconnect(100)
	sent := map[string]time.Time{}
	tick := time.NewTicker(apart)
	defer tick.Stop()
	for _, button := range id.Buttons[:n] {
		<-tick.C
		sent[button] = time.Now()
		c.Publish("linli/event/"+loadCommunity+"/sos_button/"+button+"/sos", 1, false, "")
	}
	var took []float64
	arrived := func() []float64 {
		took = took[:0]
		for _, d := range hook.all() {
			if at, ok := sent[d.Alert.Device]; ok && d.Event == "opened" {
				took = append(took, d.At.Sub(at).Seconds()*1000)
			}
		}
		return took
	}
	s.await(30*time.Second, "paged", func() bool { return len(arrived()) >= n })
	return took
}

func percentile(v []float64, p int) float64 {
	slices.Sort(v)
	return v[min(len(v)-1, len(v)*p/100)]
}

// speedManyDevices measures memory with 20,000 registered devices under a thousand readings a second, and the start after it.
func speedManyDevices(t *testing.T) []row {
	s := newServer(t)
	s.start()
	began := time.Now()
	ids := s.fleet(50, 400, 0)
	imported := time.Since(began)
	startLoad(t, s.mqtt, ids, "-rate", "1000", "-duration", "60s", "-journal", "").wait()
	rss := s.rss()
	s.terminate()
	began = time.Now()
	s.launch()
	s.await(30*time.Second, "ready", s.ready)
	took := time.Since(began)
	s.terminate()
	return []row{
		{"import of 20,050 devices", "s", imported.Seconds(), "≤ 20 (10 s per 10,000)", ""},
		{"memory (RSS), 20,050 devices, 1,000 readings/s for 60 s", "MB", float64(rss) / 1e6, "≤ 400", ""},
		{"start to ready on that data directory", "s", took.Seconds(), "≤ 3", ""},
	}
}

// cpu is the processor time that a process has used.
func cpu(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err1 := strconv.Atoi(f[11])
	system, err2 := strconv.Atoi(f[12])
	if err1 != nil || err2 != nil {
		t.Fatalf("/proc/%d/stat: %q", pid, b)
	}
	return time.Duration(user+system) * 10 * time.Millisecond // 100 ticks a second on Linux
}

func format(rows []row) string {
	model := "unknown"
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(b); m != nil {
			model = string(m[1])
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "`make bench` on %d × %s, %s, the load on the same machine, everything in one run:\n\n", runtime.NumCPU(), model, runtime.Version())
	b.WriteString("| what | measured | target | side by side |\n|---|---|---|---|\n")
	for _, r := range rows {
		v := strconv.FormatFloat(r.value, 'f', 1, 64)
		if r.value >= 1000 {
			v = strconv.FormatFloat(r.value, 'f', 0, 64)
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s | %s |\n", r.what, v, r.unit, r.target, r.floor)
	}
	return b.String()
}

func writeTable(t *testing.T, table string) {
	const name = "../../README.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	marks := regexp.MustCompile(`(?s)<!-- bench -->.*<!-- /bench -->`)
	if !marks.Match(text) {
		t.Fatalf("%s has no <!-- bench --> block", name)
	}
	text = marks.ReplaceAllLiteral(text, []byte("<!-- bench -->\n"+table+"<!-- /bench -->"))
	if err := os.WriteFile(name, text, 0o644); err != nil {
		t.Fatal(err)
	}
}
