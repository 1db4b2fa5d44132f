package alerts

import (
	"math"
	"slices"

	"pgregory.net/rapid"
)

// refSignal is something that a rule reads beside the last values of fields: what a field said in a window, in buckets of time. Without
// fn it is its last value, or what stands for that.
type refSignal struct {
	field, fn      string
	window, bucket int64
	coverage       float64
	counts         func(v any) bool // which values do; nil: all
	otherwise      any
}

// field is the one that a rule reads under a name.
func (r *refRule) field(name string) string {
	if name == "outside_m" {
		return "lat"
	}
	if x, ok := r.signals[name]; ok {
		return x.field
	}
	return name
}

// guessing is a sight that sees what stands for what is not known.
func (r *refRule) guessing(v sight) sight {
	return func(id string) any {
		if x := v(id); x != nil {
			return x
		}
		return r.signals[id].otherwise
	}
}

// refBucket is what a field said in a bucket of time. It counts as of the newest of that.
type refBucket struct {
	at     int64
	known  float64 // ms since the value before the bucket, without gaps that are too long
	rise   float64 // of a counter, since that value
	newest float64
	values []float64
}

// heardOf are the values of a field of a series in the order of their times. One that came after a newer one was passed over.
func (m *reference) heardOf(series, field string) (all []utterance) {
	for _, s := range m.said {
		if s.series == series && s.get(field) != nil && (len(all) == 0 || s.at > all[len(all)-1].at) {
			all = append(all, s)
		}
	}
	return all
}

// buckets are what a signal remembers.
func (m *reference) buckets(c *refCell, x refSignal) (all []refBucket) {
	width := func(at int64) int64 { return (start.UnixMilli() + at) / x.bucket }
	said := m.heardOf(c.series, x.field)
	for i, s := range said {
		if i == 0 || width(s.at) != width(said[i-1].at) {
			all = append(all, refBucket{})
		}
		b := &all[len(all)-1]
		b.at = s.at
		v, number := s.get(x.field).(float64)
		if i > 0 {
			if gap := s.at - said[i-1].at; gap <= refMaxAge || c.rule.onChange {
				b.known += float64(gap)
			}
			if before := said[i-1].get(x.field); number {
				b.rise += used(before.(float64), v)
			}
		}
		if b.newest = v; x.counts == nil || x.counts(s.get(x.field)) {
			b.values = append(b.values, v)
		}
	}
	return all
}

// used is how much a counter counted, which goes up to 1000 and begins again: from there, or from nothing when it was exchanged. One
// that goes back by a hundredth was corrected.
func used(before, after float64) float64 {
	switch back := before - after; {
	case back <= 0:
		return -back
	case back > 990:
		return 1000 - before + after
	case back <= before/100:
		return 0
	}
	return after
}

// past is what a signal comes to at a time; nil is not known. Of the bucket that the window begins in, what lies in the window counts,
// as if all had come evenly.
func (m *reference) past(c *refCell, x refSignal, at int64) any {
	all := m.buckets(c, x)
	if len(all) == 0 {
		return nil
	}
	last := all[len(all)-1]
	if x.fn == "rate" {
		at = last.at
	}
	begin := at - x.window
	i := slices.IndexFunc(all, func(b refBucket) bool { return b.at > begin })
	if i < 0 {
		return nil
	}
	in, share, whole := all[i:], 1.0, i > 0
	if whole {
		share = float64(in[0].at-begin) / float64(in[0].at-all[i-1].at)
	}
	known, rise := share*in[0].known, share*in[0].rise
	values := slices.Clone(in[0].values)
	for _, b := range in[1:] {
		known, rise, values = known+b.known, rise+b.rise, append(values, b.values...)
	}
	n := float64(len(values))
	switch adds := x.fn == "increase" || x.fn == "count"; {
	case millionths(known) < math.Round(x.coverage*float64(x.window)), adds && x.coverage > 0 && !whole:
		return nil
	case x.fn == "count":
		return n
	case x.fn == "increase" && (whole || n > 1):
		return millionths(rise)
	case x.fn == "rate" && whole:
		before := all[i-1]
		if gap := in[0].at - before.at; gap > refMaxAge && before.at < begin {
			return nil
		}
		return millionths(last.newest - in[0].newest + share*(in[0].newest-before.newest))
	case x.fn == "mean" && n > 0:
		return millionths(average(values))
	case x.fn == "stddev" && n > 0:
		var squares float64
		for _, v := range values {
			squares += (v - average(values)) * (v - average(values))
		}
		return millionths(math.Sqrt(squares / n))
	case x.fn == "median" && n > 0:
		var means []float64
		for _, b := range in {
			means = append(means, average(b.values))
		}
		slices.Sort(means)
		k := len(means)
		return millionths((means[(k-1)/2] + means[k/2]) / 2)
	}
	return nil
}

