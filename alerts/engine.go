package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/bus"
)

// Config is what the engine works with.
type Config struct {
	Bus        *bus.Bus
	Rules      *Rules
	Directory  Directory // a *devices.Registry
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil: time.Now
}

const (
	// commitEvery and commitMessages bound how long a transition that is not urgent waits for others.
	commitEvery    = 100 * time.Millisecond
	commitMessages = 500
	// commitEvents keeps a transaction below 900 records: an event and its alert each, the checkpoints and the offset.
	commitEvents = 400
	// checkpointEvery is how often the cells that changed are written.
	checkpointEvery = 30 * time.Second
	// wallGrace is how far the wall clock stays behind for readings that are on their way.
	wallGrace = 250 * time.Millisecond
	// forgetAfter is longer than any reading is accepted late.
	forgetAfter = 8 * 24 * time.Hour
)

// ErrReplaced ends an engine when another one has taken over.
var ErrReplaced = errors.New("another engine has taken over")

// Engine judges what is on the bus and writes alerts to CORE. The one opened last writes; an older one ends with ErrReplaced.
type Engine struct {
	Config
	metrics *metrics
	core    *core
	journal journal
	write   func(context.Context, transaction) error
	feeds   [3]*feed // events, actions, readings: in the order of their priority

	done    bus.Offset // what the core has judged
	resumed bus.Offset // what was judged before the start
	recall  uint64     // EVENTS up to here are only remembered, before anything else is judged; 0: no more of them

	consumed     int // messages since the last commit
	urgent       bool
	caughtUp     bool // nothing in READINGS is left to judge
	checkpointed time.Time

	mu     sync.Mutex // guards status
	status error
}

// Open takes over from any other engine and loads its state.
func Open(ctx context.Context, c Config) (*Engine, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	e := &Engine{
		Config: c, metrics: newMetrics(c.Registerer), core: newCore(c.Rules, c.Directory),
		journal: journal{bus: c.Bus}, checkpointed: c.Now(), status: errors.New("not running yet"),
	}
	if err := e.journal.claim(ctx); err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	e.done = e.journal.stored
	e.write = func(ctx context.Context, t transaction) error {
		return e.journal.commit(ctx, t, e.core.book, e.setStatus)
	}
	if err := e.load(ctx); err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	judged := [...]*uint64{&e.done.Events, &e.done.Actions, &e.done.Readings}
	for i, stream := range []string{bus.Events, bus.Actions, bus.Readings} {
		f, err := openFeed(ctx, c.Bus, stream, *judged[i])
		if err != nil {
			return nil, fmt.Errorf("open alerts: %w", err)
		}
		if f.anew {
			c.Log.Error("stream was made anew, reading it from its beginning", "stream", stream, "judged", *judged[i], "last", f.last)
			*judged[i] = 0
		}
		e.feeds[i] = f
	}
	events, readings := e.feeds[0], e.feeds[2]
	e.done.Replay, e.done.ReplayEvents = min(e.done.Replay, e.done.Readings), min(e.done.ReplayEvents, e.done.Events)
	events.next, readings.next = e.done.ReplayEvents+1, e.done.Replay+1
	e.resumed = e.done
	if last := min(e.done.Events, events.last); max(events.next, events.first) <= last {
		e.recall = last
	}
	e.caughtUp = readings.next > readings.last
	e.core.quiet = max(readings.next, readings.first) <= min(e.resumed.Readings, readings.last)
	if !e.core.quiet {
		e.core.endReplay()
	}
	return e, nil
}

// load reads the alerts and the checkpoints.
func (e *Engine) load(ctx context.Context) error {
	err := e.Bus.ReadAll(ctx, bus.Core, bus.AlertsFilter, func(m jetstream.Msg) error {
		a := &bus.Alert{}
		if err := json.Unmarshal(m.Data(), a); err != nil {
			return fmt.Errorf("read %s: %w", m.Subject(), err)
		}
		e.core.book.load(a)
		return nil
	})
	if err != nil {
		return err
	}
	return e.Bus.ReadAll(ctx, bus.Core, bus.CheckpointSubject+".*", func(m jetstream.Msg) error {
		if err := e.core.unpack(m.Data()); err != nil {
			return fmt.Errorf("read %s: %w", m.Subject(), err)
		}
		return nil
	})
}

