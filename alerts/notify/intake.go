package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// intake reads messages one after the other until ctx ends.
func (n *Notify) intake(ctx context.Context, what string, from jetstream.Consumer, handle func(context.Context, jetstream.Msg) error) error {
	for ctx.Err() == nil {
		err := n.read(ctx, from, handle)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end
		}
		err = fmt.Errorf("read %s: %w", what, err)
		n.failing.Store(&err)
		n.cfg.Log.Warn("intake begins again", "err", err)
		if !wait(ctx, time.Second) {
			return nil
		}
	}
	return nil
}

func (n *Notify) read(ctx context.Context, from jetstream.Consumer, handle func(context.Context, jetstream.Msg) error) error {
	it, err := from.Messages(jetstream.PullMaxMessages(256), bus.Beat, bus.Brief)
	if err != nil {
		return err
	}
	n.failing.Store(nil)
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()
	for {
		m, err := it.Next()
		if err != nil {
			return err
		}
		if n.cfg.hook("read") {
			return ctx.Err()
		}
		if err := handle(ctx, m); err != nil {
			return err // not acknowledged: it comes again
		}
	}
}

// done acknowledges a message whose effects are recorded.
func (n *Notify) done(m jetstream.Msg) error {
	if n.cfg.hook("recorded") {
		return nil
	}
	return m.Ack()
}

// desk writes down the deliveries of ordinary events. All events of an alert come to the same desk, so they stay in order; life-safety
// does not stand in line there. A desk that is full makes the intake wait.
type desk chan job

type job struct {
	event  *bus.AlertEvent
	m      jetstream.Msg
	stored time.Time
}

const (
	desks    = 8
	deskRoom = 32
)

var deskSeed = maphash.MakeSeed()

// happened takes an alert event.
func (n *Notify) happened(ctx context.Context, m jetstream.Msg) error {
	e := new(bus.AlertEvent)
	if err := json.Unmarshal(m.Data(), e); err != nil {
		n.cfg.Log.Error("alert event cannot be read", "err", err, "data", string(m.Data()))
		n.metrics.unreadable.Inc()
		return m.Ack()
	}
	meta, err := m.Metadata()
	if err != nil {
		return err
	}
	if e.Alert.Safety {
		if err := n.record(ctx, e, meta.Timestamp); err != nil {
			return err
		}
		return n.done(m)
	}
	select {
	case n.desks[maphash.String(deskSeed, e.Alert.ID)%desks] <- job{e, m, meta.Timestamp}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// serve works at a desk. What cannot be recorded is tried until it can: the next event of its alert must not be faster.
func (n *Notify) serve(ctx context.Context, d desk) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case j := <-d:
			err := n.record(ctx, j.event, j.stored)
			for err != nil {
				if ctx.Err() == nil {
					n.cfg.Log.Warn("deliveries are not recorded", "alert", j.event.Alert.ID, "err", err)
				}
				if !wait(ctx, time.Second) {
					return nil
				}
				err = n.record(ctx, j.event, j.stored)
			}
			if err := n.done(j.m); err != nil && ctx.Err() == nil {
				n.cfg.Log.Warn("alert event is not acknowledged", "alert", j.event.Alert.ID, "err", err)
			}
		}
	}
}
