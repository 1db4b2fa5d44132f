package web

import (
	"cmp"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"linli/devices"
	"linli/series"
)

const (
	defaultSpan = 24 * time.Hour
	aheadSpan   = 5 * time.Minute // readings may be so far ahead of our clock
)

var readingRoutes = []route{
	{
		method: "GET", path: "/api/v1/devices/{id}/readings", area: "readings", about: "History of one field of a device: raw, or one value a window",
		may: everyone, whose: aDevice, in: readingFilter{}, freeform: true, out: readingList{}, handle: (*Server).readings,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/readings.csv", area: "readings", about: "The same as a file for spreadsheets",
		may: everyone, whose: aDevice, in: readingFilter{}, freeform: true, outType: "text/csv", handle: (*Server).readingsCSV,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/chart", area: "readings", about: "History of one field in so many windows, with peaks and gaps",
		may: everyone, whose: aDevice, in: chartFilter{}, out: chart{}, handle: (*Server).chart,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/latest", area: "readings", about: "The last value of every field, and how fresh it is",
		may: everyone, whose: aDevice, out: latestList{}, handle: (*Server).latest,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/events", area: "readings", about: "What happened to a device, newest first",
		may: everyone, whose: aDevice, in: eventFilter{}, out: eventList{}, handle: (*Server).deviceEvents,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/completeness", area: "readings", about: "How many of the readings of each day came",
		may: everyone, whose: aDevice, in: timeSpan{}, out: completeness{}, handle: (*Server).completeness,
	},
	{
		method: "POST", path: "/api/v1/readings/import", area: "readings", about: "Store line protocol as it is, past all rules",
		may: admins, whose: installation, inType: "text/plain", out: stored{}, body: readingsBody, timeout: importTimeout,
		handle: (*Server).importReadings,
	},
}

type (
	readingFilter struct {
		Field  string `query:"field" required:"true"`
		From   string `query:"from" description:"RFC 3339, or seconds or milliseconds since 1970; 24 h before to"`
		To     string `query:"to"`
		Window string `query:"window" description:"such as 5m, 1h, 1d; raw without it"`
		Fn     string `query:"fn" enum:"mean,min,max,sum,last,count,increase"`
		Limit  int    `query:"limit" description:"of raw values"`
	}
	readingList struct {
		Device string  `json:"device"`
		Field  string  `json:"field"`
		Unit   string  `json:"unit"`
		Points []point `json:"points"`
	}
	stored struct {
		Lines int `json:"lines"`
	}
)

// point is a point of a series as JSON.
type point struct {
	Time  time.Time         `json:"time"`
	Value any               `json:"value"`
	Tags  map[string]string `json:"tags,omitempty"`
}

// readings shows the history of one field of a device: raw, or one value a window.
func (s *Server) readings(w http.ResponseWriter, r *http.Request) error {
	d, f, points, err := s.history(r)
	if err != nil {
		return err
	}
	body := readingList{d.ID, f.ID, f.Unit, make([]point, len(points))}
	for i, p := range points {
		body.Points[i] = point(p)
	}
	return reply(w, http.StatusOK, body)
}

// history is what a request asks of the history of one field.
func (s *Server) history(r *http.Request) (*devices.Device, *devices.Field, []series.Point, error) {
	d, t, err := s.findDevice(r)
	if err != nil {
		return nil, nil, nil, err
	}
	q := r.URL.Query()
	tags := payloadTags(t)
	if err := onlyParams(r, append([]string{"field", "from", "to", "window", "fn", "limit"}, tags...)...); err != nil {
		return nil, nil, nil, err
	}
	f := t.Field(q.Get("field"))
	if f == nil {
		return nil, nil, nil, invalid("field", "type %s has no field %q", t.ID, q.Get("field"))
	}
	if !s.shows(r, d, scopeOf(t, f.ID)) {
		return nil, nil, nil, errNoConsent
	}
	ask := series.Query{Measurement: t.Measurement, Field: f.ID, Devices: s.Registry.History(d.ID), Split: tags}
	if ask.From, ask.To, err = span(q, s.Now()); err != nil {
		return nil, nil, nil, err
	}
	for _, tag := range tags {
		if q.Has(tag) {
			ask.Tags = appendTag(ask.Tags, tag, q.Get(tag))
		}
	}
	points, err := s.points(r, ask, f, d)
	return d, f, points, err
}

