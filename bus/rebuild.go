package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Keys of the settings bucket by which store is asked to write all of READINGS and EVENTS into the time series again, and says
// how far it is. The value of a request is its id; it is deleted when it is done.
const (
	RebuildKey       = "rebuild"
	RebuildStatusKey = "rebuild_status"
)

// RequestRebuild asks for a rebuild and returns its id; asked while one is not done, the id of that one.
func (b *Bus) RequestRebuild(ctx context.Context) (id string, err error) {
	kv, err := b.KV(ctx, SettingsBucket)
	if err != nil {
		return "", err
	}
	id = rand.Text()
	_, err = kv.Create(ctx, RebuildKey, []byte(id))
	if !errors.Is(err, jetstream.ErrKeyExists) {
		if err != nil {
			return "", fmt.Errorf("ask for rebuild: %w", err)
		}
		return id, nil
	}
	e, err := kv.Get(ctx, RebuildKey)
	if err != nil {
		return "", fmt.Errorf("ask for rebuild: %w", err)
	}
	return string(e.Value()), nil
}