func average(all []float64) float64 {
	var sum float64
	for _, v := range all {
		sum += v
	}
	return sum / float64(len(all))
}

func millionths(x float64) float64 { return math.Round(x*1e6) / 1e6 }

// refMeasureRules are those of testdata/reference_measures.yaml.
func refMeasureRules() []*refRule {
	open := func(v any) bool { return v == "open" }
	return []*refRule{
		{
			id: "r_median", severity: "medium", category: "water", plan: "once", fields: []string{"value"},
			signals: map[string]refSignal{"value": {field: "level", fn: "median", window: 5 * refMinute, bucket: refMinute, coverage: 0.3}},
			when:    atLeast("value", 90), clear: below("value", 60),
		},
		{
			id: "r_used", severity: "high", category: "water", plan: "urgent", fields: []string{"used"}, hold: 2 * refMinute,
			signals: map[string]refSignal{"used": {field: "used", fn: "increase", window: 20 * refMinute, bucket: 25_000}},
			when:    atLeast("used", 50),
		},
		{
			id: "r_unused", severity: "high", category: "health", plan: "wellbeing", person: true, fields: []string{"used"},
			signals: map[string]refSignal{"used": {field: "used", fn: "increase", window: 3 * refMinute, bucket: 3750, coverage: 0.6}},
			when:    below("used", 0.01),
		},
		{
			id: "r_shake", severity: "critical", category: "fire", plan: "safety", safety: true, fields: []string{"value"},
			signals: map[string]refSignal{"value": {field: "heat", fn: "stddev", window: 5 * refMinute, bucket: 6250}},
			when:    above("value", 40), clear: below("value", 10),
		},
		{
			id: "r_openings", severity: "low", category: "device", plan: "once", fields: []string{"times"}, onChange: true,
			signals: map[string]refSignal{"times": {field: "door", fn: "count", window: 15 * refMinute, bucket: 18_750, counts: open}},
			when:    atLeast("times", 3),
		},
		{
			id: "r_rise", severity: "critical", category: "water", plan: "urgent", fields: []string{"level", "change"},
			signals: map[string]refSignal{"change": {field: "level", fn: "rate", window: 5 * refMinute, bucket: 6250}},
			when:    atLeast("change", 20), clear: below("change", 5),
		},
		{
			id: "r_mixed", severity: "low", category: "water", plan: "once", fields: []string{"heat", "level"},
			signals: map[string]refSignal{
				"heat": {field: "heat", fn: "mean", window: 5 * refMinute, bucket: 6250}, "level": {field: "level", otherwise: 0.0},
			},
			when: func(v sight) maybe {
				heat, known := v("heat").(float64)
				level, too := v("level").(float64)
				if !known || !too {
					return unsure
				}
				return sure(heat+level >= 120)
			},
		},
	}
}

// wander lets a series say one thing after another for a while.
func (w *trio) wander() {
	t := w.T
	s := w.reading()
	about := rapid.SampledFrom([]string{"level", "heat", "used", "door"}).Draw(t, "about")
	gap := rapid.SampledFrom([]int64{1000, 20_000, 60_000, 60_000, 60_000, 180_000, 180_001, 300_000}).Draw(t, "gap") - heard
	values := map[string][]any{
		"level": {10.0, 50.0, 80.0, 90.0, 97.0}, "heat": {20.0, 20.0, 60.0, 110.0}, "used": {0.0, 3.0, 7.0, 7.0, 7.0, 60.0, 995.0, 990.0}, "door": {"open", "open", "closed"},
	}[about]
	for range rapid.IntRange(4, 20).Draw(t, "times") {
		s.at, s.received, s.fields = w.now, w.now, []field{{about, rapid.SampledFrom(values).Draw(t, "value")}}
		switch rapid.SampledFrom([]string{"", "", "", "", "again", "after the next"}).Draw(t, "order") {
		case "again":
			w.hear(s)
		case "after the next":
			s.at -= gap + gap/2
		}
		w.hear(s)
		w.pass(gap)
		w.mayTick(t)
	}
}
