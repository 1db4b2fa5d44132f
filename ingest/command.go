package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"strings"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"linli/bus"
	"linli/devices"
	"linli/internal/failpoint"
)

const (
	dispatchTick = time.Second // how late a command may expire or be sent again
	sendLimit    = 5 * time.Second
	clockMargin  = time.Minute // between the clocks of processes
)

// dispatcher sends commands to devices and notes what becomes of them. All it knows is on the bus, so another one goes on where it
// ended; what it was just sending is sent again then, under the same id.
//
//	COMMANDS ─────────► outgoing ──► broker ──► device
//	    ▲                  ▲  │
//	    └── states ────────┼──┘
//	EVENTS ─ replies, online, offline ◄── fast lane
type dispatcher struct {
	*Ingest
	log      *slog.Logger
	outgoing *outgoing
	line     devices.Line
	client   mqtt.Client // nil: not connected
}

// dispatch works until ctx ends, beginning anew after an error.
func (i *Ingest) dispatch(ctx context.Context) error {
	for ctx.Err() == nil {
		d := &dispatcher{Ingest: i, log: i.log.With("part", "commands"), outgoing: newOutgoing()}
		err := d.run(ctx)
		d.disconnect()
		if ctx.Err() != nil {
			break
		}
		d.log.Warn("beginning anew", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(firstPause):
		}
	}
	return ctx.Err()
}

// run loads what is open and then follows the bus.
func (d *dispatcher) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	news := make(chan jetstream.Msg)
	commands, err := d.open(ctx, bus.Commands, jetstream.OrderedConsumerConfig{}, d.take)
	if err != nil {
		return err
	}
	defer commands.Stop()
	states, err := d.open(ctx, bus.Events, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.EventSubject("*", "*", "*", "online"), bus.EventSubject("*", "*", "*", "offline")},
		DeliverPolicy:  jetstream.DeliverLastPerSubjectPolicy,
	}, d.take)
	if err != nil {
		return err
	}
	defer states.Stop()
	// An answer may have come while nobody noted it.
	since := d.outgoing.oldest(d.now()).Add(-clockMargin)
	replies, err := d.open(ctx, bus.Events, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{bus.EventSubject("*", "*", "*", devices.ReplyEvent)},
		DeliverPolicy:  jetstream.DeliverByStartTimePolicy, OptStartTime: &since,
	}, func(m jetstream.Msg) error { return d.settle(ctx, m) })
	if err != nil {
		return err
	}
	defer replies.Stop()
	for _, from := range []jetstream.MessagesContext{commands, states, replies} {
		g.Go(func() error { return forward(ctx, from, news) })
	}
	g.Go(func() error { return d.work(ctx, news) })
	return g.Wait()
}

// open reads what a stream holds and returns the rest.
func (d *dispatcher) open(ctx context.Context, stream string, config jetstream.OrderedConsumerConfig, take func(jetstream.Msg) error) (jetstream.MessagesContext, error) {
	c, err := d.bus.JS.OrderedConsumer(ctx, stream, config)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	messages, err := c.Messages(bus.Beat)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", stream, err)
	}
	for pending := c.CachedInfo().NumPending; pending > 0; {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err == nil {
			err = take(m)
		}
		if err != nil {
			messages.Stop()
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		meta, err := m.Metadata()
		if err != nil {
			messages.Stop()
			return nil, fmt.Errorf("read %s: %w", stream, err)
		}
		pending = meta.NumPending
	}
	return messages, nil
}

func forward(ctx context.Context, from jetstream.MessagesContext, to chan<- jetstream.Msg) error {
	for {
		m, err := from.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case to <- m:
		}
	}
}

// work takes what comes and sends what is due, one after the other.
func (d *dispatcher) work(ctx context.Context, news <-chan jetstream.Msg) error {
	tick := time.NewTicker(dispatchTick)
	defer tick.Stop()
	for {
		if err := d.attend(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		case m := <-news:
			if err := d.settle(ctx, m); err != nil {
				return err
			}
		}
	}
}

// settle takes a message and notes what an answer makes of a command.
func (d *dispatcher) settle(ctx context.Context, m jetstream.Msg) error {
	parts := strings.Split(m.Subject(), ".")
	if parts[0] != "events" || parts[len(parts)-1] != devices.ReplyEvent {
		return d.take(m)
	}
	if _, err := d.line.Parse(m.Data()); err != nil {
		d.log.Error("unreadable reply", "subject", m.Subject(), "err", err)
		return nil
	}
	text := func(field string) string {
		t, _ := d.line.Field(field).Text()
		return string(t)
	}
	at := d.now()
	if ms, ok := d.line.Field(receivedField).Int(); ok {
		at = time.UnixMilli(ms)
	}
	if c := d.outgoing.answered(parts[3], text("id"), bus.CommandState(text("state")), text("reason"), at); c != nil {
		return d.note(ctx, c)
	}
	return nil
}

