package devices

import (
	"math"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parsedType is one file as it stands, before the common part is merged in.
type parsedType struct {
	*Type
	*reader
	at map[any]int // the line of a part, by its address
}

// maxFile bounds a type file; the largest built-in one is a tenth of it.
const maxFile = 1 << 20

var (
	// Valid as an id and in expressions.
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	// Enum values keep the spelling of their standard.
	enumForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)

	// What line protocol, payloads and commands already use.
	fieldName = named("boot", "community", "device", "received_at", "seq", "time", "ts")
	eventName = named("boot", "community", "device", "received_at", "seq", "time", "ts", "bad_payload", "event", "late", "time_source", "type")
	paramName = named("expires", "id")
	// All events share a measurement of their own.
	measurementName = named(EventMeasurement)
)

// named says what is wrong with a name that rules use bare.
func named(reserved ...string) func(string) string {
	return func(s string) string {
		switch {
		case !nameForm.MatchString(s):
			return "is not a name: a-z, 0-9 and _, a letter first"
		case slices.Contains(reserved, s):
			return "is a reserved name"
		}
		return ""
	}
}

func identifier(s string) string {
	if !ValidID(s) {
		return "is not an identifier: a-z, 0-9, _ and -"
	}
	return ""
}

func enumValue(s string) string {
	if !enumForm.MatchString(s) {
		return "is not an enum value: letters, digits, _, . and -"
	}
	return ""
}

// parseType reads one file; common.yaml has no identity.
func parseType(file string, data []byte) *parsedType {
	t := &Type{File: file}
	p := &parsedType{Type: t, reader: &reader{file: file}, at: map[any]int{}}
	if len(data) > maxFile {
		p.fail(1, "the file is larger than %d bytes", maxFile)
		return p
	}
	root := p.document(data)
	if root == nil {
		return p
	}
	enums := map[string]*enum{}
	keys := []key{
		may("enums", p.enums(enums)),
		may("fields", p.list(p.field(enums))),
		may("events", p.list(p.event(enums))),
		may("commands", p.list(p.command(enums))),
		may("rules", p.keep(&t.Rules, yaml.SequenceNode)),
	}
	if !isCommon(file) {
		keys = append(keys, p.identity()...)
	}
	p.mapping(root, keys...)
	for name, e := range enums {
		if !e.used {
			p.fail(e.line, "enum %q is not used", name)
		}
	}
	p.duplicates()
	return p
}

func isCommon(file string) bool {
	return path.Base(file) == commonFile
}

// identity are the keys that every file but common.yaml has.
func (p *parsedType) identity() []key {
	t := p.Type
	return []key{
		must("id", p.mark(&t.ID, p.id(&t.ID, identifier))),
		must("name", p.text(&t.Name)),
		must("measurement", p.mark(&t.Measurement, p.id(&t.Measurement, measurementName))),
		must("tier", word(p.reader, &t.Tier, map[string]string{"core": "core", "extension": "extension"})),
		may("safety", p.flag(&t.Safety)),
		may("health", p.flag(&t.Health)),
		may("battery", p.flag(&t.Battery)),
		must("period", p.duration(&t.Period)),
		may("standards", p.strs(&t.Standards)),
		may("tags", p.list(p.tag)),
		may("attributes", p.list(p.attribute)),
		may("simulation", p.keep(&t.Simulation, yaml.MappingNode)),
	}
}

// mark remembers the line of a part.
func (p *parsedType) mark(part any, f read) read {
	return func(n *yaml.Node) {
		p.at[part] = n.Line
		f(n)
	}
}

// keep leaves a block to the package that owns its language.
func (p *parsedType) keep(to *yaml.Node, kind yaml.Kind) read {
	return func(n *yaml.Node) {
		if n.Kind != kind {
			p.fail(n.Line, "want %s, got %s", describe(&yaml.Node{Kind: kind}), describe(n))
			return
		}
		*to = *n
	}
}

type enum struct {
	values []string
	labels []Text
	line   int
	used   bool
}

