package alerts

import (
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/cel"

	"linli/devices"
)

// signalSource is one entry of signals: a name for a quantity that an expression may use.
type signalSource struct {
	name  string
	line  int
	field string // of the rule's own type, or of typ
	typ   string
	event string
	rule  string
	of    string // over which other devices of the rule's own type: what they have in common
	same  string // what the devices have in common
	by    string // field of event
	fn    string // see function; empty: last

	window, bucket span
	coverage       float64 // least share of the window that must be known, its beginning too for what adds up; 0: one value is enough
	at             *timeOfDay
	when           source   // which values count, by value
	otherwise      *float64 // what stands for a value that is not known
	maxAge         time.Duration
}

// signal is a quantity that a condition reads: the last value of a field or, with a measure, a function of its past.
type signal struct {
	field     *devices.Field
	slot      int
	measure   *measure
	memory    int   // of a series, that of the measure
	maxAge    int64 // ms
	onChange  bool  // sent on change only: as fresh as its series is
	otherwise *float64

	fence *fence // its value is outside_m

	// of what lies beyond the readings of the own device, one of them
	group *group
	rule  *ruleSignal
	event *lastEvent
	truth bool // its value is true or false
}

// own reports whether a signal is of the readings of its own device.
func (s *signal) own() bool { return s.group == nil && s.rule == nil && s.event == nil }

// declare gives a name to one entry of signals.
func (b *binder) declare(x *bound, vars schema, s *signalSource) {
	typ := b.typ
	if s.typ != "" {
		if typ = b.cat.Type(s.typ); typ == nil {
			b.failAt(s.line, "signal %s: unknown device type %q", s.name, s.typ)
			return
		}
	}
	if _, taken := vars[s.name]; taken {
		b.failAt(s.line, "signal %s: the name means something already", s.name)
		return
	}
	if s.beyond() {
		b.declareBeyond(x, vars, s, typ)
		return
	}
	f := typ.Field(s.field)
	switch {
	case s.field == "":
		b.failAt(s.line, "signal %s: want a field, an event or a rule", s.name)
	case f == nil:
		b.failAt(s.line, "signal %s: %s has no field %q", s.name, typ.ID, s.field)
	case b.rule.spec.byEvent:
		b.failAt(s.line, "signal %s: a %s rule is judged without the readings of its device", s.name, b.rule.Kind)
	default:
		b.field(x, vars, s, f)
	}
}

// field declares a signal of a field of the rule's own device.
func (b *binder) field(x *bound, vars schema, s *signalSource, f *devices.Field) {
	if (s.fn == "" || s.fn == "last") && s.at == nil && s.when.text == "" {
		plain := *s
		if w := s.window.of(periodOf(b.typ, f)); w > 0 {
			plain.maxAge = w
		}
		b.last(x, vars, &plain, f)
		return
	}
	m := b.measure(s, f)
	if m == nil {
		return
	}
	vars[s.name] = variable{origin: fromSignal, typ: cel.DoubleType, index: len(x.signals), key: f.ID}
	x.signals = append(x.signals, signal{field: f, measure: m, maxAge: m.maxAge, onChange: f.Period == 0, otherwise: s.otherwise})
}

// last declares a signal that is the last value of a field.
func (b *binder) last(x *bound, vars schema, s *signalSource, f *devices.Field) {
	if f.Type == devices.String {
		b.failAt(s.line, "field %q is free text", f.ID)
		return
	}
	vars[s.name] = variable{origin: fromSignal, typ: celType(f), index: len(x.signals), key: f.ID, values: f.Enum}
	x.signals = append(x.signals, signal{field: f, onChange: f.Period == 0, maxAge: b.maxAge(s, f), otherwise: s.otherwise})
}

// maxAge is how long a value counts, ms: three reporting periods unless the rule says otherwise.
func (b *binder) maxAge(s *signalSource, f *devices.Field) int64 {
	if age := max(s.maxAge, b.rule.MaxAge); age > 0 {
		return age.Milliseconds()
	}
	return 3 * periodOf(b.typ, f).Milliseconds()
}

// periodOf is how often a field is reported.
func periodOf(t *devices.Type, f *devices.Field) time.Duration {
	if f.Period > 0 {
		return f.Period
	}
	return t.Period
}

// measure checks a signal that remembers.
func (b *binder) measure(s *signalSource, f *devices.Field) *measure {
	period := periodOf(b.typ, f)
	m := &measure{
		field: f, fn: function(slices.Index(functions, s.fn)), window: s.window.of(period).Milliseconds(),
		width: s.bucket.of(period).Milliseconds(), maxAge: b.maxAge(s, f), at: s.at, onChange: f.Period == 0,
	}
	whole := m.fn == lastOf || m.fn == ageOf // of all that was ever said
	switch {
	case f.Type == devices.String || f.Type == devices.Enum && m.fn != countOf && m.fn != ageOf:
		b.failAt(s.line, "signal %s: field %q is no number", s.name, f.ID)
		return nil
	case !whole && m.window <= 0:
		b.failAt(s.line, "signal %s: %s needs a window", s.name, s.fn)
		return nil
	case m.width == 0:
		m.width = max(m.window/bucketsOfWindow, 1)
	case m.window/m.width > maxBuckets:
		b.failAt(s.line, "signal %s: a window of more than %d buckets", s.name, maxBuckets)
		return nil
	}
	if s.when.text != "" {
		vars := b.registryVars()
		vars["value"] = variable{origin: fromSignal, typ: celType(f), key: f.ID, values: f.Enum}
		if m.when = b.compile(s.when, vars); m.when == nil {
			return nil
		}
	}
	m.expect(s.coverage)
	m.name = fmt.Sprintf("%s %s %dms/%dms", s.fn, f.ID, m.window, m.width)
	if m.fn.covers() {
		m.name += fmt.Sprintf(" gap %dms", m.maxAge)
	}
	if s.at != nil {
		m.name += fmt.Sprintf(" at %d-%d", s.at.from, s.at.to)
	}
	if s.when.text != "" {
		m.name += " when " + s.when.text
	}
	return m
}
