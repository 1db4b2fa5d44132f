package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
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
	consumer        jetstream.Consumer
	trouble         atomic.Pointer[error] // why nothing is stored at the moment
}

const (
	ackWait  = 10 * time.Second // after a kill what was under way comes again after this long
	holdEach = ackWait / 3      // how often what is held is said to be alive

	batchBytes    = 2 << 20 // lines of one write
	batchMessages = 256     // messages of one write
	fetchMessages = 16

	idleWait = 5 * time.Second
)

// Open finds or makes its places in the streams.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{cfg: cfg, metrics: newMetrics(cfg.Reg)}
	for stream, durable := range map[string]string{bus.Readings: bus.StoreConsumer, bus.Events: bus.StoreEventsConsumer} {
		c, err := cfg.Bus.JS.CreateOrUpdateConsumer(ctx, stream, jetstream.ConsumerConfig{
			Durable: durable, AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxDeliver: -1, MaxAckPending: 4 * batchMessages,
		})
		if err != nil {
			return nil, fmt.Errorf("open consumer %s: %w", durable, err)
		}
		s.sources = append(s.sources, &source{stream: stream, durable: durable, consumer: c})
	}
	return s, nil
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

// Status is nil while readings and events are being stored.
func (s *Store) Status() error {
	for _, src := range s.sources {
		if err := src.trouble.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// drain takes messages, writes their lines and acknowledges them, in this order.
func (s *Store) drain(ctx context.Context, src *source) error {
	var lines []byte
	var held []jetstream.Msg
	for ctx.Err() == nil {
		lines, held = lines[:0], held[:0]
		err := src.gather(ctx, func(m jetstream.Msg) int {
			held, lines = append(held, m), append(lines, m.Data()...)
			return len(lines)
		})
		if err != nil && len(held) == 0 {
			if ctx.Err() == nil {
				s.cfg.Log.Warn("messages are not taken", "stream", src.stream, "err", err)
				src.fail(fmt.Errorf("read %s: %w", src.stream, err))
				pause(ctx, time.Second)
			}
			continue
		}
		if len(held) == 0 {
			src.fail(nil)
			continue
		}
		if err := s.write(ctx, src, lines, held); err != nil {
			return err // ctx has ended
		}
		for _, m := range held {
			if err := m.Ack(); err != nil {
				s.cfg.Log.Warn("message is not acknowledged and comes again", "stream", src.stream, "err", err)
			}
		}
	}
	return ctx.Err()
}

// gather waits for a message and takes with it what is there already, within the bounds of one write. take returns the size so
// far in bytes.
func (src *source) gather(ctx context.Context, take func(jetstream.Msg) int) error {
	m, err := src.consumer.Next(jetstream.FetchMaxWait(idleWait))
	if errors.Is(err, nats.ErrTimeout) {
		return nil
	}
	if err != nil {
		return err
	}
	size := take(m)
	for n := 1; size < batchBytes && n < batchMessages && ctx.Err() == nil; {
		more, err := src.consumer.FetchNoWait(fetchMessages)
		if err != nil {
			return err
		}
		before := n
		for m := range more.Messages() {
			size = take(m)
			n++
		}
		if n == before || more.Error() != nil {
			return nil
		}
	}
	return nil
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
