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

	"linli/devices"
)

// Message is what a channel sends: the same bytes under the same id at every try.
type Message struct {
	ID      string
	Body    []byte // JSON, see body
	Summary devices.Text
	Repeat  bool // an earlier try may have arrived; for channels whose other side does not know ids
}

// Channel sends messages to where its settings say. Send is called from several goroutines; it returns when the other side has
// taken the message, and its context ends after SendLimit. An error is retried unless it is Permanent.
type Channel interface {
	Send(ctx context.Context, m Message) error
}

// SendLimit bounds one try.
const SendLimit = 10 * time.Second

// Permanent marks an error that trying again cannot mend.
func Permanent(err error) error { return permanentError{err} }

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// RetryAfter marks an error after which the other side wants to be left alone for a while.
func RetryAfter(err error, d time.Duration) error { return laterError{err, d} }

type laterError struct {
	error
	after time.Duration
}

func (e laterError) Unwrap() error { return e.error }

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
