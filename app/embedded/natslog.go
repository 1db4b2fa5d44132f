package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	denied *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{denied: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "linli_broker_denied_total",
		Help: "What the embedded broker refused: logins, publishes (acknowledged and dropped), subscriptions, oversized messages, strangers who held connections.",
	}, []string{"what"})}
	for _, what := range []string{"connect", "publish", "subscribe", "oversize", "stranger"} {
		m.denied.WithLabelValues(what)
	}
	if reg != nil {
		reg.MustRegister(m.denied)
	}
	return m
}

// serverLog passes the server's log on and counts violations, which the server reports nowhere else.
type serverLog struct {
	log     *slog.Logger
	metrics *metrics

	mu     sync.Mutex // guards what follows
	warned time.Time  // when a violation was last logged: a device in a loop must not fill the log
	hidden int        // since then
	fatal  error
	stuck  chan struct{} // closed when a stream refuses everything until the server is opened again
	why    error         // set before stuck is closed
}

var _ server.Logger = (*serverLog)(nil)

// failure is what the server gave up for, nil if it has not.
func (l *serverLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug("broker", "line", text(format, v)) }
func (l *serverLog) Debugf(string, ...any)           {}
func (l *serverLog) Tracef(string, ...any)           {}

// Fatalf is what the server says before it gives up a listener or a store; it does not end the process.
func (l *serverLog) Fatalf(format string, v ...any) {
	line := text(format, v)
	l.log.Error("broker", "line", line)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == nil {
		l.fatal = errors.New(line)
	}
}

func (l *serverLog) Warnf(format string, v ...any)  { l.line(slog.LevelWarn, text(format, v)) }
func (l *serverLog) Errorf(format string, v ...any) { l.line(slog.LevelError, text(format, v)) }

func (l *serverLog) line(level slog.Level, line string) {
	switch {
	case strings.Contains(line, "Publish Violation"):
		l.violation("publish", line)
	case strings.Contains(line, "Subscription Violation"):
		l.violation("subscribe", line)
	case strings.Contains(line, "maximum payload exceeded"):
		l.violation("oversize", line)
	case strings.Contains(line, "ritical write error"):
		l.log.Error("broker", "line", line)
		l.refuses(line)
	case strings.Contains(line, "Plaintext passwords detected"): // those of the roles: random at every start, and in memory only
	// The callout has counted these and logged why.
	case strings.Contains(line, "uth callout service returned an error"), strings.Contains(line, "authentication error"):
	default:
		l.log.Log(context.Background(), level, "broker", "line", line)
	}
}

func (l *serverLog) refuses(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == nil {
		l.why = fmt.Errorf("%w: %s", ErrStuck, line)
		close(l.stuck)
	}
}

func (l *serverLog) violation(what, line string) {
	l.metrics.denied.WithLabelValues(what).Inc()
	l.mu.Lock()
	defer l.mu.Unlock()
	if time.Since(l.warned) < time.Second {
		l.hidden++
		return
	}
	l.log.Warn("broker refused", "what", what, "line", line, "not_logged", l.hidden)
	l.warned, l.hidden = time.Now(), 0
}

func text(format string, v []any) string { return strings.TrimSpace(fmt.Sprintf(format, v...)) }
