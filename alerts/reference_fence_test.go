package alerts

import (
	"math"

	"pgregory.net/rapid"
)

// refFence is what a geofence rule says beside its conditions.
type refFence struct {
	edge        func(m *reference, device string, at refPlace) any // how far a place is outside in m, below zero inside; nil: not known
	fixes       int                                                // that open or clear
	speed       float64                                            // km/h
	night, dawn int64                                              // between which one fix is enough, ms of the day
}

// refPlace is in degrees.
type refPlace struct{ lat, lon float64 }

// refFix is where a device was at a time, and what that may be wrong by in m.
type refFix struct {
	at       int64
	place    refPlace
	accuracy float64
}

// metres are between two places: the angle between the directions in which they lie from the middle of the earth.
func metres(a, b refPlace) float64 {
	direction := func(p refPlace) [3]float64 {
		lat, lon := p.lat*math.Pi/180, p.lon*math.Pi/180
		return [3]float64{math.Cos(lat) * math.Cos(lon), math.Cos(lat) * math.Sin(lon), math.Sin(lat)}
	}
	u, v := direction(a), direction(b)
	along := u[0]*v[0] + u[1]*v[1] + u[2]*v[2]
	across := math.Hypot(math.Hypot(u[1]*v[2]-u[2]*v[1], u[2]*v[0]-u[0]*v[2]), u[0]*v[1]-u[1]*v[0])
	return 6_371_008.8 * math.Atan2(across, along)
}

// fixes are the last eight of a series. One that could only be reached too fast from the one before is passed over, and so is one that
// came after a newer reading.
func (m *reference) fixes(series string, f *refFence) (all []refFix) {
	newest := int64(math.MinInt64)
	for _, s := range m.said {
		lat, ok := s.get("lat").(float64)
		if s.series != series || !ok || s.at < newest {
			continue
		}
		newest = s.at
		lon, ok := s.get("lon").(float64)
		accuracy, _ := s.get("accuracy_m").(float64)
		fix := refFix{s.at, refPlace{lat, lon}, accuracy}
		if n := len(all); n > 0 {
			last := all[n-1]
			least := metres(last.place, fix.place) - last.accuracy - fix.accuracy
			ok = ok && fix.at > last.at && least <= f.speed/3.6*float64(fix.at-last.at)/1000
		}
		if ok {
			all = append(all, fix)
		}
	}
	return all[max(len(all)-8, 0):]
}

// surely is how far a fix is outside whatever it may be wrong by; nil if it may be on either side.
func (m *reference) surely(c *refCell, fix refFix) any {
	x, ok := c.rule.fence.edge(m, c.device, fix.place).(float64)
	switch {
	case ok && x > fix.accuracy:
		return math.Round((x-fix.accuracy)*10) / 10
	case ok && x < -fix.accuracy:
		return math.Round((x+fix.accuracy)*10) / 10
	}
	return nil
}

// outside is what the newest fix of a cell says, and how old that is at a time.
func (m *reference) outside(c *refCell, at int64) (v any, age int64) {
	all := m.fixes(c.series, c.rule.fence)
	if len(all) == 0 {
		return nil, math.MaxInt64
	}
	last := all[len(all)-1]
	return m.surely(c, last), at - last.at
}

// lastOutside is what an alert shows: what the last fix said that said something.
func (m *reference) lastOutside(c *refCell) (v any) {
	for _, fix := range m.fixes(c.series, c.rule.fence) {
		if x := m.surely(c, fix); x != nil {
			v = x
		}
	}
	return v
}

// staying is a sight that sees the greatest of the last fixes that say something, if those are enough to clear.
func (m *reference) staying(c *refCell, v sight) sight {
	return func(id string) any {
		if _, age := m.outside(c, c.judged); id != "outside_m" || age > c.rule.maxAge() {
			return v(id)
		}
		var said []float64
		for _, fix := range m.fixes(c.series, c.rule.fence) {
			if x, ok := m.surely(c, fix).(float64); ok {
				said = append(said, x)
			}
		}
		n := len(said) - c.rule.fence.fixes
		if n < 0 {
			return nil
		}
		most := said[n]
		for _, x := range said[n:] {
			most = max(most, x)
		}
		return most
	}
}

// enough reports whether the fixes since a cell began to wait are enough to open.
func (m *reference) enough(c *refCell, at int64) bool {
	f := c.rule.fence
	if f == nil {
		return false
	}
	const day, noon = 24 * refHour, 12 * refHour // when the tests begin
	if hour := ((noon+at)%day + day) % day; hour >= f.night || hour < f.dawn {
		return true
	}
	n := 0
	for _, fix := range m.fixes(c.series, f) {
		if x, ok := m.surely(c, fix).(float64); ok && fix.at >= c.since && x > 0 {
			n++
		}
	}
	return n >= f.fixes
}

