package bus

import (
	"slices"
	"time"

	"linli/devices"
)

// Severity is the FIWARE Alert severity.
type Severity string

const (
	Critical      Severity = "critical"
	High          Severity = "high"
	Medium        Severity = "medium"
	Low           Severity = "low"
	Informational Severity = "informational"
)

// Severities are all there are, the most severe first.
var Severities = []Severity{Critical, High, Medium, Low, Informational}

// Rank is how many severities are above s.
func (s Severity) Rank() int { return slices.Index(Severities, s) }

// AlertState is where an alert is in its life: opened → acknowledged → cleared → closed, any of the middle ones left out.
type AlertState string

const (
	Opened       AlertState = "opened"
	Acknowledged AlertState = "acknowledged"
	Cleared      AlertState = "cleared"
	Closed       AlertState = "closed"
)

// Alert is one episode of a rule being true for one identity.
type Alert struct {
	ID        string        `json:"id"` // deterministic: rule, identity and opening time
	Rule      string        `json:"rule"`
	Kind      string        `json:"kind"`
	Name      devices.Text  `json:"name"` // of the rule
	Text      devices.Text  `json:"text"` // one sentence for a person: what, where, the value
	Severity  Severity      `json:"severity"`
	Level     string        `json:"level,omitempty"` // of a rule with levels: that it is at
	Category  string        `json:"category"`
	State     AlertState    `json:"state"`
	Safety    bool          `json:"safety"`
	Latched   bool          `json:"latched"` // only a person closes it
	Community string        `json:"community"`
	Device    string        `json:"device"`
	Type      string        `json:"type"`
	Person    string        `json:"person,omitempty"`
	Place     devices.Place `json:"place,omitzero"`
	Where     devices.Text  `json:"where,omitzero"` // the place in words, without the community
	Identity  string        `json:"identity"`       // what makes it one episode, e.g. "person=p-1" or "device=ws-1,inlet=2"
	Value     any           `json:"value,omitempty"`
	Unit      string        `json:"unit,omitempty"`
	// Judged is what the rule asked for when it opened, overrides included, of those that compare readings: the field of Value, and
	// the conditions, with the keys of RuleInForce.Params: fields, when, clear; of levels "crit when" and so on.
	Judged      map[string]string `json:"judged,omitempty"`
	OpenedAt    time.Time         `json:"opened_at"`  // when the rule was fulfilled: since + for
	EventTime   time.Time         `json:"event_time"` // of the event, or of the reading that its condition began with
	LastEvent   time.Time         `json:"last_event"` // EventTime until it is repeated; older readings do not clear it
	Received    time.Time         `json:"received_at"`
	Late        bool              `json:"late,omitempty"`      // too old when it arrived: recorded, shown, not delivered
	Synthetic   bool              `json:"synthetic,omitempty"` // a check of the path itself: never reaches a channel, a list or a figure
	Count       int               `json:"count"`               // how often its event has come, from 1
	AckedAt     *time.Time        `json:"acknowledged_at,omitempty"`
	AckedBy     string            `json:"acknowledged_by,omitempty"`
	ConfirmedBy string            `json:"confirmed_by,omitempty"`        // the alert of another device that says the same
	AckedPerson string            `json:"acknowledged_person,omitempty"` // the id of who did, where known
	ClearedAt   *time.Time        `json:"cleared_at,omitempty"`
	ClosedAt    *time.Time        `json:"closed_at,omitempty"`
	ClosedBy    string            `json:"closed_by,omitempty"`
	Disposition string            `json:"disposition,omitempty"`
	Events      int               `json:"events"` // number of the last AlertEvent

	Instructions devices.Text `json:"instructions,omitzero"`   // what to say to 120 or 119, of life-safety
	Openings     []time.Time  `json:"openings,omitempty"`      // the latest times it opened again because its condition came back
	Assignee     string       `json:"assignee,omitempty"`      // who is to look after it
	FamilyAckBy  string       `json:"family_ack_by,omitempty"` // who of the circle looks after it; the property is told on
	FamilyPerson string       `json:"family_ack_person,omitempty"`
	SnoozedUntil *time.Time   `json:"snoozed_until,omitempty"` // nothing is repeated before
	Held         string       `json:"held,omitempty"`          // why nobody is told at present, as in Recipient
	HeldBy       string       `json:"held_by,omitempty"`       // the Hold or the alert that is why
	HeldUntil    time.Time    `json:"held_until,omitzero"`     // when that is looked at again
	Owed         bool         `json:"owed,omitempty"`          // those who were told of it are to be told of its end yet
	Told         []string     `json:"told,omitempty"`          // who has been told, as Recipient.Who
	Deferred     []Deferral   `json:"deferred,omitempty"`      // who is told by a digest
	Listed       []string     `json:"listed,omitempty"`        // of a digest: the alerts that it stands for
	Escalation   *Escalation  `json:"escalation,omitempty"`    // nil for what has no plan
}

