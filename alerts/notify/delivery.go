package notify

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"linli/bus"
)

// delivery is a record and the place of its last version on CORE.
type delivery struct {
	bus.Delivery
	seq    uint64 // of the record; what it is guarded with
	safety bool
	begun  bool // recorded as being sent, and not tried yet
}

// begin lets the first record of a delivery already say that it is being sent: one write less before somebody's phone rings. Found
// so after a crash it counts as sent perhaps.
func (d *delivery) begin() { d.State, d.Attempts, d.begun = bus.Sending, 1, true }

// finished reports whether no further try is due.
func (d *delivery) finished() bool { return d.State == bus.Accepted || d.State == bus.Failed }

// lineUp is what keeps the deliveries of one alert over one channel in order.
func (d *delivery) lineUp() string { return d.Channel + " " + d.Alert }

// idOf is the id of the delivery of an alert's event over a channel.
func idOf(alert string, n int, channel string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s|%d|%s", alert, n, channel))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:26]
}

// told reports whether people are told of an event. What came too late to act on is only recorded, until it is confirmed; checks
// of the path itself are nobody's business. An acknowledgement is an answer. A repeat is counted in the alert and not told: a
// device that was cut off sends its press again, and an alert opens once.
func told(e *bus.AlertEvent) bool {
	if e.Alert.Late || e.Alert.Synthetic {
		return false
	}
	switch e.Kind {
	case "opened", "confirmed", "cleared":
		return true
	case "closed": // by itself it closes long after it cleared
		return e.By != ""
	}
	return false
}

// body is what a receiver gets.
type body struct {
	ID    string    `json:"id"`    // of the delivery
	Event string    `json:"event"` // opened, confirmed, cleared, closed
	N     int       `json:"n"`     // its number in the alert
	At    time.Time `json:"at"`
	By    string    `json:"by,omitempty"` // who closed it
	Alert bus.Alert `json:"alert"`
}

// plan makes the delivery of an event over a channel.
func plan(e *bus.AlertEvent, channel string, now time.Time) (*delivery, error) {
	id := idOf(e.Alert.ID, e.N, channel)
	b, err := json.Marshal(body{ID: id, Event: e.Kind, N: e.N, At: e.At, By: e.By, Alert: e.Alert})
	if err != nil {
		return nil, fmt.Errorf("write delivery of alert %s: %w", e.Alert.ID, err)
	}
	return &delivery{
		Delivery: bus.Delivery{
			ID: id, Alert: e.Alert.ID, N: e.N, Channel: channel, State: bus.Pending, Body: b, Created: now, Updated: now,
		},
		safety: e.Alert.Safety,
	}, nil
}

// message is the delivery as its channel sends it. The body was written by plan, so it can be read.
func (d *delivery) message() (Message, error) {
	var b body
	if err := json.Unmarshal(d.Body, &b); err != nil {
		return Message{}, fmt.Errorf("read body of delivery %s: %w", d.ID, err)
	}
	d.safety = b.Alert.Safety
	return Message{ID: d.ID, Body: d.Body, Summary: b.Alert.Text}, nil
}

// pauses before the tries of a delivery; the last goes on for ever.
var pauses = [...]time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 30 * time.Second, time.Minute}

// pause is how long to wait before the next try, after so many.
func pause(attempts int) time.Duration { return pauses[min(attempts, len(pauses)-1)] }
