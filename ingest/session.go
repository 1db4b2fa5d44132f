package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// Broker says where the MQTT broker is and how to be let in.
type Broker struct {
	URL            string // tcp:// or ssl://
	User, Password string
	TLS            *tls.Config // for ssl://; nil: the system's authorities
	Share          string      // group of a shared subscription, so that several processes divide the work; empty: none
	KeepsIDs       bool        // it sends a message again under its first packet id, whatever was restarted, as MQTT wants it
}

const (
	connectTimeout = 5 * time.Second
	keepAlive      = 10 * time.Second
	pingTimeout    = 5 * time.Second
	retryInterval  = time.Second
	maxReconnect   = 5 * time.Second
	subscribeLimit = 10 * time.Second
	silenceLimit   = 30 * time.Second // longer than a ping and its answer take
	disconnectTime = 250              // ms
)

// session is one durable session with the broker. The broker keeps what comes while we are away, and sends again what we have not
// acknowledged, so every message of it must be expected twice.
type session struct {
	broker   Broker
	clientID string
	filters  []string
	pace     time.Duration // between two reads; 0: none
	bursts   chan<- *burst
	log      *slog.Logger
	metrics  *metrics

	heard   atomic.Int64 // when the broker was last heard, ns since 1970
	client  atomic.Pointer[mqtt.Client]
	conn    atomic.Pointer[conn] // the last one
	granted atomic.Bool          // the broker keeps our messages
	up      atomic.Bool          // and the last connection was subscribed
}

// run keeps the session until ctx ends. A client that has heard nothing for silenceLimit, not even the answer to a ping, is given up
// for a new one.
func (s *session) run(ctx context.Context) {
	for ctx.Err() == nil {
		s.heard.Store(time.Now().UnixNano())
		clientCtx, cancel := context.WithCancel(ctx)
		client := mqtt.NewClient(s.options(clientCtx))
		s.client.Store(&client)
		client.Connect()
		s.watch(ctx)
		cancel()
		s.up.Store(false)
		client.Disconnect(disconnectTime)
		if c := s.conn.Load(); c != nil {
			_ = c.Close()
		}
	}
}

// watch returns when ctx ends or the broker is silent.
func (s *session) watch(ctx context.Context) {
	tick := time.NewTicker(silenceLimit / 6)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if silent := now.Sub(time.Unix(0, s.heard.Load())); silent > silenceLimit {
				s.log.Warn("broker is silent, beginning anew", "seconds", int(silent.Seconds()))
				return
			}
		}
	}
}

func (s *session) options(ctx context.Context) *mqtt.ClientOptions {
	o := mqtt.NewClientOptions().AddBroker(s.broker.URL).SetClientID(s.clientID)
	o.SetUsername(s.broker.User).SetPassword(s.broker.Password).SetTLSConfig(s.broker.TLS)
	o.SetCleanSession(false).SetAutoAckDisabled(true).SetOrderMatters(true).SetProtocolVersion(4)
	o.SetAutoReconnect(true).SetConnectRetry(true).SetConnectRetryInterval(retryInterval).SetMaxReconnectInterval(maxReconnect)
	o.SetKeepAlive(keepAlive).SetPingTimeout(pingTimeout).SetWriteTimeout(writeTimeout).SetConnectTimeout(connectTimeout)
	o.SetStore(mqtt.NewMemoryStore())
	o.SetCustomOpenConnectionFn(s.dial)
	o.SetConnectionLostHandler(func(_ mqtt.Client, err error) {
		s.up.Store(false)
		s.metrics.lost.Inc()
		s.log.Warn("broker connection lost", "err", err)
	})
	o.SetOnConnectHandler(func(c mqtt.Client) { s.connected(ctx, c) })
	// conn takes every message; one here would be neither stored nor acknowledged, so it comes again.
	o.SetDefaultPublishHandler(func(_ mqtt.Client, m mqtt.Message) { s.log.Error("message past the connection", "topic", m.Topic()) })
	return o
}

func (s *session) dial(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
	nc, err := dial(u, o)
	if err != nil {
		s.log.Warn("broker not reached", "err", err)
		return nil, err
	}
	c := newConn(nc, s.bursts, &s.heard, s.pace)
	s.conn.Store(c)
	return c, nil
}

// connected subscribes, at every connection: the client does not do it again by itself.
func (s *session) connected(ctx context.Context, client mqtt.Client) {
	if c := s.conn.Load(); c != nil && c.new && s.granted.Swap(false) {
		s.metrics.sessionsLost.Inc()
		s.log.Error("broker lost our session: what it acknowledged meanwhile is gone")
	}
	for pause := retryInterval; ctx.Err() == nil && client.IsConnectionOpen(); pause = min(2*pause, silenceLimit) {
		err := s.subscribe(ctx, client)
		if err == nil {
			s.granted.Store(true)
			s.up.Store(true)
			s.log.Info("subscribed", "filters", s.filters)
			return
		}
		s.log.Error("subscribe", "err", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

func (s *session) subscribe(ctx context.Context, client mqtt.Client) error {
	filters := make(map[string]byte, len(s.filters))
	for _, f := range s.filters {
		filters[f] = 1
	}
	token := client.SubscribeMultiple(filters, nil).(*mqtt.SubscribeToken)
	ctx, cancel := context.WithTimeout(ctx, subscribeLimit)
	defer cancel()
	select {
	case <-ctx.Done():
		return fmt.Errorf("no answer: %w", ctx.Err())
	case <-token.Done():
	}
	if err := token.Error(); err != nil {
		return err
	}
	granted := token.Result()
	if len(granted) != len(filters) {
		return fmt.Errorf("%d answers for %d filters", len(granted), len(filters))
	}
	for filter, code := range granted {
		if code != 1 {
			return fmt.Errorf("filter %s: answer %#x, want QoS 1", filter, code)
		}
	}
	return nil
}

var errNotSubscribed = errors.New("not connected and subscribed to the broker")

func (s *session) status() error {
	if client := s.client.Load(); client == nil || !(*client).IsConnectionOpen() || !s.up.Load() {
		return errNotSubscribed
	}
	return nil
}
