package notify

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
)

// BenchmarkStorm is how many ordinary events a second become deliveries that are taken, and how long an SOS in the midst of them
// takes from its event to the channel.
func BenchmarkStorm(b *testing.B) {
	b.ReportAllocs()
	x, r := testkit.NATS(b), newRecorder()
	var mu sync.Mutex
	took := []time.Duration{}
	at := map[string]time.Time{}
	r.fail = func(m Message, _ int) error {
		mu.Lock()
		defer mu.Unlock()
		if began, sos := at[m.Alert.ID]; sos {
			took = append(took, time.Since(began))
		}
		return nil
	}
	startAll(b, x, Channels{"ops": r})
	i, began := 0, time.Now()
	for b.Loop() {
		i++
		e := event(fmt.Sprint("a", i), 1, "opened", func(e *bus.AlertEvent) { e.Alert.Safety = false })
		if i%100 == 0 {
			e.Alert.Safety = true
			mu.Lock()
			at[e.Alert.ID] = time.Now()
			mu.Unlock()
		}
		data, err := json.Marshal(e)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := x.JS.PublishAsync(bus.AlertEventSubject(e.Alert.ID, 1), data); err != nil {
			b.Fatal(err)
		}
	}
	<-x.JS.PublishAsyncComplete()
	testkit.Eventually(b, time.Minute, func() bool { return r.count() == i })
	mu.Lock()
	defer mu.Unlock()
	worst := time.Duration(0)
	for _, d := range took {
		worst = max(worst, d)
	}
	b.ReportMetric(float64(i)/time.Since(began).Seconds(), "events/s")
	b.ReportMetric(float64(worst.Milliseconds()), "SOS-worst-ms")
}
