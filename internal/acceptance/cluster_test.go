package acceptance

import (
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
	url, dir string
}

// startCluster starts a cluster of three.
func startCluster(t *testing.T) []*natsNode {
	t.Helper()
	bin := buildFor(t, "nats-server", "github.com/nats-io/nats-server/v2")
	nodes := make([]*natsNode, 3)
	routes := make([]string, len(nodes))
	for i := range nodes {
		routes[i] = "nats://" + freeAddr(t)
	}
	for i := range nodes {
		addr, dir := freeAddr(t), t.TempDir()
		conf := filepath.Join(t.TempDir(), "nats.conf")
		text := fmt.Sprintf("server_name: n%d\nlisten: %q\njetstream: {store_dir: %q}\ncluster: {name: linli, listen: %q, routes: [%s]}\n",
			i, addr, dir, strings.TrimPrefix(routes[i], "nats://"), strings.Join(routes, ", "))
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		nodes[i] = &natsNode{url: "nats://" + addr, dir: dir, victim: &victim{
			name: fmt.Sprintf("n%d", i), make: func() *exec.Cmd { return exec.Command(bin, "-c", conf) }, log: &lockedBuffer{},
		}}
		nodes[i].start(t, "")
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

// streams are the streams of a cluster by their name; nil while it does not answer.
func (s *server) streams(js jetstream.JetStream) map[string]*jetstream.StreamInfo {
	all := map[string]*jetstream.StreamInfo{}
	list := js.ListStreams(s.t.Context())
	for info := range list.Info() {
		all[info.Config.Name] = info
	}
	if list.Err() != nil {
		return nil
	}
	return all
}

// whole reports whether every stream has a leader and two copies that have all that it has.
func (s *server) whole(js jetstream.JetStream) bool {
	all := s.streams(js)
	for _, info := range all {
		c := info.Cluster
		if c == nil || c.Leader == "" || len(c.Replicas) != 2 || !c.Replicas[0].Current || !c.Replicas[1].Current {
			return false
		}
	}
	return all[bus.Core] != nil
}

// joinCluster waits for a cluster that starts.
func (s *server) joinCluster(urls []string) (js jetstream.JetStream) {
	s.await(30*time.Second, "a cluster", func() bool {
		if js == nil {
			nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond))
			if err != nil {
				return false
			}
			s.t.Cleanup(nc.Close)
			js, _ = jetstream.New(nc)
		}
		_, err := js.AccountInfo(s.t.Context())
		return err == nil
	})
	return js
}

// copied wants every stream and bucket of linli to have three copies, and the one that leads to be asked.
func (s *server) copied(js jetstream.JetStream) {
	var all map[string]*jetstream.StreamInfo
	s.await(30*time.Second, "whole", func() bool {
		all = s.streams(js)
		return s.whole(js) && all[bus.Core] != nil
	})
	for name, info := range all {
		if info.Config.Replicas != 3 || info.Config.AllowDirect {
			s.t.Errorf("stream %s has %d copies, answers of any copy: %t", name, info.Config.Replicas, info.Config.AllowDirect)
		}
	}
}

// leader is the server that leads CORE.
func (s *server) leader(js jetstream.JetStream, nodes []*natsNode) (led *natsNode) {
	s.await(30*time.Second, "a leader", func() bool {
		for _, n := range nodes {
			if core := s.streams(js)[bus.Core]; core != nil && core.Cluster != nil && n.name == core.Cluster.Leader {
				led = n
			}
		}
		return led != nil
	})
	return led
}

// kill is one of a cluster's servers, under load.
type kill struct {
	round        string
	at           time.Time
	whole, ready time.Duration // after the servers were started again
}

