package series

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// Bucket is what lies within one window of one series: its mean, and the lowest and highest value, so that a peak of one sample is
// seen however wide the window is.
type Bucket struct {
	Time           time.Time // where the window begins
	Mean, Min, Max float64
	Tags           map[string]string
}

// Buckets returns a bucket for each window and series that has values, by series and time. The field must be a number.
func (x *Influx) Buckets(ctx context.Context, q Query, w Window) ([]Bucket, error) {
	w.Fn = Mean
	if err := cmp.Or(q.validate(), w.validate(q)); err != nil {
		return nil, err
	}
	f := quote(q.Field)
	r := q.windows(w, fmt.Sprintf("mean(%s), min(%s), max(%s)", f, f, f))
	var buckets []Bucket
	err := x.run(ctx, r, func(row row) error {
		b := Bucket{Time: row.time()}
		for i, v := range []*float64{&b.Mean, &b.Min, &b.Max} {
			n, ok := row.values[1+i].(float64)
			if !ok {
				return refuse("field", "%s has values that are no numbers", q.Field)
			}
			*v = n
		}
		var p Point
		p.tags(row.tags, q.Split)
		b.Tags = p.Tags
		buckets = append(buckets, b)
		return tooMany(len(buckets))
	})
	slices.SortStableFunc(buckets, func(a, b Bucket) int {
		return cmp.Or(cmp.Compare(seriesKey(a.Tags), seriesKey(b.Tags)), a.Time.Compare(b.Time))
	})
	return buckets, err
}
