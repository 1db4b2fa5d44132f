package acceptance

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// natsNode is one server of a JetStream cluster.
type natsNode struct {
	*victim
	dir, ports string // of its streams, and of the file in which it says where it listens

	door   *wire            // from its clients
	routes map[string]*wire // to the others by their name; what connects two servers is either of theirs
}

// url is where its clients find it.
func (n *natsNode) url() string { return "nats://" + n.door.addr }

// forClients is where a server listens for its clients; empty while it does not.
func (n *natsNode) forClients() string { return addressOf(n.says().Nats) }

// forServers is the same for others of its cluster.
func (n *natsNode) forServers() string { return addressOf(n.says().Cluster) }

func addressOf(urls []string) string {
	if len(urls) == 0 {
		return ""
	}
	return strings.TrimPrefix(urls[0], "nats://")
}

// says is what a server writes into its file.
func (n *natsNode) says() (ports struct{ Nats, Cluster []string }) {
	files, _ := filepath.Glob(filepath.Join(n.ports, "*.ports"))
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil {
			_ = json.Unmarshal(b, &ports) // half written: it listens nowhere yet
		}
	}
	return ports
}

// launch starts the server, on ports that are free.
func (n *natsNode) launch(t *testing.T) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(n.ports), os.Mkdir(n.ports, 0o700)); err != nil {
		t.Fatal(err)
	}
	n.start(t, "")
}

// nowhere is where servers tell each other that the others are, so that they find them by our wires only.
const nowhere = "127.0.0.1:1"

