package bus

import (
	"fmt"
	"time"
)

// Kinds of a Hold.
const (
	Silence       = "silence"
	Maintenance   = "maintenance"
	Commissioning = "commissioning"
)

// Hold keeps people from being told of the alerts that match, for a time and with a reason. Nothing else about the alerts changes,
// and what is still true at its end is told then.
type Hold struct {
	ID          string     `json:"id"`
	Kind        string     `json:"kind,omitempty"` // silence, maintenance, commissioning
	Match       Match      `json:"match,omitzero"`
	Reason      string     `json:"reason,omitempty"`
	By          string     `json:"by,omitempty"`
	From        time.Time  `json:"from,omitzero"`
	Until       time.Time  `json:"until,omitzero"`
	EveryDays   int        `json:"every_days,omitempty"` // of a maintenance window: again after so many days, at the same local time
	Safety      bool       `json:"safety,omitempty"`     // of life-safety alerts as well, once it is confirmed
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"` // before its time
	EndedBy     string     `json:"ended_by,omitempty"`
	Count       int        `json:"count"` // alerts held back
}

// Match is what alerts must have to match. What is empty is anything.
type Match struct {
	Community string   `json:"community"`
	Device    string   `json:"device,omitempty"`
	Person    string   `json:"person,omitempty"`
	Rule      string   `json:"rule,omitempty"`
	Category  string   `json:"category,omitempty"`
	Severity  Severity `json:"severity,omitempty"`
}

// Alert reports whether a matches.
func (m *Match) Alert(a *Alert) bool {
	fits := func(want, got string) bool { return want == "" || want == got }
	return fits(m.Community, a.Community) && fits(m.Device, a.Device) && fits(m.Person, a.Person) && fits(m.Rule, a.Rule) &&
		fits(m.Category, a.Category) && fits(string(m.Severity), string(a.Severity))
}

// MaxHold is how long a hold of each kind may keep people from being told, at a time.
var MaxHold = map[string]time.Duration{Silence: 24 * time.Hour, Maintenance: 24 * time.Hour, Commissioning: 30 * time.Minute}

// Check says which field of a hold that somebody asks for is wrong, and why; nothing when none is.
func (h *Hold) Check() (field, wrong string) {
	length, limit := h.Until.Sub(h.From), MaxHold[h.Kind]
	switch {
	case h.ID == "":
		return "id", "wanted"
	case limit == 0:
		return "kind", fmt.Sprintf("%q is none of silence, maintenance, commissioning", h.Kind)
	case h.Match.Community == "":
		return "match.community", "wanted"
	case h.Reason == "":
		return "reason", "wanted"
	case length <= 0 || length > limit:
		return "until", fmt.Sprintf("%s after from, want up to %s", length, limit)
	case h.Kind == Commissioning && h.Match.Device == "":
		return "match.device", "wanted for commissioning"
	case h.EveryDays < 0 || h.EveryDays > 0 && h.Kind != Maintenance:
		return "every_days", "for maintenance windows only"
	case h.Safety && (h.Kind != Silence || h.Match.Device == "" && h.Match.Person == ""):
		return "safety", "life-safety is silenced for one device or person only"
	}
	return "", ""
}
