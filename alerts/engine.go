package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/bus"
	"linli/people"
)

// Config is what the engine works with.
type Config struct {
	Bus        *bus.Bus
	Rules      *Rules
	Directory  Directory
	Resolver   Resolver                         // a *people.Directory; nil: only the duty channels are known
	Elders     func() []*people.Person          // whose circle hears every day that all is well; nil: nobody's
	Problems   func(time.Time) []people.Problem // which the desk hears of every day; nil: none
	Log        *slog.Logger
	Registerer prometheus.Registerer
	Now        func() time.Time // nil: time.Now
}

const (
	// commitEvery and commitMessages bound how long a transition that is not urgent waits for others.
	commitEvery    = 100 * time.Millisecond
	commitMessages = 500
	// commitEvents keeps a transaction below 900 records: an event and its alert each, checkpoints, sequences, lookouts and the offset.
	commitEvents = 325
	// commitRecords are the holds and loads beside them.
	commitRecords = 30
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
	replays bool       // READINGS up to where it was judged are judged again
	anew    bool       // watches have begun that no checkpoint knows: the next transaction is one
	recall  uint64     // EVENTS up to here are only remembered, before anything else is judged; 0: no more of them

	consumed     int // messages since the last commit
	urgent       bool
	caughtUp     bool // nothing in READINGS is left to judge
	opened       time.Time
	checkpointed time.Time

	listening atomic.Pointer[bus.Listening] // what ingest says

	stepped func() time.Duration // how far the clock was set since the last time; nil: it never is

	files    *Rules            // without the settings
	settings map[string][]byte // what these said at the start, by name
	reloads  chan *Rules       // with what they say now; whoever made them waits until they are taken
	damage   damage

	mu     sync.Mutex // guards status
	status error
}

// Open takes over from any other engine and loads its state.
func Open(ctx context.Context, c Config) (*Engine, error) {
	var stepped func() time.Duration
	if c.Now == nil {
		c.Now, stepped = time.Now, steps()
	}
	e := &Engine{
		stepped: stepped,
		Config:  c, files: c.Rules, reloads: make(chan *Rules), metrics: newMetrics(c.Registerer),
		opened: c.Now(), checkpointed: c.Now(), status: errors.New("not running yet"),
	}
	if err := e.loadSettings(ctx); err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	e.core = newCore(e.Rules, c.Directory)
	e.journal = journal{bus: c.Bus, leaveOut: e.leaveOut}
	if err := e.journal.claim(ctx); err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	e.core.book.resolver = c.Resolver
	e.done = e.journal.stored
	e.write = func(ctx context.Context, t transaction) error {
		return e.journal.commit(ctx, t, e.core.book, e.setStatus)
	}
	if err := e.load(ctx); err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	e.core.book.freeLost(c.Now())
	if err := e.loadListening(ctx); err != nil {
		return nil, fmt.Errorf("open alerts: %w", err)
	}
	judged := [...]*uint64{&e.done.Events, &e.done.Actions, &e.done.Readings}
	born := [...]*time.Time{&e.done.EventsBorn, &e.done.ActionsBorn, &e.done.ReadingsBorn}
	for i, stream := range []string{bus.Events, bus.Actions, bus.Readings} {
		f, err := openFeed(ctx, c.Bus, stream, *judged[i], *born[i])
		if err != nil {
			return nil, fmt.Errorf("open alerts: %w", err)
		}
		if f.anew {
			c.Log.Error("stream was made anew, reading it from its beginning", "stream", stream, "judged", *judged[i], "last", f.last)
			*judged[i] = 0
		}
		*born[i] = f.born
		e.feeds[i] = f
	}
	events, readings := e.feeds[0], e.feeds[2]
	e.done.Replay, e.done.ReplayEvents = min(e.done.Replay, e.done.Readings), min(e.done.ReplayEvents, e.done.Events)
	events.next, readings.next = e.done.ReplayEvents+1, e.done.Replay+1
	e.resumed = e.done
	e.core.loadUnfollowed(e.done.Unfollowed)
	if last := min(e.done.Events, events.last); max(events.next, events.first) <= last {
		e.recall = last
	}
	e.caughtUp = readings.next > readings.last
	e.core.book.retire(e.Now())
	e.startWaits()
	e.replay(max(readings.next, readings.first) <= min(e.resumed.Readings, readings.last))
	return e, nil
}

