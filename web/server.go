// Package web is what browsers, the command line and other programs talk to: the HTTP API, its live stream, and the pages.
//
// Who asks has a session, an API token or the administrator's token; each route says which roles may, and nobody sees or changes
// what is out of their reach (reach.go). What people did, and who looked at data of persons, is kept in AUDIT for a year.
//
// It shows what the registry, the time series and CORE hold, and hands on what people do: edits to the registry, actions to
// ACTIONS. It must not know MQTT, decide about alerts or write their state.
//
//	/                     the pages; they hold no data
//	/healthz, /readyz     alive, and whether every role keeps its promise; open to all, reasons for who has the token
//	/metrics              Prometheus
//	/api/v1/…             the tables of routes, see routes.go; described by what /api/v1/openapi.json makes of them
//	/api/v1/stream        server-sent events: snapshot, then changes; who does not keep up is disconnected and comes back
package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
	"linli/web/account"
)

// History answers questions about stored readings. It is safe for concurrent use; a *series.RefusedError is the asker's mistake.
type History interface {
	Raw(ctx context.Context, q series.Query, limit int) ([]series.Point, error)
	Window(ctx context.Context, q series.Query, w series.Window) ([]series.Point, error)
	Latest(ctx context.Context, groups ...series.Group) ([]series.Value, error)
	Spread(ctx context.Context, g series.Group) ([]series.Value, error)
	Buckets(ctx context.Context, q series.Query, w series.Window) ([]series.Bucket, error)
	Events(ctx context.Context, devices []string, from, to time.Time, limit int) ([]series.Event, error)
	EventsOf(ctx context.Context, q series.EventQuery, limit int) ([]series.Event, error)
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
	Passes    *people.Passes    // nil: nobody is sent links
	Channels  map[string]string // kinds of the configured channels by name; nil: not known here
	History   History
	Writer    Writer
	// ReplayRules judges history by rules and hands over each transition; nil: this process cannot.
	ReplayRules func(ctx context.Context, q Replay, emit func(any) error) error
	Rules       Rules                   // nil: this process does not know them
	Status      func() map[string]error // every role and why it is not ready; nil: only this one
	Gatherer    prometheus.Gatherer
	Reg         prometheus.Registerer
	Log         *slog.Logger
	Now         func() time.Time // nil: time.Now

	PublicURL  string        // under which people reach the pages; with https their browsers send sessions over TLS only
	MaxConns   int           // at a time, one more waits until another ends; 0: 4096
	Password   account.Cost  // of checking a password; zero: usual
	ActionWait time.Duration // how long an action waits for its effect; 0: 3 s
}

// Server is the web role.
type Server struct {
	Config
	listener net.Listener
	http     *http.Server
	settings jetstream.KeyValue
	board    *board
	accounts *account.Accounts
	access   *access
	views    *views
	search   search
	figures  figureCache
	rate     rate
	metrics  *metrics
	openAPI  lasting
	types    lasting
	areas    []string // of the API

	firstPassword string
	streams       *streams
	tests         testLimits
	replaying     chan struct{} // holds a place while rules are replayed: that takes a processor and much of the database
	leaving       chan struct{} // closed when streams are to end
}

const (
	headerTimeout = 5 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 32 << 10

	maxConnections = 4096
	shutdownLimit  = 3 * time.Second
)

// Open listens; requests are answered once Run runs.
func Open(ctx context.Context, c Config) (*Server, error) {
	if c.Token == "" {
		return nil, errors.New("open web: no token")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.ActionWait = cmp.Or(c.ActionWait, actionWait)
	s := &Server{Config: c, board: newBoard(), views: newViews(), metrics: newMetrics(c.Reg), leaving: make(chan struct{}), replaying: make(chan struct{}, 1)}
	s.streams = &streams{metrics: s.metrics, sessions: map[string]int{}, byAccount: map[string]int{}}
	var err error
	if err = s.openAccounts(ctx); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	s.areas = areas()
	description, err := openAPI(c.Version)
	if err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	types, err := json.Marshal(showTypes(c.Catalogue))
	if err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	s.openAPI, s.types = newLasting(description), newLasting(types)
	if s.settings, err = c.Bus.KV(ctx, bus.SettingsBucket); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Addr); err != nil {
		return nil, fmt.Errorf("open web: %w", err)
	}
	s.listener = netutil.LimitListener(s.listener, cmp.Or(c.MaxConns, maxConnections))
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

// openAccounts loads who may log in, and makes the first of them.
func (s *Server) openAccounts(ctx context.Context) error {
	users, err := s.Bus.KV(ctx, bus.UsersBucket)
	if err != nil {
		return err
	}
	sessions, err := s.Bus.KV(ctx, bus.SessionsBucket)
	if err != nil {
		return err
	}
	s.accounts, err = account.Open(ctx, account.Config{Users: users, Sessions: sessions, Cost: s.Password, Log: s.Log, Now: s.Now})
	if err != nil {
		return err
	}
	s.access = &access{
		token: sha256.Sum256([]byte(s.Token)), accounts: s.accounts, secure: s.TLS != nil || strings.HasPrefix(s.PublicURL, "https://"),
	}
	s.firstPassword, err = s.accounts.First(ctx)
	return err
}

// FirstPassword is that of the user admin, if this start made them; it is to be shown this once.
func (s *Server) FirstPassword() string { return s.firstPassword }

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run answers requests and follows CORE until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.follow(ctx) })
	g.Go(func() error { return s.accounts.Run(ctx) })
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

// Status returns nil while the alerts shown are those of CORE, and those let in are those of the buckets.
func (s *Server) Status() error { return errors.Join(s.board.status(), s.accounts.Status()) }
