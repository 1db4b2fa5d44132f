package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
)

// Config is what OpenNATS needs. Dir, Auth and Log are required.
type Config struct {
	Dir        string      // data directory; JetStream lies in jetstream below it
	MQTTAddr   string      // host:port; port 0 is any. Empty: 127.0.0.1:0
	TLS        *tls.Config // of the MQTT listener; nil: in the clear
	SyncAlways bool        // fsync before every acknowledgement, otherwise every second
	MaxStore   int64       // bytes that JetStream may use; 0: see StoreLimit
	MaxConn    int         // connections, an eighth of which no device can have; 0: as many as Files allow, 32768 at most
	Root       string      // first level of every topic; empty: linli
	Auth       Authenticator
	Log        *slog.Logger
	Reg        prometheus.Registerer // may be nil
}

// NATS is a nats-server in this process: JetStream without a listener, and MQTT.
//
//	devices, ingest ──MQTT──► account DEVICES (topics, sessions, their queues)
//	roles ──in process──────► account APP     (streams and buckets)
//	callout ──in process────► account AUTH    (decides who may be in DEVICES)
//
// Accounts share no subject, so nothing a device sends reaches a stream but through ingest.
type NATS struct {
	server    *server.Server
	options   *server.Options
	callout   *callout
	log       *slog.Logger
	serverLog *serverLog
	passwords map[string]string // of the roles, by role
	maxStore  int64
	letGo     func() // ends the watch over strangers, and waits until it has ended
}

const (
	accountAuth    = "AUTH"
	accountDevices = "DEVICES"
	accountApp     = "APP"
	accountSystem  = "SYS"
)

// MaxDevicePayload is the largest payload a device may send. The broker ends the connection of one that sends more.
const MaxDevicePayload = 64 << 10

// What can be said only in a configuration file. The limits of DEVICES are per connection.
const serverConfig = `
accounts {
	AUTH { }
	DEVICES { jetstream: enabled, limits { max_payload: %d, max_subscriptions: 2048 } }
	APP { jetstream: enabled }
	SYS { }
}
system_account: SYS
mqtt { reject_qos2_publish: true, downgrade_qos2_subscribe: true }
`

const (
	startLimit   = time.Minute // a large store is read on starting
	defaultConns = 32 << 10
	fewConns     = 4 << 10
	enoughFiles  = 8 << 10 // for streams, years of time series, and the pages
	maxPayload   = 8 << 20

	// Seconds. When a whole estate comes back after a power cut, its devices wait for each other's logins.
	connectTimeout = 5 // until the CONNECT packet is there
	loginTimeout   = 60
)

