package notify

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"linli/bus"
)

// delivery is a record and the place of its last version on CORE.
type delivery struct {
	bus.Delivery
	seq    uint64    // of the record; what it is guarded with
	stored time.Time // when its event was; zero when that is not known, because the delivery is from before
	begun  bool      // recorded as being sent, and not tried yet
	due    time.Time // of its next try or look; it may be woken before that
	passed bool      // the next address is tried already
	waited bool      // for the quota of its provider, so that it may be told together with others, see merge.go

	unanswered []uint64 // sums of what was written since seq, without an answer

	members []*delivery // taken out of the lane to be told together with it
}

// begin lets the first record of a delivery already say that it is being sent: one write less before somebody's phone rings. Found
// so after a crash it counts as sent perhaps.
func (d *delivery) begin() { d.State, d.Attempts, d.begun = bus.Sending, 1, true }

const (
	// freshFor is how long a first call goes out without a look whether somebody was faster: after it was made, and after its event was
	// stored.
	freshFor      = 100 * time.Millisecond
	freshForEvent = 5 * time.Second
)

// fresh reports whether nobody can have been faster. A notifier that was away finds calls that were answered long ago.
func (d *delivery) fresh(now time.Time) bool {
	return d.Attempts == 0 && d.Address == 0 && call(d.Event) && now.Sub(d.Created) < freshFor && now.Sub(d.stored) < freshForEvent
}

// finished reports whether nothing is left to do, nor to look at.
func (d *delivery) finished() bool {
	return d.State != bus.Pending && d.State != bus.Sending && d.Look.IsZero()
}

// passedOver reports whether a delivery was not made because another address of its recipient had taken the message.
func (d *delivery) passedOver() bool {
	return d.State == bus.Expired && strings.HasPrefix(d.Error, reachedOver)
}

// lineUp is what keeps the deliveries of one alert to one address in order.
func (d *delivery) lineUp() string { return d.Channel + "\x00" + d.To + "\x00" + d.Alert }

// told reports whether a delivery has reached its address, as far as its provider says.
func told(d *bus.Delivery) bool {
	return d.State == bus.Accepted || d.State == bus.Delivered || d.State == bus.Acted
}

// reached reports whether its recipient need not be told over another address: it is taken, and a receipt is not overdue.
func reached(d *bus.Delivery, now time.Time) bool {
	return told(d) && (d.Look.IsZero() || now.Before(d.Look))
}

// call reports whether an event asks people to act. The others are news for those who were asked.
func call(kind string) bool {
	switch kind {
	case "cleared", "closed", "acknowledged", "family_acknowledged", "renewed", "commented", "snoozed", "kept", "unreached":
		return false
	}
	return true
}

// duty reports whether a recipient stands for the duty channels.
func duty(r *bus.Recipient) bool { return len(r.Reach) == 0 }

// whom names a recipient among those of an event.
func whom(r *bus.Recipient) string {
	if r.Person != "" {
		return r.Person
	}
	return r.Target
}

