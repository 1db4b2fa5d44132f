package devices

import (
	"time"

	"go.yaml.in/yaml/v3"
)

// Text is a name or sentence in the two languages of the product. Neither may be empty.
type Text struct {
	ZH string `yaml:"zh" json:"zh"`
	EN string `yaml:"en" json:"en"`
}

// FieldType is the JSON type a field accepts. Numbers of both kinds are stored as floats, enums and strings as strings.
type FieldType uint8

const (
	Float FieldType = iota + 1
	Int             // a JSON number without a fraction
	Bool
	Enum   // a JSON string out of a fixed list
	String // free text, at most MaxTextRunes runes
)

var fieldTypes = map[string]FieldType{"float": Float, "int": Int, "bool": Bool, "enum": Enum, "string": String}

// String is the word the catalogue uses.
func (t FieldType) String() string { return wordOf(fieldTypes, t) }

// Numeric reports whether values are numbers.
func (t FieldType) Numeric() bool { return t == Float || t == Int }

// Storage is how values are stored: number, bool or string. One field of a measurement has one storage type for ever.
func (t FieldType) Storage() string {
	switch t {
	case Float, Int:
		return "number"
	case Bool:
		return "bool"
	default:
		return "string"
	}
}

// FieldKind says how a series of values is read.
type FieldKind uint8

const (
	Gauge   FieldKind = iota + 1
	Counter           // monotonic; may reset or roll over
	State             // holds until the next value
	TextAttribute
)

var fieldKinds = map[string]FieldKind{"gauge": Gauge, "counter": Counter, "state": State, "text": TextAttribute}

// String is the word the catalogue uses.
func (k FieldKind) String() string { return wordOf(fieldKinds, k) }

func wordOf[T comparable](words map[string]T, value T) string {
	for word, v := range words {
		if v == value {
			return word
		}
	}
	return ""
}

// Field is one measured quantity of a device type.
type Field struct {
	ID       string
	Name     Text
	Unit     string // UCUM code; "1" is dimensionless, "" for enum, bool and string
	Type     FieldType
	Kind     FieldKind
	Min, Max float64 // physical plausibility; outside it a value is a sensor fault. Infinite where none is given
	// Period is the longest regular distance between two values; 0: sent on change only, alive as long as its series is.
	Period   time.Duration
	Optional bool     // not every model has it; of a command's parameter: it may be left out
	Enum     []string // the allowed values of an Enum, in catalogue order
	Labels   []Text   // their names, in the same order
	Standard string   // where the name or the unit comes from
	// Activity makes a field of a person's device a sign of life: somebody is active when a bool is true, a gauge is above this
	// number, or a counter has grown by more than it since the reading before. Nil: it is none.
	Activity *float64
	// Common is true for the fields of common.yaml, which every type has.
	Common bool
}

// Tag is a label of a device type. A payload tag arrives with a reading and splits a device into series (inlet, connector, …);
// a registry tag is kept with the device (care, location_category, …) and scopes rules.
type Tag struct {
	ID       string
	Name     Text
	Registry bool
	Values   []string // the allowed values; empty: any identifier
	// Names are what people call values: each of Values, or the usual ones of a tag that takes any identifier.
	Names map[string]Text
}

// Say is a value for people: its name, or of which tag it is.
func (t *Tag) Say(value string) Text {
	if name, ok := t.Names[value]; ok {
		return name
	}
	return Text{t.Name.ZH + " " + value, t.Name.EN + " " + value}
}

// Attribute is a number kept with a device in the registry that rules may use: a rating, a geometry, a limit.
type Attribute struct {
	ID      string
	Name    Text
	Unit    string
	Default float64
}

// Event is something that happens at a moment. Every payload field is optional.
type Event struct {
	ID     string
	Name   Text
	Fields []*Field
	Safety bool // a life-safety event: it always pages

	fields map[string]*Field
}

// Field returns the payload field of that id, or nil.
func (e *Event) Field(id string) *Field { return e.fields[id] }

// Command is something a device can be asked to do.
type Command struct {
	ID       string
	Name     Text
	Danger   bool // it moves, cuts off, lets in or silences something: done late it does harm, so it is kept for minutes only
	Managers bool // not for the desk: it changes how the device works
	Params   []*Field
}

// Type is one device type, read from one catalogue file.
type Type struct {
	ID          string
	Name        Text
	Measurement string // InfluxDB measurement, unique in the catalogue
	Tier        string // core or extension
	Safety      bool   // may use the fast lane
	Health      bool   // readings are health data of a person
	Battery     bool   // runs on a battery: silence is judged with the longer windows
	// Period is the regular distance between two messages of a healthy device.
	Period     time.Duration
	Standards  []string
	Tags       []*Tag
	Attributes []*Attribute
	Fields     []*Field   // own fields, then the common ones
	Events     []*Event   // own events, then the common ones
	Commands   []*Command // own commands, then the common ones

	// Rules and Simulation are read by the packages that own their languages; their nodes carry line numbers of File.
	Rules      yaml.Node
	Simulation yaml.Node
	File       string // for error messages

	fields map[string]*Field
	tags   map[string]*Tag
	events map[string]*Event
}

// Field returns the field of that id, or nil.
func (t *Type) Field(id string) *Field { return t.fields[id] }

// Tag returns the tag of that id, or nil.
func (t *Type) Tag(id string) *Tag { return t.tags[id] }

// Attribute returns the attribute of that id, or nil.
func (t *Type) Attribute(id string) *Attribute {
	return find(t.Attributes, id, func(a *Attribute) string { return a.ID })
}

// Command returns the command of that id, or nil.
func (t *Type) Command(id string) *Command {
	return find(t.Commands, id, func(c *Command) string { return c.ID })
}

func find[T any](all []*T, id string, idOf func(*T) string) *T {
	for _, x := range all {
		if idOf(x) == id {
			return x
		}
	}
	return nil
}

// Event returns the event of that id, or nil.
func (t *Type) Event(id string) *Event { return t.events[id] }

// MaxTextRunes bounds a String field; longer text is a wrong value.
const MaxTextRunes = 256
