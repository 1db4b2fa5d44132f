package alerts

import (
	"fmt"
	"sync"

	"linli/bus"
)

// damage is what of CORE cannot be read. It is left out: one bad record must not keep everything else from being judged.
type damage struct {
	mu    sync.Mutex // guards the two below
	n     int
	first error
}

// concern is nil without damage.
func (d *damage) concern() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.n == 0 {
		return nil
	}
	return bus.Concern(fmt.Sprintf("%d records of CORE cannot be read and are left out, first %v", d.n, d.first))
}

// leaveOut notes a record of CORE that cannot be read.
func (e *Engine) leaveOut(subject string, err error) {
	e.damage.mu.Lock()
	defer e.damage.mu.Unlock()
	e.damage.n++
	if e.damage.n == 1 {
		e.damage.first = fmt.Errorf("%s: %w", subject, err)
	}
	e.metrics.unreadable.WithLabelValues(bus.Core).Inc()
	e.Log.Error("record left out", "subject", subject, "err", err)
}