// refFenceRules are those of testdata/reference_fence.yaml.
func refFenceRules() []*refRule {
	circle := func(lat, lon, radius float64) func(at refPlace) float64 {
		return func(at refPlace) float64 { return metres(at, refPlace{lat, lon}) - radius }
	}
	home := circle(39.1, 117.7, 150) // that of p1; nobody knows where the others live
	square := func(at refPlace) float64 {
		nearest := refPlace{min(max(at.lat, 39.10), 39.11), min(max(at.lon, 117.70), 117.71)}
		if nearest != at {
			return metres(at, nearest)
		}
		return -min(
			metres(at, refPlace{39.10, at.lon}), metres(at, refPlace{39.11, at.lon}),
			metres(at, refPlace{at.lat, 117.70}), metres(at, refPlace{at.lat, 117.71}),
		)
	}
	return []*refRule{
		{
			id: "p_home", severity: "high", category: "health", plan: "sos", safety: true, person: true, hold: 3 * refMinute,
			fields: []string{"outside_m"}, when: above("outside_m", 30), clear: below("outside_m", 0), age: 30 * refMinute,
			fence: &refFence{fixes: 2, speed: 150, night: 22 * refHour, dawn: 6 * refHour, edge: func(_ *reference, device string, at refPlace) any {
				if device != "p1" {
					return nil
				}
				return home(at)
			}},
		},
		{
			id: "p_park", severity: "medium", category: "security", plan: "once", hold: 30 * refMinute,
			fields: []string{"outside_m"}, when: above("outside_m", 100), clear: below("outside_m", -10), age: 30 * refMinute,
			fence: &refFence{fixes: 3, speed: 30, night: 23 * refHour, dawn: 5 * refHour, edge: func(_ *reference, _ string, at refPlace) any {
				return min(square(at), circle(39.12, 117.70, 200)(at))
			}},
		},
		{
			id: "p_near", severity: "low", category: "device", plan: "once", whole: true, hold: 10 * refMinute,
			fields: []string{"outside_m", "level"}, clear: below("outside_m", 0), age: 20 * refMinute,
			when: func(v sight) maybe { return both(above("outside_m", 30)(v), below("level", 70)(v)) },
			fence: &refFence{fixes: 4, speed: 150, night: 22 * refHour, dawn: 6 * refHour, edge: func(_ *reference, device string, at refPlace) any {
				known := circle(39.12, 117.70, 500)(at)
				switch {
				case device == "p1":
					return min(home(at), known)
				case known < 0:
					return known
				}
				return nil
			}},
		},
	}
}

// somewhere is a place near the edges of the fences of the tests, or far away.
func somewhere(t *rapid.T) []field {
	at := rapid.SampledFrom([]refPlace{
		{39.1003, 117.7002}, // at home, and in the park
		{39.1013, 117.7},    // 5 m within home
		{39.1016, 117.7},    // 28 m outside
		{39.1017, 117.7},    // 39 m
		{39.102, 117.7},     // 72 m
		{39.105, 117.705},   // in the middle of the park
		{39.105, 117.698},   // 173 m to the west of it
		{39.105, 117.6989},  // 95 m
		{39.1198, 117.7001}, // in the other park
		{39.2, 117.7},       // far away
	}).Draw(t, "place")
	all := []field{{"lat", at.lat}, {"lon", at.lon}}
	if accuracy := rapid.SampledFrom([]float64{0, 0, 0, 5, 42.3, 42.4, 150, 500}).Draw(t, "accuracy"); accuracy > 0 {
		all = append(all, field{"accuracy_m", accuracy})
	}
	return all
}

// roam lets a device go about for a while.
func (w *trio) roam() {
	t := w.T
	s := w.reading()
	if rapid.Bool().Draw(t, "with a home") {
		s.device, s.series = "p1", "p1"
	}
	gap := rapid.SampledFrom([]int64{10_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 1_800_001}).Draw(t, "gap") - heard
	for range rapid.IntRange(2, 12).Draw(t, "times") {
		s.at, s.received, s.fields = w.now, w.now, somewhere(t)
		switch rapid.SampledFrom([]string{"", "", "", "", "low", "half", "again", "after the next"}).Draw(t, "how") {
		case "low":
			s.fields = append(s.fields, field{"level", 60.0})
		case "half":
			s.fields = []field{s.fields[0], {"level", 50.0}}
		case "again":
			w.hear(s)
		case "after the next":
			s.at -= gap + gap/2
		}
		w.hear(s)
		w.pass(gap)
		w.mayTick(t)
	}
}
