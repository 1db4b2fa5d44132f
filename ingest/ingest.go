package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/bus"
	"linli/devices"
)

// Config is what ingest works with.
type Config struct {
	Bus       *bus.Bus
	Catalogue *devices.Catalogue
	Registry  *devices.Registry
	Broker    Broker
	Root      string // first level of every topic; empty: linli
	Replica   string // tells processes apart that share a subscription; each has sessions of its own
	// SyncAlways stores the batches of a moment as one atomic batch, for a bus that makes every one durable by itself.
	SyncAlways bool
	// Lease makes one process at a time work, where several can reach the bus and do not share a subscription.
	Lease bool
	// Owner is who this process is: the same after a restart, and nobody else's at the same time. Empty: somebody new each time, who
	// waits for what its predecessor held.
	Owner     string
	MaxSeries int           // distinct combinations of series tags a device may use; 0: 64
	Settle    time.Duration // that devices get to connect again after they could not be heard; 0: bus.Settle
	Log       *slog.Logger
	Reg       prometheus.Registerer
	Now       func() time.Time // nil: time.Now
}

const (
	defaultRoot   = "linli"
	defaultSeries = 64
	linger        = 5 * time.Millisecond
)

// Ingest moves what devices publish from the broker to the bus, and commands the other way.
type Ingest struct {
	bus        *bus.Bus
	catalogue  *devices.Catalogue
	registry   *devices.Registry
	broker     Broker
	root       string
	clientID   string
	syncAlways bool
	maxSeries  int
	log        *slog.Logger
	metrics    *metrics
	settle     time.Duration
	now        func() time.Time

	lanes  atomic.Pointer[lanes]
	worked bool   // with those lanes
	lease  *lease // nil: not needed
	sender *lease // of the replica that sends commands, where several share a subscription; nil: this one
}

// lanes are what one term of work has: an ingest that has lost its lease and has it again begins with others.
type lanes struct{ bulk, fast *lane }

// Open prepares; Run connects. It fails if the broker's URL is unusable, the bus is out of reach, or the broker does not deliver to a
// shared subscription that is asked for.
func Open(ctx context.Context, c Config) (*Ingest, error) {
	if u, err := url.Parse(c.Broker.URL); err != nil || u.Host == "" {
		return nil, fmt.Errorf("broker url: %q is not a URL with a host", c.Broker.URL)
	}
	i := &Ingest{
		bus: c.Bus, catalogue: c.Catalogue, registry: c.Registry, broker: c.Broker, root: c.Root, syncAlways: c.SyncAlways,
		maxSeries: c.MaxSeries, settle: cmp.Or(c.Settle, bus.Settle), log: c.Log, metrics: newMetrics(c.Reg), now: c.Now,
	}
	if i.root == "" {
		i.root = defaultRoot
	}
	if i.maxSeries == 0 {
		i.maxSeries = defaultSeries
	}
	if i.now == nil {
		i.now = time.Now
	}
	var err error
	if i.clientID, err = clientID(ctx, c.Bus, c.Replica); err != nil {
		return nil, err
	}
	if c.Broker.Share != "" {
		if err := probeShare(ctx, c.Broker, i.root); err != nil {
			return nil, err
		}
	}
	if c.Lease {
		if i.lease, err = newLease(ctx, c.Bus, leaseKey, c.Owner, i.log); err != nil {
			return nil, err
		}
	}
	if c.Broker.Share != "" {
		if i.sender, err = newLease(ctx, c.Bus, senderKey, c.Owner, i.log); err != nil {
			return nil, err
		}
	}
	return i, i.renew(ctx)
}

// renew makes lanes that remember nothing but the last known states, which are on the bus, and under which ids events came: what an
// earlier term has sent to the bus may be stored yet, once a partition heals, and must not be another event than the one that comes again.
func (i *Ingest) renew(ctx context.Context) error {
	l := &lanes{
		bulk: newLane(i, "bulk", linger, []string{"telemetry"}),
		fast: newLane(i, "fast", 0, []string{"safety", "event", "state", "reply"}),
	}
	if err := l.fast.loadStates(ctx); err != nil {
		return fmt.Errorf("read last known states: %w", err)
	}
	if before := i.lanes.Load(); before != nil {
		l.fast.repeats = before.fast.repeats
	}
	i.lanes.Store(l)
	i.worked = false
	return nil
}

// clientID is that of our sessions: random, so that nobody guesses it, and kept, because the broker's queue hangs on it.
func clientID(ctx context.Context, b *bus.Bus, replica string) (string, error) {
	kv, err := b.KV(ctx, bus.SettingsBucket)
	if err != nil {
		return "", err
	}
	key := "ingest.client"
	if replica != "" {
		key += "." + replica
	}
	random := make([]byte, 16)
	rand.Read(random)
	id := hex.EncodeToString(random)
	switch _, err := kv.Create(ctx, key, []byte(id)); {
	case err == nil:
		return id, nil
	case !errors.Is(err, jetstream.ErrKeyExists):
		return "", fmt.Errorf("keep client id: %w", err)
	}
	e, err := kv.Get(ctx, key)
	if err != nil {
		return "", fmt.Errorf("read client id: %w", err)
	}
	return string(e.Value()), nil
}

// Run works until ctx ends. What was read from the broker then is stored and acknowledged first, if that is quick.
func (i *Ingest) Run(ctx context.Context) error {
	if i.lease != nil {
		return i.lease.hold(ctx, i.work)
	}
	return i.work(ctx)
}

// work is one term. What an earlier one had read and not stored comes again from the broker, and the lanes that know it already
// would take it for a repeat: it needs new ones.
func (i *Ingest) work(ctx context.Context) error {
	for i.worked {
		if err := i.renew(ctx); err != nil {
			i.log.Warn("cannot begin yet", "err", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(firstPause):
		}
	}
	i.worked = true
	l := i.lanes.Load()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.bulk.run(ctx) })
	g.Go(func() error { return l.fast.run(ctx) })
	g.Go(func() error { return i.tellListening(ctx) })
	g.Go(func() error { return i.command(ctx) })
	g.Go(func() error { return i.bus.FollowReplays(ctx, bus.SourceIngest, i.log, i.replay) })
	return g.Wait()
}

// command sends commands, as long as no other replica does.
func (i *Ingest) command(ctx context.Context) error {
	if i.sender != nil {
		return i.sender.hold(ctx, i.dispatch)
	}
	return i.dispatch(ctx)
}

// Close does nothing: Run has ended everything it began.
func (i *Ingest) Close() error { return nil }

// Ready reports whether the broker keeps what devices send. Until then it would acknowledge and forget: no device may connect.
func (i *Ingest) Ready() bool {
	l := i.lanes.Load()
	return l.bulk.session.granted.Load() && l.fast.session.granted.Load()
}

// Status says why ingest is not all right; nil if it is.
func (i *Ingest) Status() error {
	if i.lease != nil {
		if err := i.lease.status(); err != nil {
			return err
		}
	}
	all := i.lanes.Load()
	for _, l := range []*lane{all.bulk, all.fast} {
		if err := l.status(); err != nil {
			return fmt.Errorf("%s lane: %w", l.name, err)
		}
	}
	return nil
}
