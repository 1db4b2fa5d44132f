package web

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

const followPause = time.Second

// follow feeds the board from CORE until ctx ends. When the bus is away the board keeps showing what it has and says so.
func (s *Server) follow(ctx context.Context) error {
	for {
		err := s.followOnce(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end
		}
		s.Log.Warn("following alerts again", "err", err)
		s.board.setStatus(fmt.Errorf("follow alerts: %w", err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
		}
	}
}

func (s *Server) followOnce(ctx context.Context) error {
	config := jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.AlertsFilter},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    s.board.resume() + 1,
	}
	consumer, err := s.Bus.JS.OrderedConsumer(ctx, bus.Core, config)
	if err != nil {
		return err
	}
	if consumer.CachedInfo().NumPending == 0 {
		s.board.setStatus(nil)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return err
	}
	defer messages.Stop()
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if err := s.board.put(meta.Sequence.Stream, m.Data()); err != nil {
			s.Log.Error("unreadable alert", "subject", m.Subject(), "err", err)
		}
		if meta.NumPending == 0 {
			s.board.setStatus(nil)
		}
	}
}
