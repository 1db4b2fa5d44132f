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
			used int64
			full bool
			cut  int64
		}{{79, false, 0}, {89, false, 0}, {90, true, 1}, {95, true, 1}, {89, true, 1}, {88, false, 1}, {20, false, 1}, {91, true, 2}} {
			used.Store(step.used)
			time.Sleep(diskPeriod)
			synctest.Wait()
			if w.Full() != step.full || (w.Status() != nil) != step.full || cut.Load() != step.cut {
				t.Errorf("at %d %%: full %t, status %v, devices cut %d times; want %+v", step.used, w.Full(), w.Status(), cut.Load(), step)
			}
		}
	})
}

func TestLargeDiskHasRoomLeft(t *testing.T) {
	t.Parallel()
	w, err := WatchDisk(t.TempDir(), func() {}, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	for free, full := range map[int64]bool{diskSpare: false, diskSpare - 1: true} {
		w.look = func(string) (disk, error) { return disk{used: 100 * diskSpare, free: free}, nil }
		if err := w.see(); err != nil || w.Full() != full {
			t.Errorf("%d bytes free of a disk that is 99 %% used: full %t, %v", free, w.Full(), err)
		}
	}
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
