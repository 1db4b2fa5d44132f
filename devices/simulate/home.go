package simulate

// home is a place whose people come and go.
type home struct {
	key   key
	kind  homeKind
	falls float64 // of its elder, per year
}

type homeKind uint8

const (
	public homeKind = iota // open from 7 to 22
	family
	elder // lives alone
)

// span is a stretch of a day, in hours.
type span struct{ from, to float64 }

// absences are when nobody is at home on a local day, in order.
func (h *home) absences(day int64) [2]span {
	k := h.key.at(day)
	var out [2]span
	switch h.kind {
	case public:
		out = [2]span{{0, 7}, {22, 24}}
	case elder:
		if k.at(1).chance(0.8) {
			from := 9 + 0.5*clamp(k.at(2).normal(), -2, 2)
			out[0] = span{from, from + k.at(3).between(0.7, 2)}
		}
		if k.at(4).chance(0.6) {
			from := 15.5 + 0.5*clamp(k.at(5).normal(), -2, 2)
			out[1] = span{from, from + k.at(6).between(0.7, 2)}
		}
	case family:
		if workday(day) && k.at(1).chance(0.7) {
			out[0] = span{8 + 0.5*clamp(k.at(2).normal(), -2, 2), 17.5 + 0.8*clamp(k.at(3).normal(), -2, 2)}
		} else if !workday(day) && k.at(1).chance(0.6) {
			from := k.at(2).between(9, 14)
			out[0] = span{from, from + k.at(3).between(1.5, 6)}
		}
	}
	return out
}

// fall is when the elder lies on the floor on that day: nothing that takes a person happens until somebody comes.
func (h *home) fall(day int64) (span, bool) {
	k := h.key.named("fall").at(day)
	if h.kind != elder || !k.at(0).chance(h.falls/365) {
		return span{}, false
	}
	from := k.at(1).between(0.5, 22)
	to := from + k.at(2).between(0.3, 1.5)
	for _, out := range h.absences(day) {
		if out.from < to && from < out.to {
			return span{}, false
		}
	}
	return span{from, to}, true
}

// present reports whether somebody is at home.
func (h *home) present(t moment) bool {
	hour := t.hour()
	for _, out := range h.absences(t.day()) {
		if hour >= out.from && hour < out.to {
			return false
		}
	}
	return true
}

// share is how much of what is done on a day is done by an hour of it, from 0 to 1, when activity follows profile. It rests while
// the elder lies on the floor and, if it is bound to the home, while nobody is there.
func (h *home) share(profile *course, day int64, hour float64, bound bool) float64 {
	var idle [3]span
	if bound {
		out := h.absences(day)
		copy(idle[:], out[:])
	}
	idle[2], _ = h.fall(day)
	done, all := profile.until(hour), profile.until(24)
	for _, s := range idle {
		done -= profile.until(min(hour, s.to)) - profile.until(min(hour, s.from))
		all -= profile.until(s.to) - profile.until(s.from)
	}
	if all <= 0 { // all of it falls into an absence: it is done by somebody else
		return profile.until(hour) / profile.until(24)
	}
	return clamp(done/all, 0, 1)
}

// course is a quantity's course over a day: its values at the full hours, and the sum of the hours before each.
type course struct {
	values [24]float64
	sums   [25]float64
}

func newCourse(values [24]float64) *course {
	c := &course{values: values}
	for i, v := range values {
		c.sums[i+1] = c.sums[i] + v
	}
	return c
}

// flat is the course of what happens at any hour alike.
var flat = newCourse([24]float64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1})

// until is the sum from midnight to an hour.
func (c *course) until(hour float64) float64 {
	if hour >= 24 {
		return c.sums[24]
	}
	n := int(hour)
	return c.sums[n] + c.values[n]*(hour-float64(n))
}

// value at an hour, between the full hours in proportion.
func (c *course) value(hour float64) float64 {
	n := int(hour)
	w := hour - float64(n)
	return (1-w)*c.values[n%24] + w*c.values[(n+1)%24]
}

// hourOf is the hour at which a share of the day is done.
func (c *course) hourOf(share float64) float64 {
	target := share * c.sums[24]
	for n, v := range c.values {
		if v > 0 && c.sums[n+1] >= target {
			return float64(n) + (target-c.sums[n])/v
		}
	}
	return 24 - 1.0/3600
}

func clamp(x, low, high float64) float64 { return max(low, min(high, x)) }
