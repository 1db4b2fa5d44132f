package devices

import "time"

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
