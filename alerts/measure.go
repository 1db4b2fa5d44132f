package alerts

import (
	"math"
	"slices"

	"linli/devices"
)

// measure is a function of what one field of a series said in a window that ends now. What is remembered for it is a memory.
// Series share the memory of rules that measure alike.
type measure struct {
	name   string // its definition: a memory in a checkpoint belongs to the measure of the same name
	field  *devices.Field
	fn     function
	window int64      // ms
	width  int64      // ms, of a bucket
	maxAge int64      // ms: between two values further apart than this nothing is known
	at     *timeOfDay // values at other times are passed over, and the window ends with the last one
	when   *condition // values for which it is not true count as nothing

	covered  int64 // ms of the window that must be known
	onChange bool
}

// function is what a measure does, an index of functions.
type function uint8

const (
	lastOf     function = iota
	increaseOf          // of a counter, with its resets and rollovers
	meanOf
	minOf
	maxOf
	sumOf
	leqOf // the energetic mean of levels in dB
	stddevOf
	medianOf          // of the means of the buckets
	positiveBucketsOf // the time in which a counter went up, in buckets
	ageOf             // seconds since the last value
	countOf
	rateOf // the value less the value one window ago
	fixOf  // where the device was, see series.fix; of fences only
)

var functions = []string{"last", "increase", "mean", "min", "max", "sum", "leq", "stddev", "median", "positive_buckets", "age", "count", "rate"}

// covers reports whether the gaps between values matter.
func (f function) covers() bool { return f != lastOf && f != ageOf }

// follows reports whether a function compares a value with the one before.
func (f function) follows() bool {
	return f == increaseOf || f == positiveBucketsOf || f == rateOf || f == lastOf || f == ageOf
}

// accumulates reports whether a function falls short while the series was not known yet when the window began.
func (f function) accumulates() bool {
	return f == increaseOf || f == positiveBucketsOf || f == sumOf || f == countOf
}

// expect sets how much of a window must be known, of one with a time of day: of what lies in it.
func (m *measure) expect(coverage float64) {
	whole := float64(m.window)
	if m.at != nil {
		day := 24 * 60
		length := float64((m.at.to-m.at.from+day)%day) * 60_000
		whole = min(whole, length) * max(1, math.Floor(whole/dayLength))
	}
	m.covered = int64(math.Round(coverage * whole))
}

// bucketsOfWindow is how finely a window is remembered unless its rule says so with bucket: half-hours of a day. Values that
// come less often are remembered one by one, and then everything is exact. Otherwise the oldest bucket counts in part.
const bucketsOfWindow = 48

// dayLength is a day in ms.
const dayLength = 24 * 60 * 60 * 1000

// maxBuckets bounds a memory: 32 bytes each.
const maxBuckets = 1500

// memory is what a series remembers for a measure: at most window/width + 2 buckets, the oldest first. The first one reaches
// back to the beginning of the window or before it.
type memory struct{ buckets []bucket }

// bucket is what the values within one width of time, counted from 1970, come to.
type bucket struct {
	at      int64   // ms, time of the newest
	x, y    float64 // as the function needs it, see fold
	n       uint32  // how many values count
	covered uint32  // ms since the value before that are known
}

// add takes a value. One that is not newer than the newest changes nothing: order is kept, and a repeat is known.
func (m *memory) add(f *measure, at int64, v float64, counts bool) {
	n := len(m.buckets)
	gap := int64(math.MaxInt64)
	if n > 0 {
		if at <= m.buckets[n-1].at {
			return
		}
		gap = at - m.buckets[n-1].at
	}
	if n == 0 || f.fn.covers() && at/f.width != m.buckets[n-1].at/f.width {
		m.begin(f, at)
		n = len(m.buckets)
	}
	b := &m.buckets[n-1]
	b.at = at
	if gap <= f.maxAge || f.onChange && gap != math.MaxInt64 {
		b.covered += uint32(min(gap, math.MaxUint32-int64(b.covered)))
	}
	if counts {
		b.fold(f, v, gap)
	}
}

// begin opens a bucket, and forgets those that no window from at on reaches.
func (m *memory) begin(f *measure, at int64) {
	drop := 0
	for drop+1 < len(m.buckets) && m.buckets[drop+1].at <= at-f.window {
		drop++
	}
	if drop > 0 {
		m.buckets = slices.Delete(m.buckets, 0, drop)
	}
	var b bucket
	if f.fn.follows() {
		b.x = math.NaN()
		if n := len(m.buckets); n > 0 {
			b.x = m.buckets[n-1].x
		}
	}
	m.buckets = append(m.buckets, b)
}

// fold takes a value into a bucket, gap ms after the one before.
func (b *bucket) fold(f *measure, v float64, gap int64) {
	b.n++
	switch f.fn {
	case meanOf, sumOf, medianOf:
		b.x += v
	case minOf:
		if b.n == 1 || v < b.x {
			b.x = v
		}
	case maxOf:
		if b.n == 1 || v > b.x {
			b.x = v
		}
	case leqOf:
		b.x += math.Pow(10, v/10)
	case stddevOf: // mean and sum of squared deviations
		d := v - b.x
		b.x += d / float64(b.n)
		b.y += d * (v - b.x)
	case increaseOf: // newest value and sum of steps
		if !math.IsNaN(b.x) {
			b.y += climb(b.x, v, f.field.Max)
		}
		b.x = v
	case positiveBucketsOf: // newest value and ms in which it rose
		if !math.IsNaN(b.x) && gap <= f.maxAge && climb(b.x, v, f.field.Max) > 0 {
			b.y += float64(gap)
		}
		b.x = v
	case ageOf:
		b.x = float64(b.at)
	case lastOf, rateOf:
		b.x = v
	}
}

// climb is how far a counter went between two values. A smaller value is a rollover if it fell by nearly all that the counter
// can show, a correction if by at most a hundredth of itself, and else a reset to zero.
func climb(before, after, greatest float64) float64 {
	switch fall := before - after; {
	case fall <= 0:
		return -fall
	case fall > 0.99*greatest && greatest >= before:
		return greatest - before + after
	case fall <= 0.01*before:
		return 0
	default:
		return after
	}
}
