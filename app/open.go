package app

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"

	"linli/alerts"
	"linli/app/embedded"
	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
)

// openDirectory takes the data directory for this process alone and reads or makes its secrets.
func (a *App) openDirectory(context.Context) error {
	dir := a.set.Data
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	lock, err := embedded.Lock(dir)
	if err != nil {
		return err
	}
	a.onClose("lock", lock.Close)
	clock, err := embedded.OpenClock(dir, a.set.ClockJump, a.log)
	if err != nil {
		return err
	}
	a.workers = append(a.workers, worker{"clock guard", clock.Run})
	a.onClose("clock guard", clock.Close)
	a.report("clock", clock.Status)
	if a.disk, err = embedded.WatchDisk(dir, a.diskFull, a.log, a.reg); err != nil {
		return err
	}
	a.workers = append(a.workers, worker{"disk watch", a.disk.Run})
	a.report("disk", a.disk.Status)
	a.token, err = keep(dir, tokenName)
	return err
}

// diskFull turns devices away: they keep what is not acknowledged.
func (a *App) diskFull() {
	if a.nats != nil {
		a.nats.DisconnectAll()
	}
}

const tokenName = "admin.token"

func (a *App) tokenFile() string { return filepath.Join(a.set.Data, tokenName) }

func (a *App) openCatalogue(context.Context) error {
	var err error
	if a.catalogue, err = devices.LoadCatalogue(dirs(a.set.Catalogue)...); err != nil {
		return err
	}
	a.rules, err = alerts.LoadRules(a.catalogue, dirs(a.set.Rules)...)
	return err
}

// dirs is the list of a directory that may be left out.
func dirs(dir string) []string {
	if dir == "" {
		return nil
	}
	return []string{dir}
}

// leastStore is the space in bytes with which an outside NATS is worth starting on.
const leastStore = 1 << 30

// openBus starts the embedded server, or connects to the external system, and sets up the streams.
func (a *App) openBus(ctx context.Context) error {
	total := int64(64 << 30) // of an external system, or as much as it has
	if a.set.NATSURL == "" {
		cert, err := a.serverTLS()
		if err != nil {
			return err
		}
		addr := a.set.MQTT
		if a.set.MQTTURL != "" {
			addr = "" // a listener that nobody is told of
		}
		a.nats, err = embedded.OpenNATS(embedded.Config{
			Dir: a.set.Data, MQTTAddr: addr, TLS: cert, SyncAlways: a.set.Sync == "always", Root: a.set.Root,
			Auth: a.auth, Log: a.log, Reg: a.reg,
		})
		if err != nil {
			return err
		}
		a.onClose("bus", a.nats.Close)
		total = a.nats.MaxStore()
	}
	var err error
	if a.setup, err = a.connect("setup"); err != nil {
		return err
	}
	setup := func(ctx context.Context) error {
		limits := bus.Share(total)
		limits.Kept, limits.Replicas = a.nats == nil, a.set.NATSReplicas
		return a.setup.Setup(ctx, limits)
	}
	err = setup(ctx)
	for ; a.nats == nil && bus.NoRoom(err) && total > leastStore; err = setup(ctx) {
		total /= 2
		a.log.Warn("the outside NATS has less room, taking smaller streams", "bytes", total)
	}
	if err != nil {
		return err
	}
	births, err := a.setup.Births(ctx)
	if err != nil {
		return err
	}
	keep := func(ctx context.Context) error {
		return a.setup.Keep(ctx, births, setup, a.component("streams"))
	}
	janitor := func(ctx context.Context) error { return a.setup.Janitor(ctx, a.component("janitor")) }
	a.workers = append(a.workers, worker{"streams", keep}, worker{"janitor", janitor})
	if a.nats != nil {
		a.workers = append(a.workers, worker{"broker", a.nats.Run})
	}
	return nil
}

// ownBroker reports whether devices connect to the embedded broker.
func (a *App) ownBroker() bool { return a.nats != nil && a.set.MQTTURL == "" }

