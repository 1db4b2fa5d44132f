package ingest_test

import (
	"encoding/json"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
)

// While ingest is away nobody listens, and the bus says so.
func TestItSaysWhenItListens(t *testing.T) {
	s := newSite(t)
	kv, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	said := func() (l bus.Listening) {
		if e, err := kv.Get(t.Context(), bus.ListeningKey); err == nil {
			if err := json.Unmarshal(e.Value(), &l); err != nil {
				t.Fatal(err)
			}
		}
		return l
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return !said().Until.IsZero() })
	s.stop()
	before := said()
	if len(before.Gaps) != 0 {
		t.Errorf("gaps %v before any restart", before.Gaps)
	}
	s.start(t)
	testkit.Eventually(t, 30*time.Second, func() bool { return said().Until.After(before.Until) })
	if after := said(); len(after.Gaps) != 1 || !after.Gaps[0].From.Equal(before.Until) || !after.Gaps[0].To.After(after.Until) {
		t.Errorf("gaps %v after a restart, heard until %v before", after.Gaps, before.Until)
	}
}
