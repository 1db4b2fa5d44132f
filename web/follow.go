package web

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"linli/bus"
)

const followPause = time.Second

// follow feeds the board from CORE and COMMANDS until ctx ends. When the bus is away the board keeps showing what it has and says so.
func (s *Server) follow(ctx context.Context) error {
	for {
		g, both := errgroup.WithContext(ctx)
		g.Go(func() error { return s.followAlerts(both) })
		g.Go(func() error { return s.followCommands(both) })
		g.Go(func() error { return s.followHolds(both) })
		err := g.Wait()
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

func (s *Server) followAlerts(ctx context.Context) error {
	return s.followStream(ctx, bus.Core, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.AlertsFilter},
		DeliverPolicy:  jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:    s.board.resume() + 1,
	}, func(pending uint64) {
		if pending == 0 {
			s.board.setStatus(nil)
		}
	}, s.board.put)
}

// followCommands tells of the states of commands from now on: who needs the earlier ones reads them.
func (s *Server) followCommands(ctx context.Context) error {
	config := jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverNewPolicy}
	return s.followStream(ctx, bus.Commands, config, func(uint64) {}, func(_ uint64, data []byte) error {
		c := new(bus.Command)
		if err := json.Unmarshal(data, c); err != nil {
			return err
		}
		return s.board.pass(change{command: c}, c)
	})
}

// followHolds tells of what becomes of holds from now on, so that who is to confirm one need not look for it.
func (s *Server) followHolds(ctx context.Context) error {
	config := jetstream.OrderedConsumerConfig{FilterSubjects: []string{bus.HoldsFilter}, DeliverPolicy: jetstream.DeliverNewPolicy}
	return s.followStream(ctx, bus.Core, config, func(uint64) {}, func(_ uint64, data []byte) error {
		h := new(bus.Hold)
		if err := json.Unmarshal(data, h); err != nil {
			return err
		}
		return s.board.pass(change{hold: h}, h)
	})
}

// followStream hands messages to take until ctx ends, and says after each how many wait.
func (s *Server) followStream(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig, pending func(uint64), take func(uint64, []byte) error) error {
	consumer, err := s.Bus.JS.OrderedConsumer(ctx, stream, config)
	if err != nil {
		return err
	}
	pending(consumer.CachedInfo().NumPending)
	messages, err := consumer.Messages(bus.Beat)
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
		if err := take(meta.Sequence.Stream, m.Data()); err != nil {
			s.Log.Error("unreadable record", "subject", m.Subject(), "err", err)
		}
		pending(meta.NumPending)
	}
}
