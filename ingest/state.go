package ingest

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// loadStates reads from the bus which devices were online or offline last.
func (l *lane) loadStates(ctx context.Context) error {
	c, err := l.bus.JS.OrderedConsumer(ctx, bus.Events, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.EventSubject("*", "*", "*", "online"), bus.EventSubject("*", "*", "*", "offline")},
		DeliverPolicy:  jetstream.DeliverLastPerSubjectPolicy,
		HeadersOnly:    true,
	})
	if err != nil {
		return err
	}
	// The server would keep it for minutes.
	defer func() { _ = l.bus.JS.DeleteConsumer(ctx, bus.Events, c.CachedInfo().Name) }()
	if c.CachedInfo().NumPending == 0 {
		return nil
	}
	all, err := c.Messages(bus.Beat)
	if err != nil {
		return err
	}
	defer all.Stop()
	for {
		m, err := all.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		parts := strings.Split(m.Subject(), ".")
		l.states[parts[3]] = parts[4]
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if meta.NumPending == 0 {
			return nil
		}
	}
}
