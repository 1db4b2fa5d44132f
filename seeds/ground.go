package seeds

import (
	"maps"
	"math"
	"slices"

	"linli/devices"
)

// MetresPerDegree is how long a degree of latitude is, on a globe of 6,371 km.
const MetresPerDegree = 111_195.0

// Ground is where one can go for a walk in a community: the middles of the greens and squares of its plan, as latitude and longitude.
func (c *Community) Ground() [][2]float64 {
	if c.Plan == nil {
		return nil
	}
	var out [][2]float64
	for _, s := range c.Plan.Shapes {
		if s.Kind == devices.Green || s.Kind == devices.Square {
			out = append(out, c.degrees(middle(s.Points)))
		}
	}
	return out
}

// settle gives a device that knows how far its home reaches (home_radius_m) the place of its building for the middle of it,
// if there is a plan.
func (c *Community) settle(d *Device) {
	if _, knows := d.Attributes["home_radius_m"]; !knows || c.Plan == nil {
		return
	}
	home := c.degrees(c.stands(d.Place))
	d.Attributes = maps.Clone(d.Attributes)
	d.Attributes["home_lat"], d.Attributes["home_lon"] = home[0], home[1]
}

// degrees is where a point of the plan is in the world: its middle is where the community is.
func (c *Community) degrees(p [2]float64) [2]float64 {
	north, east := c.Plan.Height/2-p[1], p[0]-c.Plan.Width/2
	tidy := func(deg float64) float64 { return math.Round(deg*1e6) / 1e6 }
	return [2]float64{tidy(c.Lat + north/MetresPerDegree), tidy(c.Lon + east/MetresPerDegree/math.Cos(c.Lat*math.Pi/180))}
}

// stands is the middle of a building on the plan; without a shape of its own it stands in a row, where web/ui/src/plan.ts draws it.
func (c *Community) stands(p devices.Place) [2]float64 {
	shape := func(building string) int {
		return slices.IndexFunc(c.Plan.Shapes, func(s devices.Shape) bool {
			return s.Kind == devices.PlaceShape && s.Estate == p.Estate && s.Building == building && s.Zone == ""
		})
	}
	if i := shape(p.Building); i >= 0 {
		return middle(c.Plan.Shapes[i].Points)
	}
	estate := shape("")
	if estate < 0 {
		return [2]float64{c.Plan.Width / 2, c.Plan.Height / 2}
	}
	var row []string
	for _, e := range c.Estates {
		for _, b := range e.Buildings {
			if e.ID == p.Estate && shape(b.ID) < 0 {
				row = append(row, b.ID)
			}
		}
	}
	from, to := corners(c.Plan.Shapes[estate].Points)
	wide, deep := to[0]-from[0], (to[1]-from[1])*(1-2*margin)
	columns := columns(len(row), wide/deep)
	i := slices.Index(row, p.Building)
	cell := [2]float64{wide / float64(columns), deep / math.Ceil(float64(len(row))/float64(columns))}
	return [2]float64{
		from[0] + (float64(i%columns)+0.5)*cell[0],
		from[1] + (to[1]-from[1])*margin + (float64(i/columns)+0.46)*cell[1],
	}
}

const (
	margin = 0.16 // part of an estate north and south of its buildings
	slab   = 1.9  // how many times a building with the ground around it is as wide as it is deep
)

// columns is in how many columns n buildings stand on ground of a ratio of width to depth, each as nearly a slab as can be.
func columns(n int, ratio float64) int {
	found, off := 1, math.Inf(1)
	for c := 1; c <= n; c++ {
		is := ratio / float64(c) * math.Ceil(float64(n)/float64(c))
		if x := math.Abs(math.Log(is / slab)); x < off {
			found, off = c, x
		}
	}
	return found
}

func middle(points [][2]float64) [2]float64 {
	from, to := corners(points)
	return [2]float64{(from[0] + to[0]) / 2, (from[1] + to[1]) / 2}
}

// corners are the north-west and the south-east one of what is around points.
func corners(points [][2]float64) (from, to [2]float64) {
	from, to = points[0], points[0]
	for _, p := range points {
		for i, x := range p {
			from[i], to[i] = min(from[i], x), max(to[i], x)
		}
	}
	return from, to
}
