package alerts

// Kind is what a rule watches.
type Kind string

// The kinds of the language.
const (
	EventKind     Kind = "event"
	ThresholdKind Kind = "threshold"
	StateKind     Kind = "state"
	WindowKind    Kind = "window"
	RateKind      Kind = "rate"
	DerivedKind   Kind = "derived"
	CountKind     Kind = "count"

	AbsenceKind  Kind = "absence"
	SequenceKind Kind = "sequence"
	CompoundKind Kind = "compound"
	GeofenceKind Kind = "geofence"
)

// kind says what is particular to the rules of one kind.
type kind struct {
	// keys are those beyond what every kind has; the first words, up to the bar, are required, one of a group a/b.
	keys string
	// byEvent kinds are judged at events alone and have no cells.
	byEvent bool
	// watches kinds are judged by silence and have no cells either.
	watches bool
	// declare names what the expressions of a rule may use beyond its signals; nil: nothing. field is that of the bound, or nil.
	declare func(b *binder, x *bound, vars schema)
}

var kinds = map[Kind]*kind{
	EventKind:     eventKind,
	ThresholdKind: {keys: "field/fields/signals when/levels | clear for max_age event events", declare: declareValue},
	StateKind:     {keys: "field/fields/signals when/levels | clear for max_age event events", declare: declareValue},
	WindowKind:    windowKind,
	RateKind:      rateKind,
	DerivedKind:   {keys: "signals when/levels | clear for max_age"},
	CountKind:     countKind,

	AbsenceKind:  absenceKind,
	SequenceKind: sequenceKind,
	CompoundKind: compoundKind,
	GeofenceKind: geofenceKind,
}

// declareValue lets value be the last value of the rule's field.
func declareValue(b *binder, x *bound, vars schema) {
	if x.field != nil {
		b.last(x, vars, &signalSource{name: "value", line: b.rule.Line, maxAge: b.rule.MaxAge}, x.field)
	}
}

// eventKind judges each event by itself.
var eventKind = &kind{keys: "event/events | when cleared_by signals", byEvent: true}
