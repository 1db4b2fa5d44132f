package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// feed reads one stream in order, from a sequence on, for ever.
type feed struct {
	bus         *bus.Bus
	stream      string
	next        uint64        // sequence to go on with
	first, last uint64        // of the stream, when it was opened
	born        time.Time     // when the stream was made
	anew        bool          // the stream is another than what was judged
	out         chan message  // bounded: while the engine is busy, messages stay in the stream
	left        atomic.Uint64 // behind the message that was judged last
}

type message struct {
	stream string
	seq    uint64
	left   uint64 // messages behind this one
	data   []byte
}

// ahead is how many messages of a stream wait in memory; one of READINGS has up to 512 KiB.
const ahead = 16

// feedAttempt bounds one try to read on. A request that finds no leader is never answered.
const feedAttempt = 2 * time.Second

// openFeed goes on after the sequence judged of the stream that was made at born; zero: that is not known.
func openFeed(ctx context.Context, b *bus.Bus, stream string, judged uint64, born time.Time) (*feed, error) {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("open stream %s: %w", stream, err)
	}
	state := s.CachedInfo().State
	f := &feed{
		bus: b, stream: stream, next: judged + 1, first: state.FirstSeq, last: state.LastSeq, born: s.CachedInfo().Created,
		out: make(chan message, ahead),
	}
	if judged > state.LastSeq || !born.IsZero() && !born.Equal(f.born) {
		f.next, f.anew = 1, true
	}
	return f, nil
}

func (f *feed) run(ctx context.Context, log *slog.Logger) error {
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		before := f.next
		err := f.read(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if f.next != before {
			pause = firstRetry
		}
		log.Warn("reading stream again", "stream", f.stream, "sequence", f.next, "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (f *feed) read(ctx context.Context) error {
	asking, cancel := context.WithTimeout(ctx, feedAttempt)
	defer cancel()
	c, err := f.bus.JS.OrderedConsumer(asking, f.stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: f.next,
		MaxResetAttempts: 1, // the client's pauses grow to 10 s, between tries of 10 s
	})
	if err != nil {
		return err
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(ahead), bus.Beat)
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.Sequence.Stream < f.next {
			continue
		}
		select {
		case f.out <- message{f.stream, meta.Sequence.Stream, meta.NumPending, m.Data()}:
			f.next = meta.Sequence.Stream + 1
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
