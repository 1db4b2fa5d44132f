// Package testkit gives tests real servers in process, on port 0 or none, and ways to wait without sleeping.
//
// Only tests import it. It must not import a role; what needs InfluxDB is in influxtest, so that other tests never compile it.
package testkit

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"linli/bus"
)

// Log discards.
var Log = slog.New(slog.NewTextHandler(io.Discard, nil))

// Limits are small stream limits for tests.
var Limits = bus.Share(4 << 30)

// NATS is a bus on a JetStream server of its own, with the streams and buckets set up. It ends with the test.
func NATS(t testing.TB) *bus.Bus {
	t.Helper()
	b, stop := NATSAt(t, t.TempDir())
	t.Cleanup(stop)
	return b
}

// NATSAt is like NATS on the data of dir, until stop is called: stop and a second NATSAt are a restart.
func NATSAt(t testing.TB, dir string) (b *bus.Bus, stop func()) {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "test", DontListen: true, JetStream: true, StoreDir: dir, JetStreamMaxStore: 4 << 30, MaxPayload: 8 << 20,
		SyncInterval: time.Minute, NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS server is not ready after 30 s")
	}
	nc, err := bus.Dial("", "test", Log, nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	b, err = bus.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Setup(t.Context(), Limits); err != nil {
		t.Fatal(err)
	}
	return b, func() {
		nc.Close()
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// Eventually fails the test unless cond becomes true within d. For what no channel announces.
func Eventually(t testing.TB, d time.Duration, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			t.Fatalf("condition still false after %v", d)
		case <-tick.C:
		}
	}
}
