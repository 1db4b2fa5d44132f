package bus

import (
	"strconv"
	"strings"

	"linli/devices"
)

// Streams. What each holds, for how long, and what it does when it is full is in Limits.configs.
const (
	Readings = "READINGS"
	Events   = "EVENTS"
	Rejects  = "REJECTS"
	Actions  = "ACTIONS"
	Commands = "COMMANDS"
	Audit    = "AUDIT"
	Core     = "CORE"
)

// Key-value buckets. All are written by compare-and-set only.
const (
	RegistryBucket = "registry"
	PeopleBucket   = "people"
	UsersBucket    = "users"
	SessionsBucket = "sessions"
	SettingsBucket = "settings"
)

// RulesPrefix begins the settings keys of what is changed of rules at run time: documents as in a rules directory, by name.
const RulesPrefix = "rules."

// Durable consumers. Alerts has none: it keeps its own offsets, see Offset.
const (
	StoreConsumer       = "store"        // on READINGS
	StoreEventsConsumer = "store-events" // on EVENTS
	NotifyConsumer      = "notify"       // on CORE, filtered to alert events
	CallbacksConsumer   = "callbacks"    // on ACTIONS, filtered to callbacks
)

// UnknownCommunity stands in for the community of a reject whose topic names none.
const UnknownCommunity = "unknown"

// ReadingsSubject is where batches of readings of a community go; health data of persons has a subject of its own.
func ReadingsSubject(community string, health bool) string {
	if health {
		return "readings." + community + ".health"
	}
	return "readings." + community
}

// EventSubject is where one event goes.
func EventSubject(community, deviceType, device, event string) string {
	return "events." + community + "." + deviceType + "." + device + "." + event
}

// OfProbe reports whether an event is a trial, see devices.Probe: nothing to be drawn or counted.
func OfProbe(eventSubject string) bool {
	p := devices.Probe
	return strings.HasPrefix(eventSubject, "events."+p.Community+"."+p.Type+"."+p.ID+".")
}

// RejectsSubject is where rejects of a community go.
func RejectsSubject(community string) string { return "rejects." + community }

// ActionsSubject is where what people did in a community goes.
func ActionsSubject(community string) string { return "actions." + community }

// CommandsSubject is where what a device is asked to do goes, and what became of it.
func CommandsSubject(community, deviceType, device string) string {
	return "commands." + community + "." + deviceType + "." + device
}

// CallbacksSubject is where what providers say of messages goes, on ACTIONS. No community has this id.
const CallbacksSubject = "actions._callbacks"

// AuditSubject is where what somebody did or looked at in a community goes; without one it concerned the installation.
func AuditSubject(community string) string {
	if community == "" {
		community = NoCommunity
	}
	return "audit." + community
}

// NoCommunity stands for the installation in AuditSubject. It is the id of no community.
const NoCommunity = "_"

// Subjects of CORE. Only alerts writes them, but for deliveries, which only notify writes.
const (
	OffsetSubject     = "core.offset.alerts"   // one Offset; the fence of every transaction
	CheckpointSubject = "core.checkpoint"      // core.checkpoint.{shard}: packed rule instances
	SequencesSubject  = "core.sequences"       // core.sequences.{shard}: packed sequences that wait for their second
	AlertsFilter      = "core.alert.*"         // every Alert
	AlertEventsFilter = "core.alert_event.*.*" // every AlertEvent
	DeliveriesFilter  = "core.delivery.>"      // every Delivery
	HoldsFilter       = "core.hold.*"          // every Hold
	LoadsFilter       = "core.load.*.*"        // every Load
	WellbeingFilter   = "core.wellbeing.*"     // every Wellbeing
)

// AlertSubject holds the present state of an alert.
func AlertSubject(id string) string { return "core.alert." + id }

// AlertEventSubject holds the n-th thing that happened to an alert, from 1.
func AlertEventSubject(id string, n int) string {
	return "core.alert_event." + id + "." + strconv.Itoa(n)
}

// ProbeSubject holds the delivery that the notifier made of the last trial SOS and kept to itself, see devices.Probe. Created is
// the time of the press.
const ProbeSubject = "core.delivery.probe"

// AlertEventsFilterOf is every AlertEvent of an alert.
func AlertEventsFilterOf(id string) string { return "core.alert_event." + id + ".*" }

// DeliverySubject holds the state of a delivery of an alert.
func DeliverySubject(alert, id string) string { return "core.delivery." + alert + "." + id }

// AlertDeliveriesFilter is every Delivery of an alert.
func AlertDeliveriesFilter(alert string) string { return "core.delivery." + alert + ".*" }

// HoldSubject holds a silence, a maintenance window or a commissioning.
func HoldSubject(id string) string { return "core.hold." + id }

// WellbeingSubject holds what is known of a person's activity.
func WellbeingSubject(person string) string { return "core.wellbeing." + person }

// LookoutsSubject holds what the rule instances of a shard come to that look at alerts or events.
func LookoutsSubject(shard string) string { return "core.lookouts." + shard }

// LoadSubject holds what a recipient of a community was told of late.
func LoadSubject(community, who string) string { return "core.load." + community + "." + who }
