// Package watch is linli watching linli. Every minute it presses an SOS button that nobody has and follows it through broker, bus,
// engine and notifier; it looks at what every role says of itself; and it tells the operator what is wrong on a path of its own,
// which uses neither NATS nor InfluxDB. While all is well it calls a heartbeat URL, so that somebody outside notices when this
// whole process is gone.
//
//	trial press ─► how long until the notifier had it ─┐
//	status of every role ──────────────────────────────┴─► troubles ─► lasting? ─► operator: begins, every hour, over
//	                                                           none ─► heartbeat
//
// It must not know how an SOS travels, how a channel speaks, or what a role does.
package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
)

// Config is what a Watch works with. Every function is called from one goroutine and gets a context that ends soon.
type Config struct {
	// Press sends a trial SOS and returns when the notifier has had it, or an error if that does not come to pass. nil: none is sent.
	Press func(context.Context) error
	// Status is what every role says of itself, see bus.Broken and bus.Concern.
	Status func() map[string]error
	// Tell tells the operator. An error is logged, and the notice tried again.
	Tell func(context.Context, Notice) error
	// Beat tells somebody outside that all is well. nil: nobody.
	Beat func(context.Context) error
	Log  *slog.Logger
	Reg  prometheus.Registerer // nil: no metrics
}

// Notice is what an operator is told.
type Notice struct {
	Part  string    // path for the way of an SOS, else the role or part that is in trouble
	Err   string    // what is wrong, or was
	Since time.Time // when it began
	Over  bool      // the trouble has ended
}

const (
	// PressEvery is how often the way of an SOS is tried.
	PressEvery = time.Minute
	// PressLimit is how long a trial may take. It is far beyond the second in which a phone is to ring, so what exceeds it is stuck.
	PressLimit = 20 * time.Second
	// slowPress is a way that works but does not keep its promise.
	slowPress = 2 * time.Second

	lookEvery = 10 * time.Second
	// lasting is how long a part is in trouble before an operator hears of it: a restart of the broker or of InfluxDB is shorter.
	lasting = 50 * time.Second
	// again is how often an operator is reminded.
	again = time.Hour

	callLimit = 10 * time.Second
	path      = "path"
)

// Watch is the watcher. Its zero value is not usable; see New.
type Watch struct {
	cfg      Config
	troubles map[string]*trouble
	pressed  time.Time // the last trial
	bad      error     // of the last trials in a row
	badSince time.Time
	seconds  prometheus.Histogram
	failed   prometheus.Counter
}

// trouble is a part that is not well.
type trouble struct {
	since time.Time
	err   error
	told  time.Time // zero: not yet
	gone  bool      // it is over, and the operator is still to hear of that
}

// New prepares a watch; Run does the watching.
func New(c Config) *Watch {
	w := &Watch{
		cfg: c, troubles: map[string]*trouble{},
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "linli_watch_press_seconds", Help: "Time from a trial press until the notifier had it.",
			Buckets: []float64{.01, .025, .05, .1, .2, .5, 1, 2, 5, 20},
		}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "linli_watch_press_failures_total", Help: "Trial presses that did not reach the notifier.",
		}),
	}
	if c.Reg != nil {
		c.Reg.MustRegister(w.seconds, w.failed)
	}
	return w
}

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	w.pressed = time.Now() // the roles get a minute to find each other
	beat := time.Now()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if w.cfg.Press != nil && time.Since(w.pressed) >= w.pause() {
			w.press(ctx)
		}
		w.look()
		w.tell(ctx)
		if w.cfg.Beat != nil && len(w.troubles) == 0 && time.Since(beat) >= PressEvery {
			beat = time.Now()
			w.call(ctx, "heartbeat is not taken", w.cfg.Beat)
		}
	}
}

// pause is shorter after a trial that failed: whether that was chance is to be known soon.
func (w *Watch) pause() time.Duration {
	if w.bad != nil {
		return lookEvery
	}
	return PressEvery
}

// press tries the way of an SOS once.
func (w *Watch) press(ctx context.Context) {
	w.pressed = time.Now()
	pressing, cancel := context.WithTimeout(ctx, PressLimit)
	defer cancel()
	err := w.cfg.Press(pressing)
	took := time.Since(w.pressed)
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("a trial SOS has not come through within %v", PressLimit)
	case err != nil:
		err = fmt.Errorf("a trial SOS did not come through: %w", err)
	case took > slowPress:
		err = bus.Concern(fmt.Sprintf("a trial SOS took %v", took.Round(100*time.Millisecond)))
	}
	if bus.Broken(err) {
		w.failed.Inc()
	} else {
		w.seconds.Observe(took.Seconds())
	}
	if w.bad == nil {
		w.badSince = w.pressed
	}
	w.bad = err
}

// look brings the troubles up to date.
func (w *Watch) look() {
	now := time.Now()
	state := maps.Clone(w.cfg.Status())
	if state == nil {
		state = map[string]error{}
	}
	state[path] = w.bad
	for part, err := range state {
		t := w.troubles[part]
		switch {
		case err != nil && t == nil:
			t = &trouble{since: now, err: err}
			if part == path {
				t.since = w.badSince
			}
			w.troubles[part] = t
		case err != nil:
			t.err, t.gone = err, false
		case t != nil && t.told.IsZero():
			delete(w.troubles, part) // it passed before anybody heard of it
		case t != nil:
			t.gone = true
		}
	}
}

// tell tells the operator what is due.
func (w *Watch) tell(ctx context.Context) {
	for _, part := range slices.Sorted(maps.Keys(w.troubles)) {
		t := w.troubles[part]
		now := time.Now()
		due := t.gone || t.told.IsZero() && now.Sub(t.since) >= lasting || !t.told.IsZero() && now.Sub(t.told) >= again
		if !due {
			continue
		}
		n := Notice{Part: part, Over: t.gone, Err: t.err.Error(), Since: t.since}
		if !w.call(ctx, "operator is not told", func(ctx context.Context) error { return w.cfg.Tell(ctx, n) }) {
			continue
		}
		w.cfg.Log.Info("operator is told", "part", part, "over", n.Over, "err", n.Err)
		if t.told = now; t.gone {
			delete(w.troubles, part)
		}
	}
}

// call reports whether f has done what it is for.
func (w *Watch) call(ctx context.Context, failure string, f func(context.Context) error) bool {
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	err := f(ctx)
	if err != nil {
		w.cfg.Log.Error(failure, "err", err)
	}
	return err == nil
}