// PropertyEnds reports whether the alert is an emergency that the property looks after whatever the family do: neither an
// acknowledgement of theirs stops its ladder, nor may they close it.
func (a *Alert) PropertyEnds() bool {
	return a.Safety && a.Escalation != nil && !a.Escalation.AckAny
}

// AlertEvent is one thing that happened to an alert. Immutable; N counts from 1 without gaps.
type AlertEvent struct {
	N     int         `json:"n"`
	Kind  string      `json:"kind"` // see package alerts
	At    time.Time   `json:"at"`
	By    string      `json:"by,omitempty"`
	Who   string      `json:"by_person,omitempty"` // the id of who By is, where known
	Note  string      `json:"note,omitempty"`
	Key   string      `json:"key,omitempty"`  // idempotency key of the action behind it
	Tell  []Recipient `json:"tell,omitempty"` // who is told of it, and who would have been but for a reason; decided by alerts alone
	Alert Alert       `json:"alert"`          // as it was after this event
}

// Recipient is one who is told of an AlertEvent, or is not, with the reason. Who it is was decided when the event happened, so a
// later change of the rota changes nothing here. Notify makes one delivery a recipient and, while it fails, one an address.
type Recipient struct {
	Target   string    `json:"target"`           // of the plan: person:ID, role:ROLE, circle, circle:N, or duty
	Person   string    `json:"person,omitempty"` // id; empty for duty
	Name     string    `json:"name,omitempty"`
	Language string    `json:"language,omitempty"` // zh or en; empty: both
	Reach    []Address `json:"reach,omitempty"`    // in the order to be tried; empty for duty: every duty channel of the notifier
	Round    int       `json:"round,omitempty"`    // of the escalation ladder, from 0
	Step     int       `json:"step,omitempty"`     // of the round, from 0
	Held     string    `json:"held,omitempty"`     // why not told: late, synthetic, silenced, maintenance, commissioning, inhibited, quiet_hours, no_consent, no_address, storm, together
	Until    time.Time `json:"until,omitzero"`     // held no longer than that
}

// Address is a way to reach somebody: a channel of the configuration, and whom it is to reach there.
type Address struct {
	Channel string `json:"channel" yaml:"channel"`           // its name in the configuration
	To      string `json:"to,omitempty" yaml:"to,omitempty"` // phone number, mail address, topic …; empty where the channel itself is one place
}

// Action is what a person did, or what came of telling one. Its message id on ACTIONS is Key.
type Action struct {
	Key         string     `json:"key"`
	Kind        string     `json:"kind"` // see package alerts; of web for notify: callback
	Alert       string     `json:"alert,omitempty"`
	Community   string     `json:"community"`
	By          string     `json:"by"`
	Note        string     `json:"note,omitempty"`
	Disposition string     `json:"disposition,omitempty"` // helped, false_press, test, false_detection, no_access_escalated_120, duplicate
	At          time.Time  `json:"at"`
	Person      string     `json:"person,omitempty"`    // id of who did it, where known: what the family does counts less than what staff does; of bad_address and good_address: whose
	Address     *Address   `json:"address,omitempty"`   // bad_address, good_address: of Person
	About       string     `json:"about,omitempty"`     // reordered: the elder
	Family      bool       `json:"family,omitempty"`    // who did it counts as family, whatever people says
	N           int        `json:"n,omitempty"`         // unreached: the AlertEvent that Recipient could not be told of
	Recipient   *Recipient `json:"recipient,omitempty"` // unreached: none of the addresses took it in time
	Callback    *Callback  `json:"callback,omitempty"`
	Assignee    string     `json:"assignee,omitempty"` // of assign
	Until       time.Time  `json:"until,omitzero"`     // of snooze
	Hold        *Hold      `json:"hold,omitempty"`     // of hold; of confirm and release its id alone
}

