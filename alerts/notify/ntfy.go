package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"linli/bus"
	"linli/devices"
)

var _ = define("ntfy", openNtfy)

// ntfySettings are those of a server of https://ntfy.sh, or of one's own.
type ntfySettings struct {
	endpoint `yaml:",inline"`
	Topic    devices.Secret `yaml:"topic"` // for messages without an address; who knows a topic can read it
	Token    devices.Secret `yaml:"token"` // tk_…
}

// ntfy publishes to a topic, which is an address. Its button acknowledges.
type ntfy struct {
	*caller
	topic, token string
}

var _ Channel = (*ntfy)(nil)

func openNtfy(s ntfySettings, _ *slog.Logger) (Channel, error) {
	c, err := s.open("https://ntfy.sh/")
	if err != nil {
		return nil, err
	}
	return &ntfy{c, s.Topic.Reveal(), s.Token.Reveal()}, nil
}

// Caps implements Channel. A server lets 60 through at once, and one every 5 s.
func (n *ntfy) Caps() Caps {
	return Caps{MaxBytes: 4096, Account: "ntfy " + n.url + n.token, Limits: []Limit{{Max: 60, Reserved: 20, Per: 5 * time.Minute}}}
}

var ntfyPriorities = map[bus.Severity]int{bus.Critical: 5, bus.High: 4, bus.Medium: 3, bus.Low: 2, bus.Informational: 2}

// Send implements Channel.
func (n *ntfy) Send(ctx context.Context, m Message) (Receipt, error) {
	topic := m.To
	if topic == "" {
		topic = n.topic
	}
	if topic == "" {
		return Receipt{}, refuse(BadTarget, "", "no topic: neither the recipient nor the channel has one")
	}
	message := map[string]any{
		"topic": topic, "title": cut(m.Title, 250), "message": cut(m.Text, n.Caps().MaxBytes), "priority": ntfyPriorities[m.Alert.Severity],
	}
	if m.Link != "" {
		message["click"] = m.Link
		message["actions"] = []any{map[string]any{
			"action": "http", "label": m.ackWord(), "url": m.Link, "method": "POST", "clear": true,
		}}
	}
	b, err := json.Marshal(message)
	if err != nil {
		return Receipt{}, refuse(BadMessage, "", "write message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(b))
	if err != nil {
		return Receipt{}, refuse(BadTarget, "", "url: not a URL")
	}
	if n.token != "" {
		req.Header.Set("Authorization", "Bearer "+n.token)
	}
	status, header, answer, err := n.do(ctx, req)
	if err != nil {
		return Receipt{}, err
	}
	if err := judgeStatus(status, header); err != nil {
		return Receipt{}, err
	}
	var taken struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &taken); err != nil || taken.ID == "" {
		return Receipt{}, &SendError{Class: InDoubt, Err: errors.New("answered 200 and no id")}
	}
	return Receipt{taken.ID}, nil
}
