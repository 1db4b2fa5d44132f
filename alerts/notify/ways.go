package notify

import (
	"context"
	"sync"
	"time"

	"linli/bus"
)

// ways remembers over which channels somebody cannot be reached: an address is bad from the provider's word that nobody is there
// until something arrives over its channel. It is made again at the start, from the deliveries on CORE.
type ways struct {
	mu  sync.Mutex // guards bad
	bad map[way]bool
}

// way is a channel to a person. The address is not part of it: a number that is corrected mends it.
type way struct{ person, channel string }

func newWays() *ways { return &ways{bad: map[way]bool{}} }

func (w *ways) isBad(x way) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bad[x]
}

func (w *ways) set(x way, bad bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if bad {
		w.bad[x] = true
	} else {
		delete(w.bad, x)
	}
}

// recall takes in what a delivery of before has shown; they come in the order in which they ended.
func (w *ways) recall(d *bus.Delivery) {
	x := way{d.Recipient.Person, d.Channel}
	switch {
	case x.person == "":
	case d.State == bus.Failed && d.Class == string(BadTarget) && d.Attempts > 0:
		w.set(x, true)
	case told(d):
		w.set(x, false)
	}
}

// broke reports that an address of a person does not exist. It is reported before the delivery is recorded as failed: after a crash
// in between it is tried, and reported, again under the same key.
func (n *Notify) broke(ctx context.Context, d *delivery) {
	if x := (way{d.Recipient.Person, d.Channel}); x.person != "" {
		n.ways.set(x, true)
		n.reportWay(ctx, d, "bad_address", d.Error)
	}
}

// mended reports that something has arrived where nothing did before.
func (n *Notify) mended(ctx context.Context, d *delivery) {
	if x := (way{d.Recipient.Person, d.Channel}); n.ways.isBad(x) && n.reportWay(ctx, d, "good_address", "") {
		n.ways.set(x, false)
	}
}

func (n *Notify) reportWay(ctx context.Context, d *delivery, kind, note string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepLimit)
	defer cancel()
	err := n.act(ctx, bus.Action{
		Key: kind + "." + d.ID, Kind: kind, Alert: d.Alert, Community: d.Community, By: "notify", Note: note, At: time.Now().UTC(),
		Person: d.Recipient.Person, Address: &bus.Address{Channel: d.Channel, To: d.To},
	})
	if err != nil {
		n.cfg.Log.Warn("what is known of an address is not reported", "delivery", d.ID, "kind", kind, "err", err)
	}
	return err == nil
}
