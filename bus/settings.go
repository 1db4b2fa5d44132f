package bus

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// FollowSettings hands what is put under some keys of the settings to take, beginning with what is there, until ctx ends or take
// returns an error.
func (b *Bus) FollowSettings(ctx context.Context, keys string, take func(jetstream.KeyValue, jetstream.KeyValueEntry) error) error {
	kv, err := b.KV(ctx, SettingsBucket)
	if err != nil {
		return err
	}
	w, err := kv.Watch(ctx, keys, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("follow %s: %w", keys, err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			switch {
			case !ok && ctx.Err() != nil: // it ends with ctx, and may be seen first
				return ctx.Err()
			case !ok:
				return fmt.Errorf("follow %s: the watch has ended", keys)
			case e == nil: // all that was there at the start has come
				continue
			}
			if err := take(kv, e); err != nil {
				return err
			}
		}
	}
}
