package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Faults says how badly devices and their links behave. The zero value is perfect.
type Faults struct {
	Duplicate float64       // part of the messages that is sent twice
	Loss      float64       // part that is never sent
	Reorder   float64       // part that is sent after the next one
	Outages   float64       // of a link, per day: 5 to 40 min without, then all that was held back, with its original times
	Skew      time.Duration // standard deviation of the devices' clocks
	WrongZone float64       // part of the devices whose clock is 8 h ahead
	Dirty     float64       // part of the messages with a null, an unknown field or text where a number is due
	Sensor    float64       // part of the series of numbers that has a fault on a day: stuck, spikes, drift, out of range
	Refuse    float64       // part of the commands that a device does not carry out
	Silent    float64       // part of the commands that a device does not answer
	Falls     float64       // of an elder, per year: whatever needs a person stops until somebody comes
}

// FaultPresets are the sets of faults that have a name.
var FaultPresets = map[string]Faults{
	"none": {},
	"realistic": {
		Duplicate: 0.003, Loss: 0.01, Reorder: 0.005, Outages: 0.02, Skew: 2 * time.Second, WrongZone: 0.002, Dirty: 0.0005,
		Sensor: 0.002, Refuse: 0.02, Silent: 0.01, Falls: 0.5,
	},
}

// figure is a number of Faults and what it may be at most.
type figure struct {
	value *float64
	max   float64
}

func (f *Faults) figures() map[string]figure {
	return map[string]figure{
		"duplicate": {&f.Duplicate, 1}, "loss": {&f.Loss, 1}, "reorder": {&f.Reorder, 1}, "outages": {&f.Outages, 24},
		"refuse": {&f.Refuse, 1}, "silent": {&f.Silent, 1}, "wrong-zone": {&f.WrongZone, 1}, "dirty": {&f.Dirty, 1}, "sensor": {&f.Sensor, 1}, "falls": {&f.Falls, 365},
	}
}

// ParseFaults reads the name of a preset, single figures, or a preset and figures that differ from it:
// "realistic,loss=0.05,skew=5s". Empty is none.
func ParseFaults(s string) (Faults, error) {
	var f Faults
	for part := range strings.SplitSeq(s, ",") {
		name, value, isFigure := strings.Cut(strings.TrimSpace(part), "=")
		preset, isPreset := FaultPresets[name]
		number, known := f.figures()[name]
		var err error
		switch {
		case name == "" && !isFigure:
		case isPreset && !isFigure:
			f = preset
		case known && isFigure:
			*number.value, err = strconv.ParseFloat(value, 64)
		case name == "skew" && isFigure:
			f.Skew, err = time.ParseDuration(value)
		default:
			err = fmt.Errorf("want %s, skew=DURATION, or NUMBER after one of %s", strings.Join(slices.Sorted(maps.Keys(FaultPresets)), ", "),
				strings.Join(slices.Sorted(maps.Keys(f.figures())), "=, ")+"=")
		}
		if err != nil {
			return Faults{}, fmt.Errorf("faults %q: %w", part, err)
		}
	}
	return f, f.check()
}

// check names a figure that is not possible.
func (f Faults) check() error {
	figures := f.figures()
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		if n := figures[name]; !(*n.value >= 0 && *n.value <= n.max) {
			return fmt.Errorf("faults: %s=%g is not between 0 and %g", name, *n.value, n.max)
		}
	}
	if f.Skew < 0 || f.Skew > 24*time.Hour {
		return fmt.Errorf("faults: skew=%s is not between 0 and 24h", f.Skew)
	}
	return nil
}

// skew is how far a device's clock is ahead.
func (f *Faults) skew(k key) moment {
	if k.named("wrong zone").chance(f.WrongZone) {
		return zoneShift
	}
	return moment(float64(f.Skew.Milliseconds()) * clamp(k.named("skew").normal(), -3, 3))
}

// sensor is what a numeric field shows instead of v.
func (f *Faults) sensor(a *actor, field *fieldPlan, series int, t moment, v float64) float64 {
	k := key(mix(uint64(a.series[series].key ^ field.key))).named("fault").at(t.day())
	if !k.chance(f.Sensor) {
		return v
	}
	from := k.at(1).between(0, 22)
	hour := t.hour() - from
	if hour < 0 || hour > k.at(2).between(0.5, 6) {
		return v
	}
	size := field.Max - field.Min
	if size > 1e6 { // of a counter or without bounds: by its own size
		size = max(1, v)
	}
	switch kind := int(k.at(3).uniform() * 4); kind {
	case 0: // stuck
		return a.value(field, series, clock(t.day(), from))
	case 1: // spikes
		if k.at(int64(t)).chance(0.1) {
			return clamp(v+size/2, field.Min, field.Max)
		}
		return v
	case 2: // drift
		return clamp(v+hour*size/100, field.Min, field.Max)
	default: // out of range
		return v + 10*size
	}
}

// dirt is something a payload should not have.
type dirt uint8

const (
	clean dirt = iota
	nullField
	unknownField
	textField
)

func (f *Faults) dirt(k key) dirt {
	if f.Dirty == 0 || !k.chance(f.Dirty) {
		return clean
	}
	return nullField + dirt(k.at(1).uniform()*3)
}

// append adds the dirt to an object that is not closed yet.
func (d dirt) append(dst []byte, p *plan) []byte {
	switch d {
	case unknownField:
		return append(dst, `"vendor_x":1,`...)
	case nullField, textField:
		for _, f := range p.typ.Fields {
			if f.Type.Numeric() && p.field(f.ID) == nil {
				dst = append(dst, '"')
				dst = append(dst, f.ID...)
				if d == nullField {
					return append(dst, `":null,`...)
				}
				return append(dst, `":"n/a",`...)
			}
		}
	}
	return dst
}