// OpenNATS starts the server and returns when it accepts connections. Devices are refused until SetGate.
func OpenNATS(c Config) (*NATS, error) {
	issuer, err := nkeys.CreateAccount()
	if err != nil {
		return nil, fmt.Errorf("make broker key: %w", err)
	}
	n := &NATS{log: c.Log.With("component", "broker"), passwords: map[string]string{}, maxStore: c.MaxStore, letGo: func() {}}
	if n.maxStore == 0 {
		if n.maxStore, err = StoreLimit(c.Dir); err != nil {
			return nil, err
		}
	}
	metrics := newMetrics(c.Reg)
	n.callout = newCallout(c, issuer, n.log, metrics)
	if n.options, err = n.serverOptions(c, issuer); err != nil {
		return nil, err
	}
	if n.server, err = server.NewServer(n.options); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	n.callout.kick = n.server.DisconnectClientByID
	log := &serverLog{log: n.log, metrics: metrics, stuck: make(chan struct{})}
	n.serverLog = log
	n.server.SetLoggerV2(log, false, false, false)
	n.server.Start()
	if log.failure() != nil || !n.server.ReadyForConnections(startLimit) {
		n.Close()
		return nil, fmt.Errorf("start broker: %w", cmp.Or(log.failure(), errors.New("not ready in time")))
	}
	err = n.keepRoom(metrics)
	if err == nil {
		var nc *nats.Conn
		if nc, err = n.Conn(roleCallout); err == nil {
			err = n.callout.serve(nc)
		}
	}
	if err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *NATS) serverOptions(c Config, issuer nkeys.KeyPair) (*server.Options, error) {
	if c.MQTTAddr == "" {
		c.MQTTAddr = "127.0.0.1:0"
	}
	host, portText, err := net.SplitHostPort(c.MQTTAddr)
	if err != nil {
		return nil, fmt.Errorf("MQTT address: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("MQTT address %q: port is not a number below 65536", c.MQTTAddr)
	}
	issuerKey, err := issuer.PublicKey()
	if err != nil {
		return nil, fmt.Errorf("make broker key: %w", err)
	}
	o := &server.Options{}
	if err := o.ProcessConfigString(fmt.Sprintf(serverConfig, MaxDevicePayload)); err != nil {
		return nil, fmt.Errorf("configure broker: %w", err)
	}
	o.ServerName = "linli"
	o.DontListen, o.NoSigs, o.DisableJetStreamBanner = true, true, true
	o.JetStream, o.StoreDir = true, filepath.Join(c.Dir, "jetstream")
	o.JetStreamMaxStore, o.JetStreamMaxMemory = n.maxStore, 256<<20
	o.SyncAlways, o.SyncInterval = c.SyncAlways, time.Second
	o.MaxPayload = maxPayload
	o.MaxConn = c.MaxConn
	if o.MaxConn == 0 {
		files, err := Files()
		if err != nil {
			return nil, err
		}
		if o.MaxConn = min(defaultConns, max(files/2, files-enoughFiles)); o.MaxConn < fewConns {
			n.log.Warn("this process may open few files, so few devices can connect (ulimit -n)", "files", files, "connections", o.MaxConn)
		}
	}
	o.WriteDeadline = 5 * time.Second
	o.AuthTimeout = loginTimeout
	o.AuthCallout = &server.AuthCallout{Issuer: issuerKey, Account: accountAuth}
	for role := range roles {
		user, err := n.user(o, role)
		if err != nil {
			return nil, err
		}
		o.Users = append(o.Users, user)
		o.AuthCallout.AuthUsers = append(o.AuthCallout.AuthUsers, user.Username)
	}
	o.MQTT.Host, o.MQTT.Port = host, int(port)
	if port == 0 {
		o.MQTT.Port = server.RANDOM_PORT
	}
	o.MQTT.TLSConfig, o.MQTT.TLSTimeout = c.TLS, connectTimeout
	o.MQTT.AuthTimeout = connectTimeout
	o.MQTT.AckWait, o.MQTT.JSAPITimeout = 10*time.Second, 10*time.Second
	// 65,535 for all subscriptions of a session, and a filter that ends in # counts twice: ingest has four.
	o.MQTT.MaxAckPending = 8191
	return o, nil
}

// user is a role's login, with a password that lives as long as the process.
func (n *NATS) user(o *server.Options, role string) (*server.User, error) {
	account := accountApp
	if role == roleCallout {
		account = accountAuth
	}
	for _, a := range o.Accounts {
		if a.GetName() != account {
			continue
		}
		g := &grants{}
		roles[role](g)
		n.passwords[role] = rand.Text()
		return &server.User{
			Username: roleUser(role), Password: n.passwords[role], Account: a, Permissions: g.permissions(inbox(role)),
			AllowedConnectionTypes: map[string]struct{}{jwt.ConnectionTypeInProcess: {}},
		}, nil
	}
	return nil, fmt.Errorf("configure broker: no account %q", account)
}

// roleUser is no identifier, so no device can have it.
func roleUser(role string) string { return "linli:" + role }

// inbox is where a role receives its answers. Each has its own, so that none reads another's.
func inbox(role string) string { return "_INBOX_" + role }

// Conn opens a connection for a role: ingest, store, alerts, notify, web or setup. It may do what permissions.go lists for that
// role. The caller closes it, before Close.
func (n *NATS) Conn(role string) (*nats.Conn, error) {
	password, ok := n.passwords[role]
	if !ok {
		return nil, fmt.Errorf("connect to broker: no role %q", role)
	}
	return bus.Dial("", role, n.log, nats.InProcessServer(n.server), nats.UserInfo(roleUser(role), password),
		nats.CustomInboxPrefix(inbox(role)))
}

// MQTTAddr is where devices connect.
func (n *NATS) MQTTAddr() string {
	return net.JoinHostPort(n.options.MQTT.Host, strconv.Itoa(n.options.MQTT.Port))
}

// MaxStore is the number of bytes that JetStream may use.
func (n *NATS) MaxStore() int64 { return n.maxStore }

// IngestCredentials are the login of ingest's MQTT connections: it alone reads what devices send. Any client id of a device is
// refused to it.
func (n *NATS) IngestCredentials() (user, password string) {
	return ingestUser, n.callout.ingestPassword
}

// ProbeCredentials are the login of devices.Probe, which may press its button and do nothing else.
func (n *NATS) ProbeCredentials() (user, password string) {
	return probeUser, n.callout.probePassword
}

// SetGate lets devices connect while open returns true. It is asked at every connection.
func (n *NATS) SetGate(open func() bool) { n.callout.gate.Store(&open) }

// Disconnect ends the connections of a device, so that it is judged anew when it comes back: after it was revoked, or when the
// devices it may speak for have changed. The change must be visible to the Authenticator before.
func (n *NATS) Disconnect(device string) { n.callout.disconnect(device) }

// DisconnectAll ends the connections of all devices; those of ingest and of the roles stay.
func (n *NATS) DisconnectAll() { n.callout.disconnectAll() }

// ErrStuck ends Run: the disk refused a write, and with it the stream refuses everything until it is opened again.
var ErrStuck = errors.New("a stream does not take anything any more")

// Run waits until ctx ends or a stream is stuck.
func (n *NATS) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-n.serverLog.stuck:
		return n.serverLog.why
	}
}

// Close ends every connection and waits until everything is on disk.
func (n *NATS) Close() error {
	n.letGo()
	n.callout.close()
	n.server.Shutdown()
	n.server.WaitForShutdown()
	return nil
}
