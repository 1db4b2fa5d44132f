package ingest_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"linli/app/embedded"
	"linli/bus"
	"linli/ingest"
	"linli/internal/testkit"
)

// Whatever comes, every message and every reading is counted exactly once, and what counts as stored is stored.
func TestAccountsAddUp(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	var seq int
	rapid.Check(t, func(r *rapid.T) {
		before, n, readings := s.counts(), 0, 0.0
		lines := strings.Count(strings.Join(s.stored(t, bus.Readings)["readings.north"], ""), "\n")
		reading := rapid.Custom(func(r *rapid.T) string {
			if rapid.Bool().Draw(r, "new") {
				seq++
			}
			return rapid.SampledFrom([]string{
				fmt.Sprintf(`{"seq":%d,"ts":%d,"power_w":1}`, seq, time.Now().UnixMilli()), fmt.Sprintf(`{"seq":%d,"power_w":1}`, seq), `{"power_w":"x"}`,
				`{"power_w":1}`, `{"ts":1,"power_w":1}`, `{"circuit":"?","power_w":1}`, fmt.Sprintf(`{"seq":%d,"power_w":1,"frequency_hz":"x"}`, seq), `{`,
			}).Draw(r, "reading")
		})
		for _, payload := range rapid.SliceOfN(rapid.SliceOfN(reading, 0, 5), 1, 8).Draw(r, "payloads") {
			text := "[" + strings.Join(payload, ",") + "]"
			topic := rapid.SampledFrom([]string{emTopic, emTopic, emTopic, "linli/telemetry/north/meter/nobody"}).Draw(r, "topic")
			if json.Valid([]byte(text)) && len(payload) > 0 && topic == emTopic {
				readings += float64(len(payload))
			}
			c.Publish(topic, 1, false, text)
			n++
		}
		s.settled(t, before["messages accepted"]+before["messages rejected"]+float64(n))
		after := s.counts()
		delta := func(name string) float64 { return after[name] - before[name] }
		if got := delta("messages accepted") + delta("messages rejected"); got != float64(n) {
			r.Errorf("%v messages counted, want %d", got, n)
		}
		parts := delta("readings stored") + delta("readings duplicate") + delta("readings rejected")
		if parts != readings {
			r.Errorf("%v readings counted, want %v", parts, readings)
		}
		now := strings.Count(strings.Join(s.stored(t, bus.Readings)["readings.north"], ""), "\n")
		if float64(now-lines) != delta("readings stored") {
			r.Errorf("%d lines for %v readings", now-lines, delta("readings stored"))
		}
	})
}

// A full stream of readings holds up neither events nor the reading of the connection, and loses nothing.
func TestFullStreamHoldsUpReadingsOnly(t *testing.T) {
	limits := bus.Share(2 << 30)
	limits.Readings = 1 << 20
	s := openSite(t, limits)
	s.start(t)
	c := s.device(t, "tester")
	readings := make([]string, 500)
	const messages = 30
	for m := range messages {
		for i := range readings {
			readings[i] = fmt.Sprintf(`{"seq":%d,"power_w":%d.%d}`, m*len(readings)+i, i*7919%1000, m)
		}
		c.Publish(emTopic, 1, false, "["+strings.Join(readings, ",")+"]")
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.ingest.Status() != nil })
	publish(t, c, sosTopic, "", false)
	testkit.Eventually(t, 30*time.Second, func() bool { return s.sum("events", "stored") == 1 })
	if n := s.sum("messages", ""); n >= messages {
		t.Errorf("%v messages settled while the stream is full", n)
	}
	limits.Readings = 1 << 30
	if err := s.bus.Setup(t.Context(), limits); err != nil {
		t.Fatal(err)
	}
	s.settled(t, messages+1)
	if n := s.sum("readings", "stored"); n != float64(messages*len(readings)) {
		t.Errorf("%v readings stored, want %d", n, messages*len(readings))
	}
	if err := s.ingest.Status(); err != nil {
		t.Errorf("status %v", err)
	}
	s.acknowledged(t)
}

// What devices publish while ingest is away waits in the broker.
func TestQueueSurvivesARestart(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	publish(t, c, emTopic, `{"seq":1,"power_w":1}`, false)
	s.settled(t, 1)
	s.stop()
	const n = 100
	for i := range n {
		publish(t, c, emTopic, fmt.Sprintf(`{"seq":%d,"power_w":1}`, i+2), false)
	}
	publish(t, c, sosTopic, "", false)
	s.start(t)
	s.settled(t, n+1)
	if got := strings.Count(strings.Join(s.stored(t, bus.Readings)["readings.north"], ""), "\n"); got != n+1 {
		t.Errorf("%d readings, want %d", got, n+1)
	}
	s.acknowledged(t)
}

// A connection that is taken away comes back; what was under way is not lost, and what was stored is not stored again.
func TestLostConnection(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	const n = 3000
	for i := range n {
		c.Publish(emTopic, 1, false, fmt.Sprintf(`{"ts":%d,"seq":%d,"power_w":1}`, time.Now().UnixMilli(), i))
		if i%1000 == 500 {
			s.dropClients(t)
		}
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.sum("readings", "stored") == n })
	s.acknowledged(t)
	if got := strings.Count(strings.Join(s.stored(t, bus.Readings)["readings.north"], ""), "\n"); got != n {
		t.Errorf("%d readings, want %d", got, n)
	}
	if s.sum("connections_lost", "") == 0 {
		t.Error("no connection was lost")
	}
}

