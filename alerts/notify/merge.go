package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/devices"
)

// Ordinary deliveries that wait for the quota of their provider go out together: all of one address and recipient in one message as
// soon as there is room for one. It is the message of the first of them, which says what it contains; the others become accepted in
// the transaction in which it does, and say within which. Nothing is dropped, and life-safety is never among them.
//
//	lane ─► the first that has waited, with the others of its address ─► gather ─► one try ─► part
const (
	maxMerged  = 200 // deliveries in one message
	maxSpelled = 20  // of them with their text
)

// merged is one of the deliveries that a message tells of beside its own.
type merged struct {
	bus.DeliveryRef
	Event    string       `json:"event"`
	Name     devices.Text `json:"name"`
	Text     devices.Text `json:"text"`
	Severity bus.Severity `json:"severity"`
}

// rationed reports whether a delivery may be told together with others when it has to wait.
func (n *Notify) rationed(d *delivery) bool {
	return !d.Safety && len(n.governor.caps[d.Channel].Limits) > 0
}

// merges reports whether a delivery that has waited may be told together with another. One that was tried has its own text.
func (d *delivery) merges(other *delivery) bool {
	return d.waited && other.waited && d.Attempts == 0 && other.Attempts == 0 && !d.Doubt && !other.Doubt &&
		d.Channel == other.Channel && d.To == other.To && whom(&d.Recipient) == whom(&other.Recipient)
}

// withdraw takes the deliveries out of a lane that may be told together with d, the oldest of them if there are too many. The caller
// holds l.mu.
func (l *lane) withdraw(d *delivery) (all []*delivery) {
	for _, x := range l.due {
		if x.d.merges(d) {
			all = append(all, x.d)
		}
	}
	slices.SortFunc(all, func(x, y *delivery) int { return cmp.Or(x.Created.Compare(y.Created), cmp.Compare(x.ID, y.ID)) })
	all = all[:min(len(all), maxMerged-1)]
	taken := make(map[*delivery]bool, len(all))
	for _, x := range all {
		taken[x] = true
	}
	l.due = slices.DeleteFunc(l.due, func(x dueItem) bool { return taken[x.d] })
	l.due.Init()
	return all
}

// gather makes d the message of those of its members that are still needed. The others expire; what cannot be read goes its own way.
func (n *Notify) gather(ctx context.Context, d *delivery, m *Message) {
	var b body
	if err := json.Unmarshal(d.Body, &b); err != nil {
		n.part(ctx, d, false, time.Now())
		return
	}
	var left []*delivery
	for _, x := range d.members {
		var own body
		if err := json.Unmarshal(x.Body, &own); err != nil {
			n.settle(x, true, time.Now())
			continue
		}
		why, err := n.needed(ctx, x, &Message{Alert: own.Alert})
		if err != nil {
			n.cfg.Log.Warn("whether a delivery is still needed is not known", "delivery", x.ID, "err", err)
		}
		if why != "" {
			n.expire(ctx, x, why)
			continue
		}
		left = append(left, x)
		b.Merged = append(b.Merged, merged{x.ref(), own.Event, own.Alert.Name, own.Alert.Text, own.Alert.Severity})
	}
	d.members = left
	text, err := json.Marshal(b)
	if err != nil {
		n.part(ctx, d, false, time.Now())
		return
	}
	d.Body = text
	for _, x := range left {
		d.Contains = append(d.Contains, x.ref())
	}
	if again, err := d.message(); err == nil {
		*m = again
	}
}

// expire ends a member that is not needed any more.
func (n *Notify) expire(ctx context.Context, d *delivery, why string) {
	d.State, d.Error = bus.Expired, why
	n.metrics.done(d, "expired")
	n.end(ctx, d)
	n.settle(d, false, time.Time{})
}

func (d *delivery) ref() bus.DeliveryRef { return bus.DeliveryRef{Alert: d.Alert, ID: d.ID} }

// part decides what becomes of the members of d after a try.
func (n *Notify) part(ctx context.Context, d *delivery, again bool, at time.Time) {
	if again && len(d.Contains) > 0 { // the same message again
		return
	}
	for _, x := range d.members {
		switch {
		case told(&d.Delivery):
			n.metrics.done(x, "merged")
			n.settle(x, false, at)
			if len(x.Recipient.Reach) > 1 {
				n.hurry(x.Alert) // his other addresses need not be tried
			}
		case d.State == bus.Failed:
			x.State, x.Class, x.Error, x.Within = bus.Failed, d.Class, d.Error, nil
			n.metrics.done(x, "failed")
			n.fail(ctx, x)
			n.settle(x, false, at)
		default: // each for itself again; perhaps it has arrived
			x.State, x.Within, x.Doubt = bus.Pending, nil, d.Doubt
			n.settle(x, true, later(at, time.Now()))
		}
	}
	d.members = nil
}

