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

// readAllPause is how long no message may come before ReadAll asks whether there are any left.
const readAllPause = time.Second

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
	filter := strings.Join(filters, ", ")
	c, err := b.JS.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		FilterSubjects: filters, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: sequence,
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", filter, err)
	}
	defer b.dismiss(ctx, stream, c)
	if c.CachedInfo().NumPending == 0 {
		return nil
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(5000))
	if err != nil {
		return fmt.Errorf("read %s: %w", filter, err)
	}
	defer messages.Stop()
	for ctx.Err() == nil {
		m, err := messages.Next(jetstream.NextMaxWait(readAllPause))
		if errors.Is(err, nats.ErrTimeout) {
			// What was to come may have been deleted.
			if info, err := c.Info(ctx); err == nil && info.NumPending == 0 {
				return nil
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", filter, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read %s: %w", filter, err)
		}
		if err := f(m); err != nil {
			return err
		}
		if meta.NumPending == 0 {
			return nil
		}
	}
	return fmt.Errorf("read %s: %w", filter, ctx.Err())
}

// dismiss ends a consumer that has read what it was for. The server would keep it for minutes, and it keeps so many only. Not an error
// if it is gone: it may have been made anew under another name.
func (b *Bus) dismiss(ctx context.Context, stream string, c jetstream.Consumer) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dismissLimit)
	defer cancel()
	_ = b.JS.DeleteConsumer(ctx, stream, c.CachedInfo().Name)
}
