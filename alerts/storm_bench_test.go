package alerts

import (
	"fmt"
	"testing"
	"time"

	"linli/devices"
)

// BenchmarkStorm is one ordinary alert of a storm of 50,000 a minute: judged, kept back from two people, summed up every 10
// minutes, with all the others open.
func BenchmarkStorm(b *testing.B) {
	const a = 50_000
	w := &world{core: newCore(probeRules(b), newPeople()), t: b, people: newPeople()}
	w.book.resolver, w.book.dir = neighbours, &anyone{devices.Device{ID: "any", Community: "tianjin", Type: "probe"}}
	every := time.Minute / a
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		at := start.Add(time.Duration(i) * every)
		line := fmt.Appendf(nil, "event,community=tianjin,device=q%d,type=probe,event=jam attempts=3,received_at=%di %d\n", i%a, at.UnixMilli(), at.UnixNano())
		if err := w.core.event(line); err != nil {
			b.Fatal(err)
		}
		if i++; i%(a/600) == 0 {
			w.book.wake(at)
			w.book.out = w.book.out[:0]
			clear(w.book.changed)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "alerts/s")
}
