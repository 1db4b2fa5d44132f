package acceptance

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"
)

var stoodStill = flag.Duration("stood-still", 7*time.Second, "how long the process stands still")

// band connects as a wearable band that says when it is online and whose last will says that it is not.
func (s *server) band(addr string, c credentials, keepAlive time.Duration) mqtt.Client {
	s.t.Helper()
	state := strings.Replace(c.Topic, "/telemetry/", "/state/", 1)
	o := mqtt.NewClientOptions().AddBroker("tcp://" + addr).SetClientID(c.ID).SetUsername(c.ID).SetPassword(c.Secret)
	o.SetKeepAlive(keepAlive).SetAutoReconnect(false).SetProtocolVersion(4).SetConnectTimeout(5*time.Second).SetWill(state, "offline", 1, true)
	client := mqtt.NewClient(o)
	s.await(30*time.Second, "connected as "+c.ID, func() bool {
		token := client.Connect()
		return token.WaitTimeout(6*time.Second) && token.Error() == nil
	})
	s.t.Cleanup(func() { client.Disconnect(0) })
	if token := client.Publish(state, 1, true, "online"); !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		s.t.Fatalf("%s: online: %v", c.ID, token.Error())
	}
	return client
}

// press presses and returns once the broker has acknowledged it.
func (s *server) press(client mqtt.Client, c credentials) {
	s.t.Helper()
	topic := strings.Replace(c.Topic, "/telemetry/", "/event/", 1) + "/sos"
	if token := client.Publish(topic, 1, false, ""); !token.WaitTimeout(30*time.Second) || token.Error() != nil {
		s.t.Fatalf("press of %s: %v", c.ID, token.Error())
	}
}

// lastState is the last state of a device that is stored: online, offline, or none.
func (s *server) lastState(device string) string {
	var list struct{ Events []struct{ Event string } }
	if err := s.get("/api/v1/devices/"+device+"/events", &list); err != nil {
		return err.Error()
	}
	for _, e := range list.Events {
		if e.Event == "online" || e.Event == "offline" {
			return e.Event
		}
	}
	return ""
}

// The network forgets the connections of two devices; neither end is told. The broker finds out by the keepalive and says that one is
// offline. The other comes back by another way before the broker knows, is let in under its name, is online, and its press is heard;
// so is that of a neighbour while both are dead.
func TestHalfOpenConnections(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	quiet, moved, near := s.addDevice("garden", "wearable_band", "wb-quiet"), s.addDevice("garden", "wearable_band", "wb-moved"), s.addDevice("garden", "wearable_band", "wb-near")
	w := newWire(t, func() string { return s.mqtt })
	s.band(w.addr, quiet, 2*time.Second)
	s.band(w.addr, moved, 10*time.Minute)
	neighbour := s.band(s.mqtt, near, time.Minute)
	for _, c := range []credentials{quiet, moved} {
		s.await(30*time.Second, c.ID+" online", func() bool { return s.lastState(c.ID) == "online" })
	}
	w.set(forgotten)
	s.press(neighbour, near)
	s.await(30*time.Second, "told of the neighbour", func() bool { return hook.opened("wb_sos")["wb-near"] == 1 })
	s.await(30*time.Second, "offline by the keepalive", func() bool { return s.lastState("wb-quiet") == "offline" })

	again := s.band(s.mqtt, moved, time.Minute)
	s.press(again, moved)
	s.await(30*time.Second, "told of the press after moving", func() bool { return hook.opened("wb_sos")["wb-moved"] == 1 })
	if !again.IsConnectionOpen() {
		t.Error("the device that came back has lost its connection to the dead one")
	}
	s.await(30*time.Second, "online again", func() bool { return s.lastState("wb-moved") == "online" })
	s.terminate()
}

