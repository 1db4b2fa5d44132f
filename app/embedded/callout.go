package embedded

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"linli/devices"
)

// Authenticator knows the devices. It must be quick and safe for concurrent use.
type Authenticator interface {
	// Authenticate says what the device user may do, or false if there is none or the secret is wrong. user is an identifier.
	Authenticate(user, secret string) (Permissions, bool)
}

// Permissions are what a device may do: publish for itself and read its own commands, and the same for its children.
type Permissions struct {
	Children []string // devices that it is the gateway of, at most MaxChildren
}

// MaxChildren is how many devices a gateway may have; what exceeds it is refused.
const MaxChildren = 500

const (
	ingestUser = "linli-ingest"
	probeUser  = "linli-probe" // devices.Probe

	// A device is asked to log in again once a day. This is a second line only: Disconnect cuts a revoked device at once, and a
	// shorter time would make every device of an estate go offline and come back every hour.
	deviceSession = 24 * time.Hour

	calloutWorkers = 4
)

// callout decides who connects, with NATS auth callout: nothing else sees both the login and the MQTT client id. Without that
// check a device could connect with the client id of ingest or of another device and erase its queue.
type callout struct {
	auth           Authenticator
	root           string
	issuer         nkeys.KeyPair
	ingestPassword string
	probePassword  string
	log            *slog.Logger
	metrics        *metrics
	gate           atomic.Pointer[func() bool]
	kick           func(connection uint64) error
	full           func() bool // no other device is to be let in
	nc             *nats.Conn

	// mu guards connections. It is held from asking auth until the connection is noted, so that disconnect, which comes after a
	// change, finds every connection that was let in before it.
	mu          sync.Mutex
	connections map[string][]uint64 // the last few of each device, newest last
}

func newCallout(c Config, issuer nkeys.KeyPair, log *slog.Logger, m *metrics) *callout {
	root := c.Root
	if root == "" {
		root = "linli"
	}
	return &callout{
		auth: c.Auth, root: strings.ReplaceAll(root, "/", "."), issuer: issuer, ingestPassword: rand.Text(), probePassword: rand.Text(),
		log: log, metrics: m, connections: map[string][]uint64{},
	}
}

// serve answers the server's questions on nc, which it closes in the end.
func (c *callout) serve(nc *nats.Conn) error {
	c.nc = nc
	for range calloutWorkers {
		if _, err := nc.QueueSubscribe(server.AuthCalloutSubject, "callout", c.answer); err != nil {
			return fmt.Errorf("serve auth callout: %w", err)
		}
	}
	if err := nc.Flush(); err != nil {
		return fmt.Errorf("serve auth callout: %w", err)
	}
	return nil
}

func (c *callout) close() {
	if c.nc != nil {
		c.nc.Close()
	}
}

func (c *callout) answer(m *nats.Msg) {
	q, err := jwt.DecodeAuthorizationRequestClaims(string(m.Data))
	if err != nil {
		c.log.Error("unreadable login request", "err", err)
		return
	}
	if q.Expires != 0 && time.Now().Unix() > q.Expires {
		return // the server has given up on it
	}
	r := jwt.NewAuthorizationResponseClaims(q.UserNkey)
	r.Audience = q.Server.ID
	user, err := c.decide(q)
	if err == nil {
		r.Jwt, err = user.Encode(c.issuer)
	}
	if err != nil {
		c.metrics.denied.WithLabelValues("connect").Inc()
		c.log.Debug("connection refused", "device", q.ConnectOptions.Username, "client_id", q.ClientInformation.MQTT,
			"host", q.ClientInformation.Host, "err", err)
		r.Error = "denied"
	}
	token, err := r.Encode(c.issuer)
	if err != nil {
		c.log.Error("sign login answer", "err", err)
		return
	}
	if err := m.Respond([]byte(token)); err != nil {
		c.log.Error("send login answer", "err", err)
	}
}

// decide returns what the connection may do, or why it is refused.
func (c *callout) decide(q *jwt.AuthorizationRequestClaims) (*jwt.UserClaims, error) {
	name, secret, client := q.ConnectOptions.Username, q.ConnectOptions.Password, q.ClientInformation.MQTT
	u := jwt.NewUserClaims(q.UserNkey)
	u.Name = name
	u.Audience = accountDevices
	switch {
	case q.ClientInformation.Type != "mqtt":
		return nil, fmt.Errorf("not an MQTT connection")
	case name == ingestUser:
		if subtle.ConstantTimeCompare([]byte(secret), []byte(c.ingestPassword)) != 1 {
			return nil, fmt.Errorf("wrong password of ingest")
		}
		allowIngest(&u.Permissions, c.root)
		return u, nil
	case name == probeUser:
		if client != name || subtle.ConstantTimeCompare([]byte(secret), []byte(c.probePassword)) != 1 {
			return nil, fmt.Errorf("wrong password of the probe")
		}
		allowProbe(&u.Permissions, c.root)
		return u, nil
	// From here on the name is an identifier: no wildcard and no separator gets into a subject.
	case !devices.ValidID(name) || strings.HasPrefix(name, ingestUser):
		return nil, fmt.Errorf("user name is not a device id")
	case client != name:
		return nil, fmt.Errorf("client id is not the device id")
	case !c.open():
		return nil, fmt.Errorf("devices are not admitted yet")
	case c.full():
		return nil, fmt.Errorf("as many devices are connected as may be")
	}
	u.Expires = time.Now().Add(deviceSession).Unix()
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.auth.Authenticate(name, secret)
	if !ok {
		return nil, fmt.Errorf("unknown device or wrong secret")
	}
	if len(p.Children) > MaxChildren {
		return nil, fmt.Errorf("gateway has %d devices, at most %d", len(p.Children), MaxChildren)
	}
	denyCommands(&u.Permissions, c.root)
	allowDevice(&u.Permissions, c.root, name)
	for _, child := range p.Children {
		if !devices.ValidID(child) {
			return nil, fmt.Errorf("child %q is not a device id", child)
		}
		allowDevice(&u.Permissions, c.root, child)
	}
	c.note(name, q.ClientInformation.ID)
	return u, nil
}

func (c *callout) open() bool {
	gate := c.gate.Load()
	return gate != nil && (*gate)()
}

// note remembers a connection. Two of one device may be under way at a time; the server ends one of them, not always the older.
func (c *callout) note(device string, connection uint64) {
	const kept = 4
	known := append(c.connections[device], connection)
	c.connections[device] = known[max(0, len(known)-kept):]
}

func (c *callout) disconnect(device string) {
	c.mu.Lock()
	known := c.connections[device]
	delete(c.connections, device)
	c.mu.Unlock()
	for _, connection := range known {
		_ = c.kick(connection) // gone already, most of the time
	}
}

func (c *callout) disconnectAll() {
	c.mu.Lock()
	all := c.connections
	c.connections = map[string][]uint64{}
	c.mu.Unlock()
	for _, known := range all {
		for _, connection := range known {
			_ = c.kick(connection)
		}
	}
}