// connect opens a role's own connection; it may do what that role needs and nothing else.
func (a *App) connect(role string) (*bus.Bus, error) {
	var nc *nats.Conn
	var err error
	if a.nats != nil {
		nc, err = a.nats.Conn(role)
	} else {
		var more []nats.Option
		if a.set.NATSCreds != "" {
			more = append(more, nats.UserCredentials(a.set.NATSCreds))
		}
		nc, err = bus.Dial(a.set.NATSURL, role, a.log, more...)
	}
	if err != nil {
		return nil, err
	}
	a.onClose(role+" connection", func() error {
		nc.Close()
		return nil
	})
	b, err := bus.New(nc)
	if err == nil && a.nats == nil {
		roam := func(ctx context.Context) error { return b.Roam(ctx, a.log.With("connection", role)) }
		a.workers = append(a.workers, worker{role + " connection", roam})
	}
	return b, err
}

// serverTLS is the configuration of our listeners; nil: in the clear.
func (a *App) serverTLS() (*tls.Config, error) {
	if a.set.TLSCert == "" {
		return nil, nil
	}
	cert, err := tls.LoadX509KeyPair(a.set.TLSCert, a.set.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// openRegistry follows the registry; a device that may do less than before loses its connection.
func (a *App) openRegistry(ctx context.Context) error {
	key, err := keep(a.set.Data, "registry.key")
	if err != nil {
		return err
	}
	raw, err := hex.DecodeString(key)
	if err != nil {
		return err
	}
	registry, err := a.setup.KV(ctx, bus.RegistryBucket)
	if err != nil {
		return err
	}
	lives := func(person, community string) bool { return a.people.Lives(person, community) }
	if a.registry, err = devices.OpenRegistry(ctx, registry, a.catalogue, raw, lives); err != nil {
		return err
	}
	if a.nats != nil {
		reissue := newReissuer(a.nats.Disconnect)
		a.workers = append(a.workers, worker{"reissue", reissue.run})
		a.registry.OnChange(reissue.change)
		a.auth.registry.Store(a.registry)
	}
	a.workers = append(a.workers, worker{"registry", a.registry.Run})
	a.report("registry", a.registry.Status)
	return nil
}

// openPeople follows who is registered and who is on duty. What lets them answer without an account is signed with a key that all
// processes of an installation share.
func (a *App) openPeople(ctx context.Context) error {
	kv, err := a.setup.KV(ctx, bus.PeopleBucket)
	if err != nil {
		return err
	}
	if a.people, err = people.Open(ctx, kv, a.registry); err != nil {
		return err
	}
	settings, err := a.setup.KV(ctx, bus.SettingsBucket)
	if err != nil {
		return err
	}
	key, err := share(ctx, settings, "passes.key")
	if err != nil {
		return err
	}
	a.passes = people.NewPasses(key)
	a.workers = append(a.workers, worker{"people", a.people.Run})
	a.report("people", a.people.Status)
	return nil
}

// openInflux opens the time series for the roles that use them.
func (a *App) openInflux(ctx context.Context) error {
	if !a.set.has("store") && !a.set.has("web") && !a.set.has("simulate") {
		return nil
	}
	var stored readLines
	o := series.Options{URL: a.set.InfluxURL, Org: a.set.InfluxOrg, Bucket: a.set.InfluxBucket, Token: a.set.InfluxToken}
	if o.URL == "" {
		// What a damaged disk took from the time series is still in the streams.
		onLoss := func() error {
			_, err := a.setup.RequestRebuild(ctx)
			return err
		}
		db, err := embedded.OpenInflux(filepath.Join(a.set.Data, "influx"), a.log, onLoss)
		if err != nil {
			return err
		}
		a.onClose("InfluxDB", db.Close)
		o.URL, o.HTTPClient, o.Bucket = embedded.InfluxURL, db.Client(), embedded.Database+"/autogen"
		stored = db.Lines
	}
	x, err := series.OpenInflux(o)
	if err != nil {
		return err
	}
	a.influx, a.lines = x, stored
	if stored == nil {
		a.lines = x.Lines
	}
	a.onClose("time series", x.Close)
	a.report("influx", a.pingInflux)
	return nil
}

// pingInflux asks at most once a second, however often readiness is asked for.
func (a *App) pingInflux() error {
	a.pingMu.Lock()
	defer a.pingMu.Unlock()
	if time.Since(a.pinged) > time.Second {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		a.pingErr, a.pinged = a.influx.Ping(ctx), time.Now()
	}
	return a.pingErr
}