// startCluster starts a cluster of three. All that its servers say to each other and to their clients goes over wires.
func startCluster(t *testing.T) []*natsNode {
	t.Helper()
	bin := buildFor(t, "nats-server", "github.com/nats-io/nats-server/v2")
	nodes := make([]*natsNode, 3)
	for i := range nodes {
		n := &natsNode{dir: t.TempDir(), ports: filepath.Join(t.TempDir(), "ports"), routes: map[string]*wire{}}
		n.door = newWire(t, n.forClients)
		nodes[i] = n
	}
	for i, n := range nodes {
		conf := filepath.Join(t.TempDir(), "nats.conf")
		n.victim = &victim{name: fmt.Sprintf("n%d", i), make: func() *exec.Cmd { return exec.Command(bin, "-c", conf) }, log: &lockedBuffer{}}
		var routes []string
		for j, other := range nodes {
			if i != j {
				w := newWire(t, other.forServers)
				n.routes[fmt.Sprintf("n%d", j)] = w
				routes = append(routes, "nats://"+w.addr)
			}
		}
		text := fmt.Sprintf("server_name: %s\nlisten: \"127.0.0.1:-1\"\nclient_advertise: %q\nports_file_dir: %q\njetstream: {store_dir: %q}\n"+
			"cluster: {name: linli, listen: \"127.0.0.1:-1\", advertise: %q, routes: [%s]}\n",
			n.name, n.door.addr, n.ports, n.dir, nowhere, strings.Join(routes, ", "))
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range nodes {
		n.launch(t)
	}
	t.Cleanup(func() {
		for _, n := range nodes {
			n.kill()
			if t.Failed() {
				t.Logf("log of %s:\n%s", n.name, n.log.tail(4<<10))
			}
		}
	})
	return nodes
}

// clustered is a linli with an outside broker and an outside cluster, under load.
type clustered struct {
	*server // its command is linli's
	nodes   []*natsNode
	hook    *receiver
	linli   *victim
	load    *load
	began   time.Time
}

// startClustered starts all of it and waits until it is ready.
func startClustered(t *testing.T, rate, sosEvery string) *clustered {
	nodes, broker, hook := startCluster(t), startMosquitto(t), newReceiver(t)
	urls := make([]string, len(nodes))
	for i, n := range nodes {
		urls[i] = n.url()
	}
	s := newServer(t)
	c := &clustered{server: s, nodes: nodes, hook: hook, linli: &victim{name: "linli", log: s.logs, make: func() *exec.Cmd {
		return exec.Command(filepath.Join(binDir, "linli"), "serve", "--data", s.data, "--http", s.http,
			"--nats-url", strings.Join(urls, ","), "--mqtt-url", "tcp://"+broker.addr, "--config", hook.config(t))
	}}}
	t.Cleanup(func() { c.linli.kill() })
	js := c.ask(nodes...)
	c.linli.start(t, "")
	c.await(time.Minute, "ready", c.up)
	c.copied(js)
	ids := c.fleet(4, 10, 400)
	c.began = time.Now()
	c.load = startLoad(t, broker.addr, ids, "-rate", rate, "-duration", "60m", "-sos-every", sosEvery)
	return c
}

// up reports whether linli is ready. As a service manager does, it starts it again: who starts while there is no bus ends.
func (c *clustered) up() bool {
	select {
	case <-c.linli.gone:
		c.linli.start(c.t, "")
	default:
	}
	return c.ready()
}

// ask waits for a connection to some of the servers, past what is done to the wires of their clients.
func (c *clustered) ask(nodes ...*natsNode) (js jetstream.JetStream) {
	c.t.Helper()
	c.await(30*time.Second, "a cluster", func() bool {
		if js == nil {
			var urls []string
			for _, n := range nodes {
				urls = append(urls, "nats://"+n.forClients())
			}
			nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
			if err != nil {
				return false
			}
			c.t.Cleanup(nc.Close)
			js, _ = jetstream.New(nc)
		}
		_, err := js.AccountInfo(c.t.Context())
		return err == nil
	})
	return js
}

// streams are the streams of the cluster by their name; nil while it does not answer.
func (c *clustered) streams(js jetstream.JetStream) map[string]*jetstream.StreamInfo {
	all := map[string]*jetstream.StreamInfo{}
	list := js.ListStreams(c.t.Context())
	for info := range list.Info() {
		all[info.Config.Name] = info
	}
	if list.Err() != nil {
		return nil
	}
	return all
}

// whole reports whether every stream has a leader and two copies that have all that it has.
func (c *clustered) whole(js jetstream.JetStream) bool {
	all := c.streams(js)
	for _, info := range all {
		group := info.Cluster
		if group == nil || group.Leader == "" || len(group.Replicas) != 2 || !group.Replicas[0].Current || !group.Replicas[1].Current {
			return false
		}
	}
	return all[bus.Core] != nil
}

// copied wants every stream and bucket of linli to have three copies, and the one that leads to be asked.
func (c *clustered) copied(js jetstream.JetStream) {
	c.await(30*time.Second, "whole", func() bool { return c.whole(js) })
	for name, info := range c.streams(js) {
		if info.Config.Replicas != 3 || info.Config.AllowDirect {
			c.t.Errorf("stream %s has %d copies, answers of any copy: %t", name, info.Config.Replicas, info.Config.AllowDirect)
		}
	}
}

// leader is the server that leads CORE.
func (c *clustered) leader(js jetstream.JetStream) (led *natsNode) {
	c.await(30*time.Second, "a leader", func() bool {
		core := c.streams(js)[bus.Core]
		for _, n := range c.nodes {
			if core != nil && core.Cluster != nil && n.name == core.Cluster.Leader {
				led = n
			}
		}
		return led != nil
	})
	return led
}

// settle ends the load and compares what became of it: what was acknowledged is stored once, and who pressed is heard once.
func (c *clustered) settle(faults []trouble) {
	c.load.stop()
	r := c.load.wait()
	a := c.load.account()
	c.await(time.Minute, "drained", func() bool { return c.missing(a, c.began) == 0 })
	acked, open := c.verify(a, c.began)
	c.await(time.Minute, "everybody heard", func() bool { return len(openings(c.hook)) >= r.SOS })
	c.hook.heardOnce(c.t)
	c.t.Logf("%d acknowledged readings are stored once, %d were never acknowledged; %d presses, %d heard", acked, open, r.SOS, len(openings(c.hook)))
	for i, f := range faults {
		until := time.Now()
		if i+1 < len(faults) {
			until = faults[i+1].at
		}
		c.t.Logf("%s: %s; heard of every press at most %.1f s late", f.what, f.course, latest(a, c.hook, f.at, until).Seconds())
	}
}

// trouble is what was done to a cluster under load, until the next.
type trouble struct {
	what, course string
	at           time.Time
}

// The servers of an outside cluster are killed under load: the one that leads, one that loses its disk with it, one together with
// linli, and two at once. What was acknowledged is stored once, and whoever pressed is heard once.
func TestClusterWhateverServerIsKilled(t *testing.T) {
	t.Logf("reproduce with -seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 2))
	c := startClustered(t, "400", "1s")
	js := c.ask(c.nodes...)
	answered := c.answer(c.hook)

	rounds := []struct {
		name string
		kill func() []*natsNode
	}{
		{"who leads", func() []*natsNode { return []*natsNode{c.leader(js)} }},
		{"one with its disk", func() []*natsNode {
			n := c.nodes[random.IntN(len(c.nodes))]
			n.kill()
			if err := os.RemoveAll(filepath.Join(n.dir, "jetstream")); err != nil {
				t.Fatal(err)
			}
			return []*natsNode{n}
		}},
		{"who leads, and linli", func() []*natsNode {
			n := c.leader(js)
			c.linli.kill()
			return []*natsNode{n}
		}},
		{"two", func() []*natsNode {
			i := random.IntN(len(c.nodes))
			return []*natsNode{c.nodes[i], c.nodes[(i+1)%len(c.nodes)]}
		}},
	}
	var kills []trouble
	for n := range max(len(rounds), *chaos/10) {
		round := rounds[n%len(rounds)]
		killed, dead := time.Now(), round.kill()
		for _, node := range dead {
			node.kill()
		}
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second)))) // the random moment is the point
		for _, node := range dead {
			node.launch(t)
		}
		at := time.Now()
		c.await(time.Minute, "whole after a kill of "+round.name, func() bool { return c.whole(js) })
		whole := time.Since(at)
		c.await(time.Minute, "ready after a kill of "+round.name, c.up)
		kills = append(kills, trouble{round.name, fmt.Sprintf("whole %.1f s after the start, linli ready after %.1f s", whole.Seconds(), time.Since(at).Seconds()), killed})
	}
	c.settle(kills)
	close(answered)
}
