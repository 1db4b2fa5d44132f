package embedded_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go"

	"linli/app/embedded"
	"linli/bus"
	"linli/internal/testkit"
)

func TestDeviceReachesIngestAndReadsItsCommands(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	ingest, got := b.ingest(t)
	d := b.connect(t, device("dev1"))
	commands := make(chan mqtt.Message, 1)
	d.AddRoute("linli/command/#", func(_ mqtt.Client, m mqtt.Message) { commands <- m })
	if codes := subscribe(t, d, "linli/command/+/+/dev1/#"); codes[0] != 1 {
		t.Fatalf("subscribe to own commands: code %d, want 1", codes[0])
	}
	for _, topic := range []string{"linli/telemetry/tianjin/waste_station/dev1", "linli/event/tianjin/waste_station/dev1/emptied"} {
		if err := wait(d.Publish(topic, 1, false, "{}")); err != nil {
			t.Fatal(err)
		}
		if m := receive(t, got); m.Topic() != topic || string(m.Payload()) != "{}" {
			t.Fatalf("ingest got %s %q", m.Topic(), m.Payload())
		}
	}
	if err := wait(ingest.Publish("linli/command/tianjin/waste_station/dev1/open_door", 1, false, "go")); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, commands); string(m.Payload()) != "go" {
		t.Fatalf("device got %q", m.Payload())
	}
}

func TestGatewaySpeaksForItsChildrenOnly(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, got := b.ingest(t)
	g := b.connect(t, device("gw1"))
	for _, id := range []string{"dev1", "kid1", "kid3", "kid2"} {
		if err := wait(g.Publish("linli/telemetry/tianjin/smoke_detector/"+id, 1, false, id)); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"kid1", "kid2"} {
		if m := receive(t, got); string(m.Payload()) != want {
			t.Fatalf("ingest got %q, want %q", m.Payload(), want)
		}
	}
	if n := b.denied("publish"); n != 2 {
		t.Errorf("linli_broker_denied_total{what=publish} = %v, want 2", n)
	}
	if codes := subscribe(t, g, "linli/command/+/+/kid1/+", "linli/command/+/+/kid3/+"); codes[0] != 1 || codes[1] != 0x80 {
		t.Errorf("subscriptions to kid1 and kid3: %v, want 1 and 128", codes)
	}
}

func TestLoginIsRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	user, password := b.IngestCredentials()
	for name, l := range map[string]login{
		"wrong secret":            {client: "dev1", user: "dev1", secret: "secret-dev2"},
		"no secret":               {client: "dev1", user: "dev1"},
		"no user":                 {client: "dev1"},
		"unknown device":          device("dev9"),
		"client id of another":    {client: "dev2", user: "dev1", secret: "secret-dev1"},
		"client id of ingest":     {client: "f00dfeed", user: "dev1", secret: "secret-dev1"},
		"no client id":            {user: "dev1", secret: "secret-dev1"},
		"user *":                  {client: "*", user: "*", secret: "secret-*"},
		"user >":                  {client: ">", user: ">", secret: "secret->"},
		"user with a dot":         device("dev1.x"),
		"user with a slash":       device("dev1/x"),
		"user +":                  device("+"),
		"user #":                  device("#"),
		"user in capitals":        device("DEV1"),
		"user of 64 kB":           device(strings.Repeat("a", 60_000)),
		"ingest, wrong password":  {client: "f00dfeed", user: user, secret: "x"},
		"ingest, no password":     {client: "f00dfeed", user: user},
		"password of ingest":      {client: "dev1", user: "dev1", secret: password},
		"role":                    {client: "linli:setup", user: "linli:setup", secret: "x"},
		"role without a password": {client: "linli:setup", user: "linli:setup"},
		"callout":                 {client: "linli:callout", user: "linli:callout", secret: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c, err := b.dial(l); err == nil {
				c.Disconnect(0)
				t.Errorf("connected as %.40q with client id %.40q", l.user, l.client)
			}
		})
	}
}

