package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/internal/testkit"
)

func TestPublishStoresAMessageIDOnce(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	subject := bus.EventSubject("tianjin", "wearable_band", "wb-1", "sos")
	seq, duplicate, err := b.Publish(t.Context(), subject, "id-1", []byte("x"))
	if err != nil || seq != 1 || duplicate {
		t.Fatalf("first: sequence %d, duplicate %t, %v", seq, duplicate, err)
	}
	seq, duplicate, err = b.Publish(t.Context(), subject, "id-1", []byte("x"))
	if err != nil || seq != 1 || !duplicate {
		t.Fatalf("second: sequence %d, duplicate %t, %v; want a duplicate of 1", seq, duplicate, err)
	}
}

func TestStaleWriterIsRefusedAsAWhole(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	commit := func(fence uint64, alert string) (uint64, error) {
		offset := bus.Msg(bus.OffsetSubject, []byte("{}"))
		bus.ExpectLast(offset, fence)
		return b.Commit(t.Context(), bus.Core, []*nats.Msg{bus.Msg(bus.AlertSubject(alert), []byte(alert)), offset})
	}
	first, err := commit(0, "a")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := commit(0, "b"); !errors.Is(err, bus.ErrConflict) {
		t.Fatalf("stale writer: got %v, want ErrConflict", err)
	}
	if n := messages(t, b, bus.Core); n != 2 {
		t.Fatalf("CORE has %d messages after the refusal, want 2", n)
	}
	second, err := commit(first, "b")
	if err != nil || second != first+2 {
		t.Fatalf("sequence %d, %v; want %d: nothing of the refused batch may be stored", second, err, first+2)
	}
}

func TestCommitRefusesADuplicateAsAWhole(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	msg := func(id string) *nats.Msg {
		m := bus.Msg(bus.ReadingsSubject("tianjin", false), []byte("m,device=a v=1 1\n"))
		m.Header = nats.Header{nats.MsgIdHdr: {id}}
		return m
	}
	if _, err := b.Commit(t.Context(), bus.Readings, []*nats.Msg{msg("1"), msg("2")}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(t.Context(), bus.Readings, []*nats.Msg{msg("3"), msg("2")}); !errors.Is(err, bus.ErrDuplicate) {
		t.Fatalf("got %v, want ErrDuplicate", err)
	}
	if n := messages(t, b, bus.Readings); n != 2 {
		t.Fatalf("READINGS has %d messages, want 2", n)
	}
}

func TestBatchSurvivesARestartAndStillFences(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, stop := testkit.NATSAt(t, dir)
	batch := make([]*nats.Msg, bus.MaxBatch)
	for i := range batch {
		batch[i] = bus.Msg(bus.AlertSubject(fmt.Sprint("a", i)), []byte("{}"))
	}
	last, err := b.Commit(t.Context(), bus.Core, batch)
	if err != nil || last != bus.MaxBatch {
		t.Fatalf("last sequence %d, %v", last, err)
	}
	stop()
	b, stop = testkit.NATSAt(t, dir)
	defer stop()
	if n := messages(t, b, bus.Core); n != bus.MaxBatch {
		t.Fatalf("CORE has %d messages after the restart, want %d", n, bus.MaxBatch)
	}
	m := bus.Msg(bus.AlertSubject("a0"), []byte("{}"))
	bus.ExpectLast(m, 0)
	if _, err := b.Commit(t.Context(), bus.Core, []*nats.Msg{m}); !errors.Is(err, bus.ErrConflict) {
		t.Fatalf("got %v, want ErrConflict", err)
	}
}

func TestCommitWithoutAnswerIsUnknown(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Commit(ctx, bus.Core, []*nats.Msg{bus.Msg(bus.AlertSubject("a"), nil)}); !errors.Is(err, bus.ErrUnknown) {
		t.Fatalf("got %v, want ErrUnknown", err)
	}
}

// A stream that has copies refuses a write while an earlier one of its subject waits for them: that one may be the same, tried before.
func TestCommitBehindAnEarlierTryIsUnknown(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]error{10071: bus.ErrConflict, 10164: bus.ErrUnknown} {
		answer := fmt.Sprintf(`{"error":{"code":400,"err_code":%d,"description":"wrong last sequence"},"stream":"CORE","seq":0}`, code)
		if _, err := bus.Committed(bus.Core, 2, []byte(answer)); !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", answer, err, want)
		}
	}
}

func TestCommitToAnotherStreamIsRefused(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	if _, err := b.Commit(t.Context(), bus.Core, []*nats.Msg{bus.Msg("readings.tianjin", nil)}); err == nil {
		t.Fatal("a reading was committed to CORE")
	}
	if n := messages(t, b, bus.Readings); n != 0 {
		t.Fatalf("READINGS has %d messages, want none", n)
	}
}

func TestSetupTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	if _, _, err := b.Publish(t.Context(), "rejects.tianjin", "", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := b.Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	if n := messages(t, b, bus.Rejects); n != 1 {
		t.Fatalf("REJECTS has %d messages, want 1", n)
	}
}

// On somebody else's NATS a restart leaves the limits as they are set there, and still has what linli relies on.
func TestSetupKeepsAnOperatorsLimits(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	s, err := b.JS.Stream(t.Context(), bus.Readings)
	if err != nil {
		t.Fatal(err)
	}
	set := s.CachedInfo().Config
	set.MaxBytes, set.MaxAge, set.Duplicates = 50<<20, 3*24*time.Hour, time.Hour
	set.Subjects = set.Subjects[:1]
	if _, err := b.JS.UpdateStream(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	kept := testkit.Limits
	kept.Kept = true
	if err := b.Setup(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if s, err = b.JS.Stream(t.Context(), bus.Readings); err != nil {
		t.Fatal(err)
	}
	got := s.CachedInfo().Config
	if got.MaxBytes != set.MaxBytes || got.MaxAge != set.MaxAge || got.Duplicates != set.Duplicates {
		t.Errorf("limits are %d bytes, %v, duplicates %v; want those of the operator", got.MaxBytes, got.MaxAge, got.Duplicates)
	}
	if len(got.Subjects) != 2 {
		t.Errorf("subjects are %v", got.Subjects)
	}
	if err := b.Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	if s, err = b.JS.Stream(t.Context(), bus.Readings); err != nil {
		t.Fatal(err)
	}
	if got := s.CachedInfo().Config; got.MaxAge == set.MaxAge {
		t.Errorf("our own streams keep %v, which nobody has set", got.MaxAge)
	}
}

func messages(t testing.TB, b *bus.Bus, stream string) uint64 {
	t.Helper()
	s, err := b.JS.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}
