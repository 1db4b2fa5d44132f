package ingest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/ingest"
	"linli/internal/testkit"
)

// Of two processes with the same sessions one works; the other takes over as soon as it ends.
func TestOneIngestAtATime(t *testing.T) {
	lease := func(c *ingest.Config) { c.Lease = true }
	first := newSite(t, lease)
	second := *first
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		second.start(t, lease) // returns when it is ready
	}()
	c := first.device(t, "tester")
	for n := range 50 {
		publish(t, c, emTopic, fmt.Sprintf(`{"seq":%d,"power_w":1}`, n), false)
	}
	first.settled(t, 50)
	select {
	case <-opened:
		t.Fatal("both are at work")
	default:
	}
	first.stop()
	select {
	case <-opened:
	case <-time.After(10 * time.Second):
		t.Fatal("the second does not take over")
	}
	publish(t, c, emTopic, `{"seq":50,"power_w":1}`, false)
	second.settled(t, 1)
	if n := first.sum("connections_lost", ""); n > 0 {
		t.Errorf("%v connections were taken away", n)
	}
}

// Whoever was killed takes its own lease back without waiting until it is free for others.
func TestOwnLeaseIsTakenBackAtOnce(t *testing.T) {
	s := newSite(t, func(c *ingest.Config) {})
	s.stop()
	kv, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), "ingest.lease", "me"); err != nil {
		t.Fatal(err)
	}
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		s.start(t, func(c *ingest.Config) { c.Lease, c.Owner = true, "me" })
	}()
	select {
	case <-opened:
	case <-time.After(5 * time.Second): // half of what others wait
		t.Fatal("it waits for itself")
	}
}

// A lease that another process has taken ends the work.
func TestLostLeaseEndsTheWork(t *testing.T) {
	s := newSite(t, func(c *ingest.Config) { c.Lease = true })
	kv, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.PutString(t.Context(), "ingest.lease", "somebody"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.ingest.Status() != nil })
	if err := kv.Delete(t.Context(), "ingest.lease"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.ingest.Status() == nil })
	c := s.device(t, "tester")
	publish(t, c, emTopic, `{"power_w":1}`, false)
	s.settled(t, 1)
}

// What was read and not stored when the lease was lost comes again from the broker: it is news then, not a repeat.
func TestReadingsOfALostTermAreStored(t *testing.T) {
	s := newSite(t, func(c *ingest.Config) { c.Lease = true })
	kv, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.bus.Setup(t.Context(), bus.Limits{Readings: 1}); err != nil { // nothing fits
		t.Fatal(err)
	}
	c := s.device(t, "tester")
	const n = 20
	for seq := range n {
		publish(t, c, emTopic, fmt.Sprintf(`{"ts":%d,"seq":%d,"power_w":1}`, time.Now().UnixMilli(), seq), false)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.ingest.Status() != nil })
	standsBy := func() bool {
		err := s.ingest.Status()
		return err != nil && strings.Contains(err.Error(), "stands by")
	}
	if _, err := kv.PutString(t.Context(), "ingest.lease", "somebody"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, standsBy)
	if err := kv.Delete(t.Context(), "ingest.lease"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return !standsBy() })
	if err := s.bus.Setup(t.Context(), testkit.Limits); err != nil {
		t.Fatal(err)
	}
	s.settled(t, n)
	lines := 0
	for _, batches := range s.stored(t, bus.Readings) {
		for _, batch := range batches {
			lines += strings.Count(batch, "\n")
		}
	}
	if lines != n {
		t.Errorf("%d readings are stored, want %d", lines, n)
	}
}
