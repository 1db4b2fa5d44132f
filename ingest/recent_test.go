package ingest

import (
	"testing"
	"time"
)

func TestRecentKeepsHalfItsCapacityAtLeast(t *testing.T) {
	r := newRecent(100)
	for k := range uint64(1000) {
		if r.add(k) {
			t.Fatalf("%d was there", k)
		}
		for old := k - min(k, 49); old <= k; old++ {
			if _, now := r.now[old]; !now {
				if _, before := r.before[old]; !before {
					t.Fatalf("%d is forgotten at %d", old, k)
				}
			}
		}
		if n := len(r.now) + len(r.before); n > 100 {
			t.Fatalf("%d keys are kept", n)
		}
	}
	if !r.add(999) || !r.add(951) {
		t.Error("a recent key is forgotten")
	}
}

func TestRepeatsEndAfterTenSeconds(t *testing.T) {
	var r repeats
	start := time.Now()
	for _, test := range []struct{ after, want time.Duration }{
		{0, 0}, {3 * time.Second, 0}, {9999 * time.Millisecond, 0}, {10 * time.Second, 10 * time.Second}, {19 * time.Second, 10 * time.Second}, {20 * time.Second, 20 * time.Second},
	} {
		if got := r.at("press", press{at: start.Add(test.after)}).at; !got.Equal(start.Add(test.want)) {
			t.Errorf("at %v: repeats the press at %v, want %v", test.after, got.Sub(start), test.want)
		}
	}
	if got := r.at("other", press{at: start}).at; !got.Equal(start) {
		t.Error("another press is a repeat")
	}
}

// A nervous hand presses twice, and the broker sends both again and again: one press, or two where there were two.
func TestTwoPressesSentAgainAreNoOthers(t *testing.T) {
	start := time.Now()
	for second, want := range map[time.Duration]time.Duration{3 * time.Second: 0, 12 * time.Second: 12 * time.Second} {
		var r repeats
		r.at("press", press{at: start, packet: 7})
		for _, p := range []struct {
			after  time.Duration
			packet uint16
			again  bool
			want   time.Duration
		}{
			{second, 8, false, want},
			{second + 10*time.Second, 8, true, want},
			{30 * time.Second, 7, true, 0},
			{43 * time.Second, 8, true, want},
			{60 * time.Second, 7, true, 0},
		} {
			if got := r.at("press", press{start.Add(p.after), p.packet, p.again}).at.Sub(start); got != p.want {
				t.Errorf("pressed again after %v, sent under %d after %v: the press at %v, want %v", second, p.packet, p.after, got, p.want)
			}
		}
	}
}

// What the broker sends again is the same press much longer.
func TestPressSentAgainIsNoOther(t *testing.T) {
	var r repeats
	start := time.Now()
	r.at("press", press{at: start, packet: 7})
	for _, test := range []struct {
		again press
		want  time.Duration
	}{
		{press{start.Add(9 * time.Minute), 7, true}, 0},
		{press{start.Add(11 * time.Minute), 7, true}, 11 * time.Minute},
		{press{start.Add(12 * time.Minute), 8, true}, 12 * time.Minute},
		{press{start.Add(13 * time.Minute), 8, false}, 13 * time.Minute},
	} {
		if got := r.at("press", test.again).at.Sub(start); got != test.want {
			t.Errorf("%+v: the press at %v, want %v", test.again, got, test.want)
		}
	}
}

func TestRepeatsAreBounded(t *testing.T) {
	var r repeats
	now := time.Now()
	for i := range 10 * minRepeats {
		r.at(string(rune(i)), press{at: now.Add(time.Duration(i) * time.Second)})
	}
	if len(r.first) > minRepeats {
		t.Errorf("%d are kept", len(r.first))
	}
}

func TestSeriesOfADeviceAreLimited(t *testing.T) {
	s := series{2, map[string][]uint64{}}
	for i, want := range []bool{true, true, true, false, true} {
		if got := s.admit("a", []uint64{1, 2, 1, 3, 2}[i]); got != want {
			t.Errorf("series %d: %v, want %v", i, got, want)
		}
	}
	if !s.admit("b", 3) {
		t.Error("another device is limited")
	}
}
