// Package web is what browsers, the command line and other programs talk to: the HTTP API, its live stream, and the pages.
//
// It shows what the registry, the time series and CORE hold, and hands on what people do: edits to the registry, actions to
// ACTIONS. It must not know MQTT, decide about alerts or write their state.
//
//	/                     the pages; they hold no data
//	/healthz, /readyz     alive, and whether every role keeps its promise; open to all, reasons for who has the token
//	/metrics              Prometheus
//	/api/v1/…             the table in routes.go, described by openapi.yaml and served as /api/v1/openapi.json
//	/api/v1/stream        server-sent events: snapshot, then changes; who does not keep up is disconnected and comes back
package web

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
)

// History answers questions about stored readings. It is safe for concurrent use; a *series.RefusedError is the asker's mistake.
type History interface {
	Raw(ctx context.Context, q series.Query, limit int) ([]series.Point, error)
	Window(ctx context.Context, q series.Query, w series.Window) ([]series.Point, error)
	Latest(ctx context.Context, groups ...series.Group) ([]series.Value, error)
}

// Writer stores line protocol; nil means stored.
type Writer interface {
	Write(ctx context.Context, lines []byte) error
}

// Config is what the role works with. All fields without a remark are needed.
type Config struct {
	Addr      string
	TLS       *tls.Config // nil: in the clear
	Token     string      // of the administrator
	Root      string      // first level of every topic
	Version   string
	Bus       *bus.Bus
	Catalogue *devices.Catalogue
	Registry  *devices.Registry
	People    *people.Directory
	Channels  map[string]string // kinds of the configured channels by name; nil: not known here
	History   History
	Writer    Writer
	Status    func() map[string]error // every role and why it is not ready; nil: only this one
	Gatherer  prometheus.Gatherer
	Reg       prometheus.Registerer
	Log       *slog.Logger
	Now       func() time.Time // nil: time.Now
}

// Server is the web role.
type Server struct {
	Config
	listener net.Listener
	http     *http.Server
	settings jetstream.KeyValue
	board    *board
	access   *access
	metrics  *metrics
	openAPI  []byte

	streams atomic.Int64  // clients of the live stream
	leaving chan struct{} // closed when streams are to end
}

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10
	shutdownLimit = 3 * time.Second
)

// Open listens; requests are answered once Run runs.
func Open(ctx context.Context, c Config) (*Server, error) {
	if c.Token == "" {
		return nil, errors.New("open web: no token")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s := &Server{Config: c, board: newBoard(), access: newAccess(c.Token), metrics: newMetrics(c.Reg), leaving: make(chan struct{})}
	var err error
	if s.openAPI, err = openAPI(c.Version); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	if s.settings, err = c.Bus.KV(ctx, bus.SettingsBucket); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	if c.TLS != nil {
		s.listener = tls.NewListener(s.listener, c.TLS)
	}
	s.http = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run answers requests and follows CORE until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.follow(ctx) })
	g.Go(func() error {
		if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		return s.shutdown(context.WithoutCancel(ctx))
	})
	return g.Wait()
}

// shutdown ends the streams and lets other requests finish for a moment.
func (s *Server) shutdown(ctx context.Context) error {
	close(s.leaving)
	ctx, cancel := context.WithTimeout(ctx, shutdownLimit)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// Close stops listening and drops every connection. After Run there is none left.
func (s *Server) Close() error {
	if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return s.http.Close()
}

// Status returns nil while the alerts shown are those of CORE.
func (s *Server) Status() error { return s.board.status() }
