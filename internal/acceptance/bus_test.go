package acceptance

import (
	"fmt"
	"net"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// An operator deletes streams and buckets of an outside NATS. Nothing that devices send from then on is lost: it waits at the broker
// until linli, by itself, has set them up again and begun anew, and whoever pressed meanwhile is heard, however many they are.
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
	const pressing = 12 // more than the deleted stream held
	s := newServer(t, "--nats-url", "nats://"+busAddr, "--mqtt-url", "tcp://"+broker.addr, "--config", hook.config(t))
	nc := connectNATS(s, busAddr)
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	for _, id := range append([]string{"before", "after"}, numbered("meanwhile", pressing)...) {
		s.addDevice("garden", "wearable_band", "wb-"+id)
	}
	press := func(id string) {
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
	s.await(30*time.Second, "told of the first press", heard("wb-before"))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{bus.Readings, bus.Events} {
		if err := js.DeleteStream(t.Context(), stream); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range numbered("wb-meanwhile", pressing) {
		press(id)
	}
	for _, id := range numbered("wb-meanwhile", pressing) {
		s.await(30*time.Second, "told of "+id, heard(id))
	}
	press("wb-after")
	s.await(30*time.Second, "told of the press after", heard("wb-after"))
	if got := hook.opened("wb_sos"); len(got) != pressing+2 || got["wb-before"] != 1 {
		t.Errorf("told of %v", got)
	}
	if !s.logs.contains("what they held is lost") {
		t.Error("nothing in the log says what was lost")
	}
	s.await(30*time.Second, "ready", s.ready)
	s.terminate()
}

func numbered(prefix string, n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("%s-%d", prefix, i))
	}
	return ids
}

// connectNATS waits for a NATS server that starts.
func connectNATS(s *server, addr string) *nats.Conn {
	var nc *nats.Conn
	s.await(30*time.Second, "connected to NATS", func() bool {
		c, err := nats.Connect("nats://" + addr)
		nc = c
		return err == nil
	})
	s.t.Cleanup(nc.Close)
	return nc
}
