package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// rebuildStatus is what the settings key rebuild_status shows of the last rebuild.
type rebuildStatus struct {
	ID       string     `json:"id"`
	State    string     `json:"state"`  // running, done
	Stream   string     `json:"stream"` // the one at hand
	Messages int        `json:"messages"`
	Bytes    int64      `json:"bytes"`
	Started  time.Time  `json:"started_at"`
	Finished *time.Time `json:"finished_at,omitempty"`
}

// followRebuilds carries out requests to write everything in the streams again, until ctx ends. Nothing is dropped first: what is
// stored is written over with itself. One that a stop has interrupted begins again.
func (s *Store) followRebuilds(ctx context.Context) error {
	return s.cfg.Bus.FollowSettings(ctx, bus.RebuildKey, func(kv jetstream.KeyValue, e jetstream.KeyValueEntry) error {
		if err := s.rebuild(ctx, kv, string(e.Value())); err != nil && ctx.Err() == nil {
			s.cfg.Log.Error("rebuild", "err", err)
		}
		return nil
	}, jetstream.IgnoreDeletes())
}

func (s *Store) rebuild(ctx context.Context, kv jetstream.KeyValue, id string) error {
	st := rebuildStatus{ID: id, State: "running", Started: time.Now().UTC()}
	s.cfg.Log.Info("rebuild begins", "id", id)
	for _, stream := range []string{bus.Readings, bus.Events} {
		st.Stream = stream
		if err := s.rebuildStream(ctx, kv, &st); err != nil {
			return err
		}
	}
	now := time.Now().UTC()
	st.State, st.Finished = "done", &now
	if err := tellRebuild(ctx, kv, &st); err != nil {
		return err
	}
	s.cfg.Log.Info("rebuild is done", "id", id, "messages", st.Messages, "bytes", st.Bytes, "took", now.Sub(st.Started))
	return kv.Delete(ctx, bus.RebuildKey)
}

func (s *Store) rebuildStream(ctx context.Context, kv jetstream.KeyValue, st *rebuildStatus) error {
	var lines []byte
	flush := func() error {
		if len(lines) == 0 {
			return nil
		}
		if err := s.store(ctx, job{}, lines); err != nil {
			return err
		}
		st.Bytes += int64(len(lines))
		lines = lines[:0]
		return tellRebuild(ctx, kv, st)
	}
	err := s.cfg.Bus.ReadAll(ctx, st.Stream, ">", func(m jetstream.Msg) error {
		if !bus.OfProbe(m.Subject()) {
			lines = append(lines, m.Data()...)
		}
		st.Messages++
		if len(lines) < batchBytes {
			return nil
		}
		return flush()
	})
	return errors.Join(err, flush())
}

func tellRebuild(ctx context.Context, kv jetstream.KeyValue, st *rebuildStatus) error {
	b, err := json.Marshal(st)
	if err != nil {
		return err
	}
	if _, err := kv.Put(ctx, bus.RebuildStatusKey, b); err != nil {
		return fmt.Errorf("tell of the rebuild: %w", err)
	}
	return nil
}
