package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// answers are where the providers' words lead: by the id we gave, by theirs, and by the address, whose latest message is meant. They
// are made again at the start from the deliveries of a day; the oldest make room.
type answers = lru.Cache[string, place]

// place is where a delivery stands on CORE.
type place struct{ alert, id string }

const maxAnswers = 50_000

func newAnswers() *answers {
	c, err := lru.New[string, place](maxAnswers)
	if err != nil {
		panic(err) // the size is a constant
	}
	return c
}

// answerKey is the same for a number with and without the code of the country: providers leave it out of what they call back with.
func answerKey(channel, ref string) string { return channel + "\x00" + national(ref) }

// expect waits for what the provider of a call will say of it. It is called before the call goes out: a receipt may be faster than
// the answer to the request.
func (n *Notify) expect(d *delivery) {
	if !call(d.Event) || !n.governor.caps[d.Channel].Receipts {
		return
	}
	refs := []string{short(d.ID), d.Receipt, d.To}
	if len(d.Contains) > 0 { // a reply to a message that tells of several alerts says nothing of one
		refs = refs[:2]
	}
	for _, ref := range refs {
		if ref != "" {
			n.answers.Add(answerKey(d.Channel, ref), place{d.Alert, d.ID})
		}
	}
}

// openCallbacks finds the place in what web has handed over.
func (n *Notify) openCallbacks(ctx context.Context) (err error) {
	n.callbacks, err = n.cfg.Bus.JS.CreateOrUpdateConsumer(ctx, bus.Actions, jetstream.ConsumerConfig{
		Durable: bus.CallbacksConsumer, FilterSubject: bus.CallbacksSubject, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxDeliver: -1,
	})
	if err != nil {
		return fmt.Errorf("open consumer %s: %w", bus.CallbacksConsumer, err)
	}
	return nil
}

// hear reads callbacks. One is acknowledged when what it says is recorded.
func (n *Notify) hear(ctx context.Context, m jetstream.Msg) error {
	if err := n.understand(ctx, m.Data()); err != nil {
		return err
	}
	return m.Ack()
}

func (n *Notify) understand(ctx context.Context, data []byte) error {
	var a bus.Action
	if err := json.Unmarshal(data, &a); err != nil || a.Callback == nil {
		n.cfg.Log.Error("callback cannot be read", "err", err, "data", string(data))
		n.metrics.unreadable.Inc()
		return nil
	}
	listener, ok := n.cfg.Channels[a.Callback.Channel].(Listener)
	if !ok {
		n.cfg.Log.Warn("callback for a channel that has none", "channel", a.Callback.Channel)
		return nil
	}
	all, err := listener.Listen(*a.Callback)
	if err != nil {
		n.cfg.Log.Error("callback cannot be read", "channel", a.Callback.Channel, "err", err, "data", string(a.Callback.Body))
		n.metrics.unreadable.Inc()
		return nil
	}
	for _, x := range all {
		at, known := n.answers.Get(answerKey(a.Callback.Channel, x.Ref))
		if !known {
			n.metrics.deliveries.WithLabelValues(a.Callback.Channel, "unknown_answer").Inc()
			continue
		}
		if err := n.apply(ctx, at, x); err != nil {
			return err
		}
	}
	return nil
}

// apply records what an answer says of a delivery, and hands on what its recipient wants.
func (n *Notify) apply(ctx context.Context, at place, x Answer) error {
	for {
		d, err := n.last(ctx, at.alert, at.id)
		if err != nil {
			return err
		}
		if d.State != bus.Acted { // nobody takes an answer back
			n.fated(ctx, d, x.State, x.Class, x.Why)
			d.Updated = time.Now().UTC()
			err = n.write(ctx, d)
		}
		switch {
		case errors.Is(err, bus.ErrConflict): // the sender was faster: what it recorded is older than this answer
			continue
		case err != nil:
			return err
		}
		n.await(d)
		return n.respond(ctx, d, x.Acknowledge, x.Why)
	}
}

// respond hands on what a recipient did: taking the alert on, or only saying something.
func (n *Notify) respond(ctx context.Context, d *delivery, acknowledge bool, why string) error {
	a := bus.Action{
		Alert: d.Alert, Community: d.Community, By: d.Recipient.Name, Person: d.Recipient.Person, Note: why + " (" + d.Channel + ")",
		At: time.Now().UTC(),
	}
	if a.By == "" {
		a.By = d.Recipient.Target
	}
	switch {
	case acknowledge && len(d.Contains) == 0:
		a.Kind, a.Key = "acknowledge", "acknowledge."+d.ID
	case d.State == bus.Acted && why != "":
		a.Kind, a.Key = "comment", "comment."+idOf(d.Alert, d.N, &d.Recipient, d.ID, why)
	default:
		return nil
	}
	return n.act(ctx, a)
}
