package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// reachedOver is why a delivery is not made when another address has taken the message.
const reachedOver = "reached over "

// need says why a delivery is not to be sent any more; empty while it is. It knows the alert as it is now, and all deliveries of
// the alert, and the alert as it was when the event happened.
//
//	a call   an acknowledgement or a close since; another address of the recipient took it; a later call to the same address
//	news     its address was never told of the alert
func need(d *bus.Delivery, then, a *bus.Alert, others []bus.Delivery, now time.Time) (why string) {
	if !call(d.Event) {
		for i := range others {
			o := &others[i]
			if call(o.Event) && o.Channel == d.Channel && o.To == d.To && told(o) {
				return ""
			}
		}
		return "was not told of the alert"
	}
	switch {
	case a == nil:
	case a.State == bus.Closed && len(a.Listed) == 0: // a digest is to be read, and closed from the beginning
		return "closed"
	case a.AckedAt != nil && (then.AckedAt == nil || a.AckedAt.After(*then.AckedAt)):
		return "acknowledged"
	case a.FamilyAckBy != "" && then.FamilyAckBy == "" && strings.HasPrefix(d.Recipient.Target, "circle"):
		return "acknowledged by the family"
	}
	if duty(&d.Recipient) {
		return ""
	}
	for i := range others {
		o := &others[i]
		switch {
		case o.ID == d.ID || !call(o.Event):
		case o.Channel == d.Channel && o.To == d.To && o.N > d.N:
			return "told of what came later"
		case o.N == d.N && same(&o.Recipient, &d.Recipient) && reached(o, now):
			return reachedOver + o.Channel
		}
	}
	return ""
}

// needed asks CORE whether a delivery is still to be sent. Without an answer it is.
func (n *Notify) needed(ctx context.Context, d *delivery, m *Message) (why string, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookLimit)
	defer cancel()
	a, err := n.alertNow(ctx, d.Alert)
	if err != nil {
		return "", err
	}
	others, err := deliveriesOf(ctx, n.cfg.Bus, d.Alert)
	if err != nil {
		return "", err
	}
	return need(&d.Delivery, &m.Alert, a, others, time.Now()), nil
}

// lookLimit bounds a look at CORE.
const lookLimit = 2 * time.Second

// alertNow reads an alert; nil when there is none.
func (n *Notify) alertNow(ctx context.Context, id string) (*bus.Alert, error) {
	m, err := n.core.GetLastMsgForSubject(ctx, bus.AlertSubject(id))
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read alert %s: %w", id, err)
	}
	a := new(bus.Alert)
	if err := json.Unmarshal(m.Data, a); err != nil {
		return nil, fmt.Errorf("read alert %s: %w", id, err)
	}
	return a, nil
}

// maxAnswered is how many subjects the server reads for one request. An alert that nobody answers for a day has more deliveries.
const maxAnswered = 1024

// deliveriesOf reads the deliveries of an alert: with one request, without a consumer, while it has no more than that takes.
func deliveriesOf(ctx context.Context, b *bus.Bus, alert string) (all []bus.Delivery, err error) {
	ask, err := json.Marshal(map[string]any{"multi_last": []string{bus.AlertDeliveriesFilter(alert)}})
	if err != nil {
		return nil, err
	}
	inbox := b.NC.NewInbox()
	answers := make(chan *nats.Msg, maxAnswered+1) // the server answers with no more; a queue of the client's own is far larger
	sub, err := b.NC.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, fmt.Errorf("read deliveries of alert %s: %w", alert, err)
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := b.NC.PublishMsg(&nats.Msg{Subject: "$JS.API.DIRECT.GET." + bus.Core, Reply: inbox, Data: ask}); err != nil {
		return nil, fmt.Errorf("read deliveries of alert %s: %w", alert, err)
	}
	for {
		var m *nats.Msg
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("read deliveries of alert %s: %w", alert, ctx.Err())
		case m = <-answers:
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "204", "404": // all have come; there are none
			return all, nil
		case "413", "503": // more than it reads for a request; a stream with copies, of which only the one that leads is to be asked
			return manyDeliveriesOf(ctx, b, alert)
		default:
			return nil, fmt.Errorf("read deliveries of alert %s: %s %s", alert, status, m.Header.Get("Description"))
		}
		if all, err = addDelivery(all, m.Data); err != nil {
			return nil, fmt.Errorf("read deliveries of alert %s: %w", alert, err)
		}
	}
}

// manyDeliveriesOf reads any number of them.
func manyDeliveriesOf(ctx context.Context, b *bus.Bus, alert string) (all []bus.Delivery, err error) {
	err = b.ReadAll(ctx, bus.Core, bus.AlertDeliveriesFilter(alert), func(m jetstream.Msg) (err error) {
		all, err = addDelivery(all, m.Data())
		return err
	})
	return all, err
}

func addDelivery(all []bus.Delivery, data []byte) ([]bus.Delivery, error) {
	var d bus.Delivery
	err := json.Unmarshal(data, &d)
	return append(all, d), err
}
