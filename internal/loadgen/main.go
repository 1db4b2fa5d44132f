// Command loadgen publishes readings and SOS events over MQTT as fast as asked and keeps a journal of what the broker has
// acknowledged. It is the outside witness of the crash tests and the load of the end-to-end benchmarks: its own process, its own
// small MQTT 3.1.1 client (so that it costs little beside the server), no code of the server's.
//
// It talks to loopback only and stops by itself.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Identity is one MQTT connection and the devices it publishes for.
type Identity struct {
	ID      string   `json:"id"`
	Secret  string   `json:"secret"`
	Meters  []string `json:"meters"`  // electricity meters: readings
	Buttons []string `json:"buttons"` // SOS buttons: one press each
}

type options struct {
	addr      string
	root      string
	community string
	inflight  int
	rate      float64 // readings/s over all connections; 0: as fast as acknowledged
	duration  time.Duration
	seed      uint64
	sosEvery  time.Duration
	journal   *journal
}

// Result is what loadgen prints when it ends.
type Result struct {
	Sent       int     `json:"sent"`
	Acked      int     `json:"acked"`
	SOS        int     `json:"sos"`
	Seconds    float64 `json:"seconds"`
	Reconnects int     `json:"reconnects"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func run() error {
	var o options
	var identities, journalFile string
	flag.StringVar(&o.addr, "mqtt", "127.0.0.1:1883", "broker `address`, loopback only")
	flag.StringVar(&o.root, "root", "linli", "first topic level")
	flag.StringVar(&o.community, "community", "load", "community of every device")
	flag.StringVar(&identities, "identities", "", "JSON `file`: list of identities")
	flag.StringVar(&journalFile, "journal", "", "`file` for one line a send (S) and acknowledgement (A); none when empty")
	flag.IntVar(&o.inflight, "inflight", 50, "unacknowledged messages a connection")
	flag.Float64Var(&o.rate, "rate", 0, "readings a second over all connections; 0: as fast as acknowledged")
	flag.DurationVar(&o.duration, "duration", 10*time.Second, "when to stop sending, 30 minutes at most")
	flag.DurationVar(&o.sosEvery, "sos-every", 0, "distance between SOS presses; 0: none")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of every value")
	flag.Parse()

	host, _, err := net.SplitHostPort(o.addr)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		return fmt.Errorf("-mqtt %q is not a loopback address", o.addr)
	}
	o.duration = min(o.duration, 30*time.Minute)
	b, err := os.ReadFile(identities)
	if err != nil {
		return err
	}
	var ids []Identity
	if err := json.Unmarshal(b, &ids); err != nil {
		return fmt.Errorf("%s: %w", identities, err)
	}
	if o.journal, err = openJournal(journalFile); err != nil {
		return err
	}
	defer o.journal.close()

	// A signal ends the sending; what is not acknowledged by then is waited for.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	var wg sync.WaitGroup
	conns := make([]*connection, len(ids))
	began := time.Now()
	for i, id := range ids {
		conns[i] = newConnection(id, &o, len(ids), began)
		wg.Go(func() { conns[i].run(ctx) })
	}
	wg.Wait()
	res := Result{Seconds: time.Since(began).Seconds()}
	for _, c := range conns {
		res.Sent += c.sent
		res.Acked += c.acked
		res.SOS += c.pressed
		res.Reconnects += c.reconnects
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}