// Callback is what a provider sent us about messages of a channel: receipts, key presses, replies. Web hands it over as it came, on
// CallbacksSubject; notify, which knows the provider, reads it.
type Callback struct {
	Channel string `json:"channel"` // its name in the configuration
	Query   string `json:"query,omitempty"`
	Body    []byte `json:"body,omitempty"`
}

// Offset says how far alerts has read each of its inputs: the sequence of the last message whose effects are stored.
// Replay and ReplayEvents are the sequences of READINGS and EVENTS that the stored checkpoints stand for; a restart reads on from
// there.
type Offset struct {
	Events       uint64 `json:"events"`
	Actions      uint64 `json:"actions"`
	Readings     uint64 `json:"readings"`
	Replay       uint64 `json:"replay"`
	ReplayEvents uint64 `json:"replay_events"`
	Unfollowed   []News `json:"unfollowed,omitempty"` // what had happened that rules had yet to look at

	// When the streams were made. In others the numbers mean nothing.
	EventsBorn   time.Time `json:"events_born,omitzero"`
	ActionsBorn  time.Time `json:"actions_born,omitzero"`
	ReadingsBorn time.Time `json:"readings_born,omitzero"`
}

// News is something that happened that rules look at: to an alert, or an event of a device. At is in ms.
type News struct {
	Alert  string `json:"alert,omitempty"`
	Kind   string `json:"kind"`
	Type   string `json:"type,omitempty"`
	Device string `json:"device,omitempty"`
	At     int64  `json:"at"`
}

// Lookouts are the rule instances of a shard that look at alerts or events and have something to keep. See alerts.
type Lookouts struct {
	Shard uint8     `json:"shard"`
	Cells []Lookout `json:"cells,omitempty"`
}

// Lookout is such an instance: a rule on a series. Times are in ms.
type Lookout struct {
	Series string `json:"series"`
	Rule   string `json:"rule"`
	State  uint8  `json:"state,omitempty"`
	Since  int64  `json:"since,omitempty"`
	Judged int64  `json:"judged,omitempty"`
	Late   bool   `json:"late,omitempty"`
}

// DeliveryState is how far a delivery has come.
//
//	pending ─► sending ─► accepted ─► delivered ─► acted
//	   ▲          │           └─────► failed: the receipt says that it did not arrive
//	   └──────────┼─► failed: for good
//	              └─► expired: there was no need any more
type DeliveryState string

const (
	Pending   DeliveryState = "pending"
	Sending   DeliveryState = "sending"   // found at start-up: in doubt
	Accepted  DeliveryState = "accepted"  // by the provider
	Delivered DeliveryState = "delivered" // a receipt says that it arrived: a message on the phone, a call answered
	Acted     DeliveryState = "acted"     // the recipient answered: a key press, a reply
	Failed    DeliveryState = "failed"    // this address cannot be reached with it
	Expired   DeliveryState = "expired"   // not sent: acknowledged, reached otherwise, or nothing to take back; Error says which
)

// Delivery is one message to one address of one recipient. Its id is deterministic, so it is the idempotency key everywhere. A
// recipient who is reached by several addresses in turn has a delivery for each that was tried; one who is held has none: why is in
// the AlertEvent.
type Delivery struct {
	ID        string        `json:"id"`
	Alert     string        `json:"alert"`
	N         int           `json:"n"`               // of the AlertEvent it tells of
	Event     string        `json:"event,omitempty"` // its kind
	Community string        `json:"community,omitempty"`
	Recipient Recipient     `json:"recipient,omitzero"`
	Address   int           `json:"address,omitempty"` // which of Recipient.Reach, from 0
	Channel   string        `json:"channel"`
	To        string        `json:"to,omitempty"`
	Safety    bool          `json:"safety,omitempty"`
	State     DeliveryState `json:"state"`
	Body      []byte        `json:"body,omitempty"` // the exact bytes sent
	Attempts  int           `json:"attempts"`
	Doubt     bool          `json:"doubt,omitempty"`    // an attempt ended without an answer: the message may have arrived
	Receipt   string        `json:"receipt,omitempty"`  // the provider's id of it
	Contains  []DeliveryRef `json:"contains,omitempty"` // ordinary ones that waited for the provider's quota and are told in the same message
	Within    *DeliveryRef  `json:"within,omitempty"`   // the one in whose message it was told
	Class     string        `json:"class,omitempty"`    // of Error: retry, rate_limited, auth, bad_target, bad_message, in_doubt
	Error     string        `json:"error,omitempty"`
	Look      time.Time     `json:"look,omitzero"` // accepted: when the provider is asked what became of it; failed: the next address is not tried yet
	Created   time.Time     `json:"created"`
	Updated   time.Time     `json:"updated"`
}

