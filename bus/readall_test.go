package bus_test

import (
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// What a reader waits for may be deleted before it comes: there is no more then, and nobody waits for ever.
func TestReadingEndsWhenTheRestIsDeleted(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	for range 5_100 { // more than a reader asks for at a time
		if _, _, err := b.Publish(t.Context(), bus.RejectsSubject("tianjin"), "", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	stream, err := b.JS.Stream(t.Context(), bus.Rejects)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = b.ReadFrom(t.Context(), bus.Rejects, 2, []string{"rejects.>"}, func(jetstream.Msg) error {
		if read++; read == 1 {
			return stream.Purge(t.Context())
		}
		return nil
	})
	if err != nil || read == 5_099 {
		t.Errorf("read %d: %v", read, err)
	}
}
