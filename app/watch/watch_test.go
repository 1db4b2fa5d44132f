package watch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/internal/testkit"
)

// scene is a Watch whose surroundings a test changes.
type scene struct {
	mu     sync.Mutex // guards everything below; a test holds it but for the time it lets pass
	press  func(context.Context) error
	status map[string]error
	tell   error
	told   []Notice
	beats  int
}

func (s *scene) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	w := New(Config{
		Press: func(ctx context.Context) error {
			s.mu.Lock()
			press := s.press
			s.mu.Unlock()
			return press(ctx)
		},
		Status: func() map[string]error {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.status
		},
		Tell: func(_ context.Context, n Notice) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.tell == nil {
				n.Since = time.Time{}
				s.told = append(s.told, n)
			}
			return s.tell
		},
		Beat: func(context.Context) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.beats++
			return nil
		},
		Log: testkit.Log,
	})
	s.mu.Lock()
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		s.mu.Unlock()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func (s *scene) after(d time.Duration) {
	s.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	s.mu.Lock()
}

func (s *scene) want(t *testing.T, want ...Notice) {
	t.Helper()
	if diff := cmp.Diff(want, s.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	s.told = nil
}

func comesThrough(context.Context) error { return nil }

func getsLost(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestOperatorHearsOfALostTrialWithin90Seconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{press: comesThrough}
		s.run(t)
		s.after(5 * time.Minute)
		s.want(t)
		s.press = getsLost
		s.after(PressEvery + 90*time.Second) // the first trial after it broke begins within a minute
		s.want(t, Notice{Part: "path", Err: "a trial SOS has not come through within 20s"})
		s.after(again)
		s.want(t, Notice{Part: "path", Err: "a trial SOS has not come through within 20s"})
		s.press = comesThrough
		s.after(time.Minute)
		s.want(t, Notice{Part: "path", Over: true, Err: "a trial SOS has not come through within 20s"})
	})
}

func TestOneLostTrialIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := true
		s := &scene{press: func(context.Context) error {
			if first {
				first = false
				return errors.New("the broker was away")
			}
			return nil
		}}
		s.run(t)
		s.after(10 * time.Minute)
		s.want(t)
	})
}

func TestSlowWayIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{press: func(context.Context) error { time.Sleep(3 * time.Second); return nil }}
		s.run(t)
		s.after(4 * time.Minute)
		s.want(t, Notice{Part: "path", Err: "a trial SOS took 3s"})
	})
}

func TestShortTroubleOfARoleIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{press: comesThrough, status: map[string]error{"store": errors.New("InfluxDB is away"), "disk": nil}}
		s.run(t)
		s.after(30 * time.Second)
		s.status = nil
		s.after(time.Second)
		s.status = map[string]error{"store": nil}
		s.after(5 * time.Minute)
		s.want(t)
	})
}

func TestConcernOfADiskIsToldUntilTheOperatorHasIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{press: comesThrough, status: map[string]error{"disk": bus.Concern("81 % full")}, tell: errors.New("no network")}
		s.run(t)
		s.after(5 * time.Minute)
		s.want(t)
		s.tell = nil
		s.after(lookEvery)
		s.want(t, Notice{Part: "disk", Err: "81 % full"})
	})
}

func TestHeartbeatStopsWithTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scene{press: comesThrough}
		s.run(t)
		s.after(10*time.Minute + time.Second)
		if s.beats != 10 {
			t.Errorf("%d heartbeats in 10 minutes", s.beats)
		}
		s.status = map[string]error{"alerts": errors.New("ended")}
		s.after(lookEvery)
		s.beats = 0
		s.after(10 * time.Minute)
		if s.beats != 0 {
			t.Errorf("%d heartbeats while a role is in trouble", s.beats)
		}
	})
}
