package alerts

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"cel.dev/cel-go/cel"

	"linli/devices"
)

// geofenceKind judges where a device is, by the lat and lon that one of its readings has, and accuracy_m where it has that. when and
// clear are about outside_m: how far the device is outside the zone of the rule in metres, less what the fix may be wrong by; below
// zero it is as far inside. A fix that may be on either side says nothing.
//
//	opens    outside by when (more than 30 m, the person not away) at `fixes` fixes one after another (2) or for `for` (3m), whichever
//	         is first; at night (22:00-06:00) at the first fix
//	clears   when clear (inside) is true of each of the last `fixes` fixes that say something
//
// A fix that could only be reached faster than max_speed_kmh (150) is passed over.
var geofenceKind = &kind{
	keys:    "zone | when clear for fixes night max_speed_kmh max_age signals",
	declare: func(b *binder, x *bound, vars schema) { b.fence(x, vars) },
}

const (
	// Between leaving and being back lie 30 m beyond what a fix may be wrong by.
	geofenceWhen  = "outside_m > 30.0 && !person.away"
	geofenceClear = "outside_m < 0.0"
	// mostFixes is how many fixes a series keeps for its fences.
	mostFixes = 8
	// leastRadius and mostExtent bound a zone, m: below the one fixes are too coarse, above the other points are mistyped.
	leastRadius, mostExtent = 100.0, 100_000.0
	// homeRadius is that of a home of which the registry knows only where it is, m.
	homeRadius = 150.0
)

// fence is what a geofence rule says beside its conditions.
type fence struct {
	zones []zone     // it is enough to be in one
	fixes int        // one after another that open or clear
	speed float64    // km/h
	night *timeOfDay // when one fix is enough
}

// zone is a circle, a polygon, or the circle that the registry has as the home of a device: its attributes home_lat, home_lon and
// home_radius_m.
type zone struct {
	home    bool
	center  point
	radius  float64 // m
	polygon []point // nil: a circle
}

// point is in degrees, WGS-84.
type point struct{ lat, lon float64 }

var homeAttributes = [...]string{"home_lat", "home_lon", "home_radius_m"}

// outsideField is what an alert of a fence shows.
var outsideField = &devices.Field{ID: "outside_m", Name: devices.Text{ZH: "离开范围", EN: "Outside by"}, Unit: "m", Type: devices.Float}

// defaultFence is what a rule need not say.
func defaultFence(r *Rule) {
	r.fence = fence{fixes: 2, speed: 150, night: &timeOfDay{22 * 60, 6 * 60}}
	r.when, r.clear = source{geofenceWhen, r.Line}, source{geofenceClear, r.Line}
	r.For = 3 * time.Minute
}

func (p *parser) zones(to *[]zone) read {
	one := func(n *yaml.Node) {
		var z zone
		switch {
		case n.Kind == yaml.ScalarNode && n.Value == "home":
			z.home = true
		case has(n, "polygon"):
			p.mapping(n, map[string]read{"polygon": p.each(func(n *yaml.Node) { z.polygon = append(z.polygon, p.point(n)) })})
		default:
			p.mapping(n, map[string]read{"lat": p.number(&z.center.lat), "lon": p.number(&z.center.lon), "radius_m": p.number(&z.radius)}, "lat", "lon", "radius_m")
		}
		if mistake := z.mistake(); mistake != "" {
			p.fail(n.Line, "zone: %s", mistake)
		}
		*to = append(*to, z)
	}
	return func(n *yaml.Node) {
		*to = nil
		if n.Kind == yaml.SequenceNode {
			p.each(one)(n)
			return
		}
		one(n)
	}
}

// point reads [lat, lon].
func (p *parser) point(n *yaml.Node) (at point) {
	if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
		p.fail(n.Line, "want a point such as [39.1, 117.7]")
		return at
	}
	p.number(&at.lat)(n.Content[0])
	p.number(&at.lon)(n.Content[1])
	return at
}