// points asks for raw values or windows, as the request says.
func (s *Server) points(r *http.Request, ask series.Query, f *devices.Field, d *devices.Device) ([]series.Point, error) {
	q := r.URL.Query()
	if !q.Has("window") {
		if q.Has("fn") {
			return nil, invalid("fn", "wants a window")
		}
		limit, err := number(r, "limit", 0, series.MaxPoints)
		if err != nil {
			return nil, err
		}
		return s.History.Raw(r.Context(), ask, limit)
	}
	if q.Has("limit") {
		return nil, invalid("limit", "is for raw values")
	}
	width, err := parseWidth(q.Get("window"))
	if err != nil {
		return nil, err
	}
	win := series.Window{Width: width, Fn: cmp.Or(series.Fn(q.Get("fn")), usual(f)), Zone: s.zone(d.Community)}
	switch numeric := f.Type == devices.Float || f.Type == devices.Int; {
	case !numeric && win.Fn != series.Last && win.Fn != series.Count:
		return nil, invalid("fn", "%s of %s: it is not a number, only last and count are possible", win.Fn, f.ID)
	case win.Fn == series.Increase && f.Kind != devices.Counter:
		return nil, invalid("fn", "increase of %s: it is not a counter", f.ID)
	}
	win.Modulus = modulus(f)
	return s.History.Window(r.Context(), ask, win)
}

// usual is what a window of a field shows when nothing is said.
func usual(f *devices.Field) series.Fn {
	switch {
	case f.Type != devices.Float && f.Type != devices.Int, f.Kind == devices.State:
		return series.Last
	case f.Kind == devices.Counter:
		return series.Increase
	default:
		return series.Mean
	}
}

// modulus is where a counter begins again: one past the largest value of an integer, the next whole number for a register with
// decimals such as 99999.999.
func modulus(f *devices.Field) float64 {
	if f.Type == devices.Int {
		return f.Max + 1
	}
	return math.Ceil(f.Max)
}

// zone is that of a community; days begin at its midnight.
func (s *Server) zone(community string) *time.Location {
	name := "Asia/Shanghai"
	if c := s.Registry.Community(community); c != nil && c.Timezone != "" {
		name = c.Timezone
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		s.Log.Warn("unknown time zone", "community", community, "err", err)
		return time.UTC
	}
	return zone
}

// span reads from and to: the last 24 hours when left out.
func span(q url.Values, now time.Time) (from, to time.Time, err error) {
	to = now.Add(aheadSpan)
	if q.Has("to") {
		if to, err = parseTime("to", q.Get("to")); err != nil {
			return from, to, err
		}
	}
	from = to.Add(-defaultSpan)
	if q.Has("from") {
		from, err = parseTime("from", q.Get("from"))
	}
	return from, to, err
}

// parseTime reads RFC 3339, or seconds or milliseconds since 1970 by magnitude.
func parseTime(name, v string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, v); err == nil {
		return t, nil
	}
	// A "+" of an offset that was not escaped arrives as a space.
	if t, err := time.Parse(time.RFC3339Nano, strings.Replace(v, " ", "+", 1)); err == nil {
		return t, nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < 0 || n > 1e14 {
		return time.Time{}, invalid(name, "%q is neither RFC 3339 nor seconds or milliseconds since 1970", v)
	}
	if n < 1e11 {
		return time.Unix(n, 0).UTC(), nil
	}
	return time.UnixMilli(n).UTC(), nil
}

// parseWidth reads a duration such as 30s, 5m, 1h or 1d.
func parseWidth(v string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 14); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(v)
	if err != nil {
		return 0, invalid("window", "%q is not a duration such as 5m, 1h or 1d", v)
	}
	return d, nil
}

func appendTag(tags map[string]string, tag, value string) map[string]string {
	if tags == nil {
		tags = map[string]string{}
	}
	tags[tag] = value
	return tags
}
