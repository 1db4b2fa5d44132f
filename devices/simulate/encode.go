package simulate

import (
	"math"
	"strconv"

	"linli/devices"
)

// stamp is what a sender adds to a payload; the zero stamp adds nothing.
type stamp struct {
	seq  *uint32 // counts the readings of a device from 1; nil: none
	boot int64
	skew moment // of the device's clock
	dirt dirt
}

// encode appends the payload of what is due: an object, or an array of one object a series. It appends nothing when no field has
// anything to say.
func (w *World) encode(dst []byte, d due, s stamp) []byte {
	a := w.actors[d.actor]
	if d.event >= 0 {
		return w.encodeEvent(dst, a, d, s)
	}
	start := len(dst)
	array := len(a.series) > 1
	if array {
		dst = append(dst, '[')
	}
	objects := 0
	since := d.at.add(-a.plan.period)
	if d.event == change {
		since = d.at - 1
	}
	for i := range a.series {
		if d.event == change && i != int(d.series) {
			continue
		}
		before := len(dst)
		if objects > 0 {
			dst = append(dst, ',')
		}
		dst = s.open(dst, d.at)
		dst = append(dst, a.series[i].json...)
		said := len(dst)
		for _, f := range a.plan.fields {
			if !f.perMessage() && a.plays(f, i) && (d.event == birth || a.says(f, i, since, d.at)) {
				dst = w.appendField(dst, a, f, i, d.at)
			}
		}
		if len(dst) == said {
			dst = dst[:before]
			continue
		}
		for _, f := range a.plan.fields {
			if f.perMessage() && a.plays(f, i) {
				dst = w.appendField(dst, a, f, i, d.at)
			}
		}
		dst = s.dirt.append(dst, a.plan)
		dst[len(dst)-1] = '}'
		objects++
	}
	if objects == 0 {
		return dst[:start]
	}
	if array {
		dst = append(dst, ']')
	}
	return dst
}

// says reports whether a field is part of the report at t: when its period has passed since the one before, or its state has
// changed.
func (a *actor) says(f *fieldPlan, series int, before, t moment) bool {
	if f.Period > 0 {
		every := f.Period.Milliseconds()
		offset := int64(key(mix(uint64(a.key^f.beat))).uniform() * float64(every))
		if f.Period <= a.plan.period || floorDiv(int64(t)-offset, every) > floorDiv(int64(before)-offset, every) {
			return true
		}
	}
	return (f.Kind == devices.State || f.Period == 0) && a.value(f, series, t) != a.value(f, series, before)
}

// perMessage reports whether a field goes with every message and is no reason to send one, such as the signal strength.
func (f *fieldPlan) perMessage() bool {
	return f.Period == 0 && (f.Kind == devices.Gauge || f.Kind == devices.Counter)
}

// encodeEvent is about one series of the device.
func (w *World) encodeEvent(dst []byte, a *actor, d due, s stamp) []byte {
	e := a.plan.events[d.event]
	series := int(d.series)
	dst = s.open(dst, d.at)
	dst = append(dst, a.series[series].json...)
	for _, f := range e.fields {
		dst = w.appendField(dst, a, f, series, d.at)
	}
	dst[len(dst)-1] = '}'
	return dst
}

// open begins an object; what follows ends in a comma.
func (s *stamp) open(dst []byte, at moment) []byte {
	dst = append(dst, `{"ts":`...)
	dst = strconv.AppendInt(dst, int64(at+s.skew), 10)
	dst = append(dst, ',')
	if s.seq != nil {
		*s.seq++
		dst = append(dst, `"seq":`...)
		dst = strconv.AppendUint(dst, uint64(*s.seq), 10)
		dst = append(dst, `,"boot":`...)
		dst = strconv.AppendInt(dst, s.boot, 10)
		dst = append(dst, ',')
	}
	return dst
}

func (w *World) appendField(dst []byte, a *actor, f *fieldPlan, series int, t moment) []byte {
	v := a.value(f, series, t)
	if f.Type.Numeric() && w.faults.Sensor > 0 {
		v = w.faults.sensor(a, f, series, t, v)
	}
	dst = append(dst, '"')
	dst = append(dst, f.ID...)
	dst = append(dst, `":`...)
	switch f.Type {
	case devices.Bool:
		dst = strconv.AppendBool(dst, v >= 0.5)
	case devices.Enum, devices.String:
		dst = strconv.AppendQuote(dst, f.words[int(v)])
	case devices.Int:
		dst = strconv.AppendInt(dst, int64(math.Floor(v)), 10)
	default:
		dst = strconv.AppendFloat(dst, rounded(v, f.Unit), 'f', -1, 64)
	}
	return append(dst, ',')
}

// rounded keeps what a device of that unit would send: positions to a metre tenth, the rest to a thousandth.
func rounded(v float64, unit string) float64 {
	precision := 1e3
	if unit == "deg" {
		precision = 1e6
	}
	return math.Round(v*precision) / precision
}
