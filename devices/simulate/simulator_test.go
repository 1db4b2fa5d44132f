package simulate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"linli/internal/testkit"
	"linli/seeds"
)

const village = `
id: village
name: {zh: 村, en: Village}
estates: [{id: e1, name: {zh: 一, en: One}, buildings: [{count: 2, units: 2}]}]
climate: {temperature_c: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], swing_c: 8, humidity_pct: 60, wind_ms: 2, rain_days: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], pm25_ugm3: 30}
fleet:
- {group: hub, name: 网关, count: 2, devices: [{type: ticker}]}
- {group: leaf, name: 传感器, count: 6, gateway: hub, devices: [{type: ticker}]}
- {group: lone, name: 独立, count: 2, devices: [{type: ticker}]}
`

// broker is a nats-server with an MQTT listener that knows one secret a device, and what it was sent.
type broker struct {
	server *server.Server
	port   int

	mu   sync.Mutex // guards what follows
	seqs map[string]map[uint64]int
	last map[string]string // of the state topics
}

func (b *broker) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	return o.Username == "test" || c.Kind() != server.CLIENT || o.Password == secretOf(o.Username)
}

func secretOf(device string) string { return "secret of " + device }

func startBroker(t *testing.T, b *broker, port int, dir string) {
	t.Helper()
	o := &server.Options{
		ServerName: "b", Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: dir, NoLog: true, NoSigs: true, CustomClientAuthentication: b,
		MQTT: server.MQTTOpts{Host: "127.0.0.1", Port: port, AckWait: 10 * time.Second, MaxAckPending: 8192},
	}
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Shutdown)
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("broker is not ready after 30 s")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s), nats.UserInfo("test", ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	if _, err := nc.Subscribe("linli.>", b.took); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	b.server, b.port = s, o.MQTT.Port
}

func newBroker(t *testing.T) (*broker, string) {
	b := &broker{seqs: map[string]map[uint64]int{}, last: map[string]string{}}
	dir := t.TempDir()
	startBroker(t, b, -1, dir)
	return b, dir
}

func (b *broker) url() string { return fmt.Sprintf("tcp://127.0.0.1:%d", b.port) }

func (b *broker) took(m *nats.Msg) {
	part := strings.Split(m.Subject, ".")
	b.mu.Lock()
	defer b.mu.Unlock()
	if part[1] == "state" {
		b.last[part[4]] = string(m.Data)
		return
	}
	var p struct{ Seq uint64 }
	_ = json.Unmarshal(m.Data, &p) // an array, of a scenario, has none
	if b.seqs[part[4]] == nil {
		b.seqs[part[4]] = map[uint64]int{}
	}
	b.seqs[part[4]][p.Seq]++
}

// holes are devices that have not sent at least n readings, or not all of theirs up to the newest.
func (b *broker) holes(fleet []seeds.Device, n int) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, d := range fleet {
		newest := uint64(0)
		for seq := range b.seqs[d.ID] {
			newest = max(newest, seq)
		}
		if len(b.seqs[d.ID]) < n || newest != uint64(len(b.seqs[d.ID])) {
			out = append(out, fmt.Sprintf("%s: %d readings up to %d", d.ID, len(b.seqs[d.ID]), newest))
		}
	}
	return out
}

func (b *broker) state(device string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last[device]
}

func config(t testing.TB, url string) Config {
	t.Helper()
	c, err := seeds.Parse("village.yaml", []byte(village))
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		MQTTURL: url, Catalogue: catalogue(t, "testdata/types"), Communities: []*seeds.Community{c}, Credentials: secretOf, Seed: 1,
		Spread: 500 * time.Millisecond, Registerer: prometheus.NewRegistry(),
	}
}

// play runs a simulator until the returned function is called, which waits for its end.
func play(t *testing.T, cfg Config) (*Simulator, func()) {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(stop)
	return s, stop
}

