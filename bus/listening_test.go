package bus

import (
	"testing"
	"time"
)

func TestTimeInWhichNobodyListenedDoesNotCount(t *testing.T) {
	start := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	var l Listening
	hear := func(from, to time.Duration, anew bool) {
		for d := from; d <= to; d += ListeningEvery {
			l.Hear(at(d), anew, Settle)
			anew = false
		}
	}
	hear(0, 10*time.Minute, true)
	hear(30*time.Minute, time.Hour, true)
	hear(61*time.Minute, 90*time.Minute, false) // a minute without a word is a gap, whoever says it
	if len(l.Gaps) != 2 {
		t.Fatalf("gaps %v, want 2", l.Gaps)
	}
	for _, c := range []struct{ from, d, want time.Duration }{
		{0, 10 * time.Minute, 10 * time.Minute},
		{0, 10*time.Minute + time.Second, 32*time.Minute + time.Second},
		{15 * time.Minute, 5 * time.Minute, 37 * time.Minute},
		{9 * time.Minute, 30 * time.Minute, 64 * time.Minute},
		{70 * time.Minute, 5 * time.Minute, 75 * time.Minute},
	} {
		if got := l.After(at(c.from), c.d); !got.Equal(at(c.want)) {
			t.Errorf("%v of listening after %v end at %v, want %v", c.d, c.from, got.Sub(start), c.want)
		}
	}
}

func TestRestartsInARowAreOneGap(t *testing.T) {
	start := time.Date(2026, 3, 1, 4, 0, 0, 0, time.UTC)
	var l Listening
	l.Hear(start, true, Settle)
	for i := range 5 {
		l.Hear(start.Add(time.Duration(i)*time.Minute), true, Settle)
	}
	if want := start.Add(4*time.Minute + Settle); len(l.Gaps) != 1 || !l.Gaps[0].To.Equal(want) {
		t.Errorf("gaps %v, want one until %v", l.Gaps, want)
	}
	for i := range 1000 {
		l.Hear(start.Add(time.Duration(i+1)*time.Hour), true, Settle)
		l.Until = l.Until.Add(10 * time.Minute) // and went on
	}
	if len(l.Gaps) != gapsKept {
		t.Errorf("%d gaps, want %d", len(l.Gaps), gapsKept)
	}
}
