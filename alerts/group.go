package alerts

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"linli/devices"
)

// group is a signal over the devices of one type that have something in common with the rule's own: the mean, min, max, sum or count
// of their last values, whether any or all of them are true, or the last value that any of them said. What a device said is left out
// once it is too old. With a window each device's own past is measured first.
type group struct {
	typ      *devices.Type
	same     string
	fn       string
	each     signal     // of one series of typ
	when     *condition // values that count, of count
	coverage float64    // least share of the devices, of those heard of so far, whose value must be known
}

var groupFunctions = strings.Fields("last mean min max sum count any all")

// declareGroup declares a signal over other devices.
func (b *binder) declareGroup(x *bound, vars schema, s *signalSource, t *devices.Type) {
	f := t.Field(s.field)
	if f == nil {
		b.failAt(s.line, "signal %s: %s has no field %q", s.name, t.ID, s.field)
		return
	}
	fn := s.fn
	if fn == "" {
		fn = "last"
	}
	g := &group{typ: t, same: s.same, fn: fn, coverage: s.coverage}
	if s.of != "" {
		g.same = s.of
	}
	b.checkPlace(s.line, g.same, t)
	if t != b.typ {
		b.checkPlace(s.line, g.same, b.typ)
	}
	truth := f.Type == devices.Bool
	switch {
	case !slices.Contains(groupFunctions, fn):
		b.failAt(s.line, "signal %s: want one of %s over other devices", s.name, strings.Join(groupFunctions, ", "))
		return
	case (fn == "any" || fn == "all") && !truth:
		b.failAt(s.line, "signal %s: %s is for a field that is true or false", s.name, fn)
		return
	case f.Type == devices.String, f.Type == devices.Enum && fn != "last" && fn != "count":
		b.failAt(s.line, "signal %s: field %q is no number", s.name, f.ID)
		return
	}
	g.each = signal{field: f, onChange: f.Period == 0, maxAge: b.ageOf(s, t, f)}
	if s.window != (span{}) {
		other := binder{b.loader, b.rule, t}
		own := *s
		own.when = source{}
		if g.each.measure = other.measure(&own, f); g.each.measure == nil {
			return
		}
		g.each.maxAge = g.each.measure.maxAge
	}
	v := variable{origin: fromSignal, typ: cel.DoubleType, index: len(x.signals), key: f.ID}
	sig := signal{field: f, group: g, otherwise: s.otherwise}
	switch {
	case fn == "any" || fn == "all":
		v.typ, sig.truth = cel.BoolType, true
	case fn == "last" && g.each.measure == nil:
		v.typ, v.values = celType(f), f.Enum
	}
	if s.when.text != "" {
		value := schema{"value": {origin: fromSignal, typ: celType(f), key: f.ID, values: f.Enum}}
		g.when = b.compile(s.when, value)
	}
	vars[s.name] = v
	x.signals = append(x.signals, sig)
}

// ageOf is maxAge of a field of another type.
func (b *binder) ageOf(s *signalSource, t *devices.Type, f *devices.Field) int64 {
	return (&binder{b.loader, b.rule, t}).maxAge(s, f)
}

// link gives the signals of a bound over other devices their places in the programs of those.
func (r *Rules) link(b *bound) {
	for i := range b.signals {
		switch sig := &b.signals[i]; {
		case sig.group != nil:
			g := sig.group
			p := r.byType[g.typ.ID]
			u := p.use(g.each.field)
			g.each.slot = u.slot
			p.remember(&g.each, u)
			p.share(g.same)
			if g.each.measure != nil {
				p.lent[g.each.memory] = true
			}
			if r.watches(b, g.same) {
				u.watchers = append(u.watchers, watcher{b, g.same, g})
			}
		case sig.event != nil && r.watches(b, sig.event.same):
			p := r.byType[sig.event.typ.ID]
			p.heeded[sig.event.event] = append(p.heeded[sig.event.event], watcher{b, sig.event.same, nil})
		case sig.rule != nil:
			r.byType[b.typ.ID].share(sig.rule.same)
			r.looking[sig.rule.rule] = append(r.looking[sig.rule.rule], b)
		}
	}
}

// share makes the series of a type known by what their devices have in common.
func (p *program) share(same string) {
	if !slices.Contains(p.shared, same) {
		p.shared = append(p.shared, same)
	}
}

// placeKey is where series of one type are that have something in common.
type placeKey struct{ typ, place string }