func (p *parsedType) enums(to map[string]*enum) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			p.fail(n.Line, "want a mapping, got %s", describe(n))
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			k, values := n.Content[i], n.Content[i+1]
			e := &enum{line: k.Line}
			to[k.Value] = e
			e.values, e.labels = p.named(values, enumValue)
		}
	}
}

// named reads values and their names; wrong says what is wrong with a value.
func (p *parsedType) named(n *yaml.Node, wrong func(string) string) (values []string, names []Text) {
	if n.Kind != yaml.MappingNode || len(n.Content) == 0 {
		p.fail(n.Line, "want a mapping of values to their names, got %s", describe(n))
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var v string
		var name Text
		p.id(&v, wrong)(n.Content[i])
		p.text(&name)(n.Content[i+1])
		values, names = append(values, v), append(names, name)
	}
	return values, names
}

func (p *parsedType) attribute(n *yaml.Node) {
	a := &Attribute{}
	p.at[a] = n.Line
	p.mapping(n,
		must("id", p.id(&a.ID, named())),
		must("name", p.text(&a.Name)),
		must("unit", p.unit(&a.Unit)),
		must("default", p.number(&a.Default)))
	p.Attributes = append(p.Attributes, a)
}

func (p *parsedType) unit(to *string) read {
	return func(n *yaml.Node) {
		errs := len(p.errs)
		p.str(to)(n)
		if err := CheckUnit(*to); len(p.errs) == errs && err != nil {
			p.fail(n.Line, "%v", err)
		}
	}
}

func (p *parsedType) field(enums map[string]*enum) read {
	return func(n *yaml.Node) {
		f := newField()
		p.at[f] = n.Line
		errs := len(p.errs)
		p.mapping(n, append(p.valueKeys(f, enums, fieldName),
			must("name", p.text(&f.Name)),
			must("kind", word(p.reader, &f.Kind, fieldKinds)),
			may("period", p.duration(&f.Period)),
			may("optional", p.flag(&f.Optional)),
			may("activity", func(n *yaml.Node) {
				f.Activity = new(float64)
				p.number(f.Activity)(n)
			}),
			may("standard", p.str(&f.Standard)))...)
		if len(p.errs) == errs {
			p.checkField(n, f)
		}
		p.Fields = append(p.Fields, f)
	}
}

func newField() *Field { return &Field{Min: math.Inf(-1), Max: math.Inf(1)} }

// valueKeys are the keys that fields, event fields and command parameters share.
func (p *parsedType) valueKeys(f *Field, enums map[string]*enum, form func(string) string) []key {
	var enumName string
	return []key{
		must("id", p.id(&f.ID, form)),
		may("unit", p.unit(&f.Unit)),
		may("enum", p.str(&enumName)),
		may("range", p.span(f)),
		must("type", func(n *yaml.Node) {
			word(p.reader, &f.Type, fieldTypes)(n)
			if f.Type != Enum {
				if enumName != "" {
					p.fail(n.Line, "enum %q on a field of type %s", enumName, n.Value)
				}
				return
			}
			if enumName == "" {
				enumName = f.ID
			}
			e := enums[enumName]
			if e == nil {
				p.fail(n.Line, "unknown enum %q", enumName)
				return
			}
			e.used = true
			f.Enum, f.Labels = e.values, e.labels
		}),
	}
}

// span reads a range [min, max].
func (p *parsedType) span(f *Field) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode || len(n.Content) != 2 {
			p.fail(n.Line, "want [min, max], got %s", describe(n))
			return
		}
		errs := len(p.errs)
		p.number(&f.Min)(n.Content[0])
		p.number(&f.Max)(n.Content[1])
		if len(p.errs) == errs && f.Min >= f.Max {
			p.fail(n.Line, "min %g is not below max %g", f.Min, f.Max)
		}
	}
}

