package ingest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
	"linli/devices"
	"linli/ingest"
	"linli/internal/testkit"
)

const common = `
fields:
- {id: battery_pct, name: {zh: 电量, en: Battery}, unit: "%", type: float, kind: gauge, range: [0, 100], period: 6h}
events:
- {id: online, name: {zh: 上线, en: Online}, fields: [{id: reason, type: string}]}
- {id: offline, name: {zh: 离线, en: Offline}, fields: [{id: reason, type: string}]}
`

const meter = `
id: meter
name: {zh: 电表, en: Meter}
measurement: electricity
tier: core
period: 1m
tags:
- {id: circuit, name: {zh: 回路, en: Circuit}}
fields:
- {id: power_w, name: {zh: 功率, en: Power}, unit: W, type: float, kind: gauge, range: [-2000000, 2000000], period: 1m}
- {id: voltage_l1_v, name: {zh: 电压, en: Voltage}, unit: V, type: float, kind: gauge, range: [0, 500], period: 1m}
- {id: current_l1_a, name: {zh: 电流, en: Current}, unit: A, type: float, kind: gauge, range: [-3000, 3000], period: 1m}
- {id: frequency_hz, name: {zh: 频率, en: Frequency}, unit: Hz, type: float, kind: gauge, range: [45, 55], period: 1m}
- {id: energy_import_kwh, name: {zh: 电量, en: Energy}, unit: kW.h, type: float, kind: counter, range: [0, 99999999], period: 15m}
events:
- {id: cover_opened, name: {zh: 开盖, en: Cover opened}, fields: [{id: by, type: string}]}
`

const band = `
id: band
name: {zh: 手环, en: Band}
measurement: band
tier: core
safety: true
health: true
period: 1m
fields:
- {id: heart_rate_bpm, name: {zh: 心率, en: Heart rate}, unit: "{beats}/min", type: float, kind: gauge, range: [0, 300], period: 1m}
events:
- {id: sos, name: {zh: 求救, en: SOS}, safety: true, fields: [{id: confidence, type: float, unit: "1", range: [0, 1]}]}
`

// gone is a type that devices are registered with and that ingest's catalogue has lost.
const gone = `
id: gone
name: {zh: 旧, en: Gone}
measurement: gone
tier: core
period: 1m
`

// site is a broker with its bus, a registry and running ingest.
type site struct {
	t         testing.TB // what the site lives as long as
	server    *server.Server
	url       string   // of the broker
	bus       *bus.Bus // on the same server
	catalogue *devices.Catalogue
	registry  *devices.Registry
	metrics   *prometheus.Registry
	ingest    *ingest.Ingest
	stop      func() // of ingest
}

func newSite(t testing.TB, change ...func(*ingest.Config)) *site {
	t.Helper()
	s := openSite(t, bus.Share(2<<30))
	s.start(t, change...)
	return s
}

// openSite is a site without ingest. Its broker lets everybody in, so that more gets through than the embedded one's permissions allow.
func openSite(t testing.TB, limits bus.Limits, change ...func(*server.Options)) *site {
	t.Helper()
	o := &server.Options{
		ServerName: "test", DontListen: true, JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: 4 << 30, MaxPayload: 8 << 20,
		SyncInterval: time.Minute, NoLog: true, NoSigs: true,
	}
	o.MQTT.Host, o.MQTT.Port, o.MQTT.AckWait, o.MQTT.MaxAckPending = "127.0.0.1", server.RANDOM_PORT, time.Second, 8191
	for _, f := range change {
		f(o)
	}
	n, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	n.Start()
	if !n.ReadyForConnections(30 * time.Second) {
		t.Fatal("broker is not ready after 30 s")
	}
	t.Cleanup(func() {
		n.Shutdown()
		n.WaitForShutdown()
	})
	nc, err := bus.Dial("", "test", testkit.Log, nats.InProcessServer(n))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	b, err := bus.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Setup(t.Context(), limits); err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, server: n, bus: b, url: "tcp://" + net.JoinHostPort(o.MQTT.Host, strconv.Itoa(o.MQTT.Port))}
	s.register(t)
	return s
}

