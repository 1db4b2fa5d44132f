package bus

import "time"

// ChannelTest asks the notifier for one message over a channel that says that it is a test. Web writes it under ChannelTestKey of the
// settings; the notifier answers under the same key, once.
type ChannelTest struct {
	Channel string        `json:"channel"`
	To      string        `json:"to,omitempty"`
	By      string        `json:"by"`
	Asked   time.Time     `json:"asked_at"`
	State   DeliveryState `json:"state,omitempty"` // accepted, failed, or pending: the quota is spent, so nothing was sent; empty: not answered
	Class   string        `json:"class,omitempty"` // of what failed, see package notify
	Error   string        `json:"error,omitempty"`
	Took    int64         `json:"took_ms,omitempty"`
}

// ChannelTestLimit is how long a test waits for the notifier; an older one is not sent.
const ChannelTestLimit = 20 * time.Second

// ChannelTestKey is the settings key of a test; "*" for the id gives the filter of all.
func ChannelTestKey(id string) string { return "channel-test." + id }