// The victim is ingest, with a message in its queue: alive first, then away.
func TestNobodyTakesOverAnotherSession(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	s := b.setup(t)
	ingest, _ := b.ingest(t)
	victim := b.connect(t, device("dev2"))
	attack := func() {
		t.Helper()
		for _, client := range []string{"f00dfeed", "dev2"} {
			for _, persistent := range []bool{true, false} {
				if c, err := b.dial(login{client: client, user: "dev1", secret: "secret-dev1", persistent: persistent}); err == nil {
					c.Disconnect(0)
					t.Errorf("dev1 connected with the client id %q", client)
				}
			}
		}
	}
	attack()
	if !ingest.IsConnectionOpen() || !victim.IsConnectionOpen() {
		t.Error("a victim lost its connection")
	}
	ingest.Disconnect(0)
	for _, payload := range []string{"1", "2", "3"} {
		if err := wait(victim.Publish("linli/telemetry/tianjin/waste_station/dev2", 1, false, payload)); err != nil {
			t.Fatal(err)
		}
	}
	before := counts(t, s)
	attack()
	d := b.connect(t, device("dev1"))
	for _, topic := range []string{
		"$JS/API/STREAM/DELETE/READINGS", "$JS/API/STREAM/DELETE/$MQTT_msgs", "$JS/API/STREAM/PURGE/$MQTT_msgs",
		"$JS/API/STREAM/DELETE/$MQTT_sess", "$JS/API/STREAM/DELETE/KV_registry", "$SYS/REQ/SERVER/PING", "$KV/registry/device/dev2",
		"$MQTT/sess/dev2", "_INBOX/x", "readings/tianjin", "core/offset/alerts", "linli/telemetry/tianjin/waste_station/dev2",
		"linli/command/tianjin/waste_station/dev1/open_door", "linli/event/tianjin/waste_station/dev2/emptied",
		"linli/reply/tianjin/waste_station/dev2", "linli/command/tianjin/waste_station/dev2/open_door",
	} {
		for _, qos := range []byte{0, 1} {
			if err := wait(d.Publish(topic, qos, false, "")); err != nil {
				t.Errorf("publish %s: %v", topic, err)
			}
		}
	}
	if n := b.denied("publish"); n != 32 {
		t.Errorf("linli_broker_denied_total{what=publish} = %v, want 32", n)
	}
	if after := counts(t, s); !slices.Equal(before, after) {
		t.Errorf("streams before the attacks %v, after %v", before, after)
	}
	_, got := b.ingest(t)
	queue := map[string]bool{}
	for range 3 {
		queue[string(receive(t, got).Payload())] = true
	}
	if !maps.Equal(queue, map[string]bool{"1": true, "2": true, "3": true}) {
		t.Errorf("ingest got %v from its queue, want 1, 2 and 3", queue)
	}
}

func TestForeignSubscriptionsAreRefused(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	d := b.connect(t, device("dev1"))
	for _, filter := range []string{
		"#", "+/+/+", "+", "linli/#", "linli/>", "c/>", "linli/*/tianjin", "linli/telemetry/#", "linli/telemetry/+/+/dev1",
		"linli/command/#", "linli/command/+/+/+/+", "linli/command/+/+/dev2/+", "linli/command/+/+/*/open", "linli/command/+/+/>",
		"$SYS/#", "$JS/#", "$MQTT/#", "$KV/#", "$share/g/linli/telemetry/#", "$share/g/linli/command/+/+/dev1/#", "_INBOX/#",
	} {
		if codes := subscribe(t, d, filter); codes[0] != 0x80 {
			t.Errorf("subscribe %s: code %d, want 128", filter, codes[0])
		}
	}
}

func TestWillOnAForeignTopicIsNotSent(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, got := b.ingest(t)
	for _, will := range []string{"dev2", "dev1"} {
		d := b.connect(t, login{client: "dev1", user: "dev1", secret: "secret-dev1", options: func(o *mqtt.ClientOptions) {
			o.SetWill("linli/state/tianjin/waste_station/"+will, "offline", 1, true)
		}})
		b.Disconnect("dev1")
		testkit.Eventually(t, 30*time.Second, func() bool { return !d.IsConnectionOpen() })
	}
	if m := receive(t, got); m.Topic() != "linli/state/tianjin/waste_station/dev1" {
		t.Fatalf("ingest got the will %s, want dev1's alone", m.Topic())
	}
}

