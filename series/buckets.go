package series

import (
	"cmp"
	"context"
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
	var r request
	r.begin("SELECT mean(%s), min(%s), max(%s)", f, f, f)
	q.from(&r)
	r.between(q.From, q.To)
	r.add(" GROUP BY time(")
	r.bind(map[string]string{"duration": w.Width.String()})
	r.add(")")
	for _, tag := range q.Split {
		r.add(", " + quote(tag))
	}
	r.add(" fill(none)")
	if w.zone() != time.UTC {
		r.add(" tz(")
		r.bind(w.Zone.String())
		r.add(")")
	}
	var buckets []Bucket
	err := x.run(ctx, &r, func(row row) error {
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
