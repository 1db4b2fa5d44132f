package simulate

import (
	"cmp"
	"math"
	"slices"
	"time"

	"linli/seeds"
)

// position is where the wearer of a band is, and how well the band knows it: at home, and while nobody is there on a walk around
// the house, to a green or square of the community, or to the clinic. Who has dementia stays near the house.
type position struct{ axis int }

const (
	latitude = iota
	longitude
	accuracy
)

func (p position) value(s scene) float64 {
	a := s.actor
	at, out := a.stroll(s.at)
	known := a.key.named("fix").at(int64(s.at))
	radius := known.at(0).between(18, 45) // by what is heard of the wireless networks around
	if out {
		radius = known.at(0).between(4, 14)
	}
	if p.axis == accuracy {
		return radius
	}
	return a.house()[p.axis] + degreesOf(at[p.axis]+radius/2*clamp(known.at(int64(p.axis)+1).normal(), -2, 2), p.axis, a.site.lat)
}

// readPosition has the fields of a fix sent together: one without the others says nothing.
func readPosition(b *block, f *fieldPlan) {
	b.makes(f, "number")
	axis := slices.Index([]string{"lat", "lon", "accuracy"}, b.text("of"))
	if axis < 0 {
		b.fail(b.node, "of: want lat, lon or accuracy, got %q", b.text("of"))
	}
	f.model, f.beat = position{axis}, key(0).named("position")
}

// house is where the device lives, in degrees; without a home of its own in the middle of the community.
func (a *actor) house() [2]float64 {
	lat, known := a.Attributes["home_lat"]
	lon, too := a.Attributes["home_lon"]
	if !known || !too {
		return [2]float64{a.site.lat, a.site.lon}
	}
	return [2]float64{lat, lon}
}

const (
	pace = 0.9 // m/s
	most = 0.4 // of a walk that is spent on the way there: who has little time turns back earlier
)

// stroll is how far north and east of home, in m, the wearer is, and whether they are out.
func (a *actor) stroll(t moment) (at [2]float64, out bool) {
	hour := t.hour()
	for n, walk := range a.home.absences(t.day()) {
		if hour < walk.from || hour >= walk.to {
			continue
		}
		k := a.home.key.named("walk").at(t.day()).at(int64(n))
		to := a.destination(k)
		way := math.Hypot(to[0], to[1]) / pace / 3600 // h
		part := min(hour-walk.from, walk.to-hour, most*(walk.to-walk.from)) / max(way, 1e-6)
		for i := range at {
			at[i] = to[i]*min(part, 1) + 8*clamp(k.at(int64(10+i)).wave(t, 5*time.Minute), -2, 2)
		}
		return at, true
	}
	return at, false
}

// destination is where a walk goes, in m north and east of home.
func (a *actor) destination(k key) [2]float64 {
	near := slices.Clone(a.site.ground)
	house := a.house()
	slices.SortStableFunc(near, func(x, y [2]float64) int { return cmp.Compare(metres(house, x), metres(house, y)) })
	switch x := k.at(0).uniform(); {
	case x < 0.5 || len(near) == 0 || a.Tags["care"] == "dementia":
		return polar(k.at(1).between(40, 110), k.at(2).uniform())
	case x < 0.8:
		to := near[int(k.at(1).uniform()*float64(min(len(near), 2)))]
		return [2]float64{metresOf(to[0]-house[0], latitude, a.site.lat), metresOf(to[1]-house[1], longitude, a.site.lat)}
	default: // everybody of a community has the same clinic
		clinic := polar(a.site.key.named("clinic").between(500, 900), a.site.key.named("clinic way").uniform())
		return [2]float64{
			clinic[0] - metresOf(house[0]-a.site.lat, latitude, a.site.lat), clinic[1] - metresOf(house[1]-a.site.lon, longitude, a.site.lat),
		}
	}
}

func polar(distance, turn float64) [2]float64 {
	return [2]float64{distance * math.Cos(2*math.Pi*turn), distance * math.Sin(2*math.Pi*turn)}
}

func metres(a, b [2]float64) float64 {
	return math.Hypot(metresOf(a[0]-b[0], latitude, a[0]), metresOf(a[1]-b[1], longitude, a[0]))
}

// metresOf is how long some degrees are; the earth is flat as far as one walks.
func metresOf(degrees float64, axis int, lat float64) float64 {
	if axis == longitude {
		degrees *= math.Cos(lat * math.Pi / 180)
	}
	return degrees * seeds.MetresPerDegree
}

func degreesOf(metres float64, axis int, lat float64) float64 {
	return metres / metresOf(1, axis, lat)
}
