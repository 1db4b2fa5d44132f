package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	janitorPeriod = time.Minute

	purgeAbove = 0.8 // of a stream's limit
	purgeTo    = 0.6
)

// Janitor makes room in READINGS and EVENTS, which refuse new messages when they are full, until ctx ends. It purges the oldest
// messages, and only what store and alerts are both done with; what is left over serves a rebuild. From CORE it purges what is over
// and has been kept long enough.
func (b *Bus) Janitor(ctx context.Context, log *slog.Logger) error {
	tick := time.NewTicker(janitorPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := errors.Join(b.sweep(ctx, log), b.expire(ctx, log, time.Now())); err != nil && ctx.Err() == nil {
			log.Warn("streams not cleaned", "err", err)
		}
	}
}

func (b *Bus) sweep(ctx context.Context, log *slog.Logger) error {
	var done Offset
	core, err := b.JS.Stream(ctx, Core)
	if err != nil {
		return fmt.Errorf("read offset of alerts: %w", err)
	}
	m, err := core.GetLastMsgForSubject(ctx, OffsetSubject)
	if err == nil {
		err = json.Unmarshal(m.Data, &done)
	}
	if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("read offset of alerts: %w", err)
	}
	// After a restart alerts reads on from the last checkpoint.
	return errors.Join(
		b.makeRoom(ctx, log, Readings, StoreConsumer, min(done.Readings, done.Replay)),
		b.makeRoom(ctx, log, Events, StoreEventsConsumer, min(done.Events, done.ReplayEvents)),
	)
}

// makeRoom purges stream up to the lower of alerts' offset and what the durable consumer of store has acknowledged.
func (b *Bus) makeRoom(ctx context.Context, log *slog.Logger, stream, durable string, offset uint64) error {
	s, err := b.JS.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("make room in %s: %w", stream, err)
	}
	state, limit := s.CachedInfo().State, float64(s.CachedInfo().Config.MaxBytes)
	used := float64(state.Bytes)
	if limit <= 0 || used < purgeAbove*limit {
		return nil
	}
	c, err := s.Consumer(ctx, durable)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("make room in %s: %w", stream, err)
	}
	var stored uint64
	if err == nil {
		stored = c.CachedInfo().AckFloor.Stream
	}
	surplus := uint64(float64(state.LastSeq-state.FirstSeq+1) * (1 - purgeTo*limit/used))
	upTo := min(state.FirstSeq+surplus, stored, offset)
	log.Warn("stream nearly full", "stream", stream, "used", used/limit, "first", state.FirstSeq, "last", state.LastSeq,
		"stored", stored, "judged", offset)
	if upTo < state.FirstSeq {
		return nil
	}
	if err := s.Purge(ctx, jetstream.WithPurgeSequence(upTo+1)); err != nil {
		return fmt.Errorf("make room in %s: %w", stream, err)
	}
	log.Info("stream purged", "stream", stream, "up_to", upTo)
	return nil
}
