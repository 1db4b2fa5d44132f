package notify

import (
	"context"
	"time"

	"linli/bus"
)

const (
	// receiptWait is how long a receipt may take; without one after that, the next address of a life-safety message is tried too.
	receiptWait = 30 * time.Second
	// receiptLimit is when nobody asks any more.
	receiptLimit = 20 * time.Minute
)

// err is what a fate means for the try that it was asked of.
func (f Fate) err() error {
	if f.State == bus.Failed {
		return refuse(BadTarget, "", "did not arrive: %s", f.Why)
	}
	return nil
}

// ask asks the provider what became of a delivery. Nothing is known where it cannot be asked, or does not answer.
func (n *Notify) ask(ctx context.Context, d *delivery, m Message) Fate {
	asker, ok := n.cfg.Channels[d.Channel].(Asker)
	if !ok {
		return Fate{}
	}
	ctx, cancel := context.WithTimeout(ctx, min(SendLimit, patience(d.Safety))) // while it is asked, nobody is told over the next address
	defer cancel()
	fate, err := asker.Ask(ctx, m, Receipt{d.Receipt})
	if err != nil {
		n.cfg.Log.Warn("the provider does not say what became of a delivery", "channel", d.Channel, "delivery", d.ID, "err", err)
		return Fate{}
	}
	if fate.Receipt.ID == "" {
		fate.Receipt.ID = d.Receipt
	}
	return fate
}

// await has a delivery looked at again when it is due.
func (n *Notify) await(d *delivery) {
	if d.Look.IsZero() {
		return
	}
	n.receipts.of(d).put(&delivery{Delivery: d.Delivery}, d.Look)
}

// watchReceipts asks what became of accepted deliveries. Two that look at the same one at once do the same.
func (n *Notify) watchReceipts(ctx context.Context, l *lane) error {
	for {
		d := l.take(ctx)
		if d == nil {
			return nil
		}
		if again, at := n.look(ctx, d); again {
			l.put(d, at)
		}
	}
}

// look asks whether an accepted delivery has arrived, unless a callback has told already.
func (n *Notify) look(ctx context.Context, d *delivery) (again bool, at time.Time) {
	stored, err := n.last(ctx, d.Alert, d.ID)
	if err != nil {
		return ctx.Err() == nil, time.Now().Add(time.Second)
	}
	*d = *stored
	switch {
	case d.finished():
		return false, at
	case d.State == bus.Failed:
		return n.follow(ctx, d)
	}
	m, err := d.message()
	if err != nil {
		return false, at
	}
	now, fate := time.Now(), n.ask(ctx, d, m)
	switch {
	case fate.State == bus.Delivered, fate.State == bus.Failed, fate.State == bus.Acted:
		n.fated(ctx, d, fate.State, fate.Class, fate.Why)
		if err := n.respond(ctx, d, fate.Acknowledge, fate.Why); err != nil {
			return true, now.Add(time.Second)
		}
	case now.Sub(d.Updated) > receiptLimit:
		d.Look = time.Time{}
	default:
		if d.Safety {
			n.goOn(ctx, d)
		}
		return true, now.Add(max(receiptWait, now.Sub(d.Updated)))
	}
	if !n.end(ctx, d) || d.State != bus.Failed {
		return false, at
	}
	return n.follow(ctx, d)
}

// follow has the next address tried after one over which a message did not arrive. That was recorded before, so that the next one is
// found to be needed.
func (n *Notify) follow(ctx context.Context, d *delivery) (again bool, at time.Time) {
	if err := n.advance(ctx, d); err != nil {
		n.cfg.Log.Warn("the next address is not tried", "delivery", d.ID, "alert", d.Alert, "err", err)
		return ctx.Err() == nil, time.Now().Add(time.Second)
	}
	if err := n.followMembers(ctx, d); err != nil {
		n.cfg.Log.Warn("the next address is not tried", "delivery", d.ID, "alert", d.Alert, "err", err)
		return ctx.Err() == nil, time.Now().Add(time.Second)
	}
	if d.Class == string(BadTarget) {
		n.broke(ctx, d)
	}
	d.Look = time.Time{}
	n.end(ctx, d)
	return false, at
}

// fated puts d into the state that its provider tells. One that did not arrive is looked at again, see follow.
func (n *Notify) fated(ctx context.Context, d *delivery, state bus.DeliveryState, class Class, why string) {
	d.State, d.Look, d.Class, d.Error = state, time.Time{}, "", ""
	n.metrics.deliveries.WithLabelValues(d.Channel, string(state)).Inc()
	if state == bus.Failed {
		d.Look, d.Class, d.Error = time.Now().UTC(), string(class), "did not arrive: "+why
		return
	}
	n.mended(ctx, d)
}
