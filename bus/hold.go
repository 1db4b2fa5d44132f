package bus

import (
	"fmt"
	"iter"
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
	Safety      bool       `json:"safety,omitempty"`     // of life-safety alerts as well; without effect on any until it is confirmed
	ByPerson    string     `json:"by_person,omitempty"`  // who By is among the people, where known
	ConfirmBy   time.Time  `json:"confirm_by,omitzero"`  // of safety: it lapses unless somebody else confirms it before
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"` // before its time
	EndedBy     string     `json:"ended_by,omitempty"` // empty: it lapsed
	Count       int        `json:"count"`              // alerts held back
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

// minGap is between two times of a recurring hold at least, so that what it kept back is told then.
const minGap = time.Hour

// ConfirmWithin is how long a silence of life-safety waits for its second person.
const ConfirmWithin = 15 * time.Minute

// Pending reports whether h still needs a second person. Until then it keeps nothing back.
func (h *Hold) Pending() bool { return h.Safety && h.ConfirmedBy == "" }

// Over reports whether h can keep nothing back any more: it was ended, its time is over, or nobody confirmed it in time.
func (h *Hold) Over(now time.Time) bool {
	return h.EndedAt != nil || h.EveryDays == 0 && !now.Before(h.Until) || h.Pending() && !now.Before(h.ConfirmBy)
}

// MayConfirm says why somebody cannot be the second person of h at a moment, as a fixed word and a sentence; nothing if they can.
// Whoever asked cannot, whatever account they use.
func (h *Hold) MayConfirm(by, person string, at time.Time) (code, wrong string) {
	switch {
	case !h.Safety:
		return "nothing_to_confirm", "the silence is not of life-safety"
	case h.ConfirmedBy != "":
		return "confirmed", "the silence is confirmed already"
	case h.Over(at):
		return "over", "the silence is over, or nobody confirmed it in time: ask for another"
	case by == h.By, person != "" && person == h.ByPerson:
		return "same_person", "who asked for a silence of life-safety cannot confirm it: somebody else has to"
	}
	return "", ""
}

// One person may put a device into service no more than MaxCommissionings times within a day: it is heard by nobody meanwhile.
const (
	MaxCommissionings   = 4
	commissioningsCount = 24 * time.Hour
)

// MayBegin says why h cannot begin after the others, as a fixed word and a sentence; nothing if it can.
func (h *Hold) MayBegin(others iter.Seq[*Hold]) (code, wrong string) {
	n := 0
	for x := range others {
		same := x.By == h.By || x.ByPerson != "" && x.ByPerson == h.ByPerson
		if x.Kind == Commissioning && x.ID != h.ID && x.Match.Device == h.Match.Device && same && h.From.Sub(x.From).Abs() < commissioningsCount {
			n++
		}
	}
	if h.Kind == Commissioning && n >= MaxCommissionings {
		return "commissioned_often", "the same person has put the device into service four times within a day: somebody else has to, if it is not ready"
	}
	return "", ""
}

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
	case h.EveryDays > 0 && length > time.Duration(h.EveryDays)*24*time.Hour-minGap:
		return "until", "windows of every_days leave no hour between them: what they keep back would never be told"
	case h.Safety && (h.Kind != Silence || h.Match.Device == "" && h.Match.Person == ""):
		return "safety", "life-safety is silenced for one device or person only"
	}
	return "", ""
}