// join puts a series among those that it has something in common with, in the order of their keys; leave takes it out. Both follow
// what the registry says of its device. The memory for it is bounded by that of the series.
func (c *core) join(s *series) {
	c.leave(s)
	s.places = make([]string, len(s.prog.shared))
	for i, same := range s.prog.shared {
		place, ok := common(s.dev, same)
		if !ok {
			continue
		}
		s.places[i] = place
		key := placeKey{s.prog.typ.ID, place}
		all := c.groups[key]
		at, _ := slices.BinarySearchFunc(all, s, func(a, b *series) int { return strings.Compare(a.key, b.key) })
		c.groups[key] = slices.Insert(all, at, s)
	}
}

func (c *core) leave(s *series) {
	c.rolled.group = nil
	for _, place := range s.places {
		if place == "" {
			continue
		}
		key := placeKey{s.prog.typ.ID, place}
		c.groups[key] = slices.DeleteFunc(c.groups[key], func(x *series) bool { return x == s })
		if len(c.groups[key]) == 0 {
			delete(c.groups, key)
		}
	}
	s.places = nil
}

// place is what a series has in common with others; of nil or where it is not kept, as the registry has it of the device.
func (s *series) place(same string, dev *devices.Device) (string, bool) {
	if s != nil {
		if i := slices.Index(s.prog.shared, same); i >= 0 {
			return s.places[i], s.places[i] != ""
		}
	}
	return common(dev, same)
}

// rolled is the value of a group at a place and a time, as long as nothing is said: all that look at it see the same.
type rolled struct {
	group *group
	place string
	at    int64
	value float64
	known bool
}

// together is the value of a group signal at a time, for a series or, where that is nil, for a device.
func (c *core) together(g *group, s *series, dev *devices.Device, at int64) (float64, bool) {
	place, ok := s.place(g.same, dev)
	if !ok {
		return 0, false
	}
	if r := &c.rolled; r.group != g || r.place != place || r.at != at {
		x, known := c.roll(g, place, at)
		c.rolled = rolled{g, place, at, x, known}
	}
	return c.rolled.value, c.rolled.known
}

func (c *core) roll(g *group, place string, at int64) (float64, bool) {
	members := c.groups[placeKey{g.typ.ID, place}]
	var t roll
	for _, s := range members {
		if x, known := s.read(&g.each, at); known {
			t.add(x, s.slots[g.each.slot].at, g.when == nil && x != 0 || g.when != nil && c.counts(g, s, x) == yes)
		}
	}
	if t.known == 0 || float64(t.known) < g.coverage*float64(len(members)) {
		return 0, false
	}
	return t.value(g.fn), true
}

// counts reports whether a value is one of those that a group counts.
func (c *core) counts(g *group, s *series, x float64) truth {
	return g.when.eval(&scope{core: c, series: s, own: &x, field: g.each.field})
}

// untilHeard lets a series of which a for was not completed, perhaps because a group was silent, try again when that is heard.
func (c *core) untilHeard(s *series, b *bound) {
	for i := range b.signals {
		g := b.signals[i].group
		if g == nil {
			continue
		}
		place, ok := s.place(g.same, s.dev)
		if key := (placeKey{g.typ.ID, place}); ok && !slices.Contains(c.unheard[key], s) {
			c.unheard[key] = append(c.unheard[key], s)
		}
	}
}

// heardAround lets those that waited for a series to be heard try again.
func (c *core) heardAround(s *series) {
	if len(c.unheard) == 0 {
		return
	}
	for _, place := range s.places {
		key := placeKey{s.prog.typ.ID, place}
		for _, waits := range c.unheard[key] {
			c.rearm(waits)
		}
		delete(c.unheard, key)
	}
}

// roll sums up what the devices of a group say.
type roll struct {
	known, counted    int
	sum, least, most  float64
	latest, latestVal float64
}

func (t *roll) add(x float64, at int64, counts bool) {
	if t.known == 0 {
		t.least, t.most, t.latest, t.latestVal = x, x, float64(at), x
	}
	t.known++
	t.sum += x
	t.least, t.most = min(t.least, x), max(t.most, x)
	if float64(at) >= t.latest {
		t.latest, t.latestVal = float64(at), x
	}
	if counts {
		t.counted++
	}
}

func (t *roll) value(fn string) float64 {
	switch fn {
	case "mean":
		return t.sum / float64(t.known)
	case "min":
		return t.least
	case "max":
		return t.most
	case "sum":
		return t.sum
	case "count":
		return float64(t.counted)
	case "any":
		return min(t.most, 1)
	case "all":
		return min(t.least, 1)
	}
	return t.latestVal
}
