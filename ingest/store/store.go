package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/bus"
)

// Writer stores lines of line protocol; nil means that they are stored. Any error is understood as the package comment says if it
// is a *series.WriteError, and as an unknown fate otherwise.
type Writer interface {
	Write(ctx context.Context, lines []byte) error
}

// Config is what Open needs.
type Config struct {
	Bus    *bus.Bus
	Writer Writer
	Log    *slog.Logger
	Reg    prometheus.Registerer
}

// Store is the role. Several may run: they share the work, and a line that two of them write is stored once.
type Store struct {
	cfg     Config
	metrics *metrics
	sources []*source
}

// source is one stream on its way into the time series.
type source struct {
	stream, durable string
	trouble         atomic.Pointer[error] // why nothing is stored at the moment
	behind          atomic.Uint64         // messages that waited behind the last that was taken
}

const (
	ackWait  = 10 * time.Second // after a kill what was under way comes again after this long
	holdEach = ackWait / 3      // how often what is held is said to be alive

	batchBytes    = 2 << 20 // lines of one write
	batchMessages = 512     // messages of one write
	manyBehind    = 1000    // messages that wait are worth a look: charts do not show them yet
	linger        = 100 * time.Millisecond
)

// Open finds or makes its places in the streams.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{cfg: cfg, metrics: newMetrics(cfg.Reg), sources: []*source{
		{stream: bus.Readings, durable: bus.StoreConsumer}, {stream: bus.Events, durable: bus.StoreEventsConsumer},
	}}
	for _, src := range s.sources {
		if _, err := s.consumer(ctx, src); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Store) consumer(ctx context.Context, src *source) (jetstream.Consumer, error) {
	c, err := s.cfg.Bus.JS.CreateOrUpdateConsumer(ctx, src.stream, jetstream.ConsumerConfig{
		Durable: src.durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 4 * batchMessages,
	})
	if err != nil {
		return nil, fmt.Errorf("open consumer %s: %w", src.durable, err)
	}
	return c, nil
}

// Run stores until ctx ends. What is not confirmed by then comes again at the next start.
func (s *Store) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, src := range s.sources {
		g.Go(func() error { return s.drain(ctx, src) })
	}
	g.Go(func() error { return s.cfg.Bus.FollowReplays(ctx, bus.SourceStore, s.cfg.Log, s.replay) })
	g.Go(func() error { return s.followRebuilds(ctx) })
	if err := g.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// Close implements the role; Run leaves nothing open.
func (s *Store) Close() error { return nil }

// Status is nil while readings and events are being stored, and a bus.Concern while many wait for that.
func (s *Store) Status() error {
	for _, src := range s.sources {
		if err := src.trouble.Load(); err != nil {
			return *err
		}
	}
	for _, src := range s.sources {
		if n := src.behind.Load(); n >= manyBehind {
			return bus.Concern(fmt.Sprintf("%d messages of %s wait to be stored", n, src.stream))
		}
	}
	return nil
}

// drain moves messages until ctx ends, and begins anew when the bus fails it.
func (s *Store) drain(ctx context.Context, src *source) error {
	for {
		err := s.move(ctx, src)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.cfg.Log.Warn("messages are not taken", "stream", src.stream, "err", err)
		src.fail(fmt.Errorf("read %s: %w", src.stream, err))
		pause(ctx, time.Second)
	}
}

// move takes messages, writes their lines and acknowledges them, in this order. What is taken and not yet written is bounded by
// batchBytes, twice.
func (s *Store) move(ctx context.Context, src *source) error {
	c, err := s.consumer(ctx, src)
	if err != nil {
		return err
	}
	messages, err := c.Messages(jetstream.PullMaxMessagesWithBytesLimit(batchMessages, batchBytes), bus.Beat, bus.Brief)
	if err != nil {
		return err
	}
	defer messages.Stop()
	src.fail(nil)
	var lines []byte
	var held []jetstream.Msg
	for {
		lines, held = lines[:0], held[:0]
		m, err := messages.Next(jetstream.NextContext(ctx))
		for until := time.Now().Add(linger); err == nil; {
			if held = append(held, m); !bus.OfProbe(m.Subject()) {
				lines = append(lines, m.Data()...)
			}
			left := time.Until(until)
			if len(lines) >= batchBytes || len(held) == batchMessages || left <= 0 {
				break
			}
			m, err = messages.Next(jetstream.NextMaxWait(left))
		}
		if len(held) == 0 {
			return err
		}
		if meta, err := held[len(held)-1].Metadata(); err == nil {
			src.behind.Store(meta.NumPending)
		}
		if err := s.write(ctx, src, lines, held); err != nil {
			return err // ctx has ended
		}
		for _, m := range held {
			if err := m.Ack(); err != nil {
				s.cfg.Log.Warn("message is not acknowledged and comes again", "stream", src.stream, "err", err)
			}
		}
		clear(held)
	}
}

func (src *source) fail(err error) {
	if err == nil {
		src.trouble.Store(nil)
		return
	}
	src.trouble.Store(&err)
}

// pause returns false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
