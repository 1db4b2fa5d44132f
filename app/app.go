// Package app wires linli: it reads the settings, opens the parts in order, runs them until the context ends and closes them in
// reverse. It decides which roles run in this process and with what; what a role does is the role's own.
//
//	Serve     linli serve     settings ─► open the table of parts, consumers before producers ─► run ─► close, last opened first
//	Simulate  linli simulate  the simulator against a running server
//	Check     linli check     device types and rules, and nothing else
//
// It is the only package that knows all roles. It must not decode, judge or store anything itself.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/alerts"
	"linli/alerts/notify"
	"linli/app/embedded"
	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
)

// App is one running process.
type App struct {
	set     *Settings
	version string
	log     *slog.Logger
	reg     *prometheus.Registry
	out     io.Writer

	token         string // of the administrator
	firstPassword string // of the user admin, at the first start
	catalogue     *devices.Catalogue
	rules         *alerts.Rules
	nats          *embedded.NATS // nil with an external NATS
	registry      *devices.Registry
	people        *people.Directory
	passes        *people.Passes
	auth          *auth
	disk          *embedded.DiskWatch
	influx        *series.Influx
	lines         readLines // past the query engine, if the series are embedded
	setup         *bus.Bus
	channels      notify.Channels // of the configuration file

	opened  bool // it once ran
	workers []worker
	closers []closer

	mu     sync.Mutex              // guards status
	status map[string]func() error // by role

	pingMu  sync.Mutex // guards the two below
	pinged  time.Time
	pingErr error
}

// worker runs until its context ends; one that returns earlier is an error.
type worker struct {
	name string
	run  func(context.Context) error
}

type closer struct {
	name  string
	close func() error
}

// part is one step of opening. Parts without a role are opened in every process.
type part struct {
	name string
	role string
	open func(*App, context.Context) error
}

// parts in the order they are opened: what others need first, consumers before producers. Devices are let in last.
var parts = []part{
	{"data directory", "", (*App).openDirectory},
	{"catalogue", "", (*App).openCatalogue},
	{"bus", "", (*App).openBus},
	{"registry", "", (*App).openRegistry},
	{"people", "", (*App).openPeople},
	{"time series", "", (*App).openInflux},
	{"channels", "", (*App).openChannels},
	{"store", "store", (*App).openStore},
	{"notify", "notify", (*App).openNotify},
	{"alerts", "alerts", (*App).openAlerts},
	{"web", "web", (*App).openWeb},
	{"ingest", "ingest", (*App).openIngest},
	{"watch", "", (*App).openWatch},
	{"demo", "", (*App).openDemo},
}

var roleNames = []string{"ingest", "store", "alerts", "notify", "web", "simulate"}

// closeLimit bounds the whole of closing, so that a stop takes less than 10 s.
const closeLimit = 8 * time.Second

var errTooSlow = errors.New("closing took longer")

// open opens every part that this process needs. On an error the parts that are open stay for close.
func (a *App) open(ctx context.Context) error {
	for _, p := range parts {
		if p.role != "" && !a.set.has(p.role) {
			continue
		}
		began := time.Now()
		if err := p.open(a, ctx); err != nil {
			return fmt.Errorf("open %s: %w", p.name, err)
		}
		a.log.Debug("opened", "part", p.name, "took", time.Since(began))
	}
	return nil
}

// run runs the workers until ctx ends or one of them fails.
func (a *App) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, w := range a.workers {
		g.Go(func() error {
			err := w.run(ctx)
			if ctx.Err() != nil {
				return nil //nolint:nilerr // asked to end
			}
			if err == nil {
				err = errors.New("ended by itself")
			}
			return fmt.Errorf("%s: %w", w.name, err)
		})
	}
	return g.Wait()
}

// close closes what is open, last opened first.
func (a *App) close() error {
	done := make(chan error, 1)
	go func() {
		var errs []error
		for _, c := range slices.Backward(a.closers) {
			if err := c.close(); err != nil {
				errs = append(errs, fmt.Errorf("close %s: %w", c.name, err))
			}
		}
		done <- errors.Join(errs...)
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(closeLimit):
		return fmt.Errorf("%w than %v", errTooSlow, closeLimit)
	}
}

func (a *App) onClose(name string, close func() error) {
	a.closers = append(a.closers, closer{name, close})
}

// role is what every role package offers.
type role interface {
	Run(context.Context) error
	Close() error
	Status() error
}

// play adds an opened role to what runs, is closed and is reported.
func (a *App) play(name string, r role) {
	a.workers = append(a.workers, worker{name, r.Run})
	a.onClose(name, r.Close)
	a.report(name, r.Status)
}

func (a *App) report(name string, status func() error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status[name] = status
}

// Status is the state of every role of this process: nil when it keeps its promise, else why not.
func (a *App) Status() map[string]error {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := make(map[string]error, len(a.status))
	for name, status := range a.status {
		all[name] = status()
	}
	return all
}

// component is the logger of a part.
func (a *App) component(name string) *slog.Logger { return a.log.With("component", name) }
