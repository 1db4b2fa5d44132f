package embedded

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Whoever can reach the listener can hold connections without logging in, and reach the limit of the server. So that ingest and the roles
// find a free one when they lose theirs, devices have no more than seven eighths of them: one beyond that is refused. And when fewer than a
// sixteenth are free, half of the strangers are cut: those who have kept silent for longest, so that who is about to log in is not among
// them. To keep ours out, strangers would have to take a sixteenth of all connections between two looks.
type room struct {
	server  *server.Server
	devices *server.Account
	all     int // connections that the server takes
	metrics *metrics
}

// lookAround is how often strangers are counted.
const lookAround = 5 * time.Millisecond

// keepRoom begins the watch over strangers.
func (n *NATS) keepRoom(m *metrics) error {
	devices, err := n.server.LookupAccount(accountDevices)
	if err != nil {
		return fmt.Errorf("look for account %s: %w", accountDevices, err)
	}
	r := &room{n.server, devices, n.options.MaxConn, m}
	n.callout.full = r.full
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		r.keep(stop)
	}()
	n.letGo = sync.OnceFunc(func() {
		close(stop)
		<-done
	})
	return nil
}

// full reports whether no other device is to be let in.
func (r *room) full() bool { return r.devices.NumConnections() >= r.all-r.all/8 }

// keep cuts strangers until stop is closed.
func (r *room) keep(stop <-chan struct{}) {
	tick := time.NewTicker(lookAround)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if r.server.NumClients() > r.all-r.all/16 {
				r.cut()
			}
		}
	}
}

// cut ends the connections of half of the strangers, if they have a sixteenth of all: first of those who have not sent a CONNECT, the oldest before others.
func (r *room) cut() {
	all, err := r.server.Connz(&server.ConnzOptions{Username: true, Limit: r.server.NumClients() + 1})
	if err != nil {
		return // it is shutting down
	}
	strangers := slices.DeleteFunc(all.Conns, func(c *server.ConnInfo) bool { return c.Account == r.devices.Name || c.Type != "mqtt" })
	slices.SortFunc(strangers, func(x, y *server.ConnInfo) int {
		return cmp.Or(cmp.Compare(min(len(x.MQTTClient), 1), min(len(y.MQTTClient), 1)), cmp.Compare(x.Cid, y.Cid))
	})
	if len(strangers) < r.all/16 {
		return // the estate is full, and it is not for them
	}
	for _, c := range strangers[:(len(strangers)+1)/2] {
		if r.server.DisconnectClientByID(c.Cid) == nil {
			r.metrics.denied.WithLabelValues("stranger").Inc()
		}
	}
}
