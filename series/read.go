package series

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
	var r request
	r.begin("SELECT %s", quote(q.Field))
	for _, tag := range q.Split {
		r.add(", " + quote(tag) + "::tag")
	}
	q.from(&r)
	r.between(q.From, q.To)
	r.add(" ORDER BY time LIMIT ")
	r.bind(cmp.Or(limit, MaxPoints+1))
	var points []Point
	err := x.run(ctx, &r, func(row row) error {
		p := Point{Time: row.time(), Value: row.values[1]}
		for i, tag := range q.Split {
			if v, _ := row.values[2+i].(string); v != "" {
				p.tag(tag, v)
			}
		}
		points = append(points, p)
		return tooMany(len(points))
	})
	return points, err
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
	r := q.windows(w, fmt.Sprintf("%s(%s)", w.Fn, quote(q.Field)))
	var points []Point
	err := x.run(ctx, r, func(row row) error {
		p := Point{Time: row.time(), Value: row.values[1]}
		p.tags(row.tags, q.Split)
		points = append(points, p)
		return tooMany(len(points))
	})
	// The answer is by series.
	slices.SortStableFunc(points, func(a, b Point) int { return a.Time.Compare(b.Time) })
	return points, err
}

// Latest returns the last value of every field of every series in the groups, with one request.
func (x *Influx) Latest(ctx context.Context, groups ...Group) ([]Value, error) {
	var r request
	var fields []string // of the statements
	var at []int        // their groups
	n := 0
	for i, g := range groups {
		if err := validNames(slices.Concat([]string{g.Measurement}, g.Fields, g.Split)); err != nil {
			return nil, err
		}
		if n += len(g.Devices); n > MaxDevices {
			return nil, refuse("device", "more than %d devices in one query", MaxDevices)
		}
		if len(g.Devices) == 0 && g.Community == "" {
			continue
		}
		for _, f := range g.Fields {
			fields, at = append(fields, f), append(at, i)
			r.begin("SELECT last(%s) FROM %s WHERE ", quote(f), quote(g.Measurement))
			g.where(&r)
			r.groupBy(append([]string{"device"}, g.Split...))
		}
	}
	if r.n == 0 {
		return nil, nil
	}
	var values []Value
	err := x.run(ctx, &r, func(row row) error {
		v := Value{row.tags["device"], fields[row.statement], Point{Time: row.time(), Value: row.values[1]}}
		v.tags(row.tags, groups[at[row.statement]].Split)
		values = append(values, v)
		return tooMany(len(values))
	})
	return values, err
}

// where adds which devices are meant, and since when.
func (g Group) where(r *request) {
	switch {
	case len(g.Devices) > 0:
		r.devices(g.Devices...)
	case g.Community == "*":
		r.add("time > 0")
	default:
		r.add(`"community" = `)
		r.bind(g.Community)
	}
	if !g.Since.IsZero() {
		r.since(g.Since)
	}
}

// Spread returns how far the values of a field lie apart in every series of the groups, with one request: how far a counter went
// unless it began anew.
func (x *Influx) Spread(ctx context.Context, g Group) ([]Value, error) {
	if err := validNames(slices.Concat([]string{g.Measurement}, g.Fields, g.Split)); err != nil {
		return nil, err
	}
	var r request
	for _, f := range g.Fields {
		r.begin("SELECT spread(%s) FROM %s WHERE ", quote(f), quote(g.Measurement))
		g.where(&r)
		r.groupBy(append([]string{"device"}, g.Split...))
	}
	var values []Value
	err := x.run(ctx, &r, func(row row) error {
		v := Value{row.tags["device"], g.Fields[row.statement], Point{Time: row.time(), Value: row.values[1]}}
		v.tags(row.tags, g.Split)
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

// from adds the measurement and which of its series are meant.
func (q Query) from(r *request) {
	r.add(" FROM " + quote(q.Measurement) + " WHERE ")
	r.devices(q.Devices...)
	r.tags(q.Tags)
}

// windows begins a statement that selects so much of every window and series that has values.
func (q Query) windows(w Window, what string) *request {
	r := &request{}
	r.begin("SELECT %s", what)
	q.from(r)
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
	return r
}

func (p *Point) tag(tag, value string) {
	if p.Tags == nil {
		p.Tags = map[string]string{}
	}
	p.Tags[tag] = value
}

// tags takes those of split that the series has.
func (p *Point) tags(tags map[string]string, split []string) {
	for _, tag := range split {
		if tags[tag] != "" {
			p.tag(tag, tags[tag])
		}
	}
}
