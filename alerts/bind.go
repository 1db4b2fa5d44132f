package alerts

import (
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"

	"linli/devices"
)

// program is what runs for one device type: its rules, and for every field and event which of them it concerns.
type program struct {
	typ       *devices.Type
	bounds    []*bound                // of threshold and state rules, one for every field of a rule; a series has a cell for each
	measures  []*measure              // what these rules measure; a series has a memory for each
	absences  []*bound                // of absence rules
	slots     []*devices.Field        // the fields that these rules read; a series keeps the last value of each
	uses      map[string]*fieldUse    // by field id
	onEvent   map[string][]*bound     // by event id: event rules, and state rules that it fires too
	ends      map[string][]*bound     // by event id: event rules whose alerts it clears
	index     map[string]int          // of bounds, by name
	tags      []string                // payload tags, sorted
	activity  []*devices.Field        // that show that a person is active
	sequences []*bound                // of sequence rules
	always    []int                   // bounds that are judged at every line: they look beyond the device
	shared    []string                // what the devices of the type are looked for by
	fixes     []fixUse                // where a series keeps its fixes
	users     [][]int                 // by measure: the cells that need it
	lent      []bool                  // by measure: whether rules of other devices need it
	heeded    map[string][]watcher    // by event id: rules that look at it
	noted     map[string][]*lastEvent // by event id: what is to be kept of it
}

// fieldUse says where values of a field go.
type fieldUse struct {
	slot     int
	measures []int
	bounds   []int
	watchers []watcher // of other devices, that look at the field
}

// bound is a rule on one device type and, where it has several, on one of its fields.
type bound struct {
	*Rule
	field                *devices.Field // whose value an alert shows; nil for events
	signals              []signal
	when, clear, applies *condition
	countWindow          int64     // ms, of a count
	payload              []string  // fields of an event's payload that identify
	variants             []variant // what overrides make of it
	beyond               bool      // a signal looks beyond the own device
	lookout              bool      // its cells look at alerts or events
	guesses              bool      // a signal says what stands for a value that is not known
	main                 int       // the signal whose value an alert shows; -1: none
	typ                  *devices.Type
	window, will         time.Duration     // of an absence rule: how long is too long
	judged               map[string]string // what an alert keeps of its conditions; nil: it compares no readings
	name                 string            // of its cells in checkpoints: rule, rule/field, rule/level or rule/field/level
}

func newProgram(t *devices.Type) *program {
	p := &program{typ: t, uses: map[string]*fieldUse{}, index: map[string]int{}, noted: map[string][]*lastEvent{}, heeded: map[string][]watcher{}, onEvent: map[string][]*bound{}, ends: map[string][]*bound{}}
	if t == nil {
		return p
	}
	for _, tag := range t.Tags {
		if !tag.Registry {
			p.tags = append(p.tags, tag.ID)
		}
	}
	slices.Sort(p.tags)
	for _, f := range t.Fields {
		if f.Activity != nil {
			p.activity = append(p.activity, f)
		}
	}
	return p
}

// add takes the bounds of one rule.
func (p *program) add(bounds []*bound) {
	for _, b := range bounds {
		if b.spec.watches {
			p.absences = append(p.absences, b)
			continue
		}
		for _, event := range b.Events {
			p.onEvent[event] = append(p.onEvent[event], b)
		}
		if b.clearedBy != "" {
			p.ends[b.clearedBy] = append(p.ends[b.clearedBy], b)
		}
		for i := range b.signals {
			if e := b.signals[i].event; e != nil {
				p.noted[e.event] = append(p.noted[e.event], e)
			}
		}
		if b.Kind == SequenceKind {
			p.sequences = append(p.sequences, b)
		}
		if b.spec.byEvent {
			continue
		}
		p.place(b, len(p.bounds))
		p.index[b.name] = len(p.bounds)
		p.bounds = append(p.bounds, b)
	}
}

// place gives the signals of a bound, which cell i is judged by, their places in a series.
func (p *program) place(b *bound, i int) {
	b.lookout = b.looksOut()
	for k := range b.signals {
		s := &b.signals[k]
		if !s.own() {
			b.beyond = true
			if !slices.Contains(p.always, i) {
				p.always = append(p.always, i)
			}
			continue
		}
		u := p.use(s.field)
		s.slot = u.slot
		if !slices.Contains(u.bounds, i) {
			u.bounds = append(u.bounds, i)
		}
		if s.fence != nil {
			p.rememberFixes(s)
		} else {
			p.remember(s, u)
		}
		if s.measure != nil {
			p.users[s.memory] = append(p.users[s.memory], i)
		}
	}
}

// use is where values of a field go.
func (p *program) use(f *devices.Field) *fieldUse {
	u := p.uses[f.ID]
	if u == nil {
		u = &fieldUse{slot: len(p.slots)}
		p.slots = append(p.slots, f)
		p.uses[f.ID] = u
	}
	return u
}

// remember gives a signal with a measure its memory, the same to all that measure alike.
func (p *program) remember(s *signal, u *fieldUse) {
	if s.measure == nil {
		return
	}
	alike := func(m *measure) bool { return m.name == s.measure.name }
	if s.memory = slices.IndexFunc(p.measures, alike); s.memory < 0 {
		s.memory = len(p.measures)
		p.keep(s.measure)
		u.measures = append(u.measures, s.memory)
	}
}

