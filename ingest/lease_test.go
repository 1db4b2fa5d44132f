package ingest_test

import (
	"fmt"
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
	testkit.Eventually(t, 10*time.Second, func() bool { return s.ingest.Status() != nil })
	if err := kv.Delete(t.Context(), "ingest.lease"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 20*time.Second, func() bool { return s.ingest.Status() == nil })
	c := s.device(t, "tester")
	publish(t, c, emTopic, `{"power_w":1}`, false)
	s.settled(t, 1)
}
