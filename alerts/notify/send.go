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
		n.begin(d)
		again, at := n.work(ctx, d)
		n.part(ctx, d, again, at)
		n.settle(d, again, at)
	}
}

// keepLimit bounds the recording of an answer.
const keepLimit = 2 * time.Second

// work does what a delivery waits for, and says whether and when there is more to do.
func (n *Notify) work(ctx context.Context, d *delivery) (again bool, at time.Time) {
	m, err := d.message()
	if err != nil {
		n.cfg.Log.Error("delivery cannot be read", "delivery", d.ID, "err", err)
		return false, at
	}
	if d.begun {
		d.begun = false
	} else if again, at, done := n.prepare(ctx, d, &m); done {
		return again, at
	}
	n.expect(d)
	if n.cfg.hook("sending") {
		return false, at
	}
	receipt, err := n.call(ctx, d, m)
	if n.cfg.hook("sent") || err != nil && ctx.Err() != nil {
		return false, at // found as sending at the next start
	}
	return n.answered(ctx, d, receipt, err)
}

// prepare is what comes before a try: is it still needed, may it go out now, did an earlier one arrive? Then it records the try.
func (n *Notify) prepare(ctx context.Context, d *delivery, m *Message) (again bool, at time.Time, done bool) {
	now := time.Now()
	woken := now.Before(d.due) // only to see whether it is needed
	if free := n.governor.free(d.Channel, d.To, d.Safety, now); !woken && free.After(now) {
		d.waited = n.rationed(d)
		if free.After(d.Created.Add(patience(d.Safety))) {
			n.pass(ctx, d)
		}
		return true, free, true
	}
	var why string
	if !d.fresh(now) {
		var err error
		if why, err = n.needed(ctx, d, m); err != nil {
			n.cfg.Log.Warn("whether a delivery is still needed is not known", "delivery", d.ID, "err", err)
		}
	}
	if why != "" {
		d.State, d.Error, d.Look, d.Contains = bus.Expired, why, time.Time{}, nil
		n.metrics.done(d, "expired")
		n.end(ctx, d)
		return false, at, true
	}
	if woken {
		return true, d.due, true
	}
	if d.Doubt {
		if fate := n.ask(ctx, d, *m); fate.State != "" {
			again, at = n.answered(ctx, d, fate.Receipt, fate.err())
			return again, at, true
		}
		if n.governor.caps[d.Channel].Dedupes < now.Sub(d.Created) {
			m.Repeat = true
			m.labelled()
		}
	}
	if free, ok := n.governor.admit(d.Channel, d.To, d.Safety, now); !ok { // another worker was faster
		d.waited = n.rationed(d)
		return true, free, true
	}
	if d.Attempts == 0 && len(d.members) > 0 {
		n.gather(ctx, d, m)
	}
	d.State, d.Attempts, d.Updated = bus.Sending, d.Attempts+1, now.UTC()
	again, done = n.keep(ctx, d)
	return again, now.Add(time.Second), done
}

// answered records the answer to a try.
func (n *Notify) answered(ctx context.Context, d *delivery, r Receipt, err error) (again bool, at time.Time) {
	log := n.cfg.Log.With("channel", d.Channel, "delivery", d.ID, "alert", d.Alert)
	n.health.note(d.Channel, err, time.Now().UTC())
	d.Class, d.Error = string(classOf(err)), ""
	if err != nil {
		d.Error = err.Error()
	}
	d.Doubt = d.Doubt && err != nil || classOf(err) == InDoubt
	var e *SendError
	switch {
	case err == nil:
		d.State, d.Receipt = bus.Accepted, r.ID
		n.expect(d)
		n.metrics.done(d, "accepted")
		receipts := n.governor.caps[d.Channel].Receipts
		if call(d.Event) && receipts {
			d.Look = time.Now().UTC().Add(receiptWait)
		}
		if !receipts {
			n.mended(ctx, d)
		}
		n.end(ctx, d)
		if len(d.Recipient.Reach) > 1 {
			n.hurry(d.Alert) // his other addresses need not be tried
		}
		n.await(d)
		return false, at
	case Permanent(err) && !(d.Safety && duty(&d.Recipient)): // duty channels are tried until somebody mends the receiver
		d.State = bus.Failed
		n.metrics.done(d, "failed")
		log.Error("delivery failed for good", "err", err, "attempts", d.Attempts)
		n.fail(ctx, d)
		if classOf(err) == BadTarget && d.Look.IsZero() {
			n.broke(ctx, d)
		}
		return false, at
	case errors.As(err, &e) && e.Class == RateLimited:
		n.governor.punished(d.Channel, d.To, e, time.Now())
	}
	d.State = bus.Pending
	n.metrics.deliveries.WithLabelValues(d.Channel, "retried").Inc()
	log.Warn("delivery is tried again", "err", err, "attempts", d.Attempts)
	next := delay(d.Attempts, err)
	if c := classOf(err); c == RateLimited || c == Auth {
		n.pass(ctx, d)
	}
	return n.end(ctx, d), time.Now().Add(next)
}

