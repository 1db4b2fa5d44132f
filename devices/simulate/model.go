package simulate

import (
	"math"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// model computes a field's value: the number itself, 0 or 1 for a bool, the index of its word for an enum or text.
// It remembers nothing, so values may be asked for in any order.
type model interface {
	value(s scene) float64
}

// scene is what a value may depend on.
type scene struct {
	at     moment
	key    key // of this field of this series
	actor  *actor
	series int
}

// models reads the parameters of each model into a field's plan.
var models = map[string]func(*block, *fieldPlan){
	"const":     readConst,
	"gauge":     readGauge,
	"profile":   readProfile,
	"counter":   readCounter,
	"fill":      readFill,
	"weather":   readWeather,
	"enum":      readEnum,
	"choice":    readChoice,
	"text":      readText,
	"bool":      readBool,
	"occupancy": readOccupancy,
	"lognormal": readLognormal,
	"uniform":   readUniform,
	"sum":       readSum,
	"product":   readProduct,
	"session":   readSession,
	"position":  readPosition,
}

// makes refuses a model on a field whose values it cannot make.
func (b *block) makes(f *fieldPlan, storage ...string) {
	if !slices.Contains(storage, f.Type.Storage()) {
		b.fail(b.node, "field %q is a %s: this model makes none", f.ID, f.Type.Storage())
	}
}

type constant float64

func (c constant) value(scene) float64 { return float64(c) }

func readConst(b *block, f *fieldPlan) {
	n := b.need("value")
	switch f.Type {
	case devices.Bool:
		if b.flag("value") {
			f.model = constant(1)
			return
		}
		f.model = constant(0)
	case devices.Enum, devices.String:
		b.spelled(f, n, []string{n.Value})
		f.model = constant(0)
	default:
		f.model = constant(b.float(n, "value"))
	}
}

// gauge wanders around a mean; devices differ by a part of sd that stays.
type gauge struct {
	mean, sd, min, max float64
	tau                time.Duration
}

func (g *gauge) value(s scene) float64 {
	off := 0.6*clamp(s.key.named("bias").normal(), -2.5, 2.5) + 0.8*s.key.wave(s.at, g.tau)
	return clamp(g.mean+g.sd*off, g.min, g.max)
}

func readGauge(b *block, f *fieldPlan) {
	b.makes(f, "number")
	g := &gauge{
		mean: b.needNumber("mean"), sd: b.number("sd", 0), min: b.number("min", f.Min), max: b.number("max", f.Max),
		tau: b.duration("tau", 30*time.Minute),
	}
	if g.sd < 0 || g.min > g.mean || g.max < g.mean {
		b.fail(b.node, "want sd ≥ 0 and min ≤ mean ≤ max")
	}
	f.model = g
}

// profile follows the hours of the day.
type profile struct {
	course         *course
	scale, weekend float64
	noise          float64 // standard deviation
}

func (p *profile) value(s scene) float64 {
	scale := p.scale
	if p.weekend != 1 && !workday(s.at.day()) {
		scale *= p.weekend
	}
	return p.course.value(s.at.hour())*scale + p.noise*clamp(s.key.wave(s.at, 10*time.Minute), -2.5, 2.5)
}

func readProfile(b *block, f *fieldPlan) {
	b.makes(f, "number")
	b.need("values")
	f.model = &profile{course: b.course("values", flat), scale: b.number("scale", 1), weekend: b.number("weekend", 1), noise: b.number("noise", 0)}
}

// fill rises until it is emptied. Series fill at different speeds, none faster than the rates.
type fill struct {
	day, night float64 // per hour, from 6 to 22 and in the other hours
	empty      []float64
	noise      float64
	max        float64
}

var daytime = newCourse([24]float64{6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 13: 1, 14: 1, 15: 1, 16: 1, 17: 1, 18: 1, 19: 1, 20: 1, 21: 1})

func (f *fill) value(s scene) float64 {
	hour := s.at.hour()
	last := f.empty[len(f.empty)-1] - 24
	for _, e := range f.empty {
		if e <= hour {
			last = e
		}
	}
	risen := f.risen(hour) - f.risen(last)
	speed := s.key.named("speed").between(0.7, 1)
	return clamp(1.5+speed*risen+f.noise*clamp(s.key.at(int64(s.at)).normal(), -2, 2), 0, f.max)
}

// risen is the rise from midnight to an hour, which may be of the day before.
func (f *fill) risen(hour float64) float64 {
	if hour < 0 {
		return f.risen(hour+24) - f.risen(24)
	}
	light := daytime.until(hour)
	return f.day*light + f.night*(hour-light)
}

func readFill(b *block, f *fieldPlan) {
	b.makes(f, "number")
	m := &fill{day: b.needNumber("rate_day"), night: b.number("rate_night", 0), empty: b.hours("empty_at"), noise: b.number("noise", 0), max: f.Max}
	if len(m.empty) == 0 {
		m.empty = []float64{6}
	}
	f.model = m
}

type weatherModel struct {
	of                   func(*site, moment) float64
	scale, offset, noise float64
}

func (w *weatherModel) value(s scene) float64 {
	return w.scale*w.of(s.actor.site, s.at) + w.offset + w.noise*clamp(s.key.at(int64(s.at)).normal(), -2.5, 2.5)
}

func readWeather(b *block, f *fieldPlan) {
	b.makes(f, "number")
	of, known := weather[b.text("of")]
	if !known {
		b.fail(b.node, "unknown weather %q", b.text("of"))
	}
	f.model = &weatherModel{of, b.number("scale", 1), b.number("offset", 0), b.number("noise", 0)}
}

type occupancy struct{}

func (occupancy) value(s scene) float64 { return bit(s.actor.home.present(s.at)) }

func readOccupancy(b *block, f *fieldPlan) {
	b.makes(f, "bool")
	f.model = occupancy{}
}

// lognormal and uniform draw anew for every reading.
type lognormal struct{ median, sigma float64 }

func (l *lognormal) value(s scene) float64 {
	return l.median * math.Exp(l.sigma*clamp(s.key.at(int64(s.at)).normal(), -2.5, 2.5))
}

func readLognormal(b *block, f *fieldPlan) {
	b.makes(f, "number")
	f.model = &lognormal{b.needNumber("median"), b.needNumber("sigma")}
}

type uniform struct{ min, max float64 }

func (u *uniform) value(s scene) float64 { return s.key.at(int64(s.at)).between(u.min, u.max) }

func readUniform(b *block, f *fieldPlan) {
	b.makes(f, "number")
	f.model = &uniform{b.needNumber("min"), b.needNumber("max")}
}

// combined adds or multiplies other fields of the same reading.
type combined struct {
	of            []*fieldPlan
	scale, offset float64
	times         bool
}

func (c *combined) value(s scene) float64 {
	sum, product := 0.0, 1.0
	for _, f := range c.of {
		v := s.actor.value(f, s.series, s.at)
		sum += v
		product *= v
	}
	if c.times {
		return c.scale*product + c.offset
	}
	return c.scale*sum + c.offset
}

func readSum(b *block, f *fieldPlan)     { readCombined(b, f, false) }
func readProduct(b *block, f *fieldPlan) { readCombined(b, f, true) }

func readCombined(b *block, f *fieldPlan, times bool) {
	b.makes(f, "number")
	list := b.need("of")
	c := &combined{of: make([]*fieldPlan, len(list.Content)), scale: b.number("scale", 1), offset: b.number("offset", 0), times: times}
	for i, id := range b.words(list) {
		b.refs = append(b.refs, reference{nodeAt(list, i), f, id, &c.of[i]})
	}
	f.model = c
}

func nodeAt(list *yaml.Node, i int) *yaml.Node {
	if i < len(list.Content) {
		return list.Content[i]
	}
	return list
}

// battery runs down from 100 to 40 % in one to three years and is then changed.
type battery struct{}

func (battery) value(s scene) float64 {
	life := s.key.named("life").between(365, 1095) * dayLength
	spent := float64(s.at)/life + s.key.named("age").uniform()
	return 100 - 60*(spent-math.Floor(spent))
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
