package bus_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/internal/testkit"
)

// natsWith is an outside server on dir that gives JetStream so many bytes.
func natsWith(t *testing.T, dir string, room int64) (b *bus.Bus, stop func()) {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "outside", DontListen: true, JetStream: true, StoreDir: dir, JetStreamMaxStore: room, NoLog: true, NoSigs: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	if !s.ReadyForConnections(30 * time.Second) {
		t.Fatal("NATS server is not ready after 30 s")
	}
	nc, err := bus.Dial("", "test", testkit.Log, nats.InProcessServer(s))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = bus.New(nc); err != nil {
		t.Fatal(err)
	}
	return b, func() {
		nc.Close()
		s.Shutdown()
		s.WaitForShutdown()
	}
}

// A server whose room is a share of the free disk has less of it at every start.
func TestOutsideServerWithLessRoomThanBeforeIsUsedAsItIs(t *testing.T) {
	dir := t.TempDir()
	limits := bus.Share(1 << 30)
	limits.Kept = true
	b, stop := natsWith(t, dir, 1<<30)
	if err := b.Setup(t.Context(), limits); err != nil {
		t.Fatal(err)
	}
	stop()
	b, stop = natsWith(t, dir, 1<<29)
	defer stop()
	if err := b.Setup(t.Context(), limits); err != nil {
		t.Errorf("the same streams, no room for others: %v", err)
	}
}

// A share that leaves room for the first streams only does not keep them from a smaller one.
func TestWhatHasNoRoomIsTakenBack(t *testing.T) {
	b, stop := natsWith(t, t.TempDir(), 700<<20)
	defer stop()
	limits := bus.Share(1 << 30) // the first streams fit, and no more
	limits.Kept = true
	if err := b.Setup(t.Context(), limits); !bus.NoRoom(err) {
		t.Fatalf("streams of more than the room: %v", err)
	}
	limits = bus.Share(1 << 29)
	limits.Kept = true
	if err := b.Setup(t.Context(), limits); err != nil {
		t.Errorf("half of it: %v", err)
	}
}

func TestSystemWithoutTheRoomAskedForIsTold(t *testing.T) {
	b, stop := natsWith(t, t.TempDir(), 1<<29)
	defer stop()
	if err := b.Setup(t.Context(), bus.Share(1<<30)); !bus.NoRoom(err) {
		t.Errorf("streams of twice the room: %v", err)
	}
}
