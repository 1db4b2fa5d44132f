package alerts

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"linli/devices"
)

// sample is a value that a series said, as the model keeps it: all of them, for ever.
type sample struct {
	at int64
	v  float64
}

// model is what a measure means, written down without thought for memory or speed.
type model struct {
	*measure
	samples []sample // by time
}

// line is the last value before the window or where it begins, and all values in it. Of values in one width of time, all but the
// last count as if they were said with it.
func (m *model) line(at int64) (before *sample, inside []sample, start int64) {
	if m.at != nil || m.fn == rateOf {
		at = m.samples[len(m.samples)-1].at
	}
	start = at - m.window
	for i := range m.samples {
		if s := m.samples[i]; m.told(i) <= start {
			before = &s
		} else {
			inside = append(inside, s)
		}
	}
	return before, inside, start
}

// told is the time of the last value of the same width as the i-th.
func (m *model) told(i int) int64 {
	t := m.samples[i].at
	for _, s := range m.samples[i:] {
		if s.at/m.width == m.samples[i].at/m.width {
			t = s.at
		}
	}
	return t
}

func (m *model) value(at int64) (float64, bool) {
	if len(m.samples) == 0 {
		return 0, false
	}
	before, inside, start := m.line(at)
	if len(inside) == 0 {
		return 0, false
	}
	// what the stretches between neighbours add, those of the first width in proportion
	first := m.told(slices.Index(m.samples, inside[0]))
	share := 1.0
	if before != nil {
		share = float64(first-start) / float64(first-before.at)
	}
	var covered, rise, rising float64
	previous := before
	for i := range inside {
		s := &inside[i]
		part := 1.0
		if s.at <= first {
			part = share
		}
		if previous != nil {
			if gap := s.at - previous.at; gap <= m.maxAge {
				covered += part * float64(gap)
				if climb(previous.v, s.v, m.field.Max) > 0 {
					rising += part * float64(gap)
				}
			}
			rise += part * climb(previous.v, s.v, m.field.Max)
		}
		previous = s
	}
	if tidy(covered) < float64(m.covered) || m.covered > 0 && before == nil && m.fn.accumulates() {
		return 0, false
	}
	values := make([]float64, len(inside))
	total := 0.0
	for i, s := range inside {
		values[i] = s.v
		total += s.v
	}
	n := float64(len(values))
	switch m.fn {
	case increaseOf:
		return rise, before != nil || len(inside) > 1
	case positiveBucketsOf:
		return math.Round(tidy(rising / float64(m.width))), true
	case meanOf:
		return total / n, true
	case sumOf:
		return total, true
	case countOf:
		return n, true
	case minOf:
		return slices.Min(values), true
	case maxOf:
		return slices.Max(values), true
	case stddevOf:
		squares := 0.0
		for _, v := range values {
			squares += (v - total/n) * (v - total/n)
		}
		return math.Sqrt(squares / n), true
	case leqOf:
		power := 0.0
		for _, v := range values {
			power += math.Pow(10, v/10)
		}
		return 10 * math.Log10(power/n), true
	}
	return 0, false
}