// load reads what CORE has. What cannot be read is left out: of a checkpoint, the series from there on are as new.
func (e *Engine) load(ctx context.Context) error {
	book := e.core.book
	for _, records := range []struct {
		filter string
		take   func(data []byte) error
	}{
		{bus.AlertsFilter, into(book.load)},
		{bus.HoldsFilter, into(book.loadHold)},
		{bus.LoadsFilter, into(book.loadLoad)},
		{bus.LookoutsSubject("*"), into(e.core.loadLookouts)},
		{bus.WellbeingFilter, into(e.core.life.load)},
		{bus.CheckpointSubject + ".*", e.core.unpack},
		{bus.SequencesSubject + ".*", e.core.unpackSteps},
	} {
		err := e.Bus.ReadAll(ctx, bus.Core, records.filter, func(m jetstream.Msg) error {
			if err := records.take(m.Data()); err != nil {
				e.leaveOut(m.Subject(), err)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// into decodes a record for who keeps it.
func into[T any](keep func(*T)) func(data []byte) error {
	return func(data []byte) error {
		x := new(T)
		if err := json.Unmarshal(data, x); err != nil {
			return err
		}
		keep(x)
		return nil
	}
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
	g.Go(func() error { return e.followListening(ctx) })
	g.Go(func() error { return e.followSettings(ctx) })
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

// loop is the one goroutine that judges. Events and actions always come before readings.
func (e *Engine) loop(ctx context.Context) error {
	events, actions := e.feeds[0].out, e.feeds[1].out
	tick := time.NewTicker(commitEvery)
	defer tick.Stop()
	for {
		var err error
		readings, reloads := e.feeds[2].out, e.reloads
		if e.recall > 0 || !e.heard(e.Now()) {
			readings = nil // a nil channel is never ready
		}
		if e.recall > 0 || e.core.quiet {
			reloads = nil
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
			case rules := <-reloads:
				err = e.reload(rules)
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
	e.core.book.clock = e.Now()
	judge := e.core.event
	if m.seq <= e.resumed.Events {
		judge = e.core.recall
	}
	if err := judge(m.data); err != nil {
		e.passOver(bus.Events, m, err)
	}
	if e.recall > 0 && (m.seq >= e.recall || m.left == 0) {
		e.recall = 0
		e.replay(e.replays)
	}
	e.done.Events = max(e.done.Events, m.seq)
	return e.judged(ctx, m)
}

func (e *Engine) action(ctx context.Context, m message) error {
	e.core.book.clock = e.Now()
	var x bus.Action
	err := json.Unmarshal(m.data, &x)
	if err == nil && x.Callback == nil { // callbacks are for notify
		e.core.came = x.At.UnixMilli()
		err = e.core.book.act(&x)
		e.core.settle()
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
	e.core.book.clock = e.Now()
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
	for _, f := range e.feeds {
		if f.stream == m.stream {
			f.left.Store(m.left)
		}
	}
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
	if err := e.minded(ctx); err != nil {
		return err
	}
	now := e.Now()
	e.core.book.clock, e.core.came = now, now.UnixMilli()
	e.core.book.advance(now.UnixMilli())
	if e.heard(now) {
		e.core.book.wake(now)
	}
	e.core.enrol()
	e.core.vigil.hear(e.listening.Load())
	if e.caughtUp && !e.core.quiet && e.heard(now) {
		if e.Elders != nil && now.Sub(e.opened) >= settleFor {
			e.core.lookAfter(e.Elders, now)
		}
		if e.Problems != nil && now.Sub(e.opened) >= settleFor {
			e.core.sumUp(e.Problems, now)
		}
		e.core.noteSigns(now)
		e.core.advance(now.Add(-wallGrace).UnixMilli())
	}
	e.core.settle()
	due := (e.anew || now.Sub(e.checkpointed) >= checkpointEvery) && !e.core.quiet
	if e.consumed == 0 && len(e.core.book.out) == 0 && len(e.core.book.changed) == 0 && !due {
		return nil
	}
	return e.commit(ctx, due)
}

// hearingLimit bounds the wait for what came in before the start.
const hearingLimit = 10 * time.Second

// heard reports whether every event and action that was there at the start is judged: until then no ladder moves and nothing that was
// waited for is missing, for one of them may be the acknowledgement.
func (e *Engine) heard(now time.Time) bool {
	for i, judged := range []uint64{e.done.Events, e.done.Actions} {
		if f := e.feeds[i]; judged < f.last && f.first <= f.last && now.Sub(e.opened) < hearingLimit {
			return false
		}
	}
	return e.recall == 0 || now.Sub(e.opened) >= hearingLimit
}