func read(t testing.TB, types map[string]string) *devices.Catalogue {
	t.Helper()
	files := fstest.MapFS{}
	for name, data := range types {
		files[name+".yaml"] = &fstest.MapFile{Data: []byte(data)}
	}
	c, err := devices.ReadCatalogue(files)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// register opens the registry and adds two communities and some devices.
func (s *site) register(t testing.TB) {
	t.Helper()
	s.catalogue = read(t, map[string]string{"common": common, "meter": meter, "band": band})
	all := read(t, map[string]string{"common": common, "meter": meter, "band": band, "gone": gone})
	kv, err := s.bus.KV(t.Context(), bus.RegistryBucket)
	if err != nil {
		t.Fatal(err)
	}
	if s.registry, err = devices.OpenRegistry(t.Context(), kv, all, bytes.Repeat([]byte{7}, 32), nil); err != nil {
		t.Fatal(err)
	}
	background(t, s.registry.Run)
	for _, id := range []string{"north", "south"} {
		if err := s.registry.PutCommunity(t.Context(), devices.Community{ID: id, Name: devices.Text{ZH: id, EN: id}}); err != nil {
			t.Fatal(err)
		}
	}
	for id, kind := range map[string]string{"em-1": "meter", "em-2": "meter", "em-old": "meter", "wb-1": "band", "wb-2": "band", "wb-old": "band", "x-1": "gone"} {
		community := "north"
		if id == "em-2" {
			community = "south"
		}
		if _, err := s.registry.AddDevice(t.Context(), devices.Device{ID: id, Community: community, Type: kind}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"em-old", "wb-old"} {
		if err := s.registry.Revoke(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
}

// start runs ingest and waits until it is ready.
func (s *site) start(t testing.TB, change ...func(*ingest.Config)) {
	t.Helper()
	s.metrics = prometheus.NewRegistry()
	c := ingest.Config{
		Bus: s.bus, Catalogue: s.catalogue, Registry: s.registry, Broker: ingest.Broker{URL: s.url},
		Log: logger(s.t), Reg: s.metrics, MaxSeries: 2,
	}
	for _, f := range change {
		f(&c)
	}
	var err error
	if s.ingest, err = ingest.Open(s.t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s.stop = background(s.t, s.ingest.Run)
	testkit.Eventually(t, 30*time.Second, func() bool { return s.ingest.Status() == nil })
}

// background runs f until the returned function is called or the test ends.
func background(t testing.TB, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// device connects as a device.
func (s *site) device(t testing.TB, id string) mqtt.Client {
	t.Helper()
	o := mqtt.NewClientOptions().AddBroker(s.url).SetClientID(id).SetUsername(id).SetPassword("x")
	o.SetAutoReconnect(false).SetConnectTimeout(10 * time.Second).SetProtocolVersion(4)
	c := mqtt.NewClient(o)
	if token := c.Connect(); !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		t.Fatalf("connect %s: %v", id, token.Error())
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

// publish returns when the broker has the message.
func publish(t testing.TB, c mqtt.Client, topic, payload string, retained bool) {
	t.Helper()
	if token := c.Publish(topic, 1, retained, payload); !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		t.Fatalf("publish %s: %v", topic, token.Error())
	}
}

// settled waits until n messages are settled.
func (s *site) settled(t testing.TB, n float64) {
	t.Helper()
	testkit.Eventually(t, 30*time.Second, func() bool { return s.sum("messages", "") >= n })
}

// sum adds up a counter; one label value alone if given.
func (s *site) sum(name, label string) (sum float64) {
	families, _ := s.metrics.Gather()
	for _, f := range families {
		if f.GetName() != "linli_ingest_"+name+"_total" {
			continue
		}
		for _, m := range f.Metric {
			if label == "" || m.Label[0].GetValue() == label {
				sum += m.Counter.GetValue()
			}
		}
	}
	return sum
}

// stored is what a stream holds, by subject.
func (s *site) stored(t testing.TB, stream string) map[string][]string {
	t.Helper()
	st, err := s.bus.JS.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for seq := st.CachedInfo().State.FirstSeq; seq > 0 && seq <= st.CachedInfo().State.LastSeq; seq++ {
		m, err := st.GetMsg(t.Context(), seq)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all[m.Subject] = append(all[m.Subject], string(m.Data))
	}
	return all
}

// rejects is the reject list.
func (s *site) rejects(t testing.TB) (all []bus.Reject) {
	t.Helper()
	for subject, entries := range s.stored(t, bus.Rejects) {
		for _, data := range entries {
			var r bus.Reject
			if err := json.Unmarshal([]byte(data), &r); err != nil {
				t.Fatal(err)
			}
			if subject != bus.RejectsSubject(r.Community) {
				t.Errorf("reject of %s under %s", r.Community, subject)
			}
			all = append(all, r)
		}
	}
	return all
}

func logger(t testing.TB) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// counts are all counters by name and label, but for zeros.
func (s *site) counts() map[string]float64 {
	all := map[string]float64{}
	families, _ := s.metrics.Gather()
	for _, f := range families {
		name := strings.TrimSuffix(strings.TrimPrefix(f.GetName(), "linli_ingest_"), "_total")
		for _, m := range f.Metric {
			if len(m.Label) == 1 && m.GetCounter().GetValue() > 0 {
				all[name+" "+m.Label[0].GetValue()] = m.Counter.GetValue()
			}
		}
	}
	return all
}

// last is the last message of a stream.
func (s *site) last(t testing.TB, stream string) string {
	t.Helper()
	st, err := s.bus.JS.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	m, err := st.GetMsg(t.Context(), st.CachedInfo().State.LastSeq)
	if err != nil {
		t.Fatal(err)
	}
	return string(m.Data)
}

func (s *site) lastReject(t testing.TB) (r bus.Reject) {
	t.Helper()
	if err := json.Unmarshal([]byte(s.last(t, bus.Rejects)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func meterDevice(id string) devices.Device {
	return devices.Device{ID: id, Community: "north", Type: "meter"}
}

// dropClients ends ingest's connections.
func (s *site) dropClients(t testing.TB) {
	t.Helper()
	z, err := s.server.Connz(&server.ConnzOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range z.Conns {
		if len(c.MQTTClient) > 20 {
			if err := s.server.DisconnectClientByID(c.Cid); err != nil {
				t.Error(err)
			}
		}
	}
}