// TestMemoryIsTheMeasure feeds random series to a memory and to the model, which must agree at every moment, also after the memory
// went through a checkpoint, and while values come twice and too late.
func TestMemoryIsTheMeasure(t *testing.T) {
	field := &devices.Field{ID: "x", Type: devices.Float, Max: 1000}
	rapid.Check(t, func(t *rapid.T) {
		f := &measure{
			field: field, window: rapid.Int64Range(10, 500).Draw(t, "window"), width: rapid.Int64Range(1, 60).Draw(t, "width"),
			maxAge: rapid.Int64Range(1, 80).Draw(t, "max age"),
			fn:     rapid.SampledFrom([]function{increaseOf, positiveBucketsOf, meanOf, sumOf, countOf, minOf, maxOf, stddevOf, leqOf}).Draw(t, "fn"),
		}
		f.expect(rapid.SampledFrom([]float64{0, 0.5, 0.9, 1}).Draw(t, "coverage"))
		m, memory, now := &model{measure: f}, &memory{}, int64(1000)
		for range rapid.IntRange(1, 80).Draw(t, "values") {
			now += rapid.Int64Range(-20, 70).Draw(t, "step")
			v := float64(rapid.IntRange(0, 1000).Draw(t, "value"))
			memory.add(f, now, v, true)
			if n := len(m.samples); n == 0 || now > m.samples[n-1].at {
				m.samples = append(m.samples, sample{now, v})
			}
			now = m.samples[len(m.samples)-1].at
			if rapid.IntRange(0, 9).Draw(t, "checkpoint") == 0 {
				packed := memory.pack(nil, now)
				memory.unpack(&unpacker{data: packed}, now)
			}
			if bound := f.window/f.width + 3; int64(len(memory.buckets)) > bound {
				t.Fatalf("%d buckets, want at most %d", len(memory.buckets), bound)
			}
			at := now + rapid.Int64Range(0, 30).Draw(t, "later")
			got, known := memory.value(f, at)
			want, ok := m.value(at)
			if known != ok || known && math.Abs(got-want) > 1e-5 {
				t.Fatalf("%s at %d: got %v %v, want %v %v\nsamples %v\nbuckets %+v", functions[f.fn], at, got, known, want, ok, m.samples, memory.buckets)
			}
		}
	})
}

// TestMeasuresAtTheirEdges are the cases that a model would only repeat.
func TestMeasuresAtTheirEdges(t *testing.T) {
	field := &devices.Field{ID: "x", Type: devices.Float, Max: 99999.999}
	for _, c := range []struct {
		what    string
		fn      function
		samples []sample
		at      int64
		want    float64
		known   bool
	}{
		{"a difference is what it looks like", increaseOf, []sample{{0, 10}, {100, 10.01}}, 100, 0.01, true},
		{"half of a stretch counts half", increaseOf, []sample{{1, 0}, {51, 10}, {121, 20}}, 121, 16, true},
		{"one value is no increase", increaseOf, []sample{{5, 10}}, 5, 0, false},
		{"a counter that starts again counts on", increaseOf, []sample{{1, 500}, {50, 3}, {60, 4}}, 60, 4, true},
		{"a counter that rolls over counts on", increaseOf, []sample{{1, 99999}, {50, 1}}, 50, 1.999, true},
		{"a correction is no use", increaseOf, []sample{{1, 1000}, {50, 999.9}}, 50, 0, true},
		{"a window that is empty is not known", meanOf, []sample{{1, 5}}, 101, 0, false},
		{"a mean of equals is that", meanOf, []sample{{1, 0.08}, {2, 0.08}, {3, 0.08}, {4, 0.08}, {5, 0.08}, {6, 0.08}}, 6, 0.08, true},
		{"a median of an even number", medianOf, []sample{{1, 5}, {20, 7}, {40, 9}, {60, 100}}, 60, 8, true},
		{"a rate needs the value before", rateOf, []sample{{10, 5}, {109, 9}}, 109, 0, false},
		{"a rate is against the line", rateOf, []sample{{1, 0}, {21, 20}, {111, 50}}, 111, 40, true},
		{"a rate does not reach over a gap", rateOf, []sample{{1, 0}, {200, 20}}, 200, 0, false},
		{"levels are added by their power", leqOf, []sample{{1, 60}, {2, 60}, {3, 70}}, 3, 66.0206, true},
		{"equal values have no spread", stddevOf, []sample{{1, 21.3}, {20, 21.3}, {40, 21.3}}, 40, 0, true},
	} {
		m, f := &memory{}, &measure{field: field, fn: c.fn, window: 100, width: 1, maxAge: 100}
		for _, s := range c.samples {
			m.add(f, s.at, s.v, true)
		}
		if got, known := m.value(f, c.at); known != c.known || known && math.Abs(got-c.want) > 1e-4 {
			t.Errorf("%s: %s of %v at %d: got %v %v, want %v %v", c.what, functions[c.fn], c.samples, c.at, got, known, c.want, c.known)
		}
	}
}
