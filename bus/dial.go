package bus

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
)

// Dial connects to a NATS server. A connection that is lost is made again for ever; while there is none, publishing fails at
// once instead of filling a buffer that would be sent stale. It fails if the first attempt does. The options of more come last
// and win; url may be empty when they name an in-process server.
func Dial(url, name string, log *slog.Logger, more ...nats.Option) (*nats.Conn, error) {
	log = log.With("connection", name)
	options := []nats.Option{
		nats.Name("linli " + name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(500 * time.Millisecond),
		nats.ReconnectJitter(500*time.Millisecond, time.Second),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second),
		nats.MaxPingsOutstanding(2),
		nats.Timeout(3 * time.Second),
		nats.FlusherTimeout(5 * time.Second), // who writes to a server that does not read holds up all others
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("bus disconnected", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { log.Info("bus reconnected", "server", nc.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			if sub != nil {
				log.Error("bus refused or lost a message", "subject", sub.Subject, "err", err)
				return
			}
			log.Error("bus refused or lost a message", "err", err)
		}),
	}
	nc, err := nats.Connect(url, append(options, more...)...)
	if err != nil {
		return nil, fmt.Errorf("connect %s to NATS: %w", name, err)
	}
	return nc, nil
}
