package embedded

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestClockThatJumpedKeepsTheServerFromStarting(t *testing.T) {
	t.Parallel()
	last := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name   string
		now    time.Time
		accept bool
		ok     bool
	}{
		{"same", last, false, true},
		{"5 min back", last.Add(-5 * time.Minute), false, true},
		{"6 min back", last.Add(-6 * time.Minute), false, false},
		{"7 days on", last.Add(7 * 24 * time.Hour), false, true},
		{"8 days on", last.Add(8 * 24 * time.Hour), false, false},
		{"a year on", last.AddDate(1, 0, 0), false, false},
		{"a year on, accepted", last.AddDate(1, 0, 0), true, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			log := slog.New(slog.DiscardHandler)
			if _, err := openClock(dir, false, func() time.Time { return last }, log); err != nil {
				t.Fatal(err)
			}
			now := func() time.Time { return test.now }
			if _, err := openClock(dir, test.accept, now, log); (err == nil) != test.ok {
				t.Fatalf("opened with %v, want ok = %t", err, test.ok)
			}
			if _, err := openClock(dir, false, now, log); (err == nil) != test.ok {
				t.Fatalf("opened again with %v, want ok = %t: a refused time is not kept, an accepted one is", err, test.ok)
			}
		})
	}
}

func TestClockIsKeptWhileRunningUnlessItJumps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		var jump atomic.Int64
		c, err := openClock(dir, false, func() time.Time { return time.Now().Add(time.Duration(jump.Load())) }, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go c.Run(ctx)
		kept := func() string {
			b, err := os.ReadFile(filepath.Join(dir, "clock"))
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		began := time.Now().UTC()
		time.Sleep(3*clockPeriod + time.Second)
		synctest.Wait()
		want := began.Add(3*clockPeriod).Format(time.RFC3339) + "\n"
		if got := kept(); got != want {
			t.Errorf("kept %q after three minutes, want %q", got, want)
		}
		jump.Store(int64(365 * 24 * time.Hour))
		time.Sleep(2 * clockPeriod)
		synctest.Wait()
		if got := kept(); got != want {
			t.Errorf("kept %q after the jump, want %q still", got, want)
		}
		if c.Status() == nil {
			t.Error("status is nil after the jump")
		}
	})
}

func TestDataDirectoryHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Lock(dir)
	if err == nil {
		second.Close()
		t.Fatal("a second process got the lock")
	}
	if want := "data directory " + dir + " is in use by another linli, process " + strconv.Itoa(os.Getpid()); err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := Lock(dir)
	if err != nil {
		t.Fatalf("after the first has ended: %v", err)
	}
	third.Close()
}
