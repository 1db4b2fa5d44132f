package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go/jetstream"

	"linli/alerts/notify"
	"linli/app/watch"
	"linli/bus"
	"linli/devices"
)

// probe presses the button of devices.Probe as a device would, over MQTT, and waits until the notifier has made a delivery of it.
type probe struct {
	url, user, password string
	clientID            string
	tls                 *tls.Config
	root                string
	bus                 *bus.Bus
}

// Press tries the whole way once. The error says how far the press came.
func (p *probe) Press(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := p.bus.JS.OrderedConsumer(ctx, bus.Core, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.ProbeSubject}, DeliverPolicy: jetstream.DeliverNewPolicy,
	})
	if err != nil {
		return fmt.Errorf("read the bus: %w", err)
	}
	heard, err := c.Messages(bus.Beat)
	if err != nil {
		return fmt.Errorf("read the bus: %w", err)
	}
	defer heard.Stop()
	at := time.Now().UTC().Truncate(time.Millisecond)
	if err := p.publish(ctx, at); err != nil {
		return err
	}
	for {
		m, err := heard.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("the broker has taken it, the notifier has not had it: %w", err)
		}
		var d bus.Delivery
		if json.Unmarshal(m.Data(), &d) == nil && d.Created.Equal(at) {
			return nil
		}
	}
}

func (p *probe) publish(ctx context.Context, at time.Time) error {
	o := mqtt.NewClientOptions().AddBroker(p.url).SetClientID(p.clientID).SetUsername(p.user).SetPassword(p.password)
	o.SetTLSConfig(p.tls).SetCleanSession(true).SetAutoReconnect(false).SetConnectTimeout(5 * time.Second).SetProtocolVersion(4)
	c := mqtt.NewClient(o)
	if err := done(ctx, c.Connect()); err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	defer c.Disconnect(0)
	d := devices.Probe
	topic := devices.Topic{Lane: devices.EventLane, Community: d.Community, Type: d.Type, Device: d.ID, Name: devices.ProbeEvent}
	payload := fmt.Sprintf(`{"ts": %d}`, at.UnixMilli())
	if err := done(ctx, c.Publish(topic.String(p.root), 1, false, payload)); err != nil {
		return fmt.Errorf("publish: %w", err)
	}
	return nil
}

// done waits for what the client was asked for.
func done(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return errors.Join(errors.New("the broker does not answer"), ctx.Err())
	}
}

// openWatch lets linli watch itself. The process that has the login of the broker tries the way of an SOS.
func (a *App) openWatch(context.Context) error {
	c, err := a.watchOnItsOwn()
	if err != nil {
		return err
	}
	if a.set.has("ingest") {
		b, err := a.connect("watch")
		if err != nil {
			return err
		}
		c.Press = a.probe(b).Press
	}
	a.workers = append(a.workers, worker{"watch", watch.New(c).Run})
	return nil
}

// watchOnItsOwn is what watches and tells without a bus.
func (a *App) watchOnItsOwn() (c watch.Config, err error) {
	log := a.component("watch")
	c = watch.Config{Status: a.Status, Log: log, Reg: a.reg}
	operator, err := notify.NewOperator(a.channels, a.set.file.Operator)
	if err != nil {
		return c, err
	}
	if c.Tell = func(ctx context.Context, n watch.Notice) error { return operator.Tell(ctx, notify.Trouble(n)) }; len(a.set.file.Operator) == 0 {
		c.Tell = func(_ context.Context, n watch.Notice) error {
			log.Error("linli is in trouble, and the configuration names no operator to tell", "part", n.Part, "over", n.Over, "err", n.Err)
			return nil
		}
	}
	if a.set.file.Heartbeat.URL != "" {
		c.Beat, err = a.set.file.Heartbeat.Open()
	}
	return c, err
}

func (a *App) probe(b *bus.Bus) *probe {
	broker := a.broker()
	p := &probe{url: broker.URL, user: broker.User, password: broker.Password, clientID: devices.Probe.ID, tls: broker.TLS, root: a.set.Root, bus: b}
	if a.ownBroker() {
		p.user, p.password = a.nats.ProbeCredentials()
	}
	return p
}
