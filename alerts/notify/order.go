package notify

import (
	"time"
)

// enqueue puts a delivery into its lane, or behind an earlier one of its alert to the same address.
func (n *Notify) enqueue(d *delivery) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.held[d.ID] {
		return
	}
	if waiting, busy := n.behind[d.lineUp()]; busy {
		if len(waiting) < laneLimit {
			n.held[d.ID] = true
			n.behind[d.lineUp()] = append(waiting, d)
		} else {
			n.laneOf(d).spill()
		}
		n.hurryAll(d.Alert) // the earlier one may not be needed any more
		return
	}
	n.place(d, time.Now())
}

// free reports whether nothing is before d in its line.
func (n *Notify) free(d *delivery) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, busy := n.behind[d.lineUp()]
	return !busy
}

// isHeld reports whether a delivery of this process is unfinished.
func (n *Notify) isHeld(d *delivery) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.held[d.ID]
}

// begin notes that a delivery was taken out of its lane.
func (n *Notify) begin(d *delivery) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.working[d] = false
}

// settle is what follows a try: another one, or the next delivery of the line. What would have made a delivery look whether it is
// needed, had it been in its lane meanwhile, does so now.
func (n *Notify) settle(d *delivery, again bool, at time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	hurried := n.working[d]
	delete(n.working, d)
	if again {
		n.place(d, at)
		if hurried {
			n.hurryAll(d.Alert)
		}
		return
	}
	delete(n.held, d.ID)
	waiting := n.behind[d.lineUp()]
	if len(waiting) == 0 {
		delete(n.behind, d.lineUp())
		return
	}
	n.behind[d.lineUp()] = waiting[1:]
	n.place(waiting[0], time.Now())
}

// place puts d into its lane. Without room there, d and what is behind it wait on CORE. The caller holds n.mu.
func (n *Notify) place(d *delivery, at time.Time) {
	l := n.laneOf(d)
	if l != nil && l.put(d, at) {
		n.held[d.ID] = true
		n.behind[d.lineUp()] = n.behind[d.lineUp()]
		return
	}
	for _, x := range append(n.behind[d.lineUp()], d) {
		delete(n.held, x.ID)
	}
	delete(n.behind, d.lineUp())
}

// laneOf is nil for a channel that is configured no more; its deliveries wait for it, and the next address is tried.
func (n *Notify) laneOf(d *delivery) *lane {
	return n.lanes[d.Channel].of(d)
}

// hurry makes every delivery of an alert look whether it is still needed.
func (n *Notify) hurry(alert string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hurryAll(alert)
}

// hurryAll is hurry by who holds n.mu.
func (n *Notify) hurryAll(alert string) {
	for d := range n.working {
		if d.Alert == alert {
			n.working[d] = true
		}
	}
	now := time.Now()
	for _, lanes := range n.lanes {
		lanes[0].hurry(alert, now)
		lanes[1].hurry(alert, now)
	}
}
