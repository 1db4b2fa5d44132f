package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// How far the clock may stand from where it was last seen. Backward, messages would be stored before those that are there; forward,
// opening the streams would expire what is younger than their age limits, and that cannot be undone.
const (
	maxBackward = 5 * time.Minute
	maxForward  = 7 * 24 * time.Hour
)

const clockPeriod = time.Minute

// Clock remembers in the data directory what time it was.
type Clock struct {
	file string
	now  func() time.Time
	log  *slog.Logger

	mu     sync.Mutex // guards what follows
	last   time.Time  // when the clock was last right
	jumped error
}

// OpenClock compares the clock with the time that was last kept in dir and fails if it jumped, unless accept is given. It comes
// before the streams are opened.
func OpenClock(dir string, accept bool, log *slog.Logger) (*Clock, error) {
	return openClock(dir, accept, time.Now, log)
}

func openClock(dir string, accept bool, now func() time.Time, log *slog.Logger) (*Clock, error) {
	c := &Clock{file: filepath.Join(dir, "clock"), now: now, log: log.With("component", "clock"), last: now()}
	kept, err := os.ReadFile(c.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read last time: %w", err)
	}
	if err == nil && !accept {
		last, err := time.Parse(time.RFC3339, strings.TrimSpace(string(kept)))
		if err != nil {
			return nil, fmt.Errorf("read last time: %s: %w", c.file, err)
		}
		if err := jumped(last, now()); err != nil {
			return nil, fmt.Errorf("%w; check the clock, then start with --accept-clock", err)
		}
	}
	return c, c.keep()
}

func jumped(last, now time.Time) error {
	switch d := now.Sub(last); {
	case d < -maxBackward:
		return fmt.Errorf("the clock says %s, but linli ran at %s", now.UTC().Format(time.RFC3339), last.UTC().Format(time.RFC3339))
	case d > maxForward:
		return fmt.Errorf("the clock says %s, %d days after linli last ran: going on would expire stored readings",
			now.UTC().Format(time.RFC3339), int(d.Hours()/24))
	}
	return nil
}

// Run keeps the time every minute until ctx ends. A clock that jumps meanwhile is reported and not kept, so that the next start
// asks; devices and people are served on.
func (c *Clock) Run(ctx context.Context) error {
	tick := time.NewTicker(clockPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := c.see(); err != nil {
			c.log.Error("clock not kept", "err", err)
		}
	}
}

func (c *Clock) see() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if c.jumped = jumped(c.last, now.Round(0)); c.jumped != nil { // Round takes the monotonic clock away, which never jumps
		return c.jumped
	}
	c.last = now
	return c.keep()
}

// Status says whether the clock has jumped. Safe for concurrent use.
func (c *Clock) Status() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jumped
}

// Close keeps the time once more.
func (c *Clock) Close() error { return c.see() }

// keep replaces the file as a whole: half a time would keep the next start from happening.
func (c *Clock) keep() error {
	next := c.file + ".next"
	if err := os.WriteFile(next, []byte(c.now().UTC().Format(time.RFC3339)+"\n"), 0o600); err != nil {
		return fmt.Errorf("keep time: %w", err)
	}
	if err := os.Rename(next, c.file); err != nil {
		return fmt.Errorf("keep time: %w", err)
	}
	return nil
}
