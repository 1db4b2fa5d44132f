package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/internal/testkit"
)

// A server answers pings and stores nothing, as one does that is cut off from its cluster. The connection goes to another one.
func TestServerThatStoresNothingIsLeft(t *testing.T) {
	t.Parallel()
	lone, good := listening(t, ""), listening(t, t.TempDir())
	dial := func(url string) *bus.Bus {
		nc, err := bus.Dial(url, "test", testkit.Log, nats.DontRandomize())
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
	if err := dial(good).Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	b := dial(lone + "," + good)
	ctx, cancel := context.WithCancel(t.Context())
	roamed := make(chan error)
	go func() { roamed <- b.Roam(ctx, testkit.Log) }()
	testkit.Eventually(t, 60*time.Second, func() bool { return b.NC.ConnectedUrl() == good })
	if _, _, err := b.Publish(t.Context(), bus.EventSubject("north", "sos_button", "sb-1", "sos"), "1", []byte("x")); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-roamed; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// listening is the URL of a server, of one without JetStream if it has no directory.
func listening(t *testing.T, dir string) string {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: dir != "", StoreDir: dir, NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS server is not ready after 30 s")
	}
	return s.ClientURL()
}
