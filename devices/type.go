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

// FieldKind says how a series of values is read.
type FieldKind uint8

const (
	Gauge   FieldKind = iota + 1
	Counter           // monotonic; may reset or roll over
	State             // holds until the next value
	TextAttribute
)

// Field is one measured quantity of a device type.
type Field struct {
	ID       string
	Name     Text
	Unit     string // UCUM code; "1" is dimensionless, "" for enum, bool and string
	Type     FieldType
	Kind     FieldKind
	Min, Max float64 // physical plausibility; outside it a value is a sensor fault. Numbers only
	// Period is the longest regular distance between two values; 0: sent on change only, alive as long as its series is.
	Period   time.Duration
	Optional bool     // not every model has it
	Enum     []string // the allowed values of an Enum, in catalogue order
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
}

// Command is something a device can be asked to do.
type Command struct {
	ID     string
	Name   Text
	Params []*Field
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
	Fields     []*Field // own fields, then the common ones
	Events     []*Event // own events, then the common ones
	Commands   []*Command

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

// Event returns the event of that id, or nil.
func (t *Type) Event(id string) *Event { return t.events[id] }

// MaxTextRunes bounds a String field; longer text is a wrong value.
const MaxTextRunes = 256
