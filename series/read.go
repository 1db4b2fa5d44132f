package series

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

// Raw returns the points of a query, oldest first. A limit above 0 returns the first so many; without one, more points than
// MaxPoints are refused.
func (x *Influx) Raw(ctx context.Context, q Query, limit int) ([]Point, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	if limit < 0 || limit > MaxPoints {
		return nil, refuse("limit", "%d is not within 0 and %d", limit, MaxPoints)
	}
	most := limit
	if limit == 0 {
		most = MaxPoints + 1
	}
	var r request
	for _, s := range q.spans() {
		r.begin("SELECT %s", quote(q.Field))
		for _, tag := range q.Split {
			r.add(", " + quote(tag) + "::tag")
		}
		q.from(&r, s)
		r.since(s.from)
		r.before(s.to)
		r.add(" ORDER BY time LIMIT ")
		r.bind(most)
	}
	var points []Point
	err := x.run(ctx, &r, func(row row) error {
		p := Point{Time: row.time(), Value: row.values[1]}
		for i, tag := range q.Split {
			if v, _ := row.values[2+i].(string); v != "" {
				p.tag(tag, v)
			}
		}
		points = append(points, p)
		if limit > 0 {
			return nil
		}
		return tooMany(len(points))
	})
	if err != nil {
		return nil, err
	}
	oldestFirst(points)
	if limit > 0 && len(points) > limit {
		points = points[:limit]
	}
	return points, nil
}

// Window returns one point for each window and series that has values, oldest first.
func (x *Influx) Window(ctx context.Context, q Query, w Window) ([]Point, error) {
	if err := q.validate(); err != nil {
		return nil, err
	}
	if err := w.validate(q); err != nil {
		return nil, err
	}
	if w.Fn == Increase {
		return x.increase(ctx, q, w)
	}
	var r request
	for _, s := range q.spans() {
		// The count weighs the two parts of a window in which one device took over from another.
		r.begin("SELECT %s(%s), count(%[2]s)", w.Fn, quote(q.Field))
		q.from(&r, s)
		r.since(s.from)
		r.before(s.to)
		r.add(" GROUP BY time(")
		r.bind(map[string]string{"duration": w.Width.String()})
		r.add(")")
		for _, tag := range q.Split {
			r.add(", " + quote(tag))
		}
		r.add(" fill(none)")
		if w.Zone != nil && w.Zone != time.UTC {
			r.add(" tz(")
			r.bind(w.Zone.String())
			r.add(")")
		}
	}
	var b buckets
	err := x.run(ctx, &r, func(row row) error {
		count, _ := row.values[2].(float64)
		return b.merge(row, w.Fn, count)
	})
	if err != nil {
		return nil, err
	}
	return b.points(q.Split), nil
}

// Latest returns the last value of every field of every series in the groups, with one request.
func (x *Influx) Latest(ctx context.Context, groups ...Group) ([]Value, error) {
	var r request
	var fields []string
	n := 0
	for _, g := range groups {
		if err := validNames(slices.Concat([]string{g.Measurement}, g.Fields, g.Split)); err != nil {
			return nil, err
		}
		if n += len(g.Devices); n > MaxDevices {
			return nil, refuse("device", "more than %d devices in one query", MaxDevices)
		}
		if len(g.Devices) == 0 {
			continue
		}
		for _, f := range g.Fields {
			fields = append(fields, f)
			r.begin("SELECT last(%s) FROM %s WHERE ", quote(f), quote(g.Measurement))
			r.devices(g.Devices...)
			if !g.Since.IsZero() {
				r.since(g.Since)
			}
			r.groupBy(append([]string{"device"}, g.Split...))
		}
	}
	if r.n == 0 {
		return nil, nil
	}
	var values []Value
	err := x.run(ctx, &r, func(row row) error {
		v := Value{row.tags["device"], fields[row.statement], Point{Time: row.time(), Value: row.values[1]}}
		for tag, value := range row.tags {
			if tag != "device" && value != "" {
				v.tag(tag, value)
			}
		}
		values = append(values, v)
		return tooMany(len(values))
	})
	return values, err
}

func (x *Influx) run(ctx context.Context, r *request, each func(row) error) error {
	if r.n == 0 {
		return nil
	}
	return x.query(ctx, r.text.String(), r.params, each)
}

func tooMany(n int) error {
	if n > MaxPoints {
		return refuse("from", "more than %d points: shorten the span, widen the window or set a limit", MaxPoints)
	}
	return nil
}

// span is the part of a query's time in which a source counts.
type span struct {
	Source
	from, to time.Time
}

func (q Query) spans() []span {
	var spans []span
	for _, s := range q.Sources {
		p := span{s, q.From, q.To}
		if s.From.After(p.from) {
			p.from = s.From
		}
		if !s.Until.IsZero() && s.Until.Before(p.to) {
			p.to = s.Until
		}
		if p.from.Before(p.to) {
			spans = append(spans, p)
		}
	}
	return spans
}

// from adds the measurement and which of its series are meant.
func (q Query) from(r *request, s span) {
	r.add(" FROM " + quote(q.Measurement) + " WHERE ")
	r.devices(s.Device)
	r.tags(q.Tags)
}

func (p *Point) tag(tag, value string) {
	if p.Tags == nil {
		p.Tags = map[string]string{}
	}
	p.Tags[tag] = value
}

func oldestFirst(points []Point) {
	slices.SortStableFunc(points, func(a, b Point) int { return a.Time.Compare(b.Time) })
}

// bucket identifies a window of one series.
type bucket struct {
	series string
	start  time.Time
}

// buckets gathers one value for every window of every series. The zero value is empty.
type buckets struct {
	values map[bucket]*weighted
}

type weighted struct {
	value any
	count float64
	tags  map[string]string
}

// at is the value of the bucket that a row belongs to, made if missing.
func (b *buckets) at(r row, start time.Time) (*weighted, error) {
	if b.values == nil {
		b.values = map[bucket]*weighted{}
	}
	key := bucket{r.series, start}
	v := b.values[key]
	if v == nil {
		v = &weighted{tags: r.tags}
		b.values[key] = v
	}
	return v, tooMany(len(b.values))
}

// merge adds a window of a later source.
func (b *buckets) merge(r row, fn Fn, count float64) error {
	w, err := b.at(r, r.time())
	if err != nil {
		return err
	}
	before, both := w.value.(float64)
	after, ok := r.values[1].(float64)
	if !both || !ok {
		w.value, w.count = r.values[1], count
		return nil
	}
	switch fn {
	case Mean:
		w.value = (before*w.count + after*count) / (w.count + count)
	case Min:
		w.value = min(before, after)
	case Max:
		w.value = max(before, after)
	case Sum:
		w.value = before + after
	case Last:
		w.value = after
	}
	w.count += count
	return nil
}

// points lists the buckets, oldest first, series of one time in the order of their tags.
func (b *buckets) points(split []string) []Point {
	keys := slices.SortedFunc(maps.Keys(b.values), func(x, y bucket) int {
		return cmp.Or(x.start.Compare(y.start), strings.Compare(x.series, y.series))
	})
	points := make([]Point, len(keys))
	for i, k := range keys {
		v := b.values[k]
		points[i] = Point{Time: k.start, Value: v.value}
		for _, tag := range split {
			if v.tags[tag] != "" {
				points[i].tag(tag, v.tags[tag])
			}
		}
	}
	return points
}
