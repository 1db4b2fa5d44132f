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

// FollowSettings hands what is put under some keys of the settings to take, beginning with what is there, until ctx ends, the first watch
// cannot be had or take returns an error. After a watch that was lost there is another, so what is there may come a second time.
func (b *Bus) FollowSettings(ctx context.Context, keys string, take func(jetstream.KeyValue, jetstream.KeyValueEntry) error, opts ...jetstream.WatchOpt) error {
	kv, err := b.KV(ctx, SettingsBucket)
	if err != nil {
		return err
	}
	w, err := kv.Watch(ctx, keys, opts...)
	if err != nil {
		return fmt.Errorf("follow %s: %w", keys, err)
	}
	for {
		err := handOn(ctx, w, func(e jetstream.KeyValueEntry) error { return take(kv, e) })
		_ = w.Stop()
		if !errors.Is(err, errWatchLost) {
			return err
		}
		for err != nil {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(watchAgain):
			}
			w, err = kv.Watch(ctx, keys, opts...)
		}
	}
}

// handOn hands on what one watch tells, until it is lost.
func handOn(ctx context.Context, w jetstream.KeyWatcher, take func(jetstream.KeyValueEntry) error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			switch {
			case ctx.Err() != nil: // it ends with ctx, and may be seen first
				return ctx.Err()
			case !ok:
				return errWatchLost
			case e == nil: // all that was there at the start has come
				continue
			}
			if err := take(e); err != nil {
				return err
			}
		}
	}
}
