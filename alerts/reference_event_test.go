package alerts

import "slices"

// happen judges an event.
func (m *reference) happen(s utterance) {
	defer m.settle()
	s.at, m.came = min(s.at, s.received), s.received
	device, at := s.device, s.at
	m.events = append(m.events, s)
	m.listen(s)
	m.orderEvent(s)
	m.expire(s.received)
	for _, r := range m.rules {
		if a := m.current(r, m.identity(r, s.device, s.series)); r.over == s.event && a != nil && s.at >= a.last {
			ends := s.at
			if r.id == "dev_maintenance" {
				ends = s.received
			}
			m.clear(a, ends)
		}
	}
	for _, r := range m.rules {
		switch {
		case r.event != s.event:
			continue
		case r.count > 0:
			at, often := m.often(r, s)
			if !often {
				continue
			}
			s.at, s.received = at, max(s.received, at)
		}
		switch {
		case !r.safety && m.inMaintenance(s.device, s.received) && r.id != "dev_maintenance":
			continue
		case r.fits != nil:
			if t := r.fits(s.get); t == nay || t == unsure && !r.safety {
				continue
			}
		}
		who := m.identity(r, s.device, s.series)
		if r.id == "safety_event" {
			who += ",event=" + s.event
		}
		if a := m.current(r, who); a != nil && a.state != "cleared" {
			m.rouse(a, s)
			m.repeat(a, s)
			continue
		}
		m.open(&refAlert{
			rule: r, who: who, device: s.device, opened: s.at, last: s.at, received: s.received,
			late: r.lateBy(s.received - s.at), latched: r.latched,
		})
	}
	m.news = append(m.news, refNews{kind: s.event, at: at, device: device})
}

// often reports whether an event is the last that it takes for a count, and the time of the newest of those. One as old as another is
// that one.
func (m *reference) often(r *refRule, s utterance) (newest int64, often bool) {
	var times []int64
	for _, e := range m.events {
		if e.event == r.event && e.device == s.device {
			times = append(times, e.at)
		}
	}
	slices.Sort(times)
	times = slices.Compact(times)
	if len(times) < r.count {
		return 0, false
	}
	times = times[len(times)-r.count:]
	newest = times[r.count-1]
	return newest, times[0] > newest-r.window && s.at >= times[0]
}

func (m *reference) inMaintenance(device string, received int64) bool {
	return slices.ContainsFunc(m.works[device], func(w stretch) bool { return w.from < received && (w.to == 0 || received <= w.to) })
}
