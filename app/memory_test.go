package app

import "testing"

// The runtime begins a collection at live + (live + roots) * percent / 100, and not below 4 MiB * percent / 100.
func TestHeapKeepsItsLevel(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for _, c := range []struct{ live, stacks, rate, level uint64 }{
		{0, 0, 500 * mb, 128 * mb}, // before the first collection
		{1 * mb, 1 * mb, 0, 128 * mb},
		{30 * mb, 3 * mb, 10 * mb, 128 * mb},
		{80 * mb, 10 * mb, 10 * mb, 128 * mb},
		{210 * mb, 0, 10 * mb, 242 * mb},  // 1,000 readings/s
		{210 * mb, 0, 40 * mb, 290 * mb},  // as much as comes in two seconds
		{210 * mb, 0, 250 * mb, 312 * mb}, // at most a third more and a little
		{200 * mb, 300 * mb, 0, 232 * mb}, // many connections: stacks cost no collections
	} {
		p := uint64(heap{live: c.live, roots: c.stacks}.percent(c.rate))
		goal := max(4*mb*p/100, c.live+(c.live+c.stacks)*p/100)
		if goal < c.level*97/100 || goal > c.level*103/100 {
			t.Errorf("%d MB live, %d MB of stacks, %d MB/s: %d %% begins collecting at %d MB, want %d MB",
				c.live/mb, c.stacks/mb, c.rate/mb, p, goal/mb, c.level/mb)
		}
	}
}
