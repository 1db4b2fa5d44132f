package alerts

import (
	"sync/atomic"
	"testing"
	"time"

	"linli/internal/testkit"
)

// A clock that is set back by an hour while a ladder runs holds it up for no moment, and after a restart for none either. One that is
// set forward by an hour lets it run at once.
func TestAClockThatIsSetHoldsUpNoLadder(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"back": -time.Hour, "forward": time.Hour} {
		for _, restarts := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				var set atomic.Int64 // once
				s.stepped = func() time.Duration { return time.Duration(set.Swap(0)) }
				e := s.engine(nil)
				s.say("p1 0s!sos")
				s.judged()
				kinds := func() (all []string) {
					for _, ev := range s.events() {
						all = append(all, ev.Kind)
					}
					return all
				}
				testkit.Eventually(t, 30*time.Second, func() bool { return len(kinds()) == 1 })
				s.wall(10*time.Second + by)
				set.Store(int64(by))
				testkit.Eventually(t, 30*time.Second, func() bool { return set.Load() == 0 })
				if by < 0 {
					s.wall(19*time.Second + by)
					s.say("p3 1s level=1") // one more transaction
					s.judged()
					if got := kinds(); len(got) != 1 {
						t.Fatalf("before its time: %v", got)
					}
				}
				if restarts {
					if err := e.stop(); err != nil {
						t.Fatal(err)
					}
					s.engine(nil)
				}
				s.wall(21*time.Second + by)
				testkit.Eventually(t, 30*time.Second, func() bool { return len(kinds()) > 1 })
			})
		}
	}
}

func TestStepsOfTheClock(t *testing.T) {
	step := steps()
	if got := step(); got.Abs() >= clockStep {
		t.Errorf("a clock that nobody set was set by %s", got)
	}
}
