package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"linli/bus"
)

// watchPatience goes on to the next address of a recipient while the one before still tries.
func (n *Notify) watchPatience(ctx context.Context) error {
	for {
		d := n.impatient.take(ctx)
		if d == nil {
			return nil
		}
		if n.isHeld(d) && !n.goOn(ctx, d) {
			n.impatient.put(d, time.Now().Add(time.Second))
		}
	}
}

// goOn is advance within a limit, though we are asked to end. False: it is to be done again.
func (n *Notify) goOn(ctx context.Context, d *delivery) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	if err := n.advance(ctx, d); err != nil {
		n.cfg.Log.Warn("the next address is not tried yet", "delivery", d.ID, "alert", d.Alert, "err", err)
		return false
	}
	return true
}

// pass goes on to the next address at once, and once.
func (n *Notify) pass(ctx context.Context, d *delivery) {
	if !d.passed {
		d.passed = true
		if !n.goOn(ctx, d) {
			n.impatient.put(&delivery{Delivery: d.Delivery}, time.Now().Add(time.Second))
		}
	}
	for _, x := range d.members {
		n.pass(ctx, x)
	}
}

// advance tries the next address of a recipient in addition to d, which failed or takes long. Behind the last one, it reports that
// the recipient is not reached. Done twice, it changes nothing.
func (n *Notify) advance(ctx context.Context, d *delivery) error {
	if !call(d.Event) {
		return nil
	}
	next, err := n.next(d)
	if err != nil {
		return err
	}
	if next != nil {
		return n.add(ctx, next)
	}
	others, err := deliveriesOf(ctx, n.cfg.Bus, d.Alert)
	if err != nil {
		return err
	}
	for i := range others {
		o := &others[i]
		if o.ID == d.ID { // its record may be older
			o = &d.Delivery
		}
		if o.N == d.N && same(&o.Recipient, &d.Recipient) && reached(o, time.Now()) {
			return nil
		}
	}
	return n.act(ctx, bus.Action{
		Key: "unreached." + idOf(d.Alert, d.N, &d.Recipient, "", ""), Kind: "unreached", Alert: d.Alert, Community: d.Community,
		By: "notify", Note: d.Error, At: time.Now().UTC(), N: d.N, Person: d.Recipient.Person, Recipient: &d.Recipient,
	})
}

// same reports whether two deliveries of an event are to the same recipient of the same step.
func same(a, b *bus.Recipient) bool {
	return whom(a) == whom(b) && a.Round == b.Round && a.Step == b.Step
}

// act publishes what came of telling somebody.
func (n *Notify) act(ctx context.Context, a bus.Action) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	if _, _, err := n.cfg.Bus.Publish(ctx, bus.ActionsSubject(a.Community), a.Key, b); err != nil {
		return fmt.Errorf("publish that alert %s is %s: %w", a.Alert, a.Kind, err)
	}
	return nil
}
