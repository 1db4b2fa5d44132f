package people

import (
	"slices"
	"time"

	"linli/bus"
)

// Role is what somebody is in a community. An elder may have a contact circle; the others may be told of alerts by their role.
type Role string

const (
	Elder       Role = "elder"
	Resident    Role = "resident"
	Contact     Role = "contact"        // of an elder's circle: family, neighbour, friend
	Duty        Role = "property_duty"  // 值班
	Manager     Role = "manager"        // 物业经理
	Caretaker   Role = "caretaker"      // 护理员
	GridWorker  Role = "grid_worker"    // 网格员
	Maintenance Role = "maintenance"    // 工程维修
	Security    Role = "security_guard" // 保安
)

// Person is somebody who lives in a community, looks after it, or is in the circle of somebody who lives there.
type Person struct {
	ID        string        `json:"id" yaml:"id"`
	Community string        `json:"community" yaml:"community"`
	Name      string        `json:"name" yaml:"name"`
	Roles     []Role        `json:"roles,omitempty" yaml:"roles,omitempty"`
	Language  string        `json:"language,omitempty" yaml:"language,omitempty"` // zh (default) or en
	Phone     string        `json:"phone,omitempty" yaml:"phone,omitempty"`       // E.164 or 11 digits; told in the 120 script
	Home      string        `json:"home,omitempty" yaml:"home,omitempty"`         // address as an ambulance needs it
	Notes     string        `json:"notes,omitempty" yaml:"notes,omitempty"`       // for who comes to help: "key with the guard", "diabetic"
	Reach     []bus.Address `json:"reach,omitempty" yaml:"reach,omitempty"`       // how to tell them, in the order to be tried
	Quiet     *QuietHours   `json:"quiet,omitempty" yaml:"quiet,omitempty"`       // never holds back life-safety
	Circle    []Member      `json:"circle,omitempty" yaml:"circle,omitempty"`     // of an elder, the first to be told first
	AwaySince *time.Time    `json:"away_since,omitempty" yaml:"away_since,omitempty"`
	AwayUntil *time.Time    `json:"away_until,omitempty" yaml:"away_until,omitempty"` // nil while away: until ended by hand
	AllIsWell *AllIsWell    `json:"all_is_well,omitempty" yaml:"all_is_well,omitempty"`
	// LinksSince ends the links of messages that they were sent before.
	LinksSince *time.Time `json:"links_since,omitempty" yaml:"links_since,omitempty"`
}

// Member is one of an elder's contact circle.
type Member struct {
	Person   string    `json:"person" yaml:"person"`
	Relation string    `json:"relation" yaml:"relation"`               // daughter, son, spouse, neighbour, …
	Calls    string    `json:"calls,omitempty" yaml:"calls,omitempty"` // what they call the elder: 妈妈
	Consent  []Consent `json:"consent,omitempty" yaml:"consent,omitempty"`
}

// Consent is what an elder has agreed that a member of the circle may see. Without events a member is told of life-safety only.
type Consent struct {
	Scope Scope      `json:"scope" yaml:"scope"`
	Since time.Time  `json:"since" yaml:"since"`
	Until *time.Time `json:"until,omitempty" yaml:"until,omitempty"` // when it ends; nil: until it is taken back
}

// in reports whether a consent is in force at a moment.
func (c *Consent) in(at time.Time) bool {
	return !at.Before(c.Since) && (c.Until == nil || at.Before(*c.Until))
}

// Scope is a kind of data about an elder.
type Scope string

const (
	Events    Scope = "events"    // alerts of the elder
	Wellbeing Scope = "wellbeing" // active, quiet since, water, door
	Vitals    Scope = "vitals"    // heart rate and the like
	Location  Scope = "location"
)

// Scopes are all there are, as they are asked for and shown.
var Scopes = []Scope{Events, Wellbeing, Vitals, Location}

// QuietHours are daily, in the community's time, and may span midnight.
type QuietHours struct {
	From string `json:"from" yaml:"from"` // 22:00
	To   string `json:"to" yaml:"to"`     // 07:00
}

// AllIsWell is the daily line to the circle that an elder is fine; its absence raises an alert.
type AllIsWell struct {
	At string `json:"at" yaml:"at"` // 09:00, community time
}

// Staff reports whether somebody works for the community.
func (p *Person) Staff() bool {
	return slices.ContainsFunc(p.Roles, func(r Role) bool { return r != Elder && r != Resident && r != Contact })
}

// Away reports whether the person is away at a moment.
func (p *Person) Away(at time.Time) bool {
	return p.AwaySince != nil && !at.Before(*p.AwaySince) && (p.AwayUntil == nil || at.Before(*p.AwayUntil))
}
