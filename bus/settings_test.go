package bus_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// losing is a JetStream whose watches the client may give up.
type losing struct {
	jetstream.JetStream
	watches chan jetstream.KeyWatcher
}

func (l losing) KeyValue(ctx context.Context, bucket string) (jetstream.KeyValue, error) {
	kv, err := l.JetStream.KeyValue(ctx, bucket)
	return losingBucket{kv, l.watches}, err
}

type losingBucket struct {
	jetstream.KeyValue
	watches chan jetstream.KeyWatcher
}

func (l losingBucket) Watch(ctx context.Context, keys string, o ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	w, err := l.KeyValue.Watch(ctx, keys, o...)
	l.watches <- w
	return w, err
}

func TestSettingsAreFollowedBehindALostWatch(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	kv, err := b.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string) {
		if _, err := kv.PutString(t.Context(), key, "x"); err != nil {
			t.Fatal(err)
		}
	}
	js := losing{b.JS, make(chan jetstream.KeyWatcher, 1)}
	own := *b
	own.JS = js
	ctx, cancel := context.WithCancel(t.Context())
	heard, ended := make(chan string, 9), make(chan error)
	go func() {
		ended <- own.FollowSettings(ctx, "test.*", func(_ jetstream.KeyValue, e jetstream.KeyValueEntry) error {
			heard <- e.Key()
			return nil
		})
	}()
	put("test.a")
	if got := <-heard; got != "test.a" {
		t.Errorf("heard of %s", got)
	}
	if err := (<-js.watches).Stop(); err != nil {
		t.Fatal(err)
	}
	put("test.b")
	left := map[string]bool{"test.a": true, "test.b": true}
	for len(left) > 0 {
		select {
		case key := <-heard:
			delete(left, key)
		case <-time.After(30 * time.Second):
			t.Fatalf("not heard of %v behind a lost watch", left)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}
