package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What lives on the heap is small beside what each message leaves behind, so the share of time that collecting takes depends on
// how much may lie around. memoryFloor lets it be that much whatever lives; with much alive it is a third of that and a little more.
const (
	memoryFloor  = 192 << 20
	memoryPeriod = time.Second
)

// tendMemory sets the memory limit of the runtime to what lives, instead of a rate of growth: memory finds its level within
// seconds and stays there, under load and without. An operator's GOGC or GOMEMLIMIT wins.
func tendMemory(ctx context.Context) error {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		<-ctx.Done()
		return nil
	}
	debug.SetGCPercent(-1)
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	tick := time.NewTicker(memoryPeriod)
	defer tick.Stop()
	for {
		metrics.Read(sample)
		live := int64(sample[0].Value.Uint64())
		debug.SetMemoryLimit(max(memoryFloor, live+live/3+memoryFloor/4))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
