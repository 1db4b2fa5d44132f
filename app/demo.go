package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"linli/devices"
	"linli/devices/simulate"
	"linli/people"
	"linli/seeds"
)

// demoSeed makes the same play at every start.
const demoSeed = 1

// The trial device is a wristband of the demo that nobody plays: for trying things out by hand.
const (
	trialCommunity = "tianjin"
	trialType      = "wearable_band"
	trialDevice    = "try-1"
)

// demo registers the demo communities and then plays them, unless another process has the role simulate. The registry takes
// changes only while it runs, so both happen in Run.
type demo struct {
	app         *App
	communities []*seeds.Community
	key         []byte
	registered  atomic.Bool
	sim         atomic.Pointer[simulate.Simulator]
}

func (a *App) openDemo(context.Context) error {
	if !a.set.Demo && !a.set.has("simulate") {
		return nil
	}
	communities, err := seeds.Load()
	if err != nil {
		return err
	}
	key, err := demoKey(a.set.Data)
	if err != nil {
		return err
	}
	a.play("simulate", &demo{app: a, communities: communities, key: key})
	return nil
}

func demoKey(dir string) ([]byte, error) {
	s, err := keep(dir, "demo.key")
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(s)
}

// demoSecret derives a device's secret from the key of this installation's demo: 160 bit, the same at every start.
func demoSecret(key []byte, device string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(device))
	return hex.EncodeToString(h.Sum(nil)[:20])
}

func (d *demo) Run(ctx context.Context) error {
	if err := d.register(ctx); err != nil {
		return err
	}
	d.registered.Store(true)
	a := d.app
	if !a.set.has("simulate") {
		<-ctx.Done()
		return nil
	}
	cfg := simulate.Config{
		MQTTURL: a.set.MQTTURL, Root: a.set.Root, Catalogue: a.catalogue, Communities: d.communities, Scale: a.set.Scale,
		Credentials: func(device string) string { return demoSecret(d.key, device) },
		Seed:        demoSeed, Speed: a.set.Speed, History: a.influx, Log: a.component("simulate"), Registerer: a.reg,
	}
	if a.ownBroker() {
		cfg.MQTTURL, cfg.TLS = a.localMQTT()
	}
	sim, err := simulate.Open(ctx, cfg)
	if err != nil {
		return err
	}
	d.sim.Store(sim)
	return errors.Join(sim.Run(ctx), sim.Close())
}

// localMQTT is our own broker as a client in this process reaches it. The certificate is for the names that others use, and
// this connection never leaves the machine.
func (a *App) localMQTT() (string, *tls.Config) {
	if a.set.TLSCert == "" {
		return "tcp://" + loopback(a.nats.MQTTAddr()), nil
	}
	return "ssl://" + loopback(a.nats.MQTTAddr()), &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
}

func (d *demo) Close() error { return nil }

func (d *demo) Status() error {
	if !d.registered.Load() {
		return errors.New("the demo communities are being registered")
	}
	if sim := d.sim.Load(); sim != nil {
		return sim.Status()
	}
	return nil
}

// register adds the communities, people and devices that are not there yet.
func (d *demo) register(ctx context.Context) error {
	r := d.app.registry
	for _, c := range d.communities {
		if err := r.PutCommunity(ctx, c.Community); err != nil {
			return fmt.Errorf("register %s: %w", c.ID, err)
		}
		if err := d.registerPeople(ctx, c); err != nil {
			return fmt.Errorf("register people of %s: %w", c.ID, err)
		}
		fleet := c.Fleet(d.app.set.Scale)
		for _, behind := range []bool{false, true} { // gateways before what is behind them
			err := each(ctx, len(fleet), func(i int) error {
				if (fleet[i].Gateway != "") != behind {
					return nil
				}
				return d.add(ctx, fleet[i].Device)
			})
			if err != nil {
				return fmt.Errorf("register devices of %s: %w", c.ID, err)
			}
		}
	}
	return d.add(ctx, devices.Device{ID: trialDevice, Community: trialCommunity, Type: trialType, Name: "试用手环"})
}

// registerPeople adds the people and rotas of a community that are not there yet. Invented staff must not keep an alert from the
// duty channels of the configuration: where there are such, the staff has no addresses, and covers nothing.
func (d *demo) registerPeople(ctx context.Context, c *seeds.Community) error {
	all, known := c.People(d.app.set.Scale), d.app.people
	for _, withCircle := range []bool{false, true} { // who is in a circle before whose it is
		err := each(ctx, len(all), func(i int) error {
			p := &all[i]
			if (len(p.Circle) > 0) != withCircle {
				return nil
			}
			if p.Staff() && len(d.app.set.file.Duty) > 0 {
				p.Reach = nil
			}
			old := known.Person(p.ID)
			if old == nil || len(old.Roles) == 0 { // of an older demo, which had names only
				return known.PutPerson(ctx, *p)
			}
			if ours := len(old.Reach) == 0 || slices.Equal(old.Reach, seeds.Reach); p.Staff() && ours && len(old.Reach) != len(p.Reach) {
				return known.EditPerson(ctx, p.ID, func(x *people.Person) error {
					x.Reach = p.Reach
					return nil
				})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, r := range c.Rotas() {
		if known.Rota(r.ID) == nil {
			if err := known.PutRota(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *demo) add(ctx context.Context, device devices.Device) error {
	err := d.app.registry.AddDeviceWithSecret(ctx, device, devices.Secret(demoSecret(d.key, device.ID)))
	if errors.Is(err, devices.ErrExists) {
		return nil // somebody has changed it since
	}
	return err
}

// each calls f for 0 … n-1, a few at a time.
func each(ctx context.Context, n int, f func(int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return f(i) })
	}
	return g.Wait()
}

// trialCommand is a line to paste into a shell: an SOS of the trial wristband to our own broker.
func (a *App) trialCommand() string {
	key, err := demoKey(a.set.Data)
	if err != nil {
		return ""
	}
	host, port := splitAddr(loopback(a.nats.MQTTAddr()))
	return fmt.Sprintf("mosquitto_pub -h %s -p %s -i %[3]s -u %[3]s -P %[4]s -q 1 -t %[5]s/event/%[6]s/%[7]s/%[3]s/sos -n",
		host, port, trialDevice, demoSecret(key, trialDevice), a.set.Root, trialCommunity, trialType)
}