const receivedField = "received_at"

// take takes a state of a command or of a device.
func (d *dispatcher) take(m jetstream.Msg) error {
	parts := strings.Split(m.Subject(), ".")
	if parts[0] == "events" {
		d.outgoing.heard(parts[3], parts[4] == "online", d.now())
		return nil
	}
	var c bus.Command
	if err := json.Unmarshal(m.Data(), &c); err != nil {
		d.log.Error("unreadable command", "subject", m.Subject(), "err", err)
		return nil
	}
	d.outgoing.record(c)
	return nil
}

// attend ends what has lapsed and sends what is due.
func (d *dispatcher) attend(ctx context.Context) error {
	for _, c := range d.outgoing.lapsed(d.now()) {
		if err := d.note(ctx, c); err != nil {
			return err
		}
	}
	for {
		x := d.outgoing.due(d.now(), d.registry.Device)
		if x == nil {
			return nil
		}
		if reason := d.gone(x); reason != "" {
			if err := d.note(ctx, x.next(bus.CommandFailed, reason, d.now())); err != nil {
				return err
			}
			continue
		}
		if err := d.send(ctx, x); err != nil {
			if ctx.Err() == nil {
				d.log.Warn("command not sent", "device", x.Device, "command", x.Name, "err", err)
			}
			d.disconnect()
			return ctx.Err() // again at the next tick
		}
		if x.State != bus.CommandQueued {
			x.wait(d.now())
		} else if err := d.note(ctx, x.next(bus.CommandSent, "", d.now())); err != nil {
			return err
		}
	}
}

// gone says why a command cannot be sent at all.
func (d *dispatcher) gone(x *order) string {
	switch dev := d.registry.Device(x.Device); {
	case dev == nil:
		return "no such device is registered any more"
	case dev.State != devices.Active:
		return "the device is " + string(dev.State)
	case dev.Community != x.Community || dev.Type != x.Type:
		return "the device has become another one"
	}
	return ""
}

// note stores a state of a command, and takes it.
func (d *dispatcher) note(ctx context.Context, c *bus.Command) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, _, err := d.bus.Publish(ctx, bus.CommandsSubject(c.Community, c.Type, c.Device), c.MessageID(), data); err != nil {
		return err
	}
	failpoint.Hit("ingest after noting a command")
	d.outgoing.record(*c)
	d.metrics.commands.WithLabelValues(string(c.State)).Inc()
	return nil
}

// send hands a command to the broker, on a connection without a memory: what the broker does not take now must not reach it later.
func (d *dispatcher) send(ctx context.Context, x *order) error {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	if err := d.connect(ctx); err != nil {
		return err
	}
	payload := make(map[string]any, len(x.Params)+2)
	maps.Copy(payload, x.Params)
	payload["id"], payload["expires"] = x.ID, x.Expires.UTC().Format(time.RFC3339)
	data, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	if !d.now().Before(x.Expires) {
		return errLate
	}
	failpoint.Hit("ingest before sending a command")
	topic := devices.Topic{Lane: devices.CommandTo, Community: x.Community, Type: x.Type, Device: x.Device, Name: x.Name}.String(d.root)
	if err := await(ctx, d.client.Publish(topic, 1, false, data)); err != nil {
		return err
	}
	failpoint.Hit("ingest after sending a command")
	return nil
}

var errLate = errors.New("its time was over before the broker was reached")

// connect makes the connection, if there is none.
func (d *dispatcher) connect(ctx context.Context) error {
	if d.client != nil && d.client.IsConnectionOpen() {
		return nil
	}
	d.disconnect()
	o := mqtt.NewClientOptions().AddBroker(d.broker.URL).SetClientID(d.clientID + "-commands")
	o.SetUsername(d.broker.User).SetPassword(d.broker.Password).SetTLSConfig(d.broker.TLS).SetProtocolVersion(4)
	o.SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetStore(mqtt.NewMemoryStore())
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetWriteTimeout(writeTimeout).SetConnectTimeout(connectTimeout)
	o.SetCustomOpenConnectionFn(func(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) { return dial(u, o) })
	client := mqtt.NewClient(o)
	if err := await(ctx, client.Connect()); err != nil {
		client.Disconnect(0)
		return fmt.Errorf("connect to the broker: %w", err)
	}
	d.client = client
	return nil
}

func (d *dispatcher) disconnect() {
	if d.client != nil {
		d.client.Disconnect(disconnectTime)
		d.client = nil
	}
}
