package web

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"linli/devices"
	"linli/series"
)

const (
	usualBuckets = 400
	maxBuckets   = 2000
)

// widths are what a chart's windows may be wide.
var widths = []time.Duration{
	time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

type (
	chartFilter struct {
		Field  string `query:"field" required:"true"`
		From   string `query:"from" description:"RFC 3339, or seconds or milliseconds since 1970; 24 h before to"`
		To     string `query:"to"`
		Points int    `query:"points" minimum:"10" maximum:"2000" description:"windows at most, of each series; 400 when left out"`
	}
	chart struct {
		Device string        `json:"device"`
		Field  string        `json:"field"`
		Unit   string        `json:"unit"`
		Window float64       `json:"window_s"` // how wide a window is
		Fn     series.Fn     `json:"fn"`       // what value is of a window
		Series []chartSeries `json:"series"`
	}
	// chartSeries has one entry in each list for every window with values, and null where values are missing.
	chartSeries struct {
		Tags  map[string]string `json:"tags"`
		Time  []int64           `json:"time"` // s since 1970, where the window begins
		Value []any             `json:"value"`
		Min   []any             `json:"min,omitempty"`
		Max   []any             `json:"max,omitempty"`
		Late  []int64           `json:"late,omitempty"` // the windows of which a part came long after they were over
	}
)

// chart shows the history of a field in as many windows as a screen has room for. Of a gauge it gives the lowest and the highest value
// besides the mean, so that no peak is lost; where nothing came for longer than is regular it gives a gap, and it says what came late.
func (s *Server) chart(w http.ResponseWriter, r *http.Request) error {
	d, t, err := s.findDevice(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := t.Field(q.Get("field"))
	if f == nil {
		return invalid("field", "type %s has no field %q", t.ID, q.Get("field"))
	}
	if !s.shows(r, d, scopeOf(t, f.ID)) {
		return errNoConsent
	}
	points, err := number(r, "points", usualBuckets, maxBuckets)
	if err != nil {
		return err
	}
	ask := series.Query{Measurement: t.Measurement, Field: f.ID, Devices: s.Registry.History(d.ID), Split: payloadTags(t)}
	if ask.From, ask.To, err = span(q, s.Now()); err != nil {
		return err
	}
	win := series.Window{Width: widthFor(ask.To.Sub(ask.From), points), Fn: usual(f), Zone: s.zone(d.Community), Modulus: modulus(f)}
	body := chart{Device: d.ID, Field: f.ID, Unit: f.Unit, Window: win.Width.Seconds(), Fn: win.Fn, Series: []chartSeries{}}
	gap := max(win.Width*3/2, regular(t, f)*3)
	if f.Kind == devices.State { // holds until the next value
		gap = math.MaxInt64
	}
	var came []series.Point
	g, ctx := errgroup.WithContext(r.Context())
	g.Go(func() (err error) {
		body.Series, err = s.draw(ctx, ask, win, gap)
		return err
	})
	g.Go(func() (err error) {
		ask, win := ask, win
		ask.Field, win.Fn = receivedField, series.Max
		came, err = s.History.Window(ctx, ask, win)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	markLate(body.Series, came, win.Width)
	return reply(w, http.StatusOK, body)
}

// draw is what a chart shows: peaks of a gauge, and one value a window of all else.
func (s *Server) draw(ctx context.Context, ask series.Query, win series.Window, gap time.Duration) ([]chartSeries, error) {
	if win.Fn == series.Mean {
		buckets, err := s.History.Buckets(ctx, ask, win)
		gap = max(gap, rhythm(buckets, win.Width, func(b series.Bucket) (map[string]string, time.Time) { return b.Tags, b.Time })*3)
		return peaks(buckets, win.Width, gap), err
	}
	values, err := s.History.Window(ctx, ask, win)
	gap = max(gap, rhythm(values, win.Width, func(p series.Point) (map[string]string, time.Time) { return p.Tags, p.Time })*3)
	return columns(values, win.Width, gap), err
}

// rhythm is how far apart values of a series usually were, whatever its type says: a device that is set to report less often has no
// gaps for it. All come by time within their series, one a window at most. Of few values, and where it is that of the windows, it is 0.
func rhythm[T any](all []T, width time.Duration, of func(T) (map[string]string, time.Time)) time.Duration {
	last := map[string]time.Time{}
	var apart []time.Duration
	for _, v := range all {
		tags, at := of(v)
		k := tagKey(tags)
		if before, ok := last[k]; ok {
			apart = append(apart, at.Sub(before))
		}
		last[k] = at
	}
	slices.Sort(apart)
	if len(apart) < 8 || apart[len(apart)/2] <= width {
		return 0
	}
	return apart[len(apart)/2]
}

// markLate marks the windows that were drawn otherwise when they were over: what came last of them, ms, came long after.
func markLate(all []chartSeries, came []series.Point, width time.Duration) {
	by := map[string]*chartSeries{}
	for i := range all {
		by[tagKey(all[i].Tags)] = &all[i]
	}
	for _, p := range came {
		ms, _ := p.Value.(float64)
		c := by[tagKey(p.Tags)]
		if c == nil || ms <= float64(p.Time.Add(width+lateAfter).UnixMilli()) {
			continue
		}
		if at := p.Time.Unix(); slices.Contains(c.Time, at) { // and not only another field of the device
			c.Late = append(c.Late, at)
		}
	}
}

// widthFor is the narrowest width that divides a span into no more than so many windows.
func widthFor(span time.Duration, points int) time.Duration {
	for _, w := range widths {
		if span <= w*time.Duration(points) {
			return w
		}
	}
	return span.Truncate(time.Hour)/time.Duration(points) + time.Hour
}

// regular is how far two values of a field lie apart when all is well.
func regular(t *devices.Type, f *devices.Field) time.Duration {
	if f.Period > 0 {
		return f.Period
	}
	return t.Period
}

// peaks makes columns of buckets, which come by series and time.
func peaks(buckets []series.Bucket, width, gap time.Duration) []chartSeries {
	all := []chartSeries{}
	key := ""
	for _, b := range buckets {
		if k := tagKey(b.Tags); len(all) == 0 || k != key {
			key = k
			all = append(all, chartSeries{Tags: tagsOf(b.Tags)})
		}
		c := &all[len(all)-1]
		if c.gap(b.Time, width, gap) {
			c.Min, c.Max = append(c.Min, nil), append(c.Max, nil)
		}
		c.add(b.Time, digits(b.Mean))
		c.Min, c.Max = append(c.Min, digits(b.Min)), append(c.Max, digits(b.Max))
	}
	return all
}

// columns makes columns of points, which come by time.
func columns(points []series.Point, width, gap time.Duration) []chartSeries {
	by := map[string]*chartSeries{}
	keys := []string{}
	for _, p := range points {
		k := tagKey(p.Tags)
		c := by[k]
		if c == nil {
			c = &chartSeries{Tags: tagsOf(p.Tags)}
			by[k], keys = c, append(keys, k)
		}
		c.gap(p.Time, width, gap)
		c.add(p.Time, digits(p.Value))
	}
	slices.Sort(keys)
	all := []chartSeries{}
	for _, k := range keys {
		all = append(all, *by[k])
	}
	return all
}

func (c *chartSeries) add(at time.Time, v any) {
	c.Time, c.Value = append(c.Time, at.Unix()), append(c.Value, v)
}

// gap puts a missing value behind the last one if the next is too far away.
func (c *chartSeries) gap(next time.Time, width, gap time.Duration) bool {
	if len(c.Time) == 0 {
		return false
	}
	last := time.Unix(c.Time[len(c.Time)-1], 0)
	if next.Sub(last) <= gap {
		return false
	}
	c.add(last.Add(width), nil)
	return true
}

// digits cuts a number to what a chart can show: nine digits.
func digits(v any) any {
	n, ok := v.(float64)
	if !ok {
		return v
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', 9, 64), 64)
	if err != nil {
		return n
	}
	return short
}

func tagsOf(tags map[string]string) map[string]string {
	if tags == nil {
		return map[string]string{}
	}
	return tags
}

// tagKey is the same for equal tags only.
func tagKey(tags map[string]string) string {
	var parts []string
	for k, v := range tags {
		parts = append(parts, strconv.Quote(k)+strconv.Quote(v))
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}
