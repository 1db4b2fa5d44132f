package alerts

import (
	"fmt"
	"slices"

	"linli/bus"
	"linli/devices"
)

// The end of what a digest told of is told as the digest did: in one message, when all of it is over. Until then the digest is closed
// and owes its end.

// going reports whether an alert is not over.
func going(a *bus.Alert) bool { return a.State == bus.Opened || a.State == bus.Acknowledged }

// list names in a digest the alerts it stands for, those that are not over first: there may be too many to name.
func list(d *bus.Alert, all []*bus.Alert) {
	for _, want := range []bool{true, false} {
		for _, a := range all {
			if going(a) == want && len(d.Listed) < digestList {
				d.Listed = append(d.Listed, a.ID)
			}
		}
	}
}

// onlyBy reports whether somebody has heard of an alert that is not over by no more than a digest, and of its end by no other one.
func (b *book) onlyBy(d, a *bus.Alert, who string) bool {
	return going(a) && !slices.Contains(a.Told, who) && !slices.ContainsFunc(b.awaited[a.ID], func(id string) bool {
		other := b.alerts[id]
		return other.Community == d.Community && other.Identity == d.Identity
	})
}

// await lets the end of a digest wait for that of the alerts it names.
func (b *book) await(d *bus.Alert) {
	for _, id := range d.Listed {
		b.awaited[id] = append(b.awaited[id], d.ID)
	}
}

// recallEnds lets the digests that owe their end wait for it, and tells of those that need not wait any more: an engine may end
// between the last alert and its digest.
func (b *book) recallEnds() {
	var all []*bus.Alert
	for _, d := range b.alerts {
		if d.Owed && d.Held == "" && len(d.Listed) > 0 {
			all = append(all, d)
		}
	}
	for _, d := range all {
		b.await(d)
		b.concludeIf(d)
	}
}

// conclude tells of the end of the digests that waited for that of an alert.
func (b *book) conclude(a *bus.Alert) {
	if going(a) {
		return
	}
	for _, id := range slices.Clone(b.awaited[a.ID]) {
		b.concludeIf(b.alerts[id])
	}
}

// concludeIf tells of the end of a digest if all that it named is over, at the time that it was.
func (b *book) concludeIf(d *bus.Alert) {
	at := d.OpenedAt
	for _, id := range d.Listed {
		switch a := b.alerts[id]; {
		case a == nil: // over so long ago that it is forgotten
		case going(a):
			return
		case a.ClearedAt != nil:
			at = latest(at, *a.ClearedAt)
		case a.ClosedAt != nil:
			at = latest(at, *a.ClosedAt)
		}
	}
	for _, id := range d.Listed {
		left := slices.DeleteFunc(b.awaited[id], func(x string) bool { return x == d.ID })
		if b.awaited[id] = left; len(left) == 0 {
			delete(b.awaited, id)
		}
	}
	when := d.OpenedAt.In(b.zone(d.Community)).Format("01-02 15:04")
	d.Text = devices.Text{
		ZH: fmt.Sprintf("%s 汇总的 %d 条告警均已解除", when, d.Count),
		EN: fmt.Sprintf("All %d alerts of the digest of %s are over", d.Count, when),
	}
	if n := len(d.Listed); n < d.Count {
		d.Text = devices.Text{
			ZH: fmt.Sprintf("%s 汇总的 %d 条告警中，列出的 %d 条均已解除", when, d.Count, n),
			EN: fmt.Sprintf("Of the %d alerts of the digest of %s, the %d that it lists are over", d.Count, when, n),
		}
	}
	d.Owed, d.ClearedAt = false, &at
	tell := b.ended(d, at)
	b.record(d, bus.AlertEvent{Kind: cleared, At: at, Tell: tell, Note: "all of it is over"})
}
