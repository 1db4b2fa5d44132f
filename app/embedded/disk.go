package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
)

// StoreLimit is how much JetStream may keep in dir: 70 % of the space that was free when it was first asked. The answer is kept
// in dir, because the streams reserve shares of it: one that shrank as the disk filled would keep the server from starting.
// Without a limit a full disk stops streams until a restart; with one they refuse messages until there is room.
func StoreLimit(dir string) (int64, error) {
	name := filepath.Join(dir, "jetstream.limit")
	kept, err := os.ReadFile(name)
	if err == nil {
		n, err := strconv.ParseInt(strings.TrimSpace(string(kept)), 10, 64)
		if err != nil || n <= 0 {
			return 0, fmt.Errorf("read store limit: %s: %q is not a number of bytes", name, kept)
		}
		return n, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("read store limit: %w", err)
	}
	d, err := diskOf(dir)
	if err != nil {
		return 0, err
	}
	n := d.free / 10 * 7
	if err := os.WriteFile(name, []byte(strconv.FormatInt(n, 10)+"\n"), 0o600); err != nil {
		return 0, fmt.Errorf("keep store limit: %w", err)
	}
	return n, nil
}

type disk struct {
	used, free int64 // bytes; free is what an ordinary user may still write
}

func (d disk) share() float64 { return float64(d.used) / float64(max(d.used+d.free, 1)) }

func diskOf(dir string) (disk, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return disk{}, fmt.Errorf("look at disk of %s: %w", dir, err)
	}
	return disk{used: int64(s.Blocks-s.Bfree) * s.Bsize, free: int64(s.Bavail) * s.Bsize}, nil
}

// Shares of the disk that are in use when somebody is told, when devices are no longer let in, and when they are again.
const (
	diskWarns   = 0.80
	diskFull    = 0.90
	diskRecover = 0.88

	diskPeriod = 10 * time.Second
)

// DiskWatch watches how full the disk of the data directory is. Devices are to be turned away before it is full: they keep what
// is not acknowledged, a database without space may not.
type DiskWatch struct {
	dir    string
	log    *slog.Logger
	onFull func()
	look   func(dir string) (disk, error)
	gauge  prometheus.Gauge
	share  atomic.Uint64 // bits of the float
	full   atomic.Bool
}

// WatchDisk looks at the disk of dir for the first time. onFull is called by Run when the disk has become full. reg may be nil.
func WatchDisk(dir string, onFull func(), log *slog.Logger, reg prometheus.Registerer) (*DiskWatch, error) {
	w := &DiskWatch{
		dir: dir, log: log.With("component", "disk"), onFull: onFull, look: diskOf,
		gauge: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "linli_disk_used_ratio", Help: "Used share of the disk that the data directory is on.",
		}),
	}
	if reg != nil {
		if err := reg.Register(w.gauge); err != nil {
			return nil, fmt.Errorf("watch disk: %w", err)
		}
	}
	return w, w.see()
}

// Full says that devices are to be turned away. Safe for concurrent use.
func (w *DiskWatch) Full() bool { return w.full.Load() }

// Status is an error while devices are turned away, and a bus.Concern from 80 % on. Safe for concurrent use.
func (w *DiskWatch) Status() error {
	share := math.Float64frombits(w.share.Load())
	switch {
	case w.Full():
		return fmt.Errorf("disk of %s is %.0f %% full: devices are turned away", w.dir, 100*share)
	case share >= diskWarns:
		return bus.Concern(fmt.Sprintf("disk of %s is %.0f %% full: at %.0f %% devices are turned away", w.dir, 100*share, 100*diskFull))
	}
	return nil
}

// Run looks every 10 s until ctx ends.
func (w *DiskWatch) Run(ctx context.Context) error {
	tick := time.NewTicker(diskPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		was := w.Full()
		if err := w.see(); err != nil {
			w.log.Warn("disk not seen", "err", err)
			continue
		}
		if w.Full() == was {
			continue
		}
		if was {
			w.log.Info("disk has room again")
			continue
		}
		w.log.Error("disk is full", "err", w.Status())
		w.onFull()
	}
}

func (w *DiskWatch) see() error {
	d, err := w.look(w.dir)
	if err != nil {
		return err
	}
	before := math.Float64frombits(w.share.Swap(math.Float64bits(d.share())))
	w.gauge.Set(d.share())
	if d.share() >= diskWarns && before < diskWarns {
		w.log.Error("disk is filling", "used", d.share(), "free_bytes", d.free)
	}
	w.full.Store(d.share() >= diskFull || w.Full() && d.share() > diskRecover)
	return nil
}
