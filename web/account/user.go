package account

import (
	"slices"
	"strings"
	"time"

	"linli/devices"
)

// Role says what somebody may do within their reach.
type Role string

const (
	Admin     Role = "admin"     // everything, everywhere
	Manager   Role = "manager"   // runs communities: devices, people, rules, alerts
	Duty      Role = "duty"      // answers the alerts of communities
	Caretaker Role = "caretaker" // looks after elders, or after all of a community
	Family    Role = "family"    // sees their elders
	Auditor   Role = "auditor"   // reads, and reads who read
)

// Roles are all roles, the most powerful first.
var Roles = []Role{Admin, Manager, Duty, Caretaker, Family, Auditor}

// All stands for every community in User.Communities.
const All = "*"

// User is somebody who may log in.
type User struct {
	Name        string    `json:"name"`               // as typed at login
	Display     string    `json:"display,omitempty"`  // as shown
	Language    string    `json:"language,omitempty"` // zh or en, of the pages; empty: not chosen
	Role        Role      `json:"role"`
	Communities []string  `json:"communities"`      // that they reach, or "*"; an admin reaches all
	Elders      []string  `json:"elders"`           // persons that they reach besides
	Person      string    `json:"person,omitempty"` // who they are among the people, for rota and consent
	MustChange  bool      `json:"must_change"`      // the password was given to them and is to be replaced first
	Disabled    bool      `json:"disabled"`
	Created     time.Time `json:"created"`
	Changed     time.Time `json:"changed"`
}

// record is a user as it is kept.
type record struct {
	User
	Password string `json:"password"` // see Hasher
	Epoch    int    `json:"epoch"`    // sessions of another one are void
}

// maxReach bounds each list of a user.
const maxReach = 500

func (u *User) check() error {
	bad := func(field, value, reason string) error {
		return &devices.InvalidError{Field: field, Value: value, Reason: reason}
	}
	switch {
	case !devices.ValidID(u.Name):
		return bad("name", u.Name, "is not lower-case letters, digits, - and _, at most 63")
	case len(u.Display) > 200:
		return bad("display", "", "is longer than 200 bytes")
	case u.Language != "" && u.Language != "zh" && u.Language != "en":
		return bad("language", u.Language, "is neither zh nor en")
	case !slices.Contains(Roles, u.Role):
		return bad("role", string(u.Role), "is none of admin, manager, duty, caretaker, family, auditor")
	case len(u.Communities) > maxReach || len(u.Elders) > maxReach:
		return bad("communities", "", "has more than 500 entries, or elders has")
	case u.Person != "" && !devices.ValidID(u.Person):
		return bad("person", u.Person, "is not an identifier")
	case u.Role == Family && (len(u.Elders) == 0 || len(u.Communities) > 0):
		return bad("elders", "", "must name at least one for family, and communities none")
	case u.Role == Family && u.Person == "":
		return bad("person", "", "must say who family are in the circle of their elders")
	case u.Role == Caretaker && len(u.Elders)+len(u.Communities) == 0:
		return bad("elders", "", "or communities must name at least one")
	case slices.Contains([]Role{Manager, Duty, Auditor}, u.Role) && (len(u.Communities) == 0 || len(u.Elders) > 0):
		return bad("communities", "", "must name at least one, and elders none")
	}
	for _, c := range u.Communities {
		if c != All && !devices.ValidID(c) {
			return bad("communities", c, "is not an identifier")
		}
	}
	for _, e := range u.Elders {
		if !devices.ValidID(e) {
			return bad("elders", e, "is not an identifier")
		}
	}
	return nil
}

// Ways to prove who one is.
const (
	BySession    = "session"
	ByToken      = "token"
	ByAdminToken = "admin_token"
)

// Principal is who asks. It is made anew for every request, so a change of the user counts from the next one on.
type Principal struct {
	User
	Via     string
	Scopes  []string  // of an API token; see Allows
	Expires time.Time // of the session or token; zero: never

	key string // of the session or token
}

// Everywhere reports whether the reach is the whole installation.
func (p *Principal) Everywhere() bool {
	return p.Role == Admin || slices.Contains(p.Communities, All)
}

// Community reports whether all of a community is within reach.
func (p *Principal) Community(id string) bool {
	return p.Everywhere() || id != "" && slices.Contains(p.Communities, id)
}

// Reaches reports whether something of a community is within reach that belongs to a person, or to nobody.
func (p *Principal) Reaches(community, person string) bool {
	return p.Community(community) || person != "" && slices.Contains(p.Elders, person)
}

// ReachesAs reports whether the role and the reach are those of another.
func (p *Principal) ReachesAs(o *Principal) bool {
	return p.Role == o.Role && p.Person == o.Person && slices.Equal(p.Communities, o.Communities) && slices.Equal(p.Elders, o.Elders)
}

// May reports whether the role is one of those.
func (p *Principal) May(roles []Role) bool { return slices.Contains(roles, p.Role) }

// Allows reports whether an area of the API may be used: always but with an API token, whose scopes are "alerts:read", "*:read",
// "alerts:write" (which includes reading) and so on.
func (p *Principal) Allows(area string, write bool) bool {
	if p.Via != ByToken {
		return true
	}
	for _, s := range p.Scopes {
		name, mode, _ := strings.Cut(s, ":")
		if (name == area || name == "*") && (mode == "write" || !write) {
			return true
		}
	}
	return false
}

// Kin reports whether who asks is family: they see of their elders what those have agreed to.
func (p *Principal) Kin() bool { return p.Role == Family }

// Key identifies the session, or the user where there is none: what is limited per session is counted by it.
func (p *Principal) Key() string {
	if p.key == "" {
		return p.Name
	}
	return p.key
}
