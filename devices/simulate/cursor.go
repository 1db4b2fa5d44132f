package simulate

import (
	"cmp"
	"container/heap"
)

// due is something a device does at a moment.
type due struct {
	at     moment
	actor  int32
	event  int32 // index of an event, or one of the kinds below
	series int32 // of an event
}

const (
	report int32 = -1 - iota // the readings of its period
	dawn                     // a new day: its events are drawn
	birth                    // the first report after connecting: every field
	change                   // a report out of turn, because a session began or ended
)

// cursor walks through what all devices do, in the order of time. It holds one entry a device and its coming events of the day.
type cursor struct {
	world *World
	start moment
	queue dueHeap
}

// from is a cursor that begins at a moment.
func (w *World) from(start moment) *cursor {
	c := &cursor{world: w, start: start, queue: make(dueHeap, 0, 2*len(w.actors))}
	for i, a := range w.actors {
		c.queue = append(c.queue, due{at: a.report(start), actor: int32(i), event: report})
		if len(a.plan.events) > 0 || a.plan.sessions != nil {
			c.queue = append(c.queue, due{at: start, actor: int32(i), event: dawn})
		}
	}
	heap.Init(&c.queue)
	return c
}

// report is when the first report at or after t is due.
func (a *actor) report(t moment) moment {
	period := a.plan.period.Milliseconds()
	return a.phase + moment(-floorDiv(int64(a.phase-t), period)*period)
}

// peek is the next report or event. There is always one, provided that there are devices.
func (c *cursor) peek() due {
	for c.queue[0].event == dawn {
		d := c.queue[0]
		c.queue[0].at = midnight(d.at.day() + 1)
		heap.Fix(&c.queue, 0)
		c.draw(c.world.actors[d.actor], d)
	}
	return c.queue[0]
}

// next takes the next report or event out.
func (c *cursor) next() due {
	d := c.peek()
	if d.event == report {
		c.queue[0].at = d.at.add(c.world.actors[d.actor].plan.period)
		heap.Fix(&c.queue, 0)
	} else {
		heap.Pop(&c.queue)
	}
	return d
}

func (c *cursor) push(d due) { heap.Push(&c.queue, d) }

// draw puts the events of a device's day into the queue.
func (c *cursor) draw(a *actor, d due) {
	day := d.at.day()
	put := func(at moment, event, series int32) {
		if at >= c.start {
			c.push(due{at: at, actor: d.actor, event: event, series: series})
		}
	}
	for i, e := range a.plan.events {
		k := key(mix(uint64(a.key ^ e.key))).at(day)
		for n, at := range e.times(a.home, day, k) {
			put(at, int32(i), int32(k.named("series").at(int64(n)).between(0, float64(len(a.series)))))
		}
	}
	if a.plan.sessions == nil {
		return
	}
	if d.at == c.start { // what began yesterday may end today
		a.drawSessions(day-1, put)
	}
	a.drawSessions(day, put)
}

// drawSessions tells of the sessions that begin on a day. When one ends it has not gone on for quite as long as it will have.
func (a *actor) drawSessions(day int64, put func(at moment, event, series int32)) {
	for series := range a.series {
		for _, s := range a.place(series).day(day) {
			put(s.start, change, int32(series))
			put(s.end, change, int32(series))
			for i, e := range a.plan.events {
				switch e.session {
				case "start":
					put(s.start, int32(i), int32(series))
				case "end":
					put(s.end-1, int32(i), int32(series))
				}
			}
		}
	}
}

// times are when an event happens on a day.
func (e *eventPlan) times(h *home, day int64, k key) []moment {
	var out []moment
	fall, fell := h.fall(day)
	if e.ID == "fall" && fell {
		out = append(out, clock(day, fall.from))
	}
	for i, hour := range e.at { // not to the second, but never early
		out = append(out, clock(day, hour+k.named("at").at(int64(i)).between(0, 0.05)))
	}
	mean := e.perDay
	if !workday(day) {
		mean *= e.weekend
	}
	if mean == 0 {
		return out
	}
	for n := range k.poisson(mean) {
		hour := e.profile.hourOf(k.named("hour").at(int64(n)).uniform())
		at := clock(day, hour)
		if e.occupancy && !h.present(at) || fell && hour >= fall.from && hour < fall.to {
			continue
		}
		out = append(out, at)
	}
	return out
}

type dueHeap []due

func (h dueHeap) Len() int      { return len(h) }
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(due)) }

func (h *dueHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// Less orders by time, and what is due at the same time by device and kind: the order is part of what is reproducible.
func (h dueHeap) Less(i, j int) bool {
	a, b := h[i], h[j]
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.actor, b.actor), cmp.Compare(a.event, b.event), cmp.Compare(a.series, b.series)) < 0
}
