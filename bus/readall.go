package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// readAllPause is how long no message may come before ReadAll asks whether there are any left.
const readAllPause = time.Second

// ReadAll hands every message that stream has under filter to f, oldest first, and ends when there are no more. A message that is
// rewritten meanwhile may come twice, the older one first. It stops at f's first error.
func (b *Bus) ReadAll(ctx context.Context, stream, filter string, f func(jetstream.Msg) error) error {
	c, err := b.JS.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{FilterSubjects: []string{filter}})
	if err != nil {
		return fmt.Errorf("read %s: %w", filter, err)
	}
	// The server would keep it for minutes. Not an error if it is gone: it may have been made anew under another name.
	defer func() { _ = b.JS.DeleteConsumer(ctx, stream, c.CachedInfo().Name) }()
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
			// What was to come may have been purged.
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
