package ingest

import "time"

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
	first map[string]press
	limit int // when those that have passed are forgotten
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
	if first, ok := r.first[key]; ok && !now.at.Before(first.at) {
		age := now.at.Sub(first.at)
		if age < repeatWindow || now.again && now.packet == first.packet && age < againWindow {
			return first
		}
	}
	if r.first == nil || len(r.first) >= r.limit {
		kept := map[string]press{}
		for k, p := range r.first {
			if now.at.Sub(p.at) < againWindow {
				kept[k] = p
			}
		}
		r.first, r.limit = kept, max(minRepeats, 2*len(kept))
	}
	r.first[key] = now
	return now
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