func TestReplay(t *testing.T) {
	s := newSite(t)
	c := s.device(t, "tester")
	publish(t, c, "linli/telemetry/north/meter/late-1", `{"power_w":5}`, false)
	publish(t, c, emTopic, `{`, false)
	s.settled(t, 2)
	received := map[string]time.Time{}
	for _, r := range s.rejects(t) {
		received[r.Device] = r.Received
	}
	if _, err := s.registry.AddDevice(t.Context(), meterDevice("late-1")); err != nil {
		t.Fatal(err)
	}
	settings, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "77"} {
		if _, err := settings.PutString(t.Context(), bus.ReplayKey(id), "test"); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Eventually(t, 30*time.Second, func() bool {
		keys, err := settings.ListKeysFiltered(t.Context(), bus.ReplayKey("*"))
		left := 0
		for range keys.Keys() {
			left++
		}
		return err == nil && left == 0
	})
	lines := strings.Join(s.stored(t, bus.Readings)["readings.north"], "")
	if want := fmt.Sprintf("device=late-1 power_w=5,received_at=%di ", received["late-1"].UnixMilli()); !strings.Contains(lines, want) {
		t.Errorf("stored %q, want %q in it", lines, want)
	}
	left := s.rejects(t)
	if len(left) != 1 || left[0].Device != "em-1" || !left[0].Received.Equal(received["em-1"]) {
		t.Errorf("rejects are %+v, want the unreadable one alone", left)
	}
}

func TestBrokerWithoutSharedSubscriptionsIsRefused(t *testing.T) {
	s := openSite(t, bus.Share(2<<30))
	_, err := ingest.Open(t.Context(), ingest.Config{
		Bus: s.bus, Catalogue: s.catalogue, Registry: s.registry, Broker: ingest.Broker{URL: s.url, Share: "g"}, Log: testkit.Log, Reg: prometheus.NewRegistry(),
	})
	if err == nil || !strings.Contains(err.Error(), "does not deliver to shared subscriptions") {
		t.Errorf("got %v", err)
	}
}

func TestUnusableBrokerURLIsRefused(t *testing.T) {
	if _, err := ingest.Open(t.Context(), ingest.Config{Broker: ingest.Broker{URL: "broker"}}); err == nil || !strings.Contains(err.Error(), `"broker"`) {
		t.Errorf("got %v", err)
	}
}

// anybody lets every device in.
type anybody struct{}

func (anybody) Authenticate(string, string) (embedded.Permissions, bool) {
	return embedded.Permissions{}, true
}

// Behind the embedded broker, ingest has what permissions it needs, and devices wait until it is ready.
func TestEmbeddedBroker(t *testing.T) {
	n, err := embedded.OpenNATS(embedded.Config{Dir: t.TempDir(), MaxStore: 2 << 30, Auth: anybody{}, Log: testkit.Log, Reg: prometheus.NewRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	s := &site{t: t, url: "tcp://" + n.MQTTAddr()}
	connect := func(role string) *bus.Bus {
		nc, err := n.Conn(role)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		b, err := bus.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	s.bus = connect("setup")
	if err := s.bus.Setup(t.Context(), bus.Share(1<<30)); err != nil {
		t.Fatal(err)
	}
	s.register(t)
	user, password := n.IngestCredentials()
	s.start(t, func(c *ingest.Config) {
		c.Bus, c.Broker.User, c.Broker.Password = connect("ingest"), user, password
	})
	n.SetGate(s.ingest.Ready)
	c := s.device(t, "em-1")
	publish(t, c, emTopic, `{"power_w":1}`, false)
	publish(t, c, emTopic, `{`, false)
	publish(t, c, "linli/event/north/meter/em-1/cover_opened", ``, false)
	publish(t, c, "linli/state/north/meter/em-1", `online`, false)
	s.settled(t, 4)
	settings, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := settings.PutString(t.Context(), bus.ReplayKey("1"), ""); err != nil {
		t.Fatal(err)
	}
	s.settled(t, 5)
	testkit.Eventually(t, 30*time.Second, func() bool {
		_, err := settings.Get(t.Context(), bus.ReplayKey("1"))
		return err != nil
	})
	s.stop()
	s.start(t, func(c *ingest.Config) { // with last states on the bus
		c.Bus, c.Broker.User, c.Broker.Password = connect("ingest"), user, password
	})
}

func TestBrokerOverTLS(t *testing.T) {
	web := httptest.NewTLSServer(nil) // for its certificate of 127.0.0.1
	defer web.Close()
	s := openSite(t, bus.Share(2<<30), func(o *server.Options) { o.MQTT.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates} })
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	s.start(t, func(c *ingest.Config) {
		c.Broker.URL, c.Broker.TLS = strings.Replace(s.url, "tcp:", "ssl:", 1), &tls.Config{RootCAs: trusted}
	})
}
