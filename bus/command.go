package bus

import "time"

// CommandState is how far a command has come.
//
//	queued ─► sent ─► done, failed: the device says so
//	   └────────┴───► expired ─► done, failed: it said so after all
//
// A queued one that cannot be sent at all, because the device is gone, has failed.
type CommandState string

const (
	CommandQueued  CommandState = "queued"
	CommandSent    CommandState = "sent" // the broker has it
	CommandDone    CommandState = "done"
	CommandFailed  CommandState = "failed"
	CommandExpired CommandState = "expired" // nobody answered in time; whether it was carried out is known only if it was never sent
)

// Command is something that a device was asked to do, in one of its states. Web writes the first, ingest those that follow; each
// is a message on CommandsSubject whose id is MessageID.
type Command struct {
	ID        string         `json:"id"` // deterministic: who asked, the device and their idempotency key; the device acts once on it
	Name      string         `json:"command"`
	Params    map[string]any `json:"params,omitempty"`
	Community string         `json:"community"`
	Type      string         `json:"type"`
	Device    string         `json:"device"`
	By        string         `json:"by"` // who asked
	Asked     time.Time      `json:"asked_at"`
	Expires   time.Time      `json:"expires_at"` // nothing is sent afterwards
	State     CommandState   `json:"state"`
	At        time.Time      `json:"at"` // of the state
	Reason    string         `json:"reason,omitempty"`
}

// MessageID makes the stream keep each state of a command once.
func (c *Command) MessageID() string { return c.ID + "." + string(c.State) }

// Settled reports whether the command is over: nothing is sent any more.
func (c *Command) Settled() bool { return c.State != CommandQueued && c.State != CommandSent }

// Follows reports whether state s may come after the command's.
func (c *Command) Follows(s CommandState) bool {
	rank := map[CommandState]int{CommandSent: 1, CommandExpired: 2, CommandDone: 3, CommandFailed: 3}
	return rank[s] > rank[c.State]
}

// MaxOpenCommands is how many commands of one device may wait for an answer.
const MaxOpenCommands = 16