// idOf is the id of a delivery.
func idOf(alert string, n int, r *bus.Recipient, channel, to string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%d|%d|%s|%s|%s", alert, n, r.Round, r.Step, whom(r), channel, to))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}

// body is what a receiver gets, and what texts for people are made of.
type body struct {
	ID       string    `json:"id"`    // of the delivery
	Event    string    `json:"event"` // opened, confirmed, cleared, closed …
	N        int       `json:"n"`     // its number in the alert
	At       time.Time `json:"at"`
	By       string    `json:"by,omitempty"` // who did it
	Note     string    `json:"note,omitempty"`
	Target   string    `json:"target,omitempty"`   // of the plan: who is told
	Person   string    `json:"person,omitempty"`   // id
	Language string    `json:"language,omitempty"` // zh or en
	Round    int       `json:"round,omitempty"`    // of the escalation
	Link     string    `json:"link,omitempty"`     // under which it is acknowledged
	Alert    bus.Alert `json:"alert"`
	Merged   []merged  `json:"merged,omitempty"` // told in the same message
}

// recipients are those who are told of an event and the addresses that come first: of a recipient with a reach its first address,
// for duty every duty channel. News goes to every address, since any of them may have been the one that took the call.
func (n *Notify) recipients(e *bus.AlertEvent) (all []*delivery, err error) {
	for _, r := range e.Tell {
		if r.Held != "" {
			continue
		}
		addresses := r.Reach
		switch {
		case duty(&r):
			for _, name := range n.cfg.Duty {
				addresses = append(addresses, bus.Address{Channel: name})
			}
		case call(e.Kind):
			addresses = addresses[:1]
		}
		for i, to := range addresses {
			d, err := n.plan(e, &r, i, to)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(all, func(x *delivery) bool { return x.ID == d.ID }) {
				all = append(all, d)
			}
		}
	}
	return all, nil
}

// plan makes the delivery of an event to an address of a recipient.
func (n *Notify) plan(e *bus.AlertEvent, r *bus.Recipient, address int, to bus.Address) (*delivery, error) {
	id := idOf(e.Alert.ID, e.N, r, to.Channel, to.To)
	text := body{
		ID: id, Event: e.Kind, N: e.N, At: e.At, By: e.By, Note: e.Note, Target: r.Target, Person: r.Person, Language: r.Language,
		Round: r.Round, Alert: e.Alert,
	}
	if call(e.Kind) && n.cfg.Link != nil {
		text.Link = n.cfg.Link(e, r)
	}
	b, err := json.Marshal(text)
	if err != nil {
		return nil, fmt.Errorf("write delivery of alert %s: %w", e.Alert.ID, err)
	}
	now := time.Now().UTC()
	return &delivery{Delivery: bus.Delivery{
		ID: id, Alert: e.Alert.ID, N: e.N, Event: e.Kind, Community: e.Alert.Community, Recipient: *r, Address: address,
		Channel: to.Channel, To: to.To, Safety: e.Alert.Safety, State: bus.Pending, Body: b, Created: now, Updated: now,
	}}, nil
}

// next is the delivery to the next address of the recipient; nil when there is none.
func (n *Notify) next(d *delivery) (*delivery, error) {
	if d.Address+1 >= len(d.Recipient.Reach) {
		return nil, nil
	}
	var b body
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return nil, fmt.Errorf("read body of delivery %s: %w", d.ID, err)
	}
	e := bus.AlertEvent{N: b.N, Kind: b.Event, At: b.At, By: b.By, Note: b.Note, Alert: b.Alert}
	return n.plan(&e, &d.Recipient, d.Address+1, d.Recipient.Reach[d.Address+1])
}

// message is the delivery as its channel sends it. The body was written by plan, so it can be read.
func (d *delivery) message() (Message, error) {
	var b body
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return Message{}, fmt.Errorf("read body of delivery %s: %w", d.ID, err)
	}
	title, text := compose(&b)
	m := Message{
		ID: d.ID, To: d.To, Language: b.Language, Event: b.Event, Alert: b.Alert, Title: title, Text: text, Link: b.Link, Body: d.Body,
		Made: d.Created,
	}
	if len(b.Merged) > 0 {
		m = b.digest(m)
	}
	return m, nil
}

// pauses before the tries of a delivery; the last goes on for ever.
var pauses = [...]time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}

// pause is how long to wait before the next try, after so many.
func pause(attempts int) time.Duration { return pauses[min(attempts, len(pauses)-1)] }

// delay is how long to wait after so many tries, the last of which ended with err.
func delay(attempts int, err error) time.Duration { return max(pause(attempts), retryAfter(err)) }

// patience is how long an address may take before the next one of its recipient is tried too.
func patience(safety bool) time.Duration {
	if safety {
		return 2500 * time.Millisecond
	}
	return 28 * time.Second
}
