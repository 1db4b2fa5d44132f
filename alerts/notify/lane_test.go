package notify

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"linli/bus"
)

func TestLaneGivesWhatIsDueWhenItIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, began := newLane(), time.Now()
		for _, s := range []int{30, 0, 10} {
			l.put(&delivery{Delivery: bus.Delivery{Attempts: s}}, began.Add(time.Duration(s)*time.Second))
		}
		for _, want := range []int{0, 10, 30} {
			d := l.take(t.Context())
			if got := time.Since(began); d.Attempts != want || got != time.Duration(want)*time.Second {
				t.Errorf("took %d after %v, want %d", d.Attempts, got, want)
			}
		}
		go func() {
			time.Sleep(time.Minute)
			l.put(&delivery{}, time.Now())
		}()
		if l.take(t.Context()); time.Since(began) != 90*time.Second {
			t.Errorf("took after %v, want as soon as it is put", time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if d := l.take(ctx); d != nil {
			t.Errorf("took %v from an empty lane", d)
		}
	})
}

func TestFullLaneLeavesTheRestToTheRecord(t *testing.T) {
	l := newLane()
	for range laneLimit {
		l.put(&delivery{}, time.Time{})
	}
	if l.put(&delivery{}, time.Time{}) {
		t.Fatal("a full lane took one more")
	}
	if l.emptied() {
		t.Error("a full lane says that it has room")
	}
	for range laneLimit/2 + 1 {
		l.take(t.Context())
	}
	if !l.emptied() || l.emptied() {
		t.Error("a lane that has room again says so once")
	}
}

func TestPausesGrowAndNeverEnd(t *testing.T) {
	for attempts, want := range map[int]time.Duration{1: time.Second, 2: 3 * time.Second, 5: 30 * time.Second, 6: time.Minute, 1000: time.Minute} {
		if got := pause(attempts); got != want {
			t.Errorf("after %d tries wait %v, want %v", attempts, got, want)
		}
	}
	if got := delay(1, &SendError{Class: Retry, After: 20 * time.Second, Err: errors.New("busy")}); got != 20*time.Second {
		t.Errorf("wait %v, want what the receiver asked for", got)
	}
}

// What would make a delivery look whether it is needed may come while it is being tried. It is not forgotten.
func TestHurryReachesADeliveryThatIsBeingSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both := lanes{newLane(), newLane()}
		n := &Notify{
			lanes: map[string]lanes{"chat": both}, held: map[string]bool{}, behind: map[string][]*delivery{}, working: map[*delivery]bool{},
		}
		began := time.Now()
		for _, alert := range []string{"a1", "a2"} {
			n.enqueue(&delivery{Delivery: bus.Delivery{ID: alert, Alert: alert, Channel: "chat"}})
		}
		for _, alert := range []string{"a1", "a2"} {
			d := both[0].take(t.Context())
			n.begin(d)
			if d.Alert != alert {
				t.Fatalf("took %s, want %s", d.Alert, alert)
			}
			n.hurry("a1")
			n.settle(d, true, began.Add(time.Hour))
		}
		if d := both[0].take(t.Context()); d.Alert != "a1" || time.Since(began) != 0 || !d.due.Equal(began.Add(time.Hour)) {
			t.Errorf("took %s after %v, want the one that was hurried at once", d.Alert, time.Since(began))
		}
		if d := both[0].take(t.Context()); d.Alert != "a2" || time.Since(began) != time.Hour {
			t.Errorf("took %s after %v, want the other at its time", d.Alert, time.Since(began))
		}
		if len(n.working) != 0 {
			t.Errorf("%d deliveries are said to be sent", len(n.working))
		}
	})
}
