package acceptance

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const (
	beacons        = 5000
	beaconGateways = 10
	beaconWindow   = 8 * time.Second // of testdata/beacon
	beaconSettle   = 5 * time.Second
)

// 5,000 devices report every 2 s behind an outside broker, and are missed after 8. The server is killed and stays away longer than
// that, the connections of all gateways are cut, and then the broker is away: no device is called silent that the broker has heard. One that
// fell silent while the server was away is, once, and so is one that does after all of it.
func TestNobodyIsSilentBecauseSomethingRestarted(t *testing.T) {
	broker := startMosquitto(t)
	catalogue, err := filepath.Abs("testdata/beacon")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--mqtt-url", "tcp://"+broker.addr, "--catalogue", catalogue, "--settle", beaconSettle.String())
	s.start()
	s.registerBeacons()
	f := newBeaconFleet(t, broker.addr)
	s.await(30*time.Second, "heard of by all", func() bool { return s.metric(`linli_store_lines_total{result="stored"}`) >= 2*beacons })

	s.kill()
	f.silence(7)
	away := time.After(beaconWindow + 2*time.Second)
	<-away
	s.start()
	f.cut()
	s.await(30*time.Second, "told of the one that fell silent meanwhile", func() bool { return s.silent()[beaconID(7)] != nil })

	broker.kill()
	away = time.After(beaconWindow + 2*time.Second)
	<-away
	broker.start()
	f.silence(42)
	s.await(30*time.Second, "told of the one that fell silent", func() bool { return s.silent()[beaconID(42)] != nil })
	f.stop()
	all, wrong := s.silent(), 0
	for id, opened := range all {
		switch gone := id == beaconID(7) || id == beaconID(42); {
		case len(opened) > 1 && gone:
			t.Errorf("%s is called silent %d times", id, len(opened))
		case !gone && slices.ContainsFunc(opened, func(at time.Time) bool { return f.heard(id, at) }):
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d devices are called silent that were heard", wrong)
	}
	t.Logf("%d devices, %d readings: %d called silent, two of which must be", beacons, f.said.Load(), len(all))
	s.terminate()
}

func beaconID(i int) string { return fmt.Sprintf("beacon-%04d", i) }

func (s *server) registerBeacons() {
	s.t.Helper()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	var csv strings.Builder
	csv.WriteString("id,community,type\n")
	for i := range beacons {
		fmt.Fprintf(&csv, "%s,garden,beacon\n", beaconID(i))
	}
	file := filepath.Join(s.t.TempDir(), "beacons.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.linli("devices", "import", "--json", file)
}

// silent are the devices that were ever called silent, and when.
func (s *server) silent() map[string][]time.Time {
	var list struct{ Alerts []alert }
	if err := s.get("/api/v1/alerts?community=garden", &list); err != nil {
		return nil // it starts
	}
	all := map[string][]time.Time{}
	for _, a := range list.Alerts {
		all[a.Device] = append(all[a.Device], a.OpenedAt)
	}
	return all
}

// beaconFleet reports for all devices, each gateway for its share of them.
type beaconFleet struct {
	broker string
	said   atomic.Int64
	quiet  sync.Map // of numbers
	cancel chan struct{}
	done   sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	conns  map[int]net.Conn
	rounds [beaconGateways][]time.Time // when the broker had acknowledged a word of all devices of a gateway
}

func newBeaconFleet(t *testing.T, broker string) *beaconFleet {
	f := &beaconFleet{broker: broker, cancel: make(chan struct{}), conns: map[int]net.Conn{}}
	for g := range beaconGateways {
		f.done.Go(func() { f.run(g) })
	}
	t.Cleanup(f.stop)
	return f
}

// run is a gateway: it says something for every device of its own every 2 s, on one connection after the other. What cannot be said
// is not said later.
func (f *beaconFleet) run(gate int) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	var c mqtt.Client
	for {
		if c == nil || !c.IsConnectionOpen() {
			o := mqtt.NewClientOptions().AddBroker("tcp://" + f.broker).SetClientID(fmt.Sprint("gate-", gate)).SetProtocolVersion(4)
			o.SetAutoReconnect(false).SetCustomOpenConnectionFn(func(u *url.URL, _ mqtt.ClientOptions) (net.Conn, error) { return f.dial(gate, u.Host) })
			c = mqtt.NewClient(o)
			c.Connect().WaitTimeout(2 * time.Second)
		}
		if c.IsConnectionOpen() && !f.report(gate, c) {
			c.Disconnect(0)
			c = nil
		}
		select {
		case <-f.cancel:
			if c != nil {
				c.Disconnect(0)
			}
			return
		case <-tick.C:
		}
	}
}

// report reports whether the broker has acknowledged all of it.
func (f *beaconFleet) report(gate int, c mqtt.Client) bool {
	var last mqtt.Token
	for i := gate; i < beacons; i += beaconGateways {
		if _, quiet := f.quiet.Load(i); !quiet {
			last = c.Publish("linli/telemetry/garden/beacon/"+beaconID(i), 1, false, fmt.Sprintf(`{"level":1,"ts":%d}`, time.Now().UnixMilli()))
			f.said.Add(1)
		}
	}
	if !last.WaitTimeout(5*time.Second) || last.Error() != nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rounds[gate] = append(f.rounds[gate], time.Now())
	return true
}

// dial connects to the broker and keeps the connection, to be cut.
func (f *beaconFleet) dial(gate int, addr string) (net.Conn, error) {
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.conns[gate] = c
	}
	return c, err
}

// silence lets a device say nothing any more.
func (f *beaconFleet) silence(i int) { f.quiet.Store(i, true) }

// heard reports whether the broker heard a device within the window before a moment.
func (f *beaconFleet) heard(id string, at time.Time) bool {
	var i int
	if _, err := fmt.Sscanf(id, "beacon-%d", &i); err != nil {
		return true // no such device
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.rounds[i%beaconGateways], func(r time.Time) bool { return r.Before(at) && at.Sub(r) < beaconWindow })
}

// cut ends the connections of all gateways as a network does; they connect again.
func (f *beaconFleet) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		c.Close()
	}
}

func (f *beaconFleet) stop() {
	select {
	case <-f.cancel:
		return
	default:
		close(f.cancel)
	}
	f.done.Wait()
}
