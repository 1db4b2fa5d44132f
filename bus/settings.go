package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// errWatchLost says that the client has given a watch up: its server went at a bad moment.
var errWatchLost = errors.New("the watch is lost")

// watchAgain is how long after that settings are followed again.
const watchAgain = time.Second

// FollowSettings hands what is put under some keys of the settings to take, beginning with what is there, until ctx ends or take
// returns an error. After a watch that was lost it begins again, so what is there may come a second time.
func (b *Bus) FollowSettings(ctx context.Context, keys string, take func(jetstream.KeyValue, jetstream.KeyValueEntry) error) error {
	kv, err := b.KV(ctx, SettingsBucket)
	if err != nil {
		return err
	}
	for {
		err := followOnce(ctx, kv, keys, take)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !errors.Is(err, errWatchLost) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchAgain):
		}
	}
}

// followOnce follows with one watch.
func followOnce(ctx context.Context, kv jetstream.KeyValue, keys string, take func(jetstream.KeyValue, jetstream.KeyValueEntry) error) error {
	w, err := kv.Watch(ctx, keys, jetstream.IgnoreDeletes())
	if err != nil {
		return fmt.Errorf("follow %s: %w: %w", keys, errWatchLost, err)
	}
	defer func() { _ = w.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			switch {
			case !ok:
				return fmt.Errorf("follow %s: %w", keys, errWatchLost)
			case e == nil: // all that was there at the start has come
				continue
			}
			if err := take(kv, e); err != nil {
				return err
			}
		}
	}
}
