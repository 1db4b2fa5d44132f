package embedded

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"linli/bus"
)

func TestFullDiskTurnsDevicesAwayUntilThereIsRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cut atomic.Int64
		w, err := WatchDisk(t.TempDir(), func() { cut.Add(1) }, slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var used atomic.Int64
		w.look = func(string) (disk, error) { return disk{used: used.Load(), free: 100 - used.Load()}, nil }
		go w.Run(ctx)
		for _, step := range []struct {
			used          int64
			concern, full bool
			cut           int64
		}{
			{79, false, false, 0},
			{80, true, false, 0},
			{89, true, false, 0},
			{90, true, true, 1},
			{95, true, true, 1},
			{89, true, true, 1},
			{88, true, false, 1},
			{20, false, false, 1},
			{91, true, true, 2},
		} {
			used.Store(step.used)
			time.Sleep(diskPeriod)
			synctest.Wait()
			if status := w.Status(); w.Full() != step.full || bus.Broken(status) != step.full || (status != nil) != step.concern || cut.Load() != step.cut {
				t.Errorf("at %d %%: full %t, status %v, devices cut %d times; want %+v", step.used, w.Full(), w.Status(), cut.Load(), step)
			}
		}
	})
}

func TestStoreLimitStaysWhenTheDiskFills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := StoreLimit(dir)
	if err != nil || first <= 0 {
		t.Fatalf("limit %d, %v", first, err)
	}
	name := filepath.Join(dir, "jetstream.limit")
	if err := os.WriteFile(name, []byte("12345\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := StoreLimit(dir); err != nil || n != 12345 {
		t.Errorf("second start: limit %d, %v; want the kept 12345", n, err)
	}
	if err := os.WriteFile(name, []byte("all\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := StoreLimit(dir); err == nil {
		t.Errorf("unreadable limit was taken as %d", n)
	}
}