// A machine lets the server open 256 files. Hundreds of connections to each of its listeners, which say nothing, leave it enough to
// store and send: a device that is connected presses and somebody is told. Once they are gone, others are let in.
func TestConnectionsLeaveFilesToWorkWith(t *testing.T) {
	const files, strangers = 256, 400
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.wrap = []string{"sh", "-c", fmt.Sprintf(`ulimit -n %d; exec "$@"`, files), "sh"}
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	first, second := s.addDevice("garden", "wearable_band", "wb-first"), s.addDevice("garden", "wearable_band", "wb-second")
	connected := s.band(s.mqtt, first, time.Minute)
	ctx, release := context.WithCancel(t.Context())
	defer release()
	var crowd sync.WaitGroup
	var tries atomic.Int64
	for i := range strangers {
		addr := []string{s.mqtt, s.http}[i%2]
		crowd.Go(func() { stand(ctx, addr, &tries) })
	}
	s.await(30*time.Second, "crowded", func() bool { return tries.Load() >= 2*strangers })
	cpuBefore := cpu(t, s.cmd.Process.Pid)
	most := 0
	s.press(connected, first)
	s.await(30*time.Second, "told in the crowd", func() bool {
		open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
		most = max(most, len(open))
		return hook.opened("wb_sos")["wb-first"] == 1
	})
	t.Logf("%d connections tried, up to %d of %d files open, %v of CPU meanwhile", tries.Load(), most, files, cpu(t, s.cmd.Process.Pid)-cpuBefore)
	release()
	crowd.Wait()
	s.press(s.band(s.mqtt, second, time.Minute), second)
	s.await(30*time.Second, "told afterwards", func() bool { return hook.opened("wb_sos")["wb-second"] == 1 })
	if s.logs.contains("ritical write error") {
		t.Error("a stream could not write")
	}
	s.await(30*time.Second, "ready", s.ready)
	s.terminate()
}

// stand connects and says nothing, again soon after it is turned away, until ctx ends.
func stand(ctx context.Context, addr string, tries *atomic.Int64) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		c, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", addr)
		tries.Add(1)
		if err != nil {
			continue
		}
		stop := context.AfterFunc(ctx, func() { c.Close() })
		_, _ = c.Read(make([]byte, 1)) // until either end closes
		stop()
		c.Close()
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// For a moment the server cannot open files, and its streams refuse everything from then on. It opens them again by itself, and a press
// that was not acknowledged meanwhile, which the device sends again, is heard.
func TestStreamsThatRefuseAreOpenedAgain(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	c := s.addDevice("garden", "wearable_band", "wb-1")
	var before, none unix.Rlimit
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	none.Max = before.Max
	client := s.band(s.mqtt, c, time.Minute)
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &none, nil); err != nil {
		t.Fatal(err)
	}
	client.Publish(strings.Replace(c.Topic, "/telemetry/", "/event/", 1)+"/sos", 1, false, "")
	s.await(30*time.Second, "stuck", func() bool { return s.logs.contains("ritical write error") })
	if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_NOFILE, &before, nil); err != nil {
		t.Fatal(err)
	}
	s.await(30*time.Second, "opened again", func() bool { return s.logs.contains("opening everything again") && s.ready() })
	s.press(s.band(s.mqtt, c, time.Minute), c)
	s.await(30*time.Second, "told", func() bool { return hook.opened("wb_sos")["wb-1"] == 1 })
	s.terminate()
}

// The whole process stands still, as a machine that is suspended or moved does, for longer than its time-outs, while a device presses.
// When it goes on, the press is heard, once.
func TestProcessThatStoodStill(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	before, during := s.addDevice("garden", "wearable_band", "wb-before"), s.addDevice("garden", "wearable_band", "wb-during")
	one, two := s.band(s.mqtt, before, time.Minute), s.band(s.mqtt, during, time.Minute)
	s.press(one, before)
	s.signal(syscall.SIGSTOP)
	topic := strings.Replace(during.Topic, "/telemetry/", "/event/", 1) + "/sos"
	pressed := two.Publish(topic, 1, false, "")
	time.Sleep(*stoodStill) // that it stands still is the point
	s.signal(syscall.SIGCONT)
	if !pressed.WaitTimeout(30*time.Second) || pressed.Error() != nil {
		t.Fatalf("the press was not acknowledged: %v", pressed.Error())
	}
	for _, id := range []string{"wb-before", "wb-during"} {
		s.await(30*time.Second, "told of "+id, func() bool { return hook.opened("wb_sos")[id] == 1 })
	}
	s.await(30*time.Second, "ready", s.ready)
	s.terminate()
	if got := hook.opened("wb_sos"); got["wb-before"] != 1 || got["wb-during"] != 1 {
		t.Errorf("told of %v", got)
	}
}

func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}
