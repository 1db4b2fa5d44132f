package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What lives on the heap is small beside what each message leaves behind, so the share of time that collecting takes depends on
// how much may lie around. The heap may reach memoryFloor whatever lives; with much alive it is a third more than that and
// memorySpare.
const (
	memoryFloor  = 128 << 20
	memorySpare  = 48 << 20
	memoryPeriod = time.Second
)

// tendMemory keeps the heap at a level, instead of a multiple of what happens to live: memory finds it within seconds and stays
// there, under load and without. It is no limit: what lives, and the stacks of many connections, may always be more. An operator's
// GOGC or GOMEMLIMIT wins.
func tendMemory(ctx context.Context) error {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(memoryPeriod)
	defer tick.Stop()
	for set := 0; ; {
		// Setting it stops the world for a moment, so small differences are left.
		if p := collectorPercent(); p < set*19/20 || p > set*21/20 {
			debug.SetGCPercent(p)
			set = p
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// collectorPercent is the GOGC with which the next collection begins at the level of what lived after the last one.
func collectorPercent() int {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	metrics.Read(sample)
	live, stacks, globals := sample[0].Value.Uint64(), sample[1].Value.Uint64(), sample[2].Value.Uint64()
	return percent(live, stacks+globals)
}

// percent makes the runtime's goal, live + (live + roots) * percent / 100 and at least 4 MiB * percent / 100, the level.
func percent(live, roots uint64) int {
	level := max(memoryFloor, live+live/3+memorySpare)
	return int(min(100*(level-live)/max(live+roots, 1), 100*level/(4<<20)))
}
