package alerts

import (
	"fmt"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
)

// Rule is one entry of a rules list, parsed and checked against the device types it is for.
type Rule struct {
	ID       string
	Name     devices.Text
	Text     devices.Text // what is said of it to a person; empty: Name
	Kind     Kind
	Severity bus.Severity
	Category string
	Basis    string // verified, known or judgement
	Source   string // where a verified or known figure is from
	Note     string
	Escalate string   // the plan of its alerts; empty: by the lines of escalate, see plans.yaml
	Action   string   // a linkage that a site may add; not executed
	Safety   bool     // life-safety: fast, never late within 24 h, a missing event field counts as fulfilled
	Latched  bool     // only a person closes its alerts
	Identity []string // what makes two occurrences one episode; empty: device, payload tags, and the field of a rule on several
	Types    []string // device types; empty: every type
	Except   []string // device types that it is not for, of a rule for every type
	Fields   []string // one cell for each
	Events   []string
	For      time.Duration
	MaxAge   time.Duration // how long a signal is fresh; 0: three of its periods
	Examples []Example
	Levels   []Level // the most severe first; empty: there is one degree of it

	File string
	Line int

	set  *Rules // that it belongs to
	spec *kind  // of Kind

	level                int // that this is the rule at, from 1 for the most severe; 0: none
	when, clear, applies source
	clearedBy            string
	confirmation         *confirmation // nil: nothing confirms it
	between              *schedule
	silence              silence
	signals              []signalSource
	own                  signalSource  // what a window rule says of its field
	per                  time.Duration // of a rate
	count                float64       // of events
	first, then, without *step
	fence                fence         // of a geofence
	within               time.Duration // of a sequence
}

// Where is the place of the rule, file:line.
func (r *Rule) Where() string { return fmt.Sprintf("%s:%d", r.File, r.Line) }

// source is an expression as it stands in a file.
type source struct {
	text string
	line int
}

// other is a further device of an example. It is where the first one is, unless it says otherwise.
type other struct {
	typ, building, person string
	tags                  map[string]string
}

// Example is a case that a rule carries: inputs and the transitions that must come of them.
type Example struct {
	Readings, Events []input
	Acts             []input          // what a person does with all open alerts
	Others           map[string]other // further devices, by the name that inputs have before a ">"
	Expect           []expectation
	Attributes       map[string]float64
	Tags             map[string]string
	Away             bool          // the person is
	Type             string        // of the device; empty: the first that the rule is for
	Until            time.Duration // how long the clock goes on; 0: for ever, or of an absence rule until the last input
	Line             int
}

// timeOfDay is a daily window of local time; it may span midnight.
type timeOfDay struct{ from, to int } // minutes after midnight; to is not part of it

func parseTimeOfDay(s string) (*timeOfDay, error) {
	minutes := func(s string) (int, error) {
		t, err := time.Parse("15:04", strings.TrimSpace(s))
		return t.Hour()*60 + t.Minute(), err
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return nil, fmt.Errorf("want a window such as 22:00-06:00, got %q", s)
	}
	a, err := minutes(from)
	if err != nil {
		return nil, fmt.Errorf("want a window such as 22:00-06:00, got %q", s)
	}
	b, err := minutes(to)
	if err != nil || a == b {
		return nil, fmt.Errorf("want a window such as 22:00-06:00, got %q", s)
	}
	return &timeOfDay{a, b}, nil
}

// contains reports whether t, in its own location, is inside. A nil window contains every time.
func (w *timeOfDay) contains(t time.Time) bool {
	if w == nil {
		return true
	}
	m := t.Hour()*60 + t.Minute()
	if w.from < w.to {
		return w.from <= m && m < w.to
	}
	return m >= w.from || m < w.to
}
