package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// send is one worker of a lane.
func (n *Notify) send(ctx context.Context, l *lane) {
	for {
		d := l.take(ctx)
		if d == nil {
			return
		}
		again, at := n.try(ctx, d)
		n.settle(d, again, at)
	}
}

// keepLimit bounds the recording of an answer.
const keepLimit = 2 * time.Second

// try makes one try and says whether and when there is to be another.
func (n *Notify) try(ctx context.Context, d *delivery) (again bool, at time.Time) {
	log := n.cfg.Log.With("channel", d.Channel, "delivery", d.ID, "alert", d.Alert)
	m, err := d.message()
	if err != nil {
		log.Error("delivery cannot be read", "err", err)
		return false, at
	}
	if d.begun {
		d.begun = false
	} else {
		m.Repeat = d.Attempts > 0
		d.State, d.Attempts, d.Updated = bus.Sending, d.Attempts+1, time.Now().UTC()
		if again, done := n.keep(ctx, d); done {
			return again, time.Now().Add(time.Second)
		}
	}
	err = n.call(ctx, d.Channel, m)
	d.Updated = time.Now().UTC()
	switch {
	case err == nil:
		d.State, d.Error = bus.Accepted, ""
		n.metrics.done(d, "accepted")
	case errors.As(err, new(permanentError)) && !d.safety: // life-safety is tried until somebody mends the receiver
		d.State, d.Error = bus.Failed, err.Error()
		n.metrics.done(d, "failed")
		log.Error("delivery failed for good", "err", err, "attempts", d.Attempts)
	case ctx.Err() != nil:
		return false, at // found as sending at the next start
	default:
		d.State, d.Error = bus.Pending, err.Error()
		n.metrics.deliveries.WithLabelValues(d.Channel, "retried").Inc()
		log.Warn("delivery is tried again", "err", err, "attempts", d.Attempts)
	}
	// An answer is recorded though we are asked to end: else it would be sent again at the next start.
	keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	if again, done := n.keep(keeping, d); done {
		return again, time.Now().Add(time.Second)
	}
	return d.State == bus.Pending, time.Now().Add(delay(d.Attempts, err))
}

// keep records d. It is done with it if that does not work: because another process has it (and then it is not ours to try
// again), or because the bus is away.
func (n *Notify) keep(ctx context.Context, d *delivery) (again, done bool) {
	err := n.write(ctx, d)
	switch {
	case err == nil:
		return false, false
	case errors.Is(err, bus.ErrConflict):
		return false, true
	case ctx.Err() != nil:
		return false, true
	}
	n.cfg.Log.Warn("delivery is not recorded", "delivery", d.ID, "err", err)
	return n.reread(ctx, d), true
}

// reread brings the record up to what is stored, after a write whose fate is unknown. It reports whether there is more to do.
func (n *Notify) reread(ctx context.Context, d *delivery) bool {
	for wait(ctx, time.Second) {
		stored, err := lastDelivery(ctx, n.cfg.Bus, d.ID)
		if err != nil {
			n.cfg.Log.Warn("delivery is not read", "delivery", d.ID, "err", err)
			continue
		}
		*d = *stored
		return !d.finished()
	}
	return false
}

func (n *Notify) call(ctx context.Context, channel string, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, SendLimit)
	defer cancel()
	return n.cfg.Channels[channel].Send(ctx, m)
}

// delay is how long to wait after so many tries, the last of which ended with err.
func delay(attempts int, err error) time.Duration {
	d := pause(attempts)
	var later laterError
	if errors.As(err, &later) {
		d = max(d, min(later.after, time.Hour))
	}
	return d
}

// unfinished are the deliveries on CORE that are not at their end, in the order in which they were made.
func unfinished(ctx context.Context, b *bus.Bus) (all []*delivery, err error) {
	latest := map[string]*delivery{}
	err = b.ReadAll(ctx, bus.Core, bus.DeliveriesFilter, func(m jetstream.Msg) error {
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		d := &delivery{seq: meta.Sequence.Stream}
		if err := json.Unmarshal(m.Data(), &d.Delivery); err != nil {
			return fmt.Errorf("read delivery %s: %w", m.Subject(), err)
		}
		if d.finished() {
			delete(latest, d.ID)
		} else {
			latest[d.ID] = d
		}
		return nil
	})
	return slices.SortedFunc(maps.Values(latest), func(a, b *delivery) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.N, b.N))
	}), err
}

func lastDelivery(ctx context.Context, b *bus.Bus, id string) (*delivery, error) {
	s, err := b.JS.Stream(ctx, bus.Core)
	if err != nil {
		return nil, err
	}
	m, err := s.GetLastMsgForSubject(ctx, bus.DeliverySubject(id))
	if err != nil {
		return nil, err
	}
	d := &delivery{seq: m.Sequence}
	if err := json.Unmarshal(m.Data, &d.Delivery); err != nil {
		return nil, err
	}
	_, err = d.message()
	return d, err
}