func (z *zone) mistake() string {
	switch {
	case z.home:
	case z.polygon == nil && (z.radius < leastRadius || z.radius > mostExtent):
		return fmt.Sprintf("radius_m is %g, want %g to %g", z.radius, leastRadius, mostExtent)
	case z.polygon != nil && (len(z.polygon) < 3 || len(z.polygon) > 200):
		return "a polygon has 3 to 200 points"
	}
	for _, p := range z.polygon {
		if distance(p, z.polygon[0]) > mostExtent {
			return fmt.Sprintf("%g, %g is far from the first point", p.lat, p.lon)
		}
	}
	return ""
}

// fence declares outside_m.
func (b *binder) fence(x *bound, vars schema) {
	lat, lon := b.typ.Field("lat"), b.typ.Field("lon")
	if lat == nil || lon == nil {
		b.failAt(b.rule.Line, "%s has no lat and lon", b.typ.ID)
		return
	}
	for _, z := range b.rule.fence.zones {
		for _, p := range append(slices.Clone(z.polygon), z.center) {
			if !z.home && (z.polygon == nil || p != z.center) && (p.lat < lat.Min || p.lat > lat.Max || p.lon < lon.Min || p.lon > lon.Max) {
				b.failAt(b.rule.Line, "zone: lat %g, lon %g is no place for a %s", p.lat, p.lon, b.typ.ID)
			}
		}
		for _, id := range homeAttributes {
			if z.home && b.typ.Attribute(id) == nil {
				b.failAt(b.rule.Line, "zone: %s has no attribute %s", b.typ.ID, id)
			}
		}
	}
	if n := b.rule.fence.fixes; n < 1 || n > mostFixes {
		b.failAt(b.rule.Line, "fixes: want 1 to %d", mostFixes)
	}
	m := &measure{name: fmt.Sprintf("fix %gkm/h", b.rule.fence.speed), field: lat, fn: fixOf, maxAge: b.maxAge(&signalSource{}, lat)}
	vars["outside_m"] = variable{origin: fromSignal, typ: cel.DoubleType, index: len(x.signals), key: lat.ID}
	x.signals = append(x.signals, signal{field: lat, measure: m, maxAge: m.maxAge, fence: &b.rule.fence})
	x.field = outsideField
}

// fixUse is where a series keeps its fixes.
type fixUse struct {
	memory        int
	lat, lon, acc int     // slots; acc is -1 where the type does not say how good a fix is
	speed         float64 // m/s
}

// rememberFixes gives a fence its memory, the same to all that pass over the same.
func (p *program) rememberFixes(s *signal) {
	alike := func(m *measure) bool { return m.name == s.measure.name }
	if s.memory = slices.IndexFunc(p.measures, alike); s.memory >= 0 {
		return
	}
	s.memory = len(p.measures)
	p.keep(s.measure)
	x := fixUse{memory: s.memory, lat: s.slot, lon: p.use(p.typ.Field("lon")).slot, acc: -1, speed: s.fence.speed / 3.6}
	if f := p.typ.Field("accuracy_m"); f != nil {
		x.acc = p.use(f).slot
	}
	p.fixes = append(p.fixes, x)
}

// fix keeps where a series was at a time, if the reading of that time says it. It is kept as a bucket: latitude, longitude, and the
// accuracy in decimetres as what is covered.
func (s *series) fix(x *fixUse, at int64) {
	m := &s.memories[x.memory]
	if !s.wants[x.memory] || s.slots[x.lat].at != at || s.slots[x.lon].at != at || m.newest() >= at {
		return
	}
	b := bucket{at: at, n: 1, x: s.slots[x.lat].value, y: s.slots[x.lon].value}
	if x.acc >= 0 && s.slots[x.acc].at == at {
		b.covered = uint32(math.Round(min(max(s.slots[x.acc].value, 0), 1e6) * 10))
	}
	if n := len(m.buckets); n > 0 {
		last := &m.buckets[n-1]
		if away := distance(b.place(), last.place()) - b.accuracy() - last.accuracy(); away > x.speed*float64(at-last.at)/1000 {
			return
		}
		if n == mostFixes {
			m.buckets = slices.Delete(m.buckets, 0, 1)
		}
	}
	m.buckets = append(m.buckets, b)
}