// fail records that d failed, after the next address was gone on to. Where that could not be done it is looked at again, see follow.
func (n *Notify) fail(ctx context.Context, d *delivery) {
	if !n.goOn(ctx, d) {
		d.Look = time.Now().UTC()
	}
	n.end(ctx, d)
	n.await(d)
}

// end records d as it is now, though we are asked to end: else it would be sent again at the next start. What became of it is known
// here alone, so it is tried until there is an answer. False: another process has it, or a bus that is away was not to be waited for.
func (n *Notify) end(ctx context.Context, d *delivery) bool {
	d.Updated = time.Now().UTC()
	for {
		keeping, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
		err := n.store(keeping, d)
		cancel()
		if err == nil {
			return true
		}
		if errors.Is(err, bus.ErrConflict) || ctx.Err() != nil {
			return false
		}
		n.cfg.Log.Warn("delivery is not recorded", "delivery", d.ID, "err", err)
		if !wait(ctx, time.Second) {
			return false
		}
	}
}

// keep records d. It is done with it if that does not work: because another process has it (and then it is not ours to try
// again), or because the bus is away.
func (n *Notify) keep(ctx context.Context, d *delivery) (again, done bool) {
	err := n.store(ctx, d)
	switch {
	case err == nil:
		return false, false
	case errors.Is(err, bus.ErrConflict), ctx.Err() != nil:
		return false, true
	}
	n.cfg.Log.Warn("delivery is not recorded", "delivery", d.ID, "err", err)
	return n.reread(ctx, d), true
}

// store writes d, also behind a write of its own of which no answer had come: that may be stored long after one has stopped waiting
// for it, and is nobody else's.
func (n *Notify) store(ctx context.Context, d *delivery) error {
	err := n.write(ctx, d)
	for errors.Is(err, bus.ErrConflict) && len(d.unanswered) > 0 {
		m, readErr := n.lastRecord(ctx, d.Alert, d.ID)
		if readErr != nil {
			return readErr
		}
		if m.Sequence <= d.seq || !slices.Contains(d.unanswered, sumOf(m.Data)) {
			return err
		}
		d.seq = m.Sequence
		err = n.write(ctx, d)
	}
	return err
}

// reread brings the record up to what is stored, after a write whose fate is unknown. It reports whether there is more to do.
func (n *Notify) reread(ctx context.Context, d *delivery) bool {
	for wait(ctx, time.Second) {
		stored, err := n.last(ctx, d.Alert, d.ID)
		if err != nil {
			n.cfg.Log.Warn("delivery is not read", "delivery", d.ID, "err", err)
			continue
		}
		stored.members, stored.waited, stored.unanswered = d.members, d.waited, d.unanswered
		*d = *stored
		return d.State == bus.Pending || d.State == bus.Sending
	}
	return false
}

func (n *Notify) call(ctx context.Context, d *delivery, m Message) (Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, SendLimit)
	defer cancel()
	return n.cfg.Channels[d.Channel].Send(ctx, m)
}

// unfinished are the deliveries on CORE that are not at their end, in the order in which they were made. At the start, what was sent
// lately is counted against the quotas and its answers are expected.
func (n *Notify) unfinished(ctx context.Context, start bool) (all []*delivery, err error) {
	latest := map[string]*delivery{}
	now := time.Now()
	err = n.cfg.Bus.ReadAll(ctx, bus.Core, bus.DeliveriesFilter, func(m jetstream.Msg) error {
		meta, err := m.Metadata()
		if err != nil {
			return fmt.Errorf("read deliveries: %w", err)
		}
		d, err := decode(m.Data(), meta.Sequence.Stream)
		if err != nil {
			n.leaveOut(m.Subject(), err)
			return nil
		}
		if start {
			n.ways.recall(&d.Delivery)
			n.health.recall(&d.Delivery)
		}
		if start && d.Attempts > 0 && now.Sub(d.Updated) < recallFor {
			n.governor.recall(d.Channel, d.To, d.Safety, d.Updated)
			n.expect(d)
		}
		if d.finished() {
			delete(latest, d.ID)
		} else {
			latest[d.ID] = d
		}
		return nil
	})
	n.governor.ordered()
	return slices.SortedFunc(maps.Values(latest), func(a, b *delivery) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.N, b.N))
	}), err
}

// recallFor is the longest span of a quota.
const recallFor = 24 * time.Hour

// decode reads a record. One that is being sent may have arrived.
func decode(data []byte, seq uint64) (*delivery, error) {
	d := &delivery{seq: seq}
	if err := json.Unmarshal(data, &d.Delivery); err != nil {
		return nil, err
	}
	d.Doubt = d.Doubt || d.State == bus.Sending
	return d, nil
}

// last reads a delivery as it is stored.
func (n *Notify) last(ctx context.Context, alert, id string) (*delivery, error) {
	m, err := n.lastRecord(ctx, alert, id)
	if err != nil {
		return nil, err
	}
	return decode(m.Data, m.Sequence)
}

func (n *Notify) lastRecord(ctx context.Context, alert, id string) (*jetstream.RawStreamMsg, error) {
	m, err := n.core.GetLastMsgForSubject(ctx, bus.DeliverySubject(alert, id))
	if err != nil {
		return nil, fmt.Errorf("read delivery %s: %w", id, err)
	}
	return m, nil
}
