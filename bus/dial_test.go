package bus_test

import (
	"net"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"linli/bus"
	"linli/internal/testkit"
)

func TestPublishOutlivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start := func(port int) *server.Server {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, JetStreamMaxStore: 4 << 30, NoLog: true, NoSigs: true})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("NATS server is not ready after 30 s")
		}
		return s
	}
	s := start(-1)
	nc, err := bus.Dial(s.ClientURL(), "test", testkit.Log)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	b, err := bus.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	port := s.Addr().(*net.TCPAddr).Port
	s.Shutdown()
	s.WaitForShutdown()
	testkit.Eventually(t, 30*time.Second, func() bool { return !nc.IsConnected() })
	stored := make(chan error, 1)
	go func() {
		_, _, err := b.Publish(t.Context(), bus.ReadingsSubject("tianjin", false), "id-1", []byte("kept"))
		stored <- err
	}()
	s = start(port)
	defer s.WaitForShutdown()
	defer s.Shutdown()
	if err := <-stored; err != nil {
		t.Fatal(err)
	}
	if n := messages(t, b, bus.Readings); n != 1 {
		t.Fatalf("READINGS has %d messages, want 1", n)
	}
}

func TestDialFailsAtOnceWithoutAServer(t *testing.T) {
	t.Parallel()
	if nc, err := bus.Dial("nats://127.0.0.1:1", "test", testkit.Log); err == nil {
		nc.Close()
		t.Fatal("connected to nothing")
	}
}