func TestEveryDeviceReportsOverItsGatewaysLink(t *testing.T) {
	t.Parallel()
	b, _ := newBroker(t)
	cfg := config(t, b.url())
	s, stop := play(t, cfg)
	fleet := cfg.Communities[0].Fleet(1)
	testkit.Eventually(t, 30*time.Second, func() bool { return len(b.holes(fleet, 3)) == 0 })
	if n := b.server.NumClients(); n != 4+1 {
		t.Errorf("%d connections, want those of 2 hubs, 2 lone devices and the test", n)
	}
	if err := s.Status(); err != nil {
		t.Error(err)
	}
	if got := b.state("village-hub-01"); got != "online" {
		t.Errorf("state of a hub is %q", got)
	}
	stop()
	testkit.Eventually(t, 30*time.Second, func() bool { return b.state("village-hub-01") == "offline" && b.server.NumClients() == 1 })
}

func TestNothingIsLostWhenTheBrokerRestarts(t *testing.T) {
	t.Parallel()
	b, dir := newBroker(t)
	cfg := config(t, b.url())
	_, stop := play(t, cfg)
	fleet := cfg.Communities[0].Fleet(1)
	testkit.Eventually(t, 30*time.Second, func() bool { return len(b.holes(fleet, 5)) == 0 })
	b.server.Shutdown()
	b.server.WaitForShutdown()
	startBroker(t, b, b.port, dir)
	testkit.Eventually(t, 40*time.Second, func() bool { return len(b.holes(fleet, 25)) == 0 })
	stop()
}

func TestWrongSecretIsReportedAsLinksThatAreNotUp(t *testing.T) {
	t.Parallel()
	b, _ := newBroker(t)
	cfg := config(t, b.url())
	cfg.Credentials = func(device string) string {
		if strings.Contains(device, "lone") {
			return "guess"
		}
		return secretOf(device)
	}
	var mu sync.Mutex // guards ahead
	var ahead time.Duration
	cfg.Now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(ahead)
	}
	s, _ := play(t, cfg)
	testkit.Eventually(t, 30*time.Second, func() bool { return s.up() == 2 })
	if err := s.Status(); err != nil {
		t.Errorf("status within the grace: %v", err)
	}
	mu.Lock()
	ahead = 2 * time.Minute
	mu.Unlock()
	if err := s.Status(); err == nil || err.Error() != "2 of 4 links are up" {
		t.Errorf("status after the grace: %v", err)
	}
}

// memory is a History that keeps its lines.
type memory struct {
	mu    sync.Mutex // guards lines
	lines []string
}

func (m *memory) Write(_ context.Context, lines []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, strings.Split(strings.TrimSpace(string(lines)), "\n")...)
	return nil
}

func TestHistoryGoesToTheSeriesAndNotOverMQTT(t *testing.T) {
	t.Parallel()
	b, _ := newBroker(t)
	cfg := config(t, b.url())
	h := &memory{}
	began := time.Now()
	cfg.History, cfg.Start, cfg.Speed = h, began.Add(-10*time.Minute), 1e6
	s, stop := play(t, cfg)
	testkit.Eventually(t, 30*time.Second, func() bool { return s.count.acked.Load() >= 20 })
	stop()
	live := momentOf(began)
	if n := len(h.lines); n < 10*10*60*5 {
		t.Errorf("%d lines for 10 devices × 10 minutes × 5 a second", n)
	}
	for _, line := range h.lines {
		ns, err := strconv.ParseInt(line[strings.LastIndexByte(line, ' ')+1:], 10, 64)
		if err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if at := moment(ns / 1e6); at < live-600_000 || at > live+30_000 {
			t.Fatalf("line at %s, began at %s: %s", at.time(), began, line)
		}
		if !strings.HasPrefix(line, "ticker,community=village,device=village-") && !strings.HasPrefix(line, "event,community=village,device=village-") {
			t.Fatalf("line %s", line)
		}
	}
}

type broken struct{}

func (broken) Write(context.Context, []byte) error { return errors.New("disk full") }