func TestOversizedPayloadAndQoS2EndTheConnection(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, got := b.ingest(t)
	topic := "linli/telemetry/tianjin/waste_station/dev1"
	d := b.connect(t, device("dev1"))
	if err := wait(d.Publish(topic, 1, false, make([]byte, embedded.MaxDevicePayload-1000))); err != nil {
		t.Fatal(err)
	}
	receive(t, got)
	d.Publish(topic, 1, false, make([]byte, embedded.MaxDevicePayload+1))
	testkit.Eventually(t, 30*time.Second, func() bool { return !d.IsConnectionOpen() })
	if n := b.denied("oversize"); n != 1 {
		t.Errorf("linli_broker_denied_total{what=oversize} = %v, want 1", n)
	}
	d = b.connect(t, device("dev1"))
	d.Publish(topic, 2, false, "x")
	testkit.Eventually(t, 30*time.Second, func() bool { return !d.IsConnectionOpen() })
	if len(got) != 0 {
		t.Errorf("ingest got %q", (<-got).Payload())
	}
}

func TestGateAdmitsDevices(t *testing.T) {
	t.Parallel()
	b := openBroker(t, t.TempDir())
	defer b.Close()
	if _, err := b.dial(device("dev1")); err == nil {
		t.Fatal("a device connected before the gate was set")
	}
	b.ingest(t) // the gate is not for ingest
	var open atomic.Bool
	b.SetGate(open.Load)
	if _, err := b.dial(device("dev1")); err == nil {
		t.Fatal("a device connected while the gate was closed")
	}
	open.Store(true)
	b.connect(t, device("dev1"))
}

func TestRevokedDeviceIsCut(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	d, other := b.connect(t, device("dev1")), b.connect(t, device("dev2"))
	b.book.revoke("dev1")
	b.Disconnect("dev1")
	testkit.Eventually(t, 30*time.Second, func() bool { return !d.IsConnectionOpen() })
	if _, err := b.dial(device("dev1")); err == nil {
		t.Error("the revoked device connected again")
	}
	if !other.IsConnectionOpen() {
		t.Error("another device was cut")
	}
}

func TestQueueOfIngestSurvivesARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBroker(t, dir)
	b.SetGate(func() bool { return true })
	ingest, _ := b.ingest(t)
	ingest.Disconnect(0)
	d := b.connect(t, device("dev1"))
	if err := wait(d.Publish("linli/telemetry/tianjin/waste_station/dev1", 1, false, "kept")); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBroker(t, dir)
	defer b.Close()
	if _, got := b.ingest(t); string(receive(t, got).Payload()) != "kept" {
		t.Fatal("ingest did not get the message from its queue")
	}
}

func TestRoleMayDoOnlyItsOwn(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.setup(t)
	nc, err := b.Conn("notify")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	refused := make(chan error, 10)
	nc.SetErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err })
	for _, subject := range []string{"core.offset.alerts", "readings.tianjin", "$JS.API.STREAM.DELETE.CORE", "$KV.registry.device.x"} {
		if err := nc.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-refused:
			if !strings.Contains(err.Error(), subject) {
				t.Errorf("publish %s: refused with %v", subject, err)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("notify published to %s", subject)
		}
	}
	n, err := bus.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Publish(t.Context(), bus.DeliverySubject("a1", "d1"), "", []byte("{}")); err != nil {
		t.Errorf("notify stores a delivery: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, _, err := n.Publish(ctx, bus.ReadingsSubject("tianjin", false), "", nil); !errors.Is(err, nats.ErrPermissionViolation) {
		t.Errorf("notify stores a reading: %v, want a permission violation", err)
	}
	if _, err := b.Conn("nobody"); err == nil {
		t.Error("an unknown role connected")
	}
}

func TestMQTTOverTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	defer web.Close()
	b := &broker{book: &book{devices: []string{"dev1"}}}
	var err error
	b.NATS, err = embedded.OpenNATS(embedded.Config{Dir: t.TempDir(), MaxStore: 1 << 30, TLS: web.TLS, Auth: b.book, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	b.SetGate(func() bool { return true })
	if _, err := b.dial(device("dev1")); err == nil {
		t.Error("connected in the clear")
	}
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	secure := device("dev1")
	secure.options = func(o *mqtt.ClientOptions) {
		o.Servers = nil
		o.AddBroker("ssl://" + b.MQTTAddr()).SetTLSConfig(&tls.Config{RootCAs: trusted})
	}
	b.connect(t, secure)
}

func TestTakenMQTTAddressIsAClearError(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	_, err := embedded.OpenNATS(embedded.Config{Dir: t.TempDir(), MQTTAddr: b.MQTTAddr(), MaxStore: 1 << 30, Auth: b.book, Log: testkit.Log})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Fatalf("got %v, want the reason of listen", err)
	}
}
