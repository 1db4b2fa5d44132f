package bus

import "time"

// Escalation is the plan of an alert, frozen when it opened, and how far it has come. Steps run by the server's clock.
type Escalation struct {
	Plan       string    `json:"plan"`
	Steps      []Step    `json:"steps"`
	Unanswered int       `json:"unanswered_s,omitempty"` // after the last step the alert is unanswered; 0: never
	Repeat     []Repeat  `json:"repeat,omitempty"`       // of the ladder, until somebody acknowledges; empty: never
	AckAny     bool      `json:"ack_any,omitempty"`      // an acknowledgement of the family stops the property's steps as well
	Remind     int       `json:"remind_s,omitempty"`     // after so long without a sign of who acknowledged, they are reminded
	Lapse      int       `json:"lapse_s,omitempty"`      // and after so long the acknowledgement is void; 0: never
	Round      int       `json:"round"`                  // the present one, from 0
	Next       int       `json:"next"`                   // the step to run next; len(Steps): to be marked unanswered
	Began      time.Time `json:"began,omitzero"`         // the present round
	Due        time.Time `json:"due,omitzero"`           // when Next runs; zero: nothing is due
	NoAnswer   bool      `json:"no_answer,omitempty"`    // a ladder has ended without one
	Handled    time.Time `json:"handled,omitzero"`       // last sign of who acknowledged
	Reminded   bool      `json:"reminded,omitempty"`     // since then
	Called     time.Time `json:"called,omitzero"`        // the event that people were told of last, of those that call for help
	N          int       `json:"n,omitempty"`            // the AlertEvent of the last step
	Reaching   []string  `json:"reaching,omitzero"`      // whom it told at once and who was not reported as unreached; nil: it told nobody at once
}

// Step is one rung of a ladder.
type Step struct {
	Wait int      `json:"wait_s,omitempty"` // after the step before
	Tell []string `json:"tell"`             // targets, as in Recipient
	Way  int      `json:"way,omitempty"`    // begin with the Way-th address of each, from 1; 0 is 1
}

// Repeat says how often a ladder begins again: after so many seconds, or at a time of day, by a digest.
type Repeat struct {
	Every  int    `json:"every_s,omitempty"` // from beginning to beginning
	Days   int    `json:"days,omitempty"`    // every so many days
	At     string `json:"at,omitempty"`      // at this time in the community: 08:00
	Rounds int    `json:"rounds,omitempty"`  // 0: for ever
}

// Gathered reports whether what is told again is told together with what else there is then.
func (r Repeat) Gathered() bool { return r.Days > 0 }

// Deferral is somebody who was not told of an alert at once, but by a digest.
type Deferral struct {
	Who   string    `json:"who"` // as Recipient.Who
	Why   string    `json:"why"` // quiet_hours, storm or together
	Until time.Time `json:"until"`
}

// Who is the recipient as a word: person:ID, or duty.
func (r *Recipient) Who() string {
	if r.Person != "" {
		return "person:" + r.Person
	}
	return r.Target
}

// Rules that other roles know by name: of the daily line that somebody is fine, and of the note that a contact circle has another order.
const (
	AllIsWellRule    = "all_is_well"
	ContactOrderRule = "contact_order"
)

// Wellbeing is what is known of a person's activity.
type Wellbeing struct {
	Person string    `json:"person"`
	Since  time.Time `json:"since,omitzero"`  // watched since
	Active time.Time `json:"active,omitzero"` // last sign of life; of the last minutes it may be a little old
	Device string    `json:"device,omitempty"`
	Day    string    `json:"day,omitempty"` // for which it is decided whether all is well, 2026-01-05
}

// Load is what a recipient was told of late, and when a digest of the rest is due.
type Load struct {
	Community string      `json:"community"`
	Who       string      `json:"who"`              // as Recipient.Who
	Recent    []time.Time `json:"recent,omitempty"` // of the latest ordinary alerts told, no more than make a storm
	Due       time.Time   `json:"due,omitzero"`     // of the next digest
	Done      time.Time   `json:"done,omitzero"`    // what was deferred until then is told
}