func TestHistoryThatCannotBeWrittenEndsThePlay(t *testing.T) {
	t.Parallel()
	cfg := config(t, "tcp://127.0.0.1:1")
	cfg.History, cfg.Start = broken{}, time.Now().Add(-time.Minute)
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(t.Context()); err == nil || err.Error() != "write history: disk full" {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefusesWhatItCannotPlay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.MQTTURL = "localhost:1883" }, `simulate: mqtt URL "localhost:1883": want tcp://host:port or ssl://host:port`},
		{func(c *Config) { c.Scale = 2 }, "simulate: scale 2 is not in (0, 1]"},
		{func(c *Config) { c.Speed = 0.5 }, "simulate: speed 0.5 is not in [1, 1000000]"},
		{func(c *Config) { c.Speed = 60 }, "simulate: play starts in the past, but there is no history to write to"},
		{func(c *Config) { c.Faults.Loss = 1.5 }, "simulate: faults: loss=1.5 is not between 0 and 1"},
		{func(c *Config) { c.Catalogue = catalogue(t); c.Registerer = nil }, `simulate: device type "ticker" is not in the catalogue`},
	} {
		cfg := config(t, "tcp://127.0.0.1:1")
		row.change(&cfg)
		if _, err := Open(t.Context(), cfg); err == nil || err.Error() != row.want {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
}

func TestDeliveryFaultsHappenAsOftenAsAsked(t *testing.T) {
	t.Parallel()
	cfg := config(t, "tcp://127.0.0.1:1")
	cfg.Faults = Faults{Loss: 0.1, Duplicate: 0.2, Reorder: 0.05, Dirty: 0.1, Skew: time.Second}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var buf []byte
	const n = 5000
	lone := slices.IndexFunc(s.world.actors, func(a *actor) bool { return a.ID == "village-lone-01" })
	box := s.of[lone].box
	box.limit = 2 * n
	start := momentOf(someDay)
	for i := range n {
		s.post(due{at: start + moment(200*i), actor: int32(lone), event: report}, &buf)
	}
	var doubles, swaps, dirty, newest int
	var before letter
	for l, ok := box.take(); ok; l, ok = box.take() {
		var p struct{ Seq int }
		if err := json.Unmarshal(l.payload, &p); err != nil {
			t.Fatalf("%v: %s", err, l.payload)
		}
		switch {
		case bytes.Equal(l.payload, before.payload):
			doubles++
		case p.Seq < newest:
			swaps++
		}
		if !strings.HasSuffix(string(l.payload), "}") || strings.Count(string(l.payload), ":") != 4 {
			dirty++
		}
		newest = max(newest, p.Seq)
		before = l
	}
	for _, row := range []struct {
		what      string
		got, want float64
	}{{"lost", float64(s.count.lost.Load()), n * 0.1}, {"doubled", float64(doubles), n * 0.9 * 0.2}, {"overtaken", float64(swaps), n * 0.9 * 0.05}, {"dirty", float64(dirty), n * 1.1 * 0.1}} {
		if row.got < row.want*0.7 || row.got > row.want*1.3 {
			t.Errorf("%s: %g of %d, want about %g", row.what, row.got, n, row.want)
		}
	}
}

func TestOutagesComeAndGo(t *testing.T) {
	t.Parallel()
	cfg := config(t, "tcp://127.0.0.1:1")
	cfg.Faults = Faults{Outages: 6}
	at := someDay
	cfg.Now = func() time.Time { return at }
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	l := s.links[0]
	if len(l.outages(momentOf(someDay).day())) == 0 {
		t.Fatal("no outage on a day of six")
	}
	rapid.Check(t, func(t *rapid.T) {
		at = someDay.Add(time.Duration(rapid.Int64Range(0, 10*dayLength).Draw(t, "ms")) * time.Millisecond)
		left, in := l.outageLeft(), l.outageIn()
		if left > 40*time.Minute || in <= 0 || in > 24*time.Hour {
			t.Fatalf("%v left, next in %v", left, in)
		}
		if left > 0 {
			at = at.Add(left - time.Millisecond)
			if l.outageLeft() <= 0 {
				t.Fatal("it ended early")
			}
		}
	})
}

func TestStampsCountReadings(t *testing.T) {
	t.Parallel()
	w := probeWorld(t, 1, Faults{})
	var seq uint32
	st := stamp{seq: &seq, boot: 7}
	payload := w.encode(nil, due{at: momentOf(someDay), actor: 0, event: birth}, st)
	var objects []struct{ Seq, Boot int }
	if err := json.Unmarshal(payload, &objects); err != nil {
		t.Fatal(err)
	}
	for i, o := range objects {
		if o.Seq != i+1 || o.Boot != 7 {
			t.Errorf("object %d has seq %d and boot %d", i, o.Seq, o.Boot)
		}
	}
}