func (b *bucket) place() point      { return point{b.x, b.y} }
func (b *bucket) accuracy() float64 { return float64(b.covered) / 10 }

// outside is outside_m at a time; to clear, the greatest of the last fixes that say something.
func (c *core) outside(sig *signal, sc *scope) (float64, bool) {
	s := sc.series
	if s == nil || !s.fresh(sig, sc.at) {
		return 0, false
	}
	all := s.memories[sig.memory].buckets
	if !sc.strict {
		return sig.fence.outside(&all[len(all)-1], s.dev)
	}
	most, known := math.Inf(-1), 0
	for i := len(all) - 1; i >= 0 && known < sig.fence.fixes; i-- {
		if x, ok := sig.fence.outside(&all[i], s.dev); ok {
			most = max(most, x)
			known++
		}
	}
	return most, known == sig.fence.fixes
}

// lastOutside is what the last fix said that said something; nil if none did.
func (s *series) lastOutside(sig *signal) any {
	for _, fix := range slices.Backward(s.memories[sig.memory].buckets) {
		if x, known := sig.fence.outside(&fix, s.dev); known {
			return x
		}
	}
	return nil
}

// enough reports whether the fixes since a time are enough to open without waiting longer.
func (c *core) enough(s *series, b *bound, since, at int64) bool {
	sig := &b.signals[0]
	if f := sig.fence; f.night != nil && f.night.contains(moment(at).In(c.zone(s.community))) {
		return true
	}
	n := 0
	for i := range s.memories[sig.memory].buckets {
		fix := &s.memories[sig.memory].buckets[i]
		if x, known := sig.fence.outside(fix, s.dev); fix.at >= since && known && x > 0 {
			n++
		}
	}
	return n >= sig.fence.fixes
}

// outside is how far a fix is surely outside, or inside, all zones.
func (f *fence) outside(fix *bucket, dev *devices.Device) (float64, bool) {
	least, unknown := math.Inf(1), false
	for i := range f.zones {
		if x, known := f.zones[i].outside(fix.place(), dev); known {
			least = min(least, x)
		} else {
			unknown = true
		}
	}
	switch acc := fix.accuracy(); {
	case least < -acc:
		return math.Round((least+acc)*10) / 10, true
	case least <= acc || unknown: // it may be in the home that is not known
		return 0, false
	default:
		return math.Round((least-acc)*10) / 10, true
	}
}

// outside is the distance of a place from the edge of a zone, negative inside; false for a home that the registry does not know.
func (z *zone) outside(at point, dev *devices.Device) (float64, bool) {
	switch {
	case z.home:
		home, known := homeOf(dev)
		return distance(at, home.center) - home.radius, known
	case z.polygon == nil:
		return distance(at, z.center) - z.radius, true
	}
	return outsidePolygon(at, z.polygon), true
}

// homeOf is the zone that the registry has as the home of a device.
func homeOf(dev *devices.Device) (z zone, known bool) {
	if dev == nil {
		return z, false
	}
	lat, known := dev.Attributes[homeAttributes[0]]
	lon, too := dev.Attributes[homeAttributes[1]]
	radius, sized := dev.Attributes[homeAttributes[2]]
	if !sized {
		radius = homeRadius
	}
	return zone{center: point{lat, lon}, radius: max(radius, leastRadius)}, known && too
}

// homeless reports whether a fence needs a home that the registry does not know: then it judges nothing.
func (f *fence) homeless(dev *devices.Device) bool {
	_, known := homeOf(dev)
	return !known && slices.ContainsFunc(f.zones, func(z zone) bool { return z.home })
}

func (z zone) String() string {
	switch {
	case z.home:
		return "home"
	case z.polygon == nil:
		return fmt.Sprintf("%g m around %g, %g", z.radius, z.center.lat, z.center.lon)
	}
	corners := make([]string, len(z.polygon))
	for i, p := range z.polygon {
		corners[i] = fmt.Sprintf("%g, %g", p.lat, p.lon)
	}
	return strings.Join(corners, "; ")
}
