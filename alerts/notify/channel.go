package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
)

// Message is what a channel sends: the same under the same id at every try, but for Repeat. Title and Text are for a person, in
// their language; a channel for programs sends Body.
type Message struct {
	ID       string
	To       string // phone number, mail address, topic …; empty: where the channel's settings lead
	Language string // zh or en; empty: both
	Event    string // what happened to the alert
	Alert    bus.Alert
	Title    string
	Text     string
	Link     string    // under which it is acknowledged without an account; empty: nowhere, or there is nothing to acknowledge
	Body     []byte    // JSON, see body
	Made     time.Time // when the delivery was made
	Repeat   bool      // an earlier try may have arrived, and the other side does not know ids: the text says so
}

// Receipt is what a provider said when it took a message.
type Receipt struct {
	ID string // by which the provider knows it
}

// Channel sends messages to where its settings, or Message.To, say. Send is called from several goroutines; it returns when the
// other side has taken the message, and its context ends after SendLimit. What its error means says SendError.
type Channel interface {
	Send(ctx context.Context, m Message) (Receipt, error)
	Caps() Caps
}

// Caps is what the other side of a channel can do and how much it bears.
type Caps struct {
	Dedupes  time.Duration // it takes an id once within that time; 0: it does not know ids
	Receipts bool          // it says later what became of a message, see Asker and Listener
	MaxBytes int           // of a text; 0: no limit that we would meet
	Account  string        // to which Limits apply, if several channels may share it; empty: the channel itself
	Limits   []Limit
}

const forever = 100 * 365 * 24 * time.Hour

// Limit is a quota of a provider: so many messages in any span of that length. Ordinary messages leave Reserved of them to
// life-safety.
type Limit struct {
	Max, Reserved int
	Per           time.Duration
	Each          bool // of every address, not of the account
}

// Asker is a channel whose provider can be asked what became of a message that it took, or perhaps did not.
type Asker interface {
	// Ask finds a message by its id, or by its receipt if there was an answer.
	Ask(ctx context.Context, m Message, r Receipt) (Fate, error)
}

// Fate is what became of a message.
type Fate struct {
	State       bus.DeliveryState // Accepted, Delivered, Acted or Failed; empty: the provider has never heard of it
	Class       Class             // of Failed: BadTarget when nobody is there, Retry when nobody answered
	Receipt     Receipt
	Acknowledge bool // the recipient takes the alert on
	Why         string
}

// Listener is a channel whose provider calls back.
type Listener interface {
	Listen(c bus.Callback) ([]Answer, error)
}

// Answer is what a callback says of one message.
type Answer struct {
	Ref         string            // Short of the delivery's id, the provider's id, or the address that replied
	State       bus.DeliveryState // Delivered, Failed or Acted
	Class       Class             // as in Fate
	Acknowledge bool              // the recipient takes the alert on
	Why         string
}

// short is the id of a delivery for providers whose field for it is small.
func short(id string) string { return id[:min(len(id), 15)] }

// SendLimit bounds one try.
const SendLimit = 10 * time.Second

// opener opens a channel from its settings, a mapping without name and type.
type opener func(settings *yaml.Node, log *slog.Logger) (Channel, error)

var kinds = map[string]opener{}

// define makes a kind of channel known; open gets the settings decoded strictly into its first parameter. It is called from
// package variables only: one kind, one file.
func define[S any](kind string, open func(S, *slog.Logger) (Channel, error)) struct{} {
	if kinds[kind] != nil {
		panic("channel " + kind + " is defined twice")
	}
	kinds[kind] = func(n *yaml.Node, log *slog.Logger) (Channel, error) {
		var s S
		if err := decodeStrictly(n, &s); err != nil {
			return nil, err
		}
		return open(s, log)
	}
	return struct{}{}
}

// decodeStrictly refuses unknown keys, which yaml.Node.Decode does not.
func decodeStrictly(n *yaml.Node, to any) error {
	b, err := yaml.Marshal(n)
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(to); !errors.Is(err, io.EOF) { // no settings at all
		return err
	}
	return nil
}

// Channels are the channels of an installation by name.
type Channels map[string]Channel

// OpenChannels opens the channels of a configuration. Each node is a mapping with name, type and the settings of that type; an
// error names the line and the channel.
func OpenChannels(nodes []yaml.Node, log *slog.Logger) (Channels, error) {
	all := Channels{"log": logChannel{log}}
	var errs []error
	for i := range nodes {
		name, ch, err := openChannel(&nodes[i], log)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("line %d: channel %q: %w", nodes[i].Line, name, err))
		case all[name] != nil && name != "log":
			errs = append(errs, fmt.Errorf("line %d: channel %q is there twice", nodes[i].Line, name))
		default:
			all[name] = ch
		}
	}
	return all, errors.Join(errs...)
}

func openChannel(n *yaml.Node, log *slog.Logger) (name string, ch Channel, err error) {
	if n.Kind != yaml.MappingNode {
		return "", nil, errors.New("want a mapping")
	}
	var kind string
	rest := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case "name":
			name = n.Content[i+1].Value
		case "type":
			kind = n.Content[i+1].Value
		default:
			rest.Content = append(rest.Content, n.Content[i], n.Content[i+1])
		}
	}
	if !devices.ValidID(name) {
		return name, nil, fmt.Errorf("name %q is not an identifier", name)
	}
	open := kinds[kind]
	if open == nil {
		return name, nil, fmt.Errorf("unknown type %q", kind)
	}
	ch, err = open(rest, log.With("channel", name))
	return name, ch, err
}
