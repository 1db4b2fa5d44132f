package alerts

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"linli/devices"
	"linli/people"
)

// anyone is a Directory in which every device is registered.
type anyone struct{ device devices.Device }

func (a *anyone) Device(string) *devices.Device       { return &a.device }
func (a *anyone) Devices() []*devices.Device          { return nil }
func (a *anyone) Person(string) *people.Person        { return nil }
func (a *anyone) Community(string) *devices.Community { return nil }

// BenchmarkReading is the whole way of a reading of 5 fields through the rules of its type: parse, look up, evaluate.
func BenchmarkReading(b *testing.B) {
	for _, devices := range []int{1, 20_000} {
		b.Run(fmt.Sprintf("devices=%d", devices), func(b *testing.B) {
			_, rules := catalogueRules(b)
			c := newCore(rules, &anyone{})
			lines := make([][]byte, devices)
			for i := range lines {
				lines[i] = fmt.Appendf(nil, "electricity,community=tianjin,device=em-%05d voltage_l1_v=229.4,current_l1_a=4.2,power_w=950.5,frequency_hz=50.01,energy_import_kwh=12345.6,received_at=1767542400000i 1767542400000123456\n", i)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := c.reading(lines[i%devices]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
			b.ReportMetric(float64(b.N*len(c.touched))/b.Elapsed().Seconds(), "evaluations/s")
		})
	}
}

// BenchmarkMemory is what 20,000 devices with all their rules take.
func BenchmarkMemory(b *testing.B) {
	const devices = 20_000
	_, rules := catalogueRules(b)
	for b.Loop() {
		before := inUse()
		c := newCore(rules, &anyone{})
		cells := 0
		for i := range devices {
			line := fmt.Appendf(nil, "electricity,community=tianjin,device=em-%05d voltage_l1_v=229.4,power_w=950.5,received_at=1767542400000i 1767542400000123456\n", i)
			if _, err := c.reading(line); err != nil {
				b.Fatal(err)
			}
		}
		for _, s := range c.series {
			cells += len(s.cells)
		}
		size := inUse() - before
		packed := 0
		for i := range shards {
			packed += len(c.pack(uint8(i), func(*series) bool { return true }))
		}
		b.ReportMetric(float64(size)/devices, "B/device")
		b.ReportMetric(float64(cells)/devices, "cells/device")
		b.ReportMetric(float64(packed)/devices, "checkpoint-B/device")
		runtime.KeepAlive(c)
	}
}

// BenchmarkHistory is what judging a stored reading takes, beside reading it: 100 devices that report every minute.
func BenchmarkHistory(b *testing.B) {
	_, rules := catalogueRules(b)
	h := NewHistory(rules, &anyone{}, time.Unix(0, 0))
	at, i := int64(1767542400000), 0
	var line []byte
	b.ReportAllocs()
	for b.Loop() {
		if i++; i%100 == 0 {
			at += 60_000
			h.Advance(time.UnixMilli(at))
		}
		line = fmt.Appendf(line[:0], "indoor,community=tianjin,device=rp-%03d co2_ppm=%d,temperature_c=21.5,received_at=%di %d\n", i%100, 500+i%300, at, at*1_000_000)
		if err := h.Reading(line); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFleet is a day of whole fleets: how fast their readings are judged and what is remembered of them. Door contacts have five
// rules and report every hour; of meters nearly half of the rules remember the day by half-hours.
func BenchmarkFleet(b *testing.B) {
	for _, fleet := range []struct {
		devices, readings int
		what, fields      string
	}{
		{100_000, 24, "contact", "open=false,battery_pct=80,enclosure_temp_c=2%d.5,clock_skew_s=0.1"},
		{10_000, 48, "water", "volume_m3=500.%d,flow_m3h=0,battery_pct=80"},
	} {
		b.Run(fmt.Sprintf("%s=%d", fleet.what, fleet.devices), func(b *testing.B) {
			_, rules := catalogueRules(b)
			heads := make([][]byte, fleet.devices)
			for i := range heads {
				heads[i] = fmt.Appendf(nil, "%s,community=tianjin,device=d-%06d ", fleet.what, i)
			}
			for b.Loop() {
				before := inUse()
				c := newCore(rules, &anyone{})
				var line []byte
				judged, instances := 0, 0
				began := time.Now()
				for n := range fleet.readings {
					at := 1767542400000 + int64(n)*24*3_600_000/int64(fleet.readings)
					tail := fmt.Appendf(nil, fleet.fields+",received_at=%di %d\n", n/8, at, at*1_000_000)
					for _, head := range heads {
						line = append(append(line[:0], head...), tail...)
						if _, err := c.reading(line); err != nil {
							b.Fatal(err)
						}
						judged += len(c.touched)
					}
				}
				took := time.Since(began)
				for _, s := range c.series {
					instances += len(s.cells)
				}
				for _, a := range c.book.alerts {
					b.Fatalf("%d alerts, one of %s, want a fleet that is well", len(c.book.alerts), a.Rule)
				}
				size := float64(inUse() - before)
				b.ReportMetric(float64(judged)/took.Seconds(), "evaluations/s")
				b.ReportMetric(size/float64(instances), "B/instance")
				b.ReportMetric(float64(instances), "instances")
				b.ReportMetric(size/1e6, "MB")
				runtime.KeepAlive(c)
			}
		})
	}
}

// estate is a Directory in which every device is a charger of one transformer.
type estate struct{ devices map[string]*devices.Device }

func (e *estate) Device(id string) *devices.Device    { return e.devices[id] }
func (e *estate) Devices() []*devices.Device          { return nil }
func (e *estate) Person(string) *people.Person        { return nil }
func (e *estate) Community(string) *devices.Community { return nil }

// BenchmarkGroup is the way of a reading of a charger whose load is summed up with that of the others of its transformer.
func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{10, 100, 250, 1000} {
		b.Run(fmt.Sprintf("chargers=%d", n), func(b *testing.B) {
			_, rules := catalogueRules(b)
			all := &estate{map[string]*devices.Device{}}
			for i := range n {
				id := fmt.Sprintf("ev-%04d", i)
				all.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "ev_charger", Tags: map[string]string{"transformer": "t1"}}
			}
			c := newCore(rules, all)
			var line []byte
			at, i := int64(1767542400000), 0
			b.ReportAllocs()
			for b.Loop() {
				at += 60_000 / int64(n)
				line = fmt.Appendf(line[:0], "%s,community=tianjin,device=ev-%04d power_w=%d,received_at=%di %d\n", rules.byType["ev_charger"].typ.Measurement, i%n, 6000+i%7, at, at*1_000_000)
				if _, err := c.reading(line); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
		})
	}
}

// inUse is how much memory is in use.
func inUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
