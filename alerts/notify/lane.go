package notify

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// lane is the queue of one channel for either life-safety or ordinary deliveries, ordered by when each is due. It holds at most
// laneLimit; what does not fit stays recorded as pending and is read again when the lane has emptied, see Notify.refill.
type lane struct {
	mu      sync.Mutex // guards the fields below
	due     dueHeap
	spilled bool

	changed chan struct{} // one token: something earlier may be due
}

const laneLimit = 10_000

// lanes are those of ordinary deliveries and of life-safety.
type lanes [2]*lane

func (l lanes) of(d *delivery) *lane {
	if d.Safety {
		return l[1]
	}
	return l[0]
}

type dueItem struct {
	at time.Time
	d  *delivery
}

type dueHeap []dueItem

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	if c := h[i].at.Compare(h[j].at); c != 0 {
		return c < 0
	}
	return h[i].d.Created.Before(h[j].d.Created)
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(dueItem)) }

func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	(*h)[len(*h)-1] = dueItem{}
	*h = (*h)[:len(*h)-1]
	return last
}

// Init brings the heap into order after a change in its midst.
func (h *dueHeap) Init() { heap.Init(h) }

func newLane() *lane { return &lane{changed: make(chan struct{}, 1)} }

// put reports whether there was room.
func (l *lane) put(d *delivery, at time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	d.due = at
	if len(l.due) >= laneLimit {
		l.spilled = true
		return false
	}
	heap.Push(&l.due, dueItem{at, d})
	l.wake()
	return true
}

// spill notes that a delivery was left on CORE.
func (l *lane) spill() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.spilled = true
}

// hurry makes the deliveries of an alert due: whether they are still needed is to be looked at.
func (l *lane) hurry(alert string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	for i := range l.due {
		if l.due[i].d.Alert == alert && l.due[i].at.After(now) {
			l.due[i].at, found = now, true
		}
	}
	if found {
		l.due.Init()
		l.wake()
	}
}

func (l *lane) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.due)
}

func (l *lane) wake() {
	select {
	case l.changed <- struct{}{}:
	default:
	}
}

// take waits for a delivery that is due; nil when ctx has ended.
func (l *lane) take(ctx context.Context) *delivery {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		d, wait := l.next(time.Now())
		if d != nil {
			l.wake() // another worker may find more
			return d
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return nil
		case <-l.changed:
		case <-timer.C:
		}
	}
}

func (l *lane) next(now time.Time) (d *delivery, wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.due) == 0 {
		return nil, time.Hour
	}
	if wait := l.due[0].at.Sub(now); wait > 0 {
		return nil, wait
	}
	d = heap.Pop(&l.due).(dueItem).d
	if d.waited && !now.Before(d.due) {
		d.members = append(d.members, l.withdraw(d)...)
	}
	return d, 0
}

// emptied reports, once, that a lane that had to leave deliveries out has room again.
func (l *lane) emptied() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.spilled || len(l.due) > laneLimit/2 {
		return false
	}
	l.spilled = false
	return true
}
