package alerts

import (
	"math"
	"slices"
)

// newest is the time of the last value, ms; 0 without one.
func (m *memory) newest() int64 {
	if len(m.buckets) == 0 {
		return 0
	}
	return m.buckets[len(m.buckets)-1].at
}

// value is what a measure comes to at a time, and whether that is known: it is not while too little of the window is.
func (m *memory) value(f *measure, at int64) (float64, bool) {
	if len(m.buckets) == 0 {
		return 0, false
	}
	newest := &m.buckets[len(m.buckets)-1]
	switch f.fn {
	case lastOf:
		return newest.x, !math.IsNaN(newest.x)
	case ageOf:
		return (float64(at) - newest.x) / 1000, !math.IsNaN(newest.x)
	}
	if f.at != nil || f.fn == rateOf {
		at = newest.at
	}
	v := view{measure: f, buckets: m.buckets, start: at - f.window}
	for len(v.buckets) > 0 && v.buckets[0].at <= v.start {
		v.before, v.buckets = &v.buckets[0], v.buckets[1:]
	}
	if len(v.buckets) == 0 || tidy(v.known()) < float64(f.covered) {
		return 0, false
	}
	if v.before == nil && f.covered > 0 && f.fn.accumulates() {
		return 0, false
	}
	x, ok := v.compute()
	return tidy(x), ok && !math.IsNaN(x)
}

// tidy takes away what binary fractions add to a difference or a mean: 10.01 less 10 is 0.01.
func tidy(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// view is the part of a memory that a window sees.
type view struct {
	*measure
	before  *bucket // the newest that ends before the window or where it begins; nil without one
	buckets []bucket
	start   int64
}

// share is how much of the first bucket lies in the window: the straight line from the value before it.
func (v *view) share() float64 {
	if v.before == nil {
		return 1
	}
	first := &v.buckets[0]
	return float64(first.at-v.start) / float64(first.at-v.before.at)
}

// known is how many ms of the window are.
func (v *view) known() float64 {
	total := v.share() * float64(v.buckets[0].covered)
	for i := range v.buckets[1:] {
		total += float64(v.buckets[i+1].covered)
	}
	return total
}

// rises adds up y of the buckets, of the first one its share.
func (v *view) rises() float64 {
	total := v.share() * v.buckets[0].y
	for i := range v.buckets[1:] {
		total += v.buckets[i+1].y
	}
	return total
}

func (v *view) compute() (float64, bool) {
	switch v.fn {
	case increaseOf:
		return v.rises(), v.before != nil || len(v.buckets) > 1 || v.buckets[0].n > 1
	case positiveBucketsOf:
		return math.Round(tidy(v.rises() / float64(v.width))), true
	case rateOf:
		return v.change()
	case stddevOf:
		return v.deviation()
	case medianOf:
		return v.median()
	}
	var n uint32
	x := math.NaN()
	for i := range v.buckets {
		b := &v.buckets[i]
		switch {
		case b.n == 0:
			continue
		case n == 0:
			x = b.x
		case v.fn == minOf:
			x = min(x, b.x)
		case v.fn == maxOf:
			x = max(x, b.x)
		default:
			x += b.x
		}
		n += b.n
	}
	switch v.fn {
	case countOf:
		return float64(n), true
	case sumOf:
		if n == 0 {
			return 0, true
		}
	case meanOf:
		return x / float64(n), n > 0
	case leqOf:
		return 10 * math.Log10(x/float64(n)), n > 0
	}
	return x, n > 0
}

// change is how far the newest value is from the one where the window begins.
func (v *view) change() (float64, bool) {
	if v.before == nil {
		return 0, false
	}
	first, newest := &v.buckets[0], &v.buckets[len(v.buckets)-1]
	if v.before.at < v.start && first.at-v.before.at > max(v.maxAge, v.width) {
		return 0, false
	}
	return newest.x - first.x + (first.x-v.before.x)*v.share(), true
}

// deviation is the standard deviation of all values, from the means and squares of the buckets.
func (v *view) deviation() (float64, bool) {
	var n, mean, squares float64
	for i := range v.buckets {
		b := &v.buckets[i]
		if b.n == 0 {
			continue
		}
		m := float64(b.n)
		d := b.x - mean
		squares += b.y + d*d*n*m/(n+m)
		mean += d * m / (n + m)
		n += m
	}
	return math.Sqrt(squares / n), n > 0
}

func (v *view) median() (float64, bool) {
	var few [bucketsOfWindow + 2]float64
	means := few[:0]
	for i := range v.buckets {
		if b := &v.buckets[i]; b.n > 0 {
			means = append(means, b.x/float64(b.n))
		}
	}
	if len(means) == 0 {
		return 0, false
	}
	slices.Sort(means)
	half := len(means) / 2
	if len(means)%2 == 1 {
		return means[half], true
	}
	return (means[half-1] + means[half]) / 2, true
}
