package bus

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Sources of rejects: who found them and can replay them.
const (
	SourceIngest = "ingest"
	SourceStore  = "store"
)

const replayPrefix = "replay."

// ReplayKey is the settings key that asks for a reject to be replayed; any value does.
func ReplayKey(id string) string { return replayPrefix + id }

// FollowReplays carries out the requests to replay rejects of one source, one by one, until ctx ends. replay returns when what it
// made of the reject is stored; the reject and the request are deleted then. After an error both stay until the next start, or the
// next watch.
func (b *Bus) FollowReplays(ctx context.Context, source string, log *slog.Logger, replay func(context.Context, Reject) error) error {
	return b.FollowSettings(ctx, ReplayKey("*"), func(kv jetstream.KeyValue, e jetstream.KeyValueEntry) error {
		if err := b.replay(ctx, kv, e.Key(), source, replay); err != nil && ctx.Err() == nil {
			log.Error("replay reject", "reject", strings.TrimPrefix(e.Key(), replayPrefix), "err", err)
		}
		return nil
	}, jetstream.IgnoreDeletes())
}

func (b *Bus) replay(ctx context.Context, kv jetstream.KeyValue, key, source string, replay func(context.Context, Reject) error) error {
	seq, err := strconv.ParseUint(strings.TrimPrefix(key, replayPrefix), 10, 64)
	if err != nil {
		return errors.Join(err, kv.Delete(ctx, key))
	}
	stream, err := b.JS.Stream(ctx, Rejects)
	if err != nil {
		return err
	}
	m, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return kv.Delete(ctx, key)
	}
	if err != nil {
		return err
	}
	var r Reject
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return errors.Join(err, kv.Delete(ctx, key))
	}
	if r.Source != source {
		return nil
	}
	r.ID = strconv.FormatUint(seq, 10)
	if err := replay(ctx, r); err != nil {
		return err
	}
	if err := stream.DeleteMsg(ctx, seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return err
	}
	return kv.Delete(ctx, key)
}
