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
			b.close(a, now, "", "rule retired")
		case len(r.Types) > 0 && !slices.Contains(r.Types, a.Type):
			b.close(a, now, "", "rule changed")
		}
	}
}