// keep lets series have a memory for a measure.
func (p *program) keep(m *measure) {
	p.measures, p.users, p.lent = append(p.measures, m), append(p.users, nil), append(p.lent, false)
}

// addBuiltin adds the rules without a file: for life-safety events that no rule names, and for maintenance.
func (p *program) addBuiltin() {
	if p.typ.Event("maintenance_start") != nil {
		p.add([]*bound{{Rule: maintenance, name: maintenance.ID}})
	}
	for _, e := range p.typ.Events {
		if e.Safety && len(p.onEvent[e.ID]) == 0 {
			p.onEvent[e.ID] = []*bound{{Rule: safetyEvent, name: safetyEvent.ID}}
		}
	}
}

// binder checks one rule against one device type.
type binder struct {
	*loader
	rule *Rule
	typ  *devices.Type
}

func (b *binder) failAt(line int, format string, args ...any) {
	b.fail(b.rule.File, line, "rule "+b.rule.ID+": "+format, args...)
}

// bind returns a bound for every field of the rule and every level, or one if it names none. Those of a field come together.
func (b *binder) bind() []*bound {
	r := b.rule
	for _, e := range append(slices.Clone(r.Events), r.clearedBy) {
		if e != "" && b.typ.Event(e) == nil {
			b.failAt(r.Line, "%s has no event %q", b.typ.ID, e)
		}
	}
	b.identity()
	fields := []*devices.Field{nil}
	if len(r.Fields) > 0 {
		fields = fields[:0]
	}
	for _, id := range r.Fields {
		f := b.typ.Field(id)
		if f == nil {
			b.failAt(r.Line, "%s has no field %q", b.typ.ID, id)
			continue
		}
		fields = append(fields, f)
	}
	var bounds []*bound
	for _, f := range fields {
		for _, at := range r.grades() {
			graded := binder{b.loader, at, b.typ}
			bounds = append(bounds, graded.one(f))
		}
	}
	return bounds
}

func (b *binder) identity() {
	payload := payloadIdentity(b.rule, b.typ)
	for _, part := range b.rule.Identity {
		tag := b.typ.Tag(part)
		if part != "field" && tag == nil && !slices.Contains(places, part) && !slices.Contains(payload, part) {
			b.failAt(b.rule.Line, "identity: %q is none of %s, field, the tags of %s and the fields of its event", part, strings.Join(places, ", "), b.typ.ID)
		}
	}
}

func (b *binder) one(field *devices.Field) *bound {
	r := b.rule
	x := &bound{Rule: r, payload: payloadIdentity(r, b.typ), field: field, typ: b.typ, name: r.ID}
	if len(r.Fields) > 1 {
		x.name += "/" + field.ID
	}
	if r.level > 0 {
		x.name += "/" + r.levelName()
	}
	vars := b.registryVars()
	if r.spec.declare != nil {
		r.spec.declare(b, x, vars)
	}
	for i := range r.signals {
		b.declare(x, vars, &r.signals[i])
	}
	x.guesses = slices.ContainsFunc(x.signals, func(s signal) bool { return s.otherwise != nil })
	b.eventVars(vars)
	switch {
	case r.spec.watches:
		b.checkSilence(x)
	case r.Kind == SequenceKind:
		b.steps(x)
	}
	b.checkSchedule()
	x.applies = b.compile(r.applies, vars)
	x.when = b.compile(r.when, vars)
	x.clear = b.compile(r.clear, vars)
	if !r.spec.byEvent && x.field == nil {
		if x.main = slices.IndexFunc(x.signals, func(s signal) bool { return s.field != nil }); x.main >= 0 {
			x.field = x.signals[x.main].field
		}
	}
	x.judged = x.conditions()
	return x
}

func (b *binder) compile(src source, vars schema) *condition {
	if src.text == "" {
		return nil
	}
	c, err := compile(src.text, vars)
	if err != nil {
		b.failAt(src.line, "%v", err)
	}
	return c
}

// registryVars are the names that every expression may use.
func (b *binder) registryVars() schema {
	vars := schema{"person.away": {origin: fromPerson, typ: cel.BoolType}}
	for _, t := range b.typ.Tags {
		o := fromTag
		if t.Registry {
			o = fromRegistry
		}
		v := variable{origin: o, typ: cel.StringType, key: t.ID}
		if len(t.Values) > 0 {
			v.values = append(slices.Clone(t.Values), "") // "" when it is not set
		}
		vars[t.ID] = v
	}
	for _, a := range b.typ.Attributes {
		vars["attr."+a.ID] = variable{origin: fromAttribute, typ: cel.DoubleType, key: a.ID, fallback: a.Default}
	}
	return vars
}

// eventVars are the payload fields of the rule's events.
func (b *binder) eventVars(vars schema) {
	if !b.rule.spec.byEvent {
		return
	}
	for _, id := range b.rule.Events {
		e := b.typ.Event(id)
		if e == nil {
			continue
		}
		for _, f := range e.Fields {
			vars["event."+f.ID] = variable{origin: fromEvent, typ: celType(f), key: f.ID, values: f.Enum}
		}
	}
}

func celType(f *devices.Field) *cel.Type {
	switch f.Type {
	case devices.Bool:
		return cel.BoolType
	case devices.Enum, devices.String:
		return cel.StringType
	}
	return cel.DoubleType
}
