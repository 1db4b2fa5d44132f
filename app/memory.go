package app

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What lives on the heap is small beside what each message leaves behind, so the share of time that collecting takes depends on
// how much may lie around. The heap may reach memoryFloor whatever lives. With more alive there is room above it for what is
// allocated in memoryPause: little while little comes in, and at most a third of what lives and a little more.
const (
	memoryFloor  = 128 << 20
	memorySpare  = 32 << 20
	memoryPause  = 2 // s, about so long from one collection to the next
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
	set, before := 0, heap{}
	for {
		// Setting it stops the world for a moment, so small differences are left.
		now := readHeap()
		if p := now.percent(now.allocated - before.allocated); p < set*19/20 || p > set*21/20 {
			debug.SetGCPercent(p)
			set = p
		}
		before = now
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// heap is what the runtime says of it, in bytes.
type heap struct {
	live      uint64 // after the last collection
	roots     uint64 // stacks and globals
	allocated uint64 // since the start
}

func readHeap() heap {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/heap/allocs:bytes"},
	}
	metrics.Read(s)
	return heap{live: s[0].Value.Uint64(), roots: s[1].Value.Uint64() + s[2].Value.Uint64(), allocated: s[3].Value.Uint64()}
}

// percent is the GOGC that makes the runtime's goal, live + (live + roots) * percent / 100 and at least 4 MiB * percent / 100, the
// level. rate is what is allocated in a second.
func (h heap) percent(rate uint64) int {
	spare := min(max(memoryPause*rate, memorySpare), h.live/3+memorySpare)
	level := max(memoryFloor, h.live+spare)
	return int(min(100*(level-h.live)/max(h.live+h.roots, 1), 100*level/(4<<20)))
}
