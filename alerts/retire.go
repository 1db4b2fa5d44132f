package alerts

import (
	"maps"
	"slices"
	"time"

	"linli/bus"
)

// retire closes the alerts that no rule can judge any more: theirs is gone, or is no longer for their device type. Latched ones stay,
// because they are a person's to end. An alert whose rule only says something else now is judged by that; a signal that is measured
// otherwise is unknown until its window has filled, and until then the alert stays.
func (b *book) retire(now time.Time) {
	for _, id := range slices.Sorted(maps.Keys(b.alerts)) {
		a := b.alerts[id]
		if a.State == bus.Closed || a.Latched {
			continue
		}
		switch r := b.rules.byID[a.Rule]; {
		case r == nil:
			b.abandon(a, now, "rule retired")
		case len(r.Types) > 0 && !slices.Contains(r.Types, a.Type):
			b.abandon(a, now, "rule changed")
		}
	}
}

// abandon closes an alert that nothing judges any more. Who was told of it is told so, unless they know already that it has cleared.
func (b *book) abandon(a *bus.Alert, now time.Time, why string) {
	ev := bus.AlertEvent{Kind: closed, At: now, Note: why}
	if a.State != bus.Cleared {
		ev.Tell = b.ended(a, now)
	}
	b.closeAs(a, ev)
}
