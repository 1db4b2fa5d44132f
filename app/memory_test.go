package app

import "testing"

// The runtime begins a collection at live + (live + roots) * percent / 100, and not below 4 MiB * percent / 100.
func TestHeapKeepsItsLevel(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	for _, c := range []struct{ live, stacks, level uint64 }{
		{0, 0, 128 * mb}, // before the first collection
		{1 * mb, 1 * mb, 128 * mb},
		{30 * mb, 3 * mb, 128 * mb},
		{80 * mb, 10 * mb, 154 * mb},
		{300 * mb, 0, 448 * mb},
		{200 * mb, 300 * mb, 314 * mb}, // many connections: stacks cost no collections
	} {
		p := uint64(percent(c.live, c.stacks))
		goal := max(4*mb*p/100, c.live+(c.live+c.stacks)*p/100)
		if goal < c.level*98/100 || goal > c.level*102/100 {
			t.Errorf("%d MB live and %d MB of stacks: %d %% begins collecting at %d MB, want %d MB", c.live/mb, c.stacks/mb, p, goal/mb, c.level/mb)
		}
	}
}
