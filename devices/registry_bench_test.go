package devices_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"linli/devices"
)

func BenchmarkDevice(b *testing.B) {
	s := newSite(b)
	s.add(b, bin("d1"))
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if s.Device("d1") == nil {
				b.Error("gone")
			}
		}
	})
}

// BenchmarkOpenRegistry loads 100,000 devices.
func BenchmarkOpenRegistry(b *testing.B) {
	s := newSite(b)
	for i := range 100_000 {
		data, err := json.Marshal(devices.Device{
			ID: fmt.Sprintf("d%06d", i), Community: "north", Type: "bin", Name: "垃圾桶",
			Place: devices.Place{Estate: "e1", Building: "b1", Unit: "u1"}, Gateway: fmt.Sprintf("g%03d", i/500), State: devices.Active,
			SecretHash: strings.Repeat("0", 64), Created: time.Unix(1, 0),
		})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.bus.JS.PublishAsync(fmt.Sprintf("$KV.registry.device.d%06d", i), data); err != nil {
			b.Fatal(err)
		}
	}
	<-s.bus.JS.PublishAsyncComplete()
	for b.Loop() {
		if r := openRegistry(b, s.bus); len(r.Devices()) != 100_000 {
			b.Fatalf("loaded %d", len(r.Devices()))
		}
	}
}
