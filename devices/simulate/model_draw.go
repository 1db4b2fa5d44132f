package simulate

import (
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// counterEpoch is the local day on which every counter stood at its start.
const counterEpoch = 20089 // 2025-01-01

// counter only rises. It reaches its sum at the end of each day whatever the course of the day is, so that a value needs no
// history.
type counter struct {
	perDay    float64
	profile   *course
	noise     float64 // part of perDay by which days differ
	draws     float64 // a day's sum comes in about this many steps; 0: steadily
	occupancy bool
	daily     bool // starts again at 0 every midnight
	max       float64
}

func (c *counter) value(s scene) float64 {
	day := s.at.day()
	share := s.actor.home.share(c.profile, day, s.at.hour(), c.occupancy)
	n := max(0, day-counterEpoch)
	from := c.noise * (s.key.at(n).uniform() - 0.5)
	to := c.noise * (s.key.at(n+1).uniform() - 0.5)
	x := float64(n) + share + from + share*(to-from)
	if c.draws > 0 {
		whole := math.Floor(x * c.draws)
		x = (whole + bit(x*c.draws-whole > s.key.named("draw").at(int64(whole)).uniform())) / c.draws
	}
	if c.daily {
		return max(0, x-float64(n)-from) * c.perDay
	}
	return math.Mod((x+1+200*s.key.named("start").uniform())*c.perDay, c.max)
}

func readCounter(b *block, f *fieldPlan) {
	b.makes(f, "number")
	c := &counter{
		perDay: b.needNumber("per_day"), profile: b.shares("profile"), noise: b.number("noise", 0.2), draws: b.number("draws", 0),
		occupancy: b.flag("occupancy"), daily: b.flag("daily"), max: f.Max,
	}
	if c.perDay < 0 || c.noise < 0 || c.noise >= 1 {
		b.fail(b.node, "want per_day ≥ 0 and noise in [0, 1)")
	}
	f.model = c
}

// weighted picks one of several words and holds it for a while; 0: a new one for every reading.
type weighted struct {
	sums []float64 // of the weights, the last one 1
	hold time.Duration
}

func (w *weighted) value(s scene) float64 {
	n := int64(s.at)
	if w.hold > 0 {
		n = s.key.slot(s.at, w.hold)
	}
	u := s.key.at(n).uniform()
	for i, sum := range w.sums {
		if u < sum {
			return float64(i)
		}
	}
	return float64(len(w.sums) - 1)
}

func readEnum(b *block, f *fieldPlan) {
	f.model = &weighted{b.weights(f), b.duration("hold", time.Hour)}
}

func readChoice(b *block, f *fieldPlan) { f.model = &weighted{b.weights(f), 0} }

// weights reads the words of a field and the running sums of their probabilities.
func (b *block) weights(f *fieldPlan) []float64 {
	b.makes(f, "string")
	var words []string
	var sums []float64
	sum := 0.0
	list := b.need("values")
	b.each("values", func(word, weight *yaml.Node) {
		w := b.float(weight, word.Value)
		if w < 0 {
			b.fail(weight, "probability %g is below zero", w)
		}
		sum += w
		words, sums = append(words, word.Value), append(sums, sum)
	})
	if sum <= 0 {
		b.fail(list, "want probabilities above zero")
		sum = 1
	}
	for i := range sums {
		sums[i] /= sum
	}
	b.spelled(f, list, words)
	return sums
}

func readText(b *block, f *fieldPlan) {
	b.makes(f, "string")
	list := b.need("values")
	words := b.words(list)
	sums := make([]float64, len(words))
	for i := range sums {
		sums[i] = float64(i+1) / float64(len(sums))
	}
	b.spelled(f, list, words)
	f.model = &weighted{sums, 0}
}

// spelled takes the words of a field and refuses those its enum has not.
func (b *block) spelled(f *fieldPlan, n *yaml.Node, words []string) {
	f.words = words
	if f.Type != devices.Enum {
		return
	}
	for _, w := range words {
		if !slices.Contains(f.Enum, w) {
			b.fail(n, "%q is no value of %s", w, f.ID)
		}
	}
}

type coin struct {
	p    float64
	hold time.Duration
}

func (c *coin) value(s scene) float64 {
	return bit(s.key.at(s.key.slot(s.at, c.hold)).chance(c.p))
}

func readBool(b *block, f *fieldPlan) {
	b.makes(f, "bool")
	c := &coin{b.needNumber("p_true"), b.duration("hold", time.Hour)}
	if c.p < 0 || c.p > 1 {
		b.fail(b.node, "p_true %g is no probability", c.p)
	}
	f.model = c
}
