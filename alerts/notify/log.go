package notify

import (
	"context"
	"log/slog"
)

var _ = define("log", func(_ struct{}, log *slog.Logger) (Channel, error) { return logChannel{log}, nil })

// logChannel writes messages to the log of the process: the channel of last resort, always there under the name "log".
type logChannel struct{ log *slog.Logger }

var _ Channel = logChannel{}

// Caps implements Channel.
func (c logChannel) Caps() Caps { return Caps{} }

// Send implements Channel.
func (c logChannel) Send(_ context.Context, m Message) (Receipt, error) {
	c.log.Warn("alert", "delivery", m.ID, "event", m.Event, "to", m.To, "zh", m.Alert.Text.ZH, "en", m.Alert.Text.EN, "possible_repeat", m.Repeat)
	return Receipt{}, nil
}
