package alerts

import "math"

// earthRadius is the mean radius, m. The earth is flatter than a sphere: a distance is right to 0.6 %, 2 m in 300 m.
const earthRadius = 6_371_008.8

const radian = math.Pi / 180

// distance is the great circle between two points in m, by the haversine formula.
func distance(a, b point) float64 {
	lat := math.Sin((b.lat - a.lat) * radian / 2)
	lon := math.Sin((b.lon - a.lon) * radian / 2)
	h := lat*lat + math.Cos(a.lat*radian)*math.Cos(b.lat*radian)*lon*lon
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// outsidePolygon is the distance of a point from the edge of a polygon in m, negative inside. The nearest point of the edge is found
// on a plane that touches the earth at the point, where edges are straight: exact near the point, to a thousandth 10 km away.
func outsidePolygon(at point, polygon []point) float64 {
	least, inside := math.Inf(1), false
	east := math.Cos(at.lat * radian)
	for i, to := range polygon {
		from := polygon[(i+len(polygon)-1)%len(polygon)]
		x0, y0 := (from.lon-at.lon)*east, from.lat-at.lat
		x1, y1 := (to.lon-at.lon)*east, to.lat-at.lat
		if (y0 > 0) != (y1 > 0) && x0+(x1-x0)*(-y0)/(y1-y0) > 0 {
			inside = !inside
		}
		share := 0.0
		if length := (x1-x0)*(x1-x0) + (y1-y0)*(y1-y0); length > 0 {
			share = min(max(-(x0*(x1-x0)+y0*(y1-y0))/length, 0), 1)
		}
		nearest := point{from.lat + share*(to.lat-from.lat), from.lon + share*(to.lon-from.lon)}
		least = min(least, distance(at, nearest))
	}
	if inside {
		return -least
	}
	return least
}
