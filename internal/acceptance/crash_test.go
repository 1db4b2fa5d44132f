package acceptance

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	seed  = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the crash points")
	kills = flag.Int("kills", 20, "how often the server is killed")
)

// leastLoad is how many readings a kill are acknowledged, at least, in a crash test that proves something. How many that is a second is
// the machine's matter, and printed.
const leastLoad = 500

// The promise of the product, tested: whatever is killed at any moment, what the broker acknowledged is stored once, every SOS
// reaches a person, and none opens twice.
func TestNothingIsLostWhenTheServerIsKilled(t *testing.T) {
	t.Logf("reproduce with -seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	ids := s.fleet(6, 20, 20)
	began := time.Now()
	// The broker acknowledges within a millisecond. Who sends the next reading at each acknowledgement has always one under way.
	l := startLoad(t, s.mqtt, ids, "-inflight", "1", "-duration", "10m", "-sos-every", "2700ms")

	var killed []time.Time
	for n := range *kills {
		time.Sleep(time.Duration(random.Int64N(int64(2500 * time.Millisecond)))) // the random moment is the point
		killed = append(killed, time.Now())
		s.kill()
		s.launch()
		if n%3 > 0 { // else kill it again while it starts
			s.await(30*time.Second, "ready", s.ready)
		}
	}
	s.await(30*time.Second, "ready", s.ready)
	l.stop()
	r := l.wait()
	a := l.account()
	busy := 0
	for _, at := range killed {
		if a.inFlight(at) > 0 {
			busy++
		}
	}
	t.Logf("%d kills, %d of them with readings in flight; %d readings sent, %d acknowledged in %.0f s (%.0f/s), %d presses, %d reconnects",
		len(killed), busy, r.Sent, r.Acked, r.Seconds, a.rate(), r.SOS, r.Reconnects)
	if r.Acked < leastLoad*len(killed) {
		t.Errorf("%d readings were acknowledged, want at least %d a kill: this run proves nothing", r.Acked, leastLoad)
	}
	if 3*busy < len(killed) {
		t.Errorf("only %d of %d kills hit readings in flight", busy, len(killed))
	}

	s.await(60*time.Second, "drained", func() bool { return s.missing(a, began) == 0 })
	acked, open := s.verify(a, began)
	t.Logf("%d acknowledged readings are stored once; %d were never acknowledged", acked, open)

	pressed := map[string]bool{}
	for device, m := range a {
		if m[0] != nil {
			pressed[device] = true
		}
	}
	s.await(30*time.Second, "paged", func() bool { return len(hook.opened("sb_sos")) >= len(pressed) })
	opened := hook.opened("sb_sos")
	for device := range pressed {
		if opened[device] != 1 {
			t.Errorf("SOS of %s: opened %d times at the receiver", device, opened[device])
		}
	}
	var list struct {
		Alerts []struct{ ID, Rule, Device string }
	}
	if err := s.get("/api/v1/alerts?community="+loadCommunity, &list); err != nil {
		t.Fatal(err)
	}
	episodes := map[string]int{}
	for _, al := range list.Alerts {
		if al.Rule == "sb_sos" {
			episodes[al.Device]++
		}
	}
	for device := range pressed {
		if episodes[device] != 1 {
			t.Errorf("SOS of %s: %d alerts", device, episodes[device])
		}
	}
	t.Logf("%d SOS reached the receiver once; %d deliveries came again with the same id", len(pressed), hook.repeated)
	s.terminate()
}

// A second server on the same data directory is refused, and a stop by SIGTERM is clean.
func TestSecondServerIsRefused(t *testing.T) {
	first := newServer(t)
	first.start()
	second := newServer(t)
	second.data = first.data
	second.launch()
	if err := second.cmd.Wait(); err == nil {
		t.Error("a second server on the same data directory ended without an error")
	}
	second.cmd = nil
	if !second.logs.contains(first.data) {
		t.Errorf("the refusal does not name the directory: %s", second.logs.tail(2000))
	}
	if !first.ready() {
		t.Error("the first server is not ready any more")
	}
	first.terminate()
}
