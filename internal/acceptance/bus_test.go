package acceptance

import (
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// An operator deletes the streams of readings and events of an outside NATS. Nothing that devices send from then on is lost: it waits
// at the broker, readiness ends and says why, and who pressed meanwhile is heard once the streams are there again.
func TestStreamsDeletedByAnOperator(t *testing.T) {
	natsServer := buildFor(t, "nats-server", "github.com/nats-io/nats-server/v2")
	broker, busAddr, hook := startMosquitto(t), freeAddr(t), newReceiver(t)
	_, busPort, _ := net.SplitHostPort(busAddr)
	cmd := exec.Command(natsServer, "-a", "127.0.0.1", "-p", busPort, "-js", "-sd", t.TempDir())
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	s := newServer(t, "--nats-url", "nats://"+busAddr, "--mqtt-url", "tcp://"+broker.addr, "--config", hook.config(t))
	nc := connectNATS(s, busAddr)
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	press := func(id string) {
		s.addDevice("garden", "wearable_band", id)
		host, port, _ := net.SplitHostPort(broker.addr)
		out, err := exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-i", id, "-q", "1", "-t", "linli/event/garden/wearable_band/"+id+"/sos", "-n").CombinedOutput()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
	}
	heard := func(id string) func() bool {
		return func() bool { return hook.opened("wb_sos")[id] == 1 }
	}
	press("wb-before")
	s.await(10*time.Second, "told of the first press", heard("wb-before"))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{bus.Readings, bus.Events} {
		if err := js.DeleteStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
	}
	press("wb-meanwhile")
	s.await(20*time.Second, "not ready", func() bool { return !s.ready() })
	s.kill()
	s.start()
	s.await(20*time.Second, "told of the press meanwhile", heard("wb-meanwhile"))
	press("wb-after")
	s.await(20*time.Second, "told of the press after", heard("wb-after"))
	if got := hook.opened("wb_sos"); len(got) != 3 || got["wb-before"] != 1 {
		t.Errorf("told of %v", got)
	}
	s.terminate()
}

// connectNATS waits for a NATS server that starts.
func connectNATS(s *server, addr string) *nats.Conn {
	var nc *nats.Conn
	s.await(10*time.Second, "connected to NATS", func() bool {
		c, err := nats.Connect("nats://" + addr)
		nc = c
		return err == nil
	})
	s.t.Cleanup(nc.Close)
	return nc
}
