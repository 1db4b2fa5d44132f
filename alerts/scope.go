package alerts

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"linli/devices"
)

// scope is where an expression finds its values: one bound on one series at one time, or an event.
type scope struct {
	core   *core
	series *series
	bound  *bound
	at     int64
	heard  int64           // ms: when what is judged was received
	own    *float64        // stands in for the only signal
	field  *devices.Field  // of own, in a filter
	strict bool            // nothing stands for what is not known
	event  *devices.Line   // of an event
	dev    *devices.Device // of an event
}

func (sc *scope) number(i int) (float64, bool) {
	if sc.own != nil {
		return *sc.own, true
	}
	sig := &sc.bound.signals[i]
	x, known := sc.read(sig)
	if !known && sig.otherwise != nil && !sc.strict {
		return *sig.otherwise, true
	}
	return x, known
}

// read is the value of a signal.
func (sc *scope) read(sig *signal) (float64, bool) {
	switch {
	case sig.group != nil:
		return sc.core.together(sig.group, sc.series, sc.device(), sc.at)
	case sig.rule != nil:
		return sc.core.going(sig.rule, sc.device(), sc.at)
	case sig.event != nil:
		return sc.core.ago(sig.event, sc)
	case sig.fence != nil:
		return sc.core.outside(sig, sc)
	case sc.series == nil:
		return 0, false
	}
	return sc.series.read(sig, sc.at)
}

// read is the value of a signal of a series at a time.
func (s *series) read(sig *signal, at int64) (float64, bool) {
	if !s.fresh(sig, at) {
		return 0, false
	}
	if sig.measure != nil {
		return s.memories[sig.memory].value(sig.measure, at)
	}
	return s.slots[sig.slot].value, true
}

func (sc *scope) attribute(key string, fallback float64) (float64, bool) {
	dev := sc.device()
	if dev == nil {
		return 0, false
	}
	if x, ok := dev.Attributes[key]; ok {
		return x, true
	}
	return fallback, true
}

func (sc *scope) value(v *variable) ref.Val {
	switch v.origin {
	case fromSignal:
		x, ok := sc.number(v.index)
		if !ok {
			return nil
		}
		switch {
		case sc.field != nil:
			return boxed(sc.field, x)
		case sc.bound.signals[v.index].truth:
			return types.Bool(x != 0)
		case v.typ == cel.DoubleType:
			return types.Double(x)
		}
		return boxed(sc.bound.signals[v.index].field, x)
	case fromTag:
		return types.String(sc.tag(v.key))
	case fromEvent:
		return eventValue(v, sc.event.Field(v.key))
	}
	dev := sc.device()
	if dev == nil {
		return nil
	}
	switch v.origin {
	case fromRegistry:
		return types.String(dev.Tags[v.key])
	case fromAttribute:
		x, _ := sc.attribute(v.key, v.fallback)
		return types.Double(x)
	case fromPerson:
		p := sc.core.dir.Person(dev.Person)
		return types.Bool(p != nil && p.Away(moment(sc.at)))
	}
	return nil
}

func (sc *scope) device() *devices.Device {
	if sc.series != nil {
		return sc.series.dev
	}
	return sc.dev
}

func (sc *scope) tag(id string) string {
	switch {
	case sc.series == nil && sc.event == nil:
		return ""
	case sc.series == nil:
		return seriesTag(sc.event, id)
	}
	for i, tag := range sc.series.prog.tags {
		if tag == id {
			return sc.series.tags[i]
		}
	}
	return ""
}

// boxed is a slot's value for CEL.
func boxed(f *devices.Field, x float64) ref.Val {
	switch f.Type {
	case devices.Bool:
		return types.Bool(x != 0)
	case devices.Enum:
		return types.String(f.Enum[int(x)])
	}
	return types.Double(x)
}

// eventValue is a payload field of an event; nil without it.
func eventValue(v *variable, p devices.Pair) ref.Val {
	switch v.typ {
	case cel.BoolType:
		if b, ok := p.Bool(); ok {
			return types.Bool(b)
		}
	case cel.StringType:
		if s, ok := p.Text(); ok {
			return types.String(s)
		}
	default:
		if f, ok := p.Float(); ok {
			return types.Double(f)
		}
	}
	return nil
}
