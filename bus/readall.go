package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Beat makes a reader miss its consumer after twice that time. In a cluster a consumer goes with the server that has it, and who waits
// on it hears nothing.
const Beat = jetstream.PullHeartbeat(2 * time.Second)

// Brief makes what a reader asks a durable consumer for lapse soon. After a partition the server still has what was asked over the lost
// connection, and hands messages to it that nobody hears: they come again after AckWait, and may go the same way.
const Brief = jetstream.PullExpiry(5 * time.Second)

// How long no message may come before ReadAll asks, with a new consumer, whether there are any left: at first, and at last.
const (
	readAllPause   = time.Second
	readAllLongest = 8 * time.Second
)

// dismissLimit bounds the good-bye to a consumer.
const dismissLimit = time.Second

// ErrEnough ends a reading without being an error.
var ErrEnough = errors.New("enough is read")

// ReadAll hands every message that stream has under filter to f, oldest first, and ends when there are no more. A message that is
// rewritten meanwhile may come twice, the older one first. It stops at f's first error.
func (b *Bus) ReadAll(ctx context.Context, stream, filter string, f func(jetstream.Msg) error) error {
	return b.ReadFrom(ctx, stream, 1, []string{filter}, f)
}

// ReadFrom is ReadAll of the messages with a sequence and after it, under any of some filters.
func (b *Bus) ReadFrom(ctx context.Context, stream string, sequence uint64, filters []string, f func(jetstream.Msg) error) error {
	err := b.readFrom(ctx, stream, sequence, filters, f)
	if errors.Is(err, ErrEnough) {
		return nil
	}
	return err
}

func (b *Bus) readFrom(ctx context.Context, stream string, sequence uint64, filters []string, f func(jetstream.Msg) error) error {
	var refused error
	take := func(m jetstream.Msg) error {
		refused = f(m)
		return refused
	}
	for pause, began := readAllPause, false; ; pause, began = min(2*pause, readAllLongest), true {
		next, all, err := b.readOn(ctx, stream, sequence, filters, pause, take)
		switch {
		case refused != nil:
			return refused
		case err != nil && (!began || ctx.Err() != nil):
			return fmt.Errorf("read %s: %w", strings.Join(filters, ", "), err)
		case err != nil: // the one that leads is lost; there will be another
			select {
			case <-ctx.Done():
			case <-time.After(pause):
			}
		case all:
			return nil
		}
		if next > sequence {
			sequence, pause = next, readAllPause
		}
	}
}

// readOn reads with one consumer, from a sequence on. It returns where to go on, and whether there was nothing more; else the consumer
// is silent.
func (b *Bus) readOn(ctx context.Context, stream string, sequence uint64, filters []string, pause time.Duration, f func(jetstream.Msg) error) (next uint64, all bool, err error) {
	last, err := b.newest(ctx, stream, filters)
	if err != nil {
		return sequence, false, err
	}
	c, err := b.JS.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: filters, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: sequence,
	})
	if err != nil {
		return sequence, false, err
	}
	defer b.dismiss(ctx, stream, c)
	if c.CachedInfo().NumPending == 0 && last < sequence {
		return sequence, true, nil
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(5000), Beat)
	if err != nil {
		return sequence, false, err
	}
	defer messages.Stop()
	for ctx.Err() == nil {
		m, err := messages.Next(jetstream.NextMaxWait(pause))
		if errors.Is(err, nats.ErrTimeout) { // what was to come may have been deleted, or the consumer is lost
			return sequence, false, nil
		}
		if err != nil {
			return sequence, false, err
		}
		meta, err := m.Metadata()
		if err != nil {
			return sequence, false, err
		}
		if err := f(m); err != nil {
			return sequence, false, err
		}
		sequence = meta.Sequence.Stream + 1
		if meta.NumPending == 0 && last < sequence {
			return sequence, true, nil
		}
	}
	return sequence, false, ctx.Err()
}

// newest is the sequence of the last message under any of some filters, of a stream that has copies; 0 if it has none. The copy that a
// consumer reads may lag, and then there are more to come than it says.
func (b *Bus) newest(ctx context.Context, stream string, filters []string) (uint64, error) {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil || s.CachedInfo().Config.Replicas == 1 {
		return 0, err
	}
	var last uint64
	for _, filter := range filters {
		m, err := s.GetLastMsgForSubject(ctx, filter)
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
		case err != nil:
			return 0, err
		default:
			last = max(last, m.Sequence)
		}
	}
	return last, nil
}

// dismiss ends a consumer that has read what it was for. The server would keep it for minutes, and it keeps so many only. Not an error
// if it is gone: it may have been made anew under another name.
func (b *Bus) dismiss(ctx context.Context, stream string, c jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissLimit)
	defer cancel()
	_ = b.JS.DeleteConsumer(ctx, stream, c.CachedInfo().Name)
}