// Run judges until ctx ends, and then writes what is left to write.
func (e *Engine) Run(ctx context.Context) error {
	if e.core.quiet {
		e.setStatus(errors.New("judging again what came after the last checkpoint"))
	} else {
		e.setStatus(nil)
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, f := range e.feeds {
		g.Go(func() error { return f.run(ctx, e.Log) })
	}
	g.Go(func() error { return e.loop(ctx) })
	err := g.Wait()
	e.setStatus(errors.New("ended"))
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// Close releases nothing: the connection is the caller's.
func (e *Engine) Close() error { return nil }

// Status is nil while everything that comes in is judged and stored.
func (e *Engine) Status() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.status
}

func (e *Engine) setStatus(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status = err
}

// loop is the one goroutine that judges. Events and actions always come before readings.
func (e *Engine) loop(ctx context.Context) error {
	events, actions := e.feeds[0].out, e.feeds[1].out
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for {
		var err error
		readings := e.feeds[2].out
		if e.recall > 0 {
			readings = nil // a nil channel is never ready
		}
		select {
		case m := <-events:
			err = e.event(ctx, m)
		case m := <-actions:
			err = e.action(ctx, m)
		default:
			select {
			case m := <-events:
				err = e.event(ctx, m)
			case m := <-actions:
				err = e.action(ctx, m)
			case m := <-readings:
				err = e.readings(ctx, m)
			case <-tick.C:
				err = e.tick(ctx)
			case <-ctx.Done():
				last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
				defer cancel()
				return errors.Join(ctx.Err(), e.commit(last, true))
			}
		}
		if err != nil {
			return err
		}
	}
}

// event judges an event. What came of one that was judged before the start is in the book already; only the memory of rules needs
// it again.
func (e *Engine) event(ctx context.Context, m message) error {
	judge := e.core.event
	if m.seq <= e.resumed.Events {
		judge = e.core.recall
	}
	if m.seq >= e.recall || m.left == 0 {
		e.recall = 0
	}
	if err := judge(m.data); err != nil {
		e.passOver(bus.Events, m, err)
	}
	e.done.Events = max(e.done.Events, m.seq)
	return e.judged(ctx, m)
}

func (e *Engine) action(ctx context.Context, m message) error {
	var x bus.Action
	err := json.Unmarshal(m.data, &x)
	if err == nil && x.Callback == nil { // callbacks are for notify
		err = e.core.book.act(&x)
	}
	if err != nil {
		e.passOver(bus.Actions, m, err)
	}
	e.done.Actions, e.urgent = m.seq, true
	return e.judged(ctx, m)
}

// readings judges a batch line by line. One that brings more transitions than a transaction takes is committed in parts: until
// the last, the offset does not count it, and what is found again after a restart is known by its id.
func (e *Engine) readings(ctx context.Context, m message) error {
	if e.core.quiet && m.seq > e.resumed.Readings {
		e.core.endReplay()
	}
	for b := m.data; len(b) > 0; {
		rest, err := e.core.reading(b)
		if err != nil {
			e.passOver(bus.Readings, m, err)
			break
		}
		b = rest
		if len(e.core.book.out) >= commitEvents {
			if err := e.commit(ctx, false); err != nil {
				return err
			}
		}
	}
	if e.core.quiet && (m.seq >= e.resumed.Readings || m.left == 0) {
		e.core.endReplay()
	}
	e.done.Readings = max(e.done.Readings, m.seq)
	e.caughtUp = m.left == 0
	return e.judged(ctx, m)
}

// passOver counts what cannot be read. Ingest has checked it, so somebody has to look.
func (e *Engine) passOver(stream string, m message, err error) {
	e.metrics.unreadable.WithLabelValues(stream).Inc()
	e.Log.Error("passed over", "stream", stream, "sequence", m.seq, "err", err)
}

// judged commits when it is time to.
func (e *Engine) judged(ctx context.Context, m message) error {
	e.metrics.judged.WithLabelValues(m.stream).Inc()
	e.metrics.lag.WithLabelValues(m.stream).Set(float64(m.left))
	e.consumed++
	for i := range e.core.book.out {
		e.urgent = e.urgent || e.core.book.out[i].Alert.Safety
	}
	full := e.consumed >= commitMessages || len(e.core.book.out) >= commitEvents
	if full || e.urgent && len(e.feeds[0].out)+len(e.feeds[1].out) == 0 { // what waits already goes along
		return e.commit(ctx, false)
	}
	return nil
}

// tick lets time pass.
func (e *Engine) tick(ctx context.Context) error {
	now := e.Now()
	e.core.book.advance(now.UnixMilli())
	if e.caughtUp && !e.core.quiet {
		e.core.advance(now.Add(-wallGrace).UnixMilli())
	}
	due := now.Sub(e.checkpointed) >= checkpointEvery && !e.core.quiet
	if e.consumed == 0 && len(e.core.book.out) == 0 && !due {
		return nil
	}
	return e.commit(ctx, due)
}

// commit stores what happened since the last one, with a checkpoint if asked for.
func (e *Engine) commit(ctx context.Context, checkpoint bool) error {
	began := time.Now()
	for len(e.core.book.out) > commitEvents { // the offsets count with the last part only
		if err := e.write(ctx, transaction{events: e.core.book.out[:commitEvents], offset: e.journal.stored}); err != nil {
			return err
		}
		e.announce(commitEvents)
	}
	t := transaction{events: e.core.book.out, offset: e.done}
	if checkpoint && !e.core.quiet {
		t.shards = e.pack()
		t.offset.Replay, t.offset.ReplayEvents = e.done.Readings, e.done.Events
	}
	if err := e.write(ctx, t); err != nil {
		return err
	}
	if !e.core.quiet {
		e.setStatus(nil)
	}
	e.metrics.commits.Observe(time.Since(began).Seconds())
	e.announce(len(e.core.book.out))
	e.consumed, e.urgent = 0, false
	if t.shards != nil {
		e.checkpointed, e.done = e.Now(), t.offset
		e.core.dirty = [shards]bool{}
		e.core.book.forget()
		e.measure()
	}
	return nil
}

// announce counts and logs the first n things that happened, and forgets them: they are stored.
func (e *Engine) announce(n int) {
	for i := range e.core.book.out[:n] {
		ev := &e.core.book.out[i]
		e.metrics.transitions.WithLabelValues(ev.Kind, string(ev.Alert.Severity)).Inc()
		e.Log.Info("alert "+ev.Kind, "alert", ev.Alert.ID, "rule", ev.Alert.Rule, "severity", ev.Alert.Severity,
			"community", ev.Alert.Community, "device", ev.Alert.Device, "late", ev.Alert.Late)
	}
	e.core.book.out = slices.Delete(e.core.book.out, 0, n)
}

// pack writes the shards that changed. A series is forgotten when its device is gone and nothing of it can still arrive.
func (e *Engine) pack() map[uint8][]byte {
	all := map[uint8][]byte{}
	oldest := e.Now().Add(-forgetAfter).UnixMilli()
	size := 0
	for i, dirty := range e.core.dirty {
		if !dirty {
			continue
		}
		all[uint8(i)] = e.core.pack(uint8(i), func(s *series) bool {
			return s.received > oldest || e.Directory.Device(s.device) != nil
		})
		size += len(all[uint8(i)])
	}
	e.metrics.checkpoint.Set(float64(size))
	return all
}

// measure sets the figures that need counting.
func (e *Engine) measure() {
	e.metrics.cells.Set(float64(len(e.core.series)))
	count := map[bus.AlertState]int{bus.Opened: 0, bus.Acknowledged: 0, bus.Cleared: 0}
	for _, a := range e.core.book.alerts {
		count[a.State]++
	}
	for _, state := range []bus.AlertState{bus.Opened, bus.Acknowledged, bus.Cleared} {
		e.metrics.alerts.WithLabelValues(string(state)).Set(float64(count[state]))
	}
}