// tellKills logs how long each kill lasted, and how late presses were heard until the next.
func tellKills(t *testing.T, kills []kill, a account, hook *receiver) {
	for i, k := range kills {
		worst := time.Duration(0)
		for _, d := range hook.all() {
			e := a[d.Alert.Device][0]
			if e == nil || d.Alert.Rule != "sb_sos" || d.Event != "opened" {
				continue
			}
			if at := time.UnixMicro(e.sentAt); at.After(k.at) && (i+1 == len(kills) || at.Before(kills[i+1].at)) {
				worst = max(worst, d.At.Sub(at))
			}
		}
		t.Logf("%s: whole %.1f s after the start, linli ready after %.1f s, and heard of every press at most %.1f s late",
			k.round, k.whole.Seconds(), k.ready.Seconds(), worst.Seconds())
	}
}

// The servers of an outside cluster are killed under load: the one that leads, one that loses its disk with it, one together with
// linli, and two at once. What was acknowledged is stored once, and whoever pressed is heard once.
func TestClusterWhateverServerIsKilled(t *testing.T) {
	t.Logf("reproduce with -seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 2))
	nodes, broker, hook := startCluster(t), startMosquitto(t), newReceiver(t)
	urls := make([]string, len(nodes))
	for i, n := range nodes {
		urls[i] = n.url
	}
	s := newServer(t) // its command is a victim's
	linli := &victim{name: "linli", log: s.logs, make: func() *exec.Cmd {
		return exec.Command(filepath.Join(binDir, "linli"), "serve", "--data", s.data, "--http", s.http,
			"--nats-url", strings.Join(urls, ","), "--mqtt-url", "tcp://"+broker.addr, "--config", hook.config(t))
	}}
	t.Cleanup(func() { linli.kill() })
	up := func() bool { // as a service manager does: who starts while there is no bus ends
		select {
		case <-linli.gone:
			linli.start(t, "")
		default:
		}
		return s.ready()
	}
	js := s.joinCluster(urls)
	linli.start(t, "")
	s.await(time.Minute, "ready", up)
	s.copied(js)
	ids := s.fleet(4, 10, 200)
	began := time.Now()
	l := startLoad(t, broker.addr, ids, "-rate", "400", "-duration", "20m", "-sos-every", "1s")
	answered := s.answer(hook)

	leader := func() *natsNode { return s.leader(js, nodes) }
	rounds := []struct {
		name string
		kill func() []*natsNode
	}{
		{"who leads", func() []*natsNode { return []*natsNode{leader()} }},
		{"one with its disk", func() []*natsNode {
			n := nodes[random.IntN(len(nodes))]
			n.kill()
			if err := os.RemoveAll(filepath.Join(n.dir, "jetstream")); err != nil {
				t.Fatal(err)
			}
			return []*natsNode{n}
		}},
		{"who leads, and linli", func() []*natsNode {
			n := leader()
			linli.kill()
			return []*natsNode{n}
		}},
		{"two", func() []*natsNode {
			i := random.IntN(len(nodes))
			return []*natsNode{nodes[i], nodes[(i+1)%len(nodes)]}
		}},
	}
	var kills []kill
	for n := range max(len(rounds), *chaos/10) {
		round := rounds[n%len(rounds)]
		killed, dead := time.Now(), round.kill()
		for _, node := range dead {
			node.kill()
		}
		time.Sleep(time.Duration(random.Int64N(int64(3 * time.Second)))) // the random moment is the point
		for _, node := range dead {
			node.start(t, "")
		}
		at := time.Now()
		s.await(time.Minute, "whole after a kill of "+round.name, func() bool { return s.whole(js) })
		whole := time.Since(at)
		s.await(time.Minute, "ready after a kill of "+round.name, up)
		kills = append(kills, kill{round.name, killed, whole, time.Since(at)})
	}
	l.stop()
	r := l.wait()
	a := l.account()
	s.await(time.Minute, "drained", func() bool { return s.missing(a, began) == 0 })
	acked, open := s.verify(a, began)
	s.await(time.Minute, "everybody heard", func() bool { return len(openings(hook)) >= r.SOS })
	hook.heardOnce(t)
	t.Logf("%d acknowledged readings are stored once, %d were never acknowledged; %d presses, %d heard", acked, open, r.SOS, len(openings(hook)))
	tellKills(t, kills, a, hook)
	close(answered)
}
