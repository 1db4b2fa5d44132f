package simulate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	lru "github.com/hashicorp/golang-lru/v2"

	"linli/devices"
)

const (
	window       = 32 // letters sent and not yet acknowledged
	ackTimeout   = 30 * time.Second
	maxBackoff   = time.Minute
	firstBackoff = time.Second
)

// link is one MQTT connection: of a gateway for itself and its children, or of a device. It sends at QoS 1 in order, keeps a
// letter until its PUBACK, and after a loss of the connection sends again what was not acknowledged.
//
//	wait ──► connect ──► serve ──lost, outage, no PUBACK──► back into the outbox ──► wait (full jitter)
type link struct {
	sim    *Simulator
	device *devices.Device
	key    key
	box    *outbox
	held   *letter // a letter that the next one overtakes; only the player uses it
	up     atomic.Bool
	log    *slog.Logger

	children  map[string]int32 // the actors that it speaks for, itself too
	answersMu sync.Mutex       // guards answers, and that a command is carried out once
	answers   *lru.Cache[string, answer]
}

// sent is a letter whose PUBACK is awaited.
type sent struct {
	letter
	token mqtt.Token
	at    time.Time
}

// run keeps the link up until ctx ends.
func (l *link) run(ctx context.Context) error {
	failures := 0
	for delay := l.sim.connectDelay(l.key); ; {
		if !sleep(ctx, max(delay, l.outageLeft())) {
			return nil
		}
		err := l.session(ctx, &failures)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end
		}
		limit := min(maxBackoff, firstBackoff<<min(failures, 6))
		delay = time.Duration(rand.Int64N(int64(limit)))
		failures++
		l.log.Debug("link lost", "device", l.device.ID, "delay", delay, "err", err)
	}
}

// session is one life of the connection. It sets failures to 0 once it is up.
func (l *link) session(ctx context.Context, failures *int) error {
	if !l.sim.doors.enter(ctx) {
		return ctx.Err()
	}
	lost := make(chan error, 1)
	client, raw, err := l.connect(lost)
	l.sim.doors.leave()
	if err != nil {
		return err
	}
	*failures = 0
	l.up.Store(true)
	defer l.up.Store(false)
	inFlight, err := l.serve(ctx, client, lost)
	letters := make([]letter, len(inFlight))
	for i, s := range inFlight {
		letters[i] = s.letter
	}
	l.box.back(letters)
	if ctx.Err() != nil {
		client.Publish(l.state(), 1, true, "offline").WaitTimeout(time.Second)
	} else if c := raw.Load(); c != nil {
		// No farewell: the broker must find out and publish the will.
		_ = (*c).Close()
	}
	client.Disconnect(0)
	return err
}

func (l *link) state() string {
	return devices.Topic{Lane: devices.StateLane, Community: l.device.Community, Type: l.device.Type, Device: l.device.ID}.String(l.sim.cfg.Root)
}

// connect opens the connection and says that the device is online. lost gets the reason when it breaks.
func (l *link) connect(lost chan<- error) (mqtt.Client, *atomic.Pointer[net.Conn], error) {
	raw := new(atomic.Pointer[net.Conn])
	o := mqtt.NewClientOptions().AddBroker(l.sim.cfg.MQTTURL).SetClientID(l.device.ID).
		SetUsername(l.device.ID).SetPassword(l.sim.cfg.Credentials(l.device.ID)).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).SetOrderMatters(false).
		SetKeepAlive(time.Minute).SetPingTimeout(10*time.Second).SetConnectTimeout(10*time.Second).SetWriteTimeout(10*time.Second).
		SetWill(l.state(), "offline", 1, true).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) {
			select {
			case lost <- err:
			default:
			}
		}).
		SetCustomOpenConnectionFn(func(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
			c, err := l.sim.dial(u, o.ConnectTimeout)
			if err == nil {
				raw.Store(&c)
			}
			return c, err
		})
	client := mqtt.NewClient(o)
	if t := client.Connect(); !t.WaitTimeout(15*time.Second) || t.Error() != nil {
		client.Disconnect(0)
		return nil, nil, fmt.Errorf("connect: %w", orTimeout(t.Error()))
	}
	if err := l.obey(client); err != nil {
		client.Disconnect(0)
		return nil, nil, fmt.Errorf("subscribe to commands: %w", err)
	}
	if t := client.Publish(l.state(), 1, true, "online"); !t.WaitTimeout(ackTimeout) || t.Error() != nil {
		client.Disconnect(0)
		return nil, nil, fmt.Errorf("say online: %w", orTimeout(t.Error()))
	}
	return client, raw, nil
}

// serve sends letters until something ends the session, and returns those that are not acknowledged.
func (l *link) serve(ctx context.Context, client mqtt.Client, lost <-chan error) ([]sent, error) {
	var flying []sent
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		for len(flying) < window {
			next, ok := l.box.take()
			if !ok {
				break
			}
			flying = append(flying, sent{next, client.Publish(next.topic, 1, false, next.payload), time.Now()})
		}
		wake := l.outageIn()
		var acked <-chan struct{}
		if len(flying) > 0 {
			acked = flying[0].token.Done()
			wake = min(wake, time.Until(flying[0].at.Add(ackTimeout)))
		}
		timer.Reset(max(0, wake))
		select {
		case <-ctx.Done():
			return flying, ctx.Err()
		case err := <-lost:
			return flying, err
		case <-timer.C:
			if l.outageLeft() > 0 {
				return flying, errors.New("simulated outage")
			}
			if len(flying) > 0 && time.Since(flying[0].at) >= ackTimeout {
				return flying, errors.New("no PUBACK")
			}
		case <-acked:
			if err := flying[0].token.Error(); err != nil {
				return flying, err
			}
			flying = flying[1:]
			l.sim.count.acked.Add(1)
		case <-l.box.ready:
		}
	}
}

// outages are when the link is down on a local day.
func (l *link) outages(day int64) []span {
	k := l.key.named("outage").at(day)
	var out []span
	for n := range k.poisson(l.sim.cfg.Faults.Outages) {
		from := k.at(int64(10*n)).between(0, 23)
		out = append(out, span{from, from + k.at(int64(10*n+1)).between(5, 40)/60})
	}
	return out
}

// outageLeft is how long the present outage lasts; 0: there is none.
func (l *link) outageLeft() time.Duration {
	now := momentOf(l.sim.cfg.Now())
	left := moment(0)
	for _, s := range l.outages(now.day()) {
		if from, to := clock(now.day(), s.from), clock(now.day(), s.to); from <= now && now < to {
			left = max(left, to-now)
		}
	}
	return time.Duration(left) * time.Millisecond
}

// outageIn is how long until the next outage of today, or at most until tomorrow.
func (l *link) outageIn() time.Duration {
	now := momentOf(l.sim.cfg.Now())
	next := midnight(now.day() + 1)
	for _, s := range l.outages(now.day()) {
		if from := clock(now.day(), s.from); from > now {
			next = min(next, from)
		}
	}
	return time.Duration(next-now) * time.Millisecond
}

func orTimeout(err error) error {
	if err == nil {
		return errors.New("timed out")
	}
	return err
}

// sleep waits, or returns false when ctx ends before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
