package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// loadListening reads when devices could be heard until now.
func (e *Engine) loadListening(ctx context.Context) error {
	kv, err := e.Bus.KV(ctx, bus.SettingsBucket)
	if err != nil {
		return err
	}
	entry, err := kv.Get(ctx, bus.ListeningKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("read %s: %w", bus.ListeningKey, err)
	}
	e.listen(entry)
	e.core.vigil.hear(e.listening.Load())
	return nil
}

// followListening keeps up with that until ctx ends.
func (e *Engine) followListening(ctx context.Context) error {
	return e.Bus.FollowSettings(ctx, bus.ListeningKey, func(_ jetstream.KeyValue, entry jetstream.KeyValueEntry) error {
		e.listen(entry)
		return nil
	}, jetstream.IgnoreDeletes())
}

// listen takes an entry for the loop to find. While none can be read, nobody is known to listen.
func (e *Engine) listen(entry jetstream.KeyValueEntry) {
	l := &bus.Listening{}
	if err := json.Unmarshal(entry.Value(), l); err != nil {
		e.Log.Error("cannot tell when devices are heard", "key", bus.ListeningKey, "err", err)
		return
	}
	e.listening.Store(l)
}

// hear takes over what ingest says; nil: it has said nothing yet.
func (v *vigil) hear(l *bus.Listening) {
	if l != nil {
		v.listening = *l
	}
}
