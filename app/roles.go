package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"linli/alerts"
	"linli/alerts/notify"
	"linli/app/embedded"
	"linli/bus"
	"linli/devices"
	"linli/ingest"
	"linli/ingest/store"
	"linli/people"
	"linli/web"
)

func (a *App) openStore(ctx context.Context) error {
	b, err := a.connect("store")
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, store.Config{Bus: b, Writer: a.influx, Log: a.component("store"), Reg: a.reg})
	if err != nil {
		return err
	}
	a.play("store", s)
	return nil
}

func (a *App) openChannels(context.Context) (err error) {
	a.channels, err = notify.OpenChannels(a.set.file.Channels, a.component("notify"))
	return err
}

func (a *App) openNotify(ctx context.Context) error {
	b, err := a.connect("notify")
	if err != nil {
		return err
	}
	n, err := notify.Open(ctx, notify.Config{
		Bus: b, Channels: a.channels, Duty: a.set.file.Duty, Link: a.link(), Log: a.component("notify"), Reg: a.reg,
	})
	if err != nil {
		return err
	}
	a.play("notify", n)
	return nil
}

// link makes the links under which alerts are acknowledged without an account; nil where people cannot reach the pages.
func (a *App) link() func(*bus.AlertEvent, *bus.Recipient) string {
	if a.set.PublicURL == "" {
		return nil
	}
	base := strings.TrimRight(a.set.PublicURL, "/") + "/a/"
	return func(e *bus.AlertEvent, r *bus.Recipient) string {
		return base + a.passes.Seal(people.Pass{Alert: e.Alert.ID, Person: r.Person, Until: e.At.Add(people.PassFor)})
	}
}

// directory is all that alerts asks about: devices and communities, people and rotas.
type directory struct {
	*devices.Registry
	*people.Directory
}

func (a *App) openAlerts(ctx context.Context) error {
	b, err := a.connect("alerts")
	if err != nil {
		return err
	}
	e, err := alerts.Open(ctx, alerts.Config{
		Bus: b, Rules: a.rules, Directory: directory{a.registry, a.people}, Resolver: a.people, Elders: a.people.Expected, Problems: a.problems,
		Log: a.component("alerts"), Registerer: a.reg,
	})
	if err != nil {
		return err
	}
	a.play("alerts", e)
	return nil
}

// problems are what is wrong with people and rotas. Where no channels are configured, theirs are not known.
func (a *App) problems(now time.Time) []people.Problem {
	s := people.Survey{Elders: people.Wearers(a.registry.Devices(), a.catalogue), Now: now}
	if len(a.set.file.Channels) > 0 {
		s.Channels = a.channelKinds()
	}
	return a.people.Problems(s)
}

func (a *App) openWeb(ctx context.Context) error {
	b, err := a.connect("web")
	if err != nil {
		return err
	}
	cert, err := a.serverTLS()
	if err != nil {
		return err
	}
	files, err := embedded.Files()
	if err != nil {
		return err
	}
	s, err := web.Open(ctx, web.Config{
		Addr: a.set.HTTP, TLS: cert, MaxConns: min(files/8, 4096), Token: a.token, Root: a.set.Root, Version: a.version, Bus: b,
		Catalogue: a.catalogue, Registry: a.registry, People: a.people, Channels: a.channelKinds(), Passes: a.passes,
		History: a.influx, Writer: a.influx, Status: a.Status, Gatherer: a.reg, Reg: a.reg,
		Log: a.component("web"), PublicURL: a.set.PublicURL, ReplayRules: a.replayRules,
		Rules: &ruleBook{files: a.rules, dir: directory{a.registry, a.people}},
	})
	if err != nil {
		return err
	}
	a.firstPassword = s.FirstPassword()
	a.play("web", s)
	return nil
}

// broker is the one that devices connect to, and our login at an outside one.
func (a *App) broker() ingest.Broker {
	if a.ownBroker() {
		url, tls := a.localMQTT()
		return ingest.Broker{URL: url, TLS: tls}
	}
	return ingest.Broker{URL: a.set.MQTTURL, User: a.set.MQTTUser, Password: a.set.MQTTPassword, Share: a.set.MQTTShare, KeepsIDs: true}
}

// owner is who this process is to others on the same bus: whoever has this data directory, which is locked, on this machine. A copy of
// the directory on another machine is somebody else.
func (a *App) owner() (string, error) {
	key, err := keep(a.set.Data, "owner.key")
	if err != nil {
		return "", err
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name of this machine: %w", err)
	}
	return key[:16] + "@" + host, nil
}

// openIngest lets devices in as soon as the broker keeps what they send.
func (a *App) openIngest(ctx context.Context) error {
	b, err := a.connect("ingest")
	if err != nil {
		return err
	}
	owner, err := a.owner()
	if err != nil {
		return err
	}
	broker := a.broker()
	if a.ownBroker() {
		broker.User, broker.Password = a.nats.IngestCredentials()
	}
	i, err := ingest.Open(ctx, ingest.Config{
		Bus: b, Catalogue: a.catalogue, Registry: a.registry, Broker: broker, Root: a.set.Root,
		SyncAlways: a.set.Sync == "always", Settle: a.set.Settle, Lease: a.nats == nil && broker.Share == "", Owner: owner, Log: a.component("ingest"), Reg: a.reg,
	})
	if err != nil {
		return err
	}
	if a.ownBroker() {
		a.nats.SetGate(func() bool { return i.Ready() && !a.disk.Full() })
	}
	a.play("ingest", i)
	return nil
}

// channelKinds are the kinds of the channels that notify has, by name; nil if it runs in another process.
func (a *App) channelKinds() map[string]string {
	if !a.set.has("notify") {
		return nil
	}
	kinds := map[string]string{"log": "log"}
	for i := range a.set.file.Channels {
		var c struct{ Name, Type string }
		if err := a.set.file.Channels[i].Decode(&c); err == nil {
			kinds[c.Name] = c.Type
		}
	}
	return kinds
}
