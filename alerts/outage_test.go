package alerts

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"linli/bus"
)

// TestAnOutageForgetsNobodyAndNagsNobody takes the engine away for seconds to half an hour while a ladder runs. When it is back,
// everybody is told at once who should have been by then, nobody twice within seconds, and the ladder goes on.
func TestAnOutageForgetsNobodyAndNagsNobody(t *testing.T) {
	rules := probeRules(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		pressed := time.Duration(random.IntN(300_000)) * time.Millisecond // before the outage
		outage := 3*time.Second + time.Duration(random.IntN([]int{10_000, 1_800_000}[random.IntN(2)]))*time.Millisecond
		synctest.Test(t, func(t *testing.T) {
			d, base := newDisk(), time.Now()
			run := func(length time.Duration) {
				now := time.Now()
				e := d.engine(t, rules, &now)
				e.Now, e.opened = time.Now, now
				for i := range e.feeds {
					e.feeds[i] = &feed{out: make(chan message, ahead)}
				}
				ctx, cancel := context.WithTimeout(t.Context(), length)
				defer cancel()
				_ = e.loop(ctx)
			}
			line := fmt.Appendf(nil, "event,community=tianjin,device=p1,type=probe,event=sos received_at=%di %d\n", base.UnixMilli(), base.UnixNano())
			d.events = append(d.events, message{bus.Events, 1, 0, line})
			run(pressed)
			time.Sleep(outage)
			back := time.Since(base)
			run(10 * time.Minute)
			d.judgeOutage(t, fmt.Sprintf("seed %d, %s away after %s", seed, outage, pressed), base, back)
		})
	}
}

// judgeOutage looks at who was told when, of an alert that opened at base and an engine that came back after so long.
func (d *disk) judgeOutage(t *testing.T, what string, base time.Time, back time.Duration) {
	t.Helper()
	told := map[string]time.Duration{} // the last time
	byReturn := map[string]bool{}      // by when the engine was back
	before := time.Duration(0)
	for _, key := range slices.Sorted(maps.Keys(d.log)) {
		ev := d.log[key]
		at := ev.At.Sub(base)
		if at-max(before, back) > 3*time.Minute+time.Second {
			t.Errorf("%s: nothing between %s and %s", what, before, at)
		}
		before = at
		for _, r := range ev.Tell {
			if last, again := told[r.Who()]; again && at-last < 18*time.Second {
				t.Errorf("%s: %s is told at %s and at %s", what, r.Who(), last, at)
			}
			told[r.Who()] = at
			byReturn[r.Who()] = byReturn[r.Who()] || at <= back+time.Second
		}
	}
	if end := back + 10*time.Minute; end-before > 3*time.Minute+time.Second {
		t.Errorf("%s: nothing between %s and %s", what, before, end)
	}
	for i, people := range ladderPeople {
		for _, who := range people {
			if time.Duration(ladderTimes[i])*time.Second <= back && who != "duty" && !byReturn["person:"+who] {
				t.Errorf("%s: %s was not told by %s", what, who, back)
			}
		}
	}
}
