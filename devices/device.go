package devices

import (
	"cmp"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Community is one residential community: the tenant of everything below it.
type Community struct {
	ID       string   `json:"id"`
	Name     Text     `json:"name"`
	Timezone string   `json:"timezone"` // IANA name; empty: Asia/Shanghai
	Lat      float64  `json:"lat,omitempty"`
	Lon      float64  `json:"lon,omitempty"`
	Estates  []Estate `json:"estates,omitempty"`
	Plan     *Plan    `json:"plan,omitempty"`
}

// Estate is a 小区, with its buildings and their units.
type Estate struct {
	ID        string     `json:"id"`
	Name      Text       `json:"name"`
	Buildings []Building `json:"buildings,omitempty"`
}

// Building is a 栋/幢; its units are stairwells (单元).
type Building struct {
	ID    string   `json:"id"`
	Units []string `json:"units,omitempty"`
}

// Place is where a device is. All parts are optional.
type Place struct {
	Estate   string `json:"estate,omitempty"`
	Building string `json:"building,omitempty"`
	Unit     string `json:"unit,omitempty"`
	Zone     string `json:"zone,omitempty"`
}

// Where writes a place of the community in words, as far as its parts have any: 三区7栋2单元, Estate 3, Bldg 7, Unit 2. Ids that are
// a number are read as one; a zone has the name that the plan gives it. The community may be nil.
func (c *Community) Where(p Place) Text {
	var parts []Text
	add := func(id string, form *regexp.Regexp, zh, en string) {
		if n := form.FindStringSubmatch(id); n != nil {
			parts = append(parts, Text{n[1] + zh, en + " " + n[1]})
		} else if id != "" {
			parts = append(parts, Text{id, id})
		}
	}
	named := func(id string, name Text) {
		if id != "" {
			parts = append(parts, Text{cmp.Or(name.ZH, id), cmp.Or(name.EN, name.ZH, id)})
		}
	}
	named(p.Estate, c.estateName(p.Estate))
	add(p.Building, buildingNumber, "栋", "Bldg")
	add(p.Unit, unitNumber, "单元", "Unit")
	named(p.Zone, c.zoneName(p.Zone))
	var zh strings.Builder
	en := make([]string, len(parts))
	for i, part := range parts {
		if i > 0 && isWord(parts[i-1].ZH[len(parts[i-1].ZH)-1]) && isWord(part.ZH[0]) {
			zh.WriteByte(' ')
		}
		zh.WriteString(part.ZH)
		en[i] = part.EN
	}
	return Text{zh.String(), strings.Join(en, ", ")}
}

var (
	buildingNumber = regexp.MustCompile(`^b?0*(\d{1,3})$`)
	unitNumber     = regexp.MustCompile(`^u?0*(\d{1,2})$`)
)

// isWord reports whether what begins or ends with b needs a space beside another such: Chinese does not.
func isWord(b byte) bool { return b < utf8.RuneSelf }

func (c *Community) estateName(id string) Text {
	if c != nil {
		for _, e := range c.Estates {
			if e.ID == id {
				return e.Name
			}
		}
	}
	return Text{}
}

func (c *Community) zoneName(id string) Text {
	if c != nil && c.Plan != nil {
		for _, s := range c.Plan.Shapes {
			if s.Zone == id {
				return s.Name
			}
		}
	}
	return Text{}
}

// DeviceState is where a device is in its life.
type DeviceState string

const (
	Active   DeviceState = "active"
	Revoked  DeviceState = "revoked"  // may not connect; its readings are rejected
	Replaced DeviceState = "replaced" // like Revoked; its history is read under ReplacedBy
)

// Device is one registered device.
type Device struct {
	ID         string             `json:"id"`
	Community  string             `json:"community"`
	Type       string             `json:"type"`
	Name       string             `json:"name,omitempty"`
	Place      Place              `json:"place,omitzero"`
	Tags       map[string]string  `json:"tags,omitempty"`       // registry tags of the type
	Attributes map[string]float64 `json:"attributes,omitempty"` // attributes of the type that differ from the default
	Gateway    string             `json:"gateway,omitempty"`    // the device that publishes for this one
	Person     string             `json:"person,omitempty"`     // the person it belongs to
	State      DeviceState        `json:"state"`
	SecretHash string             `json:"secret_hash,omitempty"` // keyed hash, hex; empty: cannot connect itself
	Replaces   string             `json:"replaces,omitempty"`    // the device whose history this one continues
	ReplacedBy string             `json:"replaced_by,omitempty"`
	Created    time.Time          `json:"created"`
}

// Probe is the button that linli presses itself to try the way of an SOS. It is in no registry and no list, nobody else can have
// its id, and what it sends is judged and told like any SOS up to the notifier, which keeps it to itself.
var Probe = &Device{ID: "linli-probe", Community: "linli", Type: "sos_button", State: Active}

// ProbeEvent is the event it sends.
const ProbeEvent = "sos"