// DeliveryRef names a delivery.
type DeliveryRef struct {
	Alert string `json:"alert"`
	ID    string `json:"delivery"`
}

// ChannelState is how a channel of the notifier is. The notifier keeps the list of all under ChannelsKey in the settings.
type ChannelState struct {
	Channel  string    `json:"channel"`
	Duty     bool      `json:"duty,omitempty"`          // told of every alert that no contact circle or rota covers
	Waiting  int       `json:"waiting"`                 // deliveries
	Urgent   int       `json:"waiting_safety"`          // those of them in the lane of life-safety
	Quota    int       `json:"quota,omitempty"`         // messages that the tightest limit of the provider takes; 0: no limit
	Reserved int       `json:"quota_safety,omitempty"`  // of them, kept for life-safety
	Per      int       `json:"quota_s,omitempty"`       // seconds in which the provider counts them
	Ordinary *int      `json:"left_ordinary,omitempty"` // messages that the provider's quota still takes; nil: it has none
	Safety   *int      `json:"left_safety,omitempty"`
	Muted    time.Time `json:"muted_until,omitzero"` // the provider takes nothing before
	Code     string    `json:"muted_code,omitempty"` // because it answered this
	Accepted time.Time `json:"accepted_at,omitzero"` // the last message that was taken
	Failed   time.Time `json:"failed_at,omitzero"`   // the last that was not, since the one that was
	Error    string    `json:"error,omitempty"`
	Class    string    `json:"class,omitempty"` // what the error means: auth, bad_target, bad_message, in_doubt, rate_limited, retry
}

// ChannelsKey is where the notifier keeps the states of its channels, by name.
const ChannelsKey = "channels"

// Reject is a message or a part of one that could not be stored as a reading or event, with the reason.
type Reject struct {
	ID        string    `json:"id"` // its sequence in REJECTS; set by readers
	Received  time.Time `json:"received_at"`
	Source    string    `json:"source"` // ingest or store
	Topic     string    `json:"topic"`
	Community string    `json:"community,omitempty"`
	Device    string    `json:"device"`
	Code      string    `json:"code"`   // a fixed word, see package ingest
	Reason    string    `json:"reason"` // a sentence naming the place
	Raw       []byte    `json:"raw_base64"`
}

// AuditEntry is one thing that somebody did, tried to do, or looked at. Looking again within minutes is no new entry.
type AuditEntry struct {
	ID        string    `json:"id"` // its sequence in AUDIT; set by readers
	At        time.Time `json:"at"`
	By        string    `json:"by"`             // user; of a login that failed: the name tried
	Role      string    `json:"role,omitempty"` // of the user then
	Via       string    `json:"via,omitempty"`  // session, token or admin_token
	Address   string    `json:"address"`        // it came from
	Method    string    `json:"method"`
	Route     string    `json:"route"` // of the API
	Target    string    `json:"target,omitempty"`
	Name      string    `json:"name,omitempty"` // of the target, as it was then; of an alert: its device, of a hold: its reason
	Note      string    `json:"note,omitempty"` // what exactly, where the route does not say
	Community string    `json:"community,omitempty"`
	Person    string    `json:"person,omitempty"` // whose data it was about
	Scopes    []string  `json:"scopes,omitempty"` // the kinds of data of persons that were shown
	Status    int       `json:"status"`           // what the answer was: 2xx done or shown, 401 to 404 refused
}
