package series

import "context"

// maxScanned bounds the values that one increase reads: ten years of one a minute.
const maxScanned = 5_000_000

// increase reads every value of a counter, and the last one before the query's time, and adds up the steps. InfluxQL cannot do
// it: its differences know neither resets nor the value before the first.
func (x *Influx) increase(ctx context.Context, q Query, w Window) ([]Point, error) {
	var r request
	for _, s := range q.spans() {
		r.begin("SELECT last(%s)", quote(q.Field))
		q.from(&r, s)
		if !s.From.IsZero() {
			r.since(s.From)
		}
		r.before(s.from)
		r.groupBy(q.Split)
		r.begin("SELECT %s", quote(q.Field))
		q.from(&r, s)
		r.since(s.from)
		r.before(s.to)
		r.groupBy(q.Split)
	}
	c := counting{window: w, source: -1}
	if err := x.run(ctx, &r, c.row); err != nil {
		return nil, err
	}
	return c.sums.points(q.Split), nil
}

// counting adds up the steps of counters from rows in order: for each source, first the values before, then all others.
type counting struct {
	window  Window
	sums    buckets
	scanned int
	source  int
	last    map[string]float64 // by series, of this source

	sum    *weighted // of the bucket of the row before
	bucket bucket
}

func (c *counting) row(r row) error {
	if source := r.statement / 2; source != c.source {
		c.source, c.last = source, map[string]float64{}
	}
	value, ok := r.values[1].(float64)
	if !ok {
		return refuse("fn", "increase of something that is not a number")
	}
	before, known := c.last[r.series]
	c.last[r.series] = value
	if r.statement%2 == 0 {
		return nil
	}
	if c.scanned++; c.scanned > maxScanned {
		return refuse("from", "more than %d values: shorten the span", maxScanned)
	}
	if b := (bucket{r.series, c.window.start(r.time())}); c.sum == nil || b != c.bucket {
		sum, err := c.sums.at(r, b.start)
		if err != nil {
			return err
		}
		c.sum, c.bucket = sum, b
	}
	sum, _ := c.sum.value.(float64)
	if known {
		sum += Step(before, value, c.window.Modulus)
	}
	c.sum.value = sum
	return nil
}
