package bus_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

func TestJanitorPurgesOnlyWhatStoreAndAlertsHaveDone(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		stored  uint64 // acknowledged by store; 0: store has no consumer
		offset  *bus.Offset
		first   uint64 // what READINGS begins with afterwards
		lastWas uint64 // messages that were published
	}{
		{"nobody has run", 0, nil, 1, 90},
		{"alerts is behind", 80, &bus.Offset{Readings: 10, Replay: 10}, 11, 90},
		{"alerts would read again", 80, &bus.Offset{Readings: 80, Replay: 5}, 6, 90},
		{"store is behind", 7, &bus.Offset{Readings: 80, Replay: 80}, 8, 90},
		{"store is not there", 0, &bus.Offset{Readings: 80, Replay: 80}, 1, 90},
		{"both are done: no more than needed", 90, &bus.Offset{Readings: 90, Replay: 90}, 31, 90},
		{"there is room", 70, &bus.Offset{Readings: 70, Replay: 70}, 1, 70},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := testkit.NATS(t)
			// Just over 100 messages of random bytes, which do not compress.
			if err := b.Setup(t.Context(), bus.Limits{Readings: 101 * 10_000}); err != nil {
				t.Fatal(err)
			}
			noise := rand.NewChaCha8([32]byte{})
			for range test.lastWas {
				data := make([]byte, 9_950)
				noise.Read(data)
				if _, _, err := b.Publish(t.Context(), bus.ReadingsSubject("tianjin", false), "", data); err != nil {
					t.Fatal(err)
				}
			}
			if test.stored > 0 {
				acknowledge(t, b, test.stored)
			}
			if test.offset != nil {
				data, err := json.Marshal(test.offset)
				if err != nil {
					t.Fatal(err)
				}
				if _, _, err := b.Publish(t.Context(), bus.OffsetSubject, "", data); err != nil {
					t.Fatal(err)
				}
			}
			if err := bus.Sweep(b, t.Context(), testkit.Log); err != nil {
				t.Fatal(err)
			}
			s, err := b.JS.Stream(t.Context(), bus.Readings)
			if err != nil {
				t.Fatal(err)
			}
			if first := s.CachedInfo().State.FirstSeq; first != test.first {
				t.Errorf("READINGS begins with %d, want %d", first, test.first)
			}
		})
	}
}

// acknowledge reads n messages as store does.
func acknowledge(t *testing.T, b *bus.Bus, n uint64) {
	t.Helper()
	c, err := b.JS.CreateOrUpdateConsumer(t.Context(), bus.Readings, jetstream.ConsumerConfig{
		Durable: bus.StoreConsumer, AckPolicy: jetstream.AckExplicitPolicy, MaxDeliver: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := c.Fetch(int(n), jetstream.FetchMaxWait(10*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for m := range batch.Messages() {
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFullStreamRefusesAndKeepsWhatItHas(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	if err := b.Setup(t.Context(), bus.Limits{Readings: 1000}); err != nil {
		t.Fatal(err)
	}
	publish := func(timeout time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		_, _, err := b.Publish(ctx, bus.ReadingsSubject("tianjin", false), "", bytes.Repeat([]byte("x"), 800))
		return err
	}
	if err := publish(30 * time.Second); err != nil {
		t.Fatal(err)
	}
	if err := publish(100 * time.Millisecond); err == nil {
		t.Fatal("a full stream took a message")
	}
	if n := messages(t, b, bus.Readings); n != 1 {
		t.Fatalf("READINGS has %d messages, want the first still", n)
	}
	if err := b.Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	if err := publish(30 * time.Second); err != nil {
		t.Fatalf("after there was room: %v", err)
	}
}