// checkField checks what the keys of a field say together.
func (p *parsedType) checkField(n *yaml.Node, f *Field) {
	ranged := !math.IsInf(f.Min, -1)
	switch {
	case f.Type.Numeric() && f.Unit == "":
		p.fail(n.Line, "field %q has no unit", f.ID)
	case f.Type.Numeric() && !ranged:
		p.fail(n.Line, "field %q has no range", f.ID)
	case f.Type.Numeric() && f.Kind == TextAttribute, f.Type == String && f.Kind != TextAttribute && f.Kind != State,
		(f.Type == Bool || f.Type == Enum) && f.Kind != State:
		p.fail(n.Line, "field %q of type %s cannot be of kind %s", f.ID, f.Type, f.Kind)
	case f.Kind == Counter && f.Min < 0:
		p.fail(n.Line, "counter %q cannot go below 0", f.ID)
	case f.Activity != nil && f.Type != Bool && !f.Type.Numeric():
		p.fail(n.Line, "field %q of type %s cannot show activity", f.ID, f.Type)
	}
	p.checkValue(n, f)
}

func (p *parsedType) checkValue(n *yaml.Node, f *Field) {
	if f.Type.Numeric() {
		if f.Type == Int && !math.IsInf(f.Min, -1) && (f.Min != math.Trunc(f.Min) || f.Max != math.Trunc(f.Max)) {
			p.fail(n.Line, "range of the int %q has a fraction", f.ID)
		}
		return
	}
	if f.Unit != "" || !math.IsInf(f.Min, -1) {
		p.fail(n.Line, "%q of type %s has no unit and no range", f.ID, f.Type)
	}
}

func (p *parsedType) event(enums map[string]*enum) read {
	return func(n *yaml.Node) {
		e := &Event{}
		p.at[e] = n.Line
		p.mapping(n,
			must("id", p.id(&e.ID, identifier)),
			must("name", p.text(&e.Name)),
			may("safety", p.flag(&e.Safety)),
			may("fields", p.list(p.param(enums, eventName, &e.Fields))))
		p.Events = append(p.Events, e)
	}
}

// param reads an event field or a command parameter into a list; no id may be in the list twice.
func (p *parsedType) param(enums map[string]*enum, form func(string) string, to *[]*Field) read {
	return func(n *yaml.Node) {
		f := newField()
		p.at[f] = n.Line
		errs := len(p.errs)
		p.mapping(n, append(p.valueKeys(f, enums, form), may("name", p.text(&f.Name)), may("optional", p.flag(&f.Optional)))...)
		if len(p.errs) == errs {
			p.checkValue(n, f)
		}
		if f.ID != "" && find(*to, f.ID, func(f *Field) string { return f.ID }) != nil {
			p.fail(n.Line, "%q is here twice", f.ID)
		}
		*to = append(*to, f)
	}
}

// name is a part that must be the only one of its id in a type.
type name struct {
	id   string // with its kind: field temperature_c
	line int
}

// names lists what a file defines. A field and a payload tag share the payload, so they share one space of names.
func (p *parsedType) names() []name {
	var all []name
	for _, f := range p.Fields {
		all = append(all, name{"field " + f.ID, p.at[f]})
	}
	for _, t := range p.Tags {
		all = append(all, name{"field " + t.ID, p.at[t]})
	}
	for _, a := range p.Attributes {
		all = append(all, name{"attribute " + a.ID, p.at[a]})
	}
	for _, e := range p.Events {
		all = append(all, name{"event " + e.ID, p.at[e]})
	}
	for _, c := range p.Commands {
		all = append(all, name{"command " + c.ID, p.at[c]})
	}
	return all
}

func (p *parsedType) duplicates() {
	seen := map[string]int{}
	for _, n := range p.names() {
		if first, twice := seen[n.id]; twice && !strings.HasSuffix(n.id, " ") { // an id that could not be read
			p.fail(n.line, "%s is here twice, first in line %d", n.id, first)
			continue
		}
		seen[n.id] = n.line
	}
}

// has reports whether the file defines a field or event of that id.
func (p *parsedType) has(what, id string) bool {
	if what == "event" {
		return slices.ContainsFunc(p.Events, func(e *Event) bool { return e.ID == id })
	}
	return slices.ContainsFunc(p.Fields, func(f *Field) bool { return f.ID == id })
}
