package series

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// maxScanned bounds the values that one increase reads: ten years of one a minute.
const maxScanned = 5_000_000

// increase reads every value of a counter, and the last one before the query's time, and adds up the steps. InfluxQL cannot do
// it: its differences know neither resets nor the value before the first. There is no step from one device to the next.
func (x *Influx) increase(ctx context.Context, q Query, w Window) ([]Point, error) {
	by := append([]string{"device"}, q.Split...)
	var r request
	r.begin("SELECT last(%s)", quote(q.Field))
	q.from(&r)
	r.before(q.From)
	r.groupBy(by)
	r.begin("SELECT %s", quote(q.Field))
	q.from(&r)
	r.between(q.From, q.To)
	r.groupBy(by)
	c := counting{query: q, window: w, last: map[string]float64{}, sums: map[window]*Point{}}
	if err := x.run(ctx, &r, c.row); err != nil {
		return nil, err
	}
	return c.points(), nil
}

// counting adds up the steps of counters: first come the values before, one for each series, then all others by series and time.
type counting struct {
	query   Query
	window  Window
	last    map[string]float64 // by series
	sums    map[window]*Point
	scanned int

	series string // of the row before, and the sum it belongs to
	sum    *Point
}

// window is one window of one series. The devices of a query share theirs.
type window struct {
	tags  string
	start time.Time
}

func (c *counting) row(r row) error {
	value, ok := r.values[1].(float64)
	if !ok {
		return refuse("fn", "%s does not count: its values are no numbers", c.query.Field)
	}
	before, known := c.last[r.series]
	c.last[r.series] = value
	if r.statement == 0 {
		return nil
	}
	if c.scanned++; c.scanned > maxScanned {
		return refuse("from", "more than %d values: shorten the span", maxScanned)
	}
	if err := c.enter(r); err != nil {
		return err
	}
	if known {
		c.sum.Value = c.sum.Value.(float64) + Step(before, value, c.window.Modulus)
	}
	return nil
}

// enter makes c.sum the sum that a row belongs to.
func (c *counting) enter(r row) error {
	start := c.window.start(r.time())
	if c.sum != nil && r.series == c.series && c.sum.Time.Equal(start) {
		return nil
	}
	p := &Point{Time: start, Value: 0.0}
	p.tags(r.tags, c.query.Split)
	at := window{seriesKey(p.Tags), start}
	if c.sums[at] == nil {
		c.sums[at] = p
	}
	c.series, c.sum = r.series, c.sums[at]
	return tooMany(len(c.sums))
}

func (c *counting) points() []Point {
	type entry struct {
		window
		*Point
	}
	var all []entry
	for w, p := range c.sums {
		all = append(all, entry{w, p})
	}
	slices.SortFunc(all, func(a, b entry) int {
		return cmp.Or(a.start.Compare(b.start), cmp.Compare(a.window.tags, b.window.tags))
	})
	points := make([]Point, len(all))
	for i, e := range all {
		points[i] = *e.Point
	}
	return points
}