// writeTogether stores a delivery that was taken, and its members as taken within it: all or none.
func (n *Notify) writeTogether(ctx context.Context, d *delivery) error {
	all := append([]*delivery{d}, d.members...)
	batch := make([]*nats.Msg, 0, len(all))
	for _, x := range all {
		if x != d {
			within := d.ref()
			x.State, x.Within, x.Updated = bus.Accepted, &within, d.Updated
		}
		data, err := json.Marshal(x.Delivery)
		if err != nil {
			return err
		}
		m := bus.Msg(bus.DeliverySubject(x.Alert, x.ID), data)
		bus.ExpectLast(m, x.seq)
		batch = append(batch, m)
	}
	last, err := n.cfg.Bus.Commit(ctx, bus.Core, batch)
	switch {
	case errors.Is(err, bus.ErrConflict):
		return bus.ErrConflict
	case err != nil:
		return fmt.Errorf("record delivery %s and %d within it: %w", d.ID, len(d.members), err)
	}
	for i, x := range all {
		x.seq = last - uint64(len(all)-1-i)
	}
	return nil
}

// claim gives deliveries found on CORE back to the ones within which they were being told, and returns the rest.
func (n *Notify) claim(all []*delivery) (rest []*delivery) {
	byID, claimed := map[string]*delivery{}, map[string]bool{}
	for _, d := range all {
		byID[d.ID] = d
	}
	for _, d := range all {
		for _, ref := range d.Contains {
			if x := byID[ref.ID]; x != nil && !claimed[x.ID] {
				d.members, claimed[x.ID] = append(d.members, x), true
			}
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, d := range all {
		switch {
		case !claimed[d.ID]:
			rest = append(rest, d)
		case !n.held[d.ID]:
			n.held[d.ID] = true
			n.behind[d.lineUp()] = n.behind[d.lineUp()]
		}
	}
	return rest
}

// followMembers has the next address tried of those that were told within a message that did not arrive.
func (n *Notify) followMembers(ctx context.Context, d *delivery) error {
	for _, ref := range d.Contains {
		x, err := n.last(ctx, ref.Alert, ref.ID)
		if err != nil {
			return err
		}
		if x.State == bus.Accepted {
			x.State, x.Class, x.Error, x.Updated = bus.Failed, d.Class, d.Error, time.Now().UTC()
			if err := n.write(ctx, x); err != nil {
				return err
			}
		}
		if err := n.advance(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// digest makes a message of several: its alert is all of them, for channels that write of an alert. It cannot be acknowledged.
func (b *body) digest(m Message) Message {
	all := append([]merged{{Event: b.Event, Name: b.Alert.Name, Text: b.Alert.Text, Severity: b.Alert.Severity}}, b.Merged...)
	slices.SortStableFunc(all, func(x, y merged) int { return cmp.Compare(x.Severity.Rank(), y.Severity.Rank()) })
	m.Alert.Severity, m.Alert.Place, m.Alert.Device, m.Alert.Instructions = all[0].Severity, devices.Place{}, "", devices.Text{}
	m.Alert.Name = devices.Text{ZH: fmt.Sprintf("%d 条通知", len(all)), EN: fmt.Sprintf("%d messages in one", len(all))}
	m.Alert.Text = devices.Text{ZH: spell(&chinese, all), EN: spell(&english, all)}
	if i := slices.IndexFunc(all, func(x merged) bool { return call(x.Event) }); i >= 0 {
		m.Event = all[i].Event
	}
	var titles, texts []string
	for _, w := range languages(b.Language) {
		titles = append(titles, "["+w.severity[all[0].Severity]+"] "+w.in(m.Alert.Name))
		texts = append(texts, w.in(m.Alert.Text))
	}
	m.Title, m.Text, m.Link = strings.Join(titles, " / "), strings.Join(texts, "\n\n"), ""
	return m
}

// spell writes the first of several, a line each, and counts the rest.
func spell(w *words, all []merged) string {
	var lines []string
	for _, x := range all[:min(len(all), maxSpelled)] {
		line := w.in(x.Name)
		if what := w.event[x.Event]; what != "" {
			line += " · " + what
		}
		lines = append(lines, line+w.colon+w.in(x.Text))
	}
	if more := len(all) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf(w.more, more))
	}
	return strings.Join(lines, "\n")
}
