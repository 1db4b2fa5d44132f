package embedded_test

import (
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"linli/app/embedded"
	"linli/bus"
	"linli/internal/testkit"
)

// book is an Authenticator: the secret of every device is "secret-" and its id.
type book struct {
	mu       sync.Mutex // guards what follows
	devices  []string
	children map[string][]string
	anyone   bool // every device exists
}

func (b *book) Authenticate(user, secret string) (embedded.Permissions, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.anyone && !slices.Contains(b.devices, user) || secret != "secret-"+user {
		return embedded.Permissions{}, false
	}
	return embedded.Permissions{Children: b.children[user]}, true
}

func (b *book) revoke(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.devices = slices.DeleteFunc(b.devices, func(d string) bool { return d == id })
}

// broker is a running broker under test.
type broker struct {
	*embedded.NATS
	book *book
	reg  *prometheus.Registry
}

func openBroker(t testing.TB, dir string) *broker { return openBrokerOf(t, dir, 0) }

// openBrokerOf is one that takes so many connections.
func openBrokerOf(t testing.TB, dir string, connections int) *broker {
	t.Helper()
	b := &broker{
		book: &book{devices: []string{"dev1", "dev2", "gw1"}, children: map[string][]string{"gw1": {"kid1", "kid2"}}},
		reg:  prometheus.NewRegistry(),
	}
	var err error
	b.NATS, err = embedded.OpenNATS(embedded.Config{
		Dir: dir, MaxStore: 2 << 30, MaxConn: connections, Auth: b.book, Log: testkit.Log, Reg: b.reg,
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// newBroker is a broker that admits devices and ends with the test.
func newBroker(t testing.TB) *broker {
	t.Helper()
	b := openBroker(t, t.TempDir())
	b.SetGate(func() bool { return true })
	t.Cleanup(func() { b.Close() })
	return b
}

// login is one CONNECT; the zero value of clean is a clean session.
type login struct {
	client, user, secret string
	persistent           bool
	options              func(*mqtt.ClientOptions)
}

func device(id string) login { return login{client: id, user: id, secret: "secret-" + id} }

func (b *broker) dial(l login) (mqtt.Client, error) {
	o := mqtt.NewClientOptions().AddBroker("tcp://" + b.MQTTAddr()).SetClientID(l.client).SetUsername(l.user).SetPassword(l.secret)
	o.SetCleanSession(!l.persistent).SetAutoReconnect(false).SetConnectTimeout(30 * time.Second).SetProtocolVersion(4)
	if l.options != nil {
		l.options(o)
	}
	c := mqtt.NewClient(o)
	return c, wait(c.Connect())
}

func (b *broker) connect(t testing.TB, l login) mqtt.Client {
	t.Helper()
	c, err := b.dial(l)
	if err != nil {
		t.Fatalf("connect as %q with client id %q: %v", l.user, l.client, err)
	}
	t.Cleanup(func() { c.Disconnect(0) })
	return c
}

func (b *broker) ingest(t testing.TB) (mqtt.Client, <-chan mqtt.Message) {
	t.Helper()
	got := make(chan mqtt.Message, 100)
	user, password := b.IngestCredentials()
	c := b.connect(t, login{client: "f00dfeed", user: user, secret: password, persistent: true, options: func(o *mqtt.ClientOptions) {
		o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { got <- m })
	}})
	if codes := subscribe(t, c, "linli/telemetry/#", "linli/event/#", "linli/state/#"); slices.Contains(codes, 0x80) {
		t.Fatalf("ingest's subscriptions: %v", codes)
	}
	return c, got
}

func wait(token mqtt.Token) error {
	if !token.WaitTimeout(30 * time.Second) {
		return errors.New("no answer within 30 s")
	}
	return token.Error()
}

// subscribe returns the codes that the broker answered with; 0x80 is a refusal.
func subscribe(t testing.TB, c mqtt.Client, filters ...string) []byte {
	t.Helper()
	var codes []byte
	for _, f := range filters {
		token := c.Subscribe(f, 1, nil)
		if !token.WaitTimeout(30 * time.Second) {
			t.Fatalf("subscribe %s: no answer", f)
		}
		// The client leaves $share/{group}/ out of the key.
		codes = slices.AppendSeq(codes, maps.Values(token.(*mqtt.SubscribeToken).Result()))
	}
	return codes
}

func receive(t testing.TB, got <-chan mqtt.Message) mqtt.Message {
	t.Helper()
	select {
	case m := <-got:
		return m
	case <-time.After(30 * time.Second):
		t.Fatal("no message within 30 s")
		return nil
	}
}

func (b *broker) denied(what string) float64 {
	families, err := b.reg.Gather()
	if err != nil {
		return -1
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == "linli_broker_denied_total" && m.Label[0].GetValue() == what {
				return m.Counter.GetValue()
			}
		}
	}
	return -1
}

// setup is a bus with the streams on the broker.
func (b *broker) setup(t testing.TB) *bus.Bus {
	t.Helper()
	nc, err := b.Conn("setup")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	s, err := bus.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Setup(t.Context(), bus.Share(1<<30)); err != nil {
		t.Fatal(err)
	}
	return s
}

func counts(t testing.TB, s *bus.Bus) []uint64 {
	t.Helper()
	var all []uint64
	for _, name := range []string{bus.Readings, bus.Events, bus.Rejects, bus.Core, "KV_" + bus.RegistryBucket} {
		stream, err := s.JS.Stream(t.Context(), name)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			t.Fatalf("stream %s is gone", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, stream.CachedInfo().State.LastSeq)
	}
	return all
}
