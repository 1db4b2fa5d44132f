package embedded_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"linli/app/embedded"
)

// Logging in, permissions and session included.
func BenchmarkConnect(b *testing.B) {
	br := newBroker(b)
	br.book.anyone = true
	var next atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			// Every time another device: the broker holds one that comes back at once for a second.
			c, err := br.dial(device(fmt.Sprintf("bench%d", next.Add(1))))
			if err != nil {
				b.Error(err)
				return
			}
			c.Disconnect(0)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "connects/s")
}

// A gateway's permissions list every one of its devices.
func BenchmarkConnectGateway500(b *testing.B) {
	br := newBroker(b)
	children := make([]string, embedded.MaxChildren)
	for i := range children {
		children[i] = fmt.Sprintf("child-%d", i)
	}
	br.book.anyone = true
	n := 0
	for b.Loop() {
		n++
		id := fmt.Sprintf("gw%d", n)
		br.book.children[id] = children
		c, err := br.dial(device(id))
		if err != nil {
			b.Fatal(err)
		}
		c.Disconnect(0)
	}
}
