package ingest

import (
	"strconv"
	"time"
)

// recent remembers keys: at least the last half of its capacity, at most all of it.
type recent struct {
	now, before map[uint64]struct{}
	half        int
}

func newRecent(capacity int) *recent {
	return &recent{now: map[uint64]struct{}{}, before: map[uint64]struct{}{}, half: capacity / 2}
}

// add reports whether key was there already.
func (r *recent) add(key uint64) bool {
	if _, ok := r.now[key]; ok {
		return true
	}
	_, ok := r.before[key]
	if len(r.now) >= r.half {
		r.now, r.before = r.before, r.now
		clear(r.now)
	}
	r.now[key] = struct{}{}
	return ok
}

// repeatWindow is how long an event with neither ts nor seq takes equal bytes for a repeat of itself.
const repeatWindow = 10 * time.Second

// repeats remembers when events without ts and seq came.
type repeats struct {
	first map[string]press // by bytes, and by bytes and the packet id under which they came
	limit int              // when those that have passed are forgotten
}

// minRepeats is the least that is remembered before anything is forgotten.
const minRepeats = 4096

// press is when an event was received, and under which packet id.
type press struct {
	at     time.Time
	packet uint16
	again  bool // the broker has sent it before, under the same id
}

// at returns the press that this one repeats; itself if it repeats none.
func (r *repeats) at(key string, now press) press {
	within := func(key string, window time.Duration) (press, bool) {
		p, ok := r.first[key]
		return p, ok && !now.at.Before(p.at) && now.at.Sub(p.at) < window
	}
	own := key + "#" + strconv.Itoa(int(now.packet))
	if p, ok := within(own, againWindow); ok && now.again {
		return p
	}
	p, ok := within(key, repeatWindow)
	if !ok {
		p = now
	}
	r.put(key, p, now.at)
	r.put(own, p, now.at)
	return p
}

// put remembers a press, and forgets those that are long past when there are many.
func (r *repeats) put(key string, p press, now time.Time) {
	if r.first == nil || len(r.first) >= r.limit {
		kept := map[string]press{}
		for k, p := range r.first {
			if now.Sub(p.at) < againWindow {
				kept[k] = p
			}
		}
		r.first, r.limit = kept, max(minRepeats, 2*len(kept))
	}
	r.first[key] = p
}

// series counts the distinct combinations of series tags a device has used.
type series struct {
	limit int
	seen  map[string][]uint64 // by device
}

// admit reports whether the device may use the series: it has used it before, or has used fewer than the limit.
func (s *series) admit(device string, key uint64) bool {
	seen := s.seen[device]
	for _, k := range seen {
		if k == key {
			return true
		}
	}
	if len(seen) >= s.limit {
		return false
	}
	s.seen[device] = append(seen, key)
	return true
}
