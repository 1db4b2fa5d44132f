package ingest

import (
	"testing"
	"testing/synctest"
	"time"

	"linli/internal/testkit"
)

func TestSilentBrokerIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &session{log: testkit.Log}
		start := time.Now()
		s.heard.Store(start.UnixNano())
		time.AfterFunc(20*time.Second, func() { s.heard.Store(time.Now().UnixNano()) })
		s.watch(t.Context())
		if waited := time.Since(start); waited < 50*time.Second || waited > time.Minute {
			t.Errorf("given up %v after it was heard last", waited-20*time.Second)
		}
	})
}
