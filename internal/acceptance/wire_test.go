package acceptance

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// wire carries TCP connections between two parts, and what is done to it happens to them as it does in a network.
type wire struct {
	addr string
	to   func() string // where it leads; empty while nothing is there

	mu    sync.Mutex    // guards what follows
	fault fault         // what is wrong with it
	turn  chan struct{} // closed when that changes
	conns map[*carried]bool
}

// fault is what is wrong with a wire.
type fault uint8

const (
	sound     fault = iota
	held            // nothing gets through either way, and what was sent comes when the wire is sound again: a partition that heals
	heldTo          // nothing gets to where the wire leads
	heldFrom        // nothing comes from there
	forgotten       // what is sent is lost, the end of a connection too, and neither end is told: a NAT that has forgotten them
	cut             // connections end, and no other is let through
)

// carried is one connection.
type carried struct{ near, far net.Conn }

func (c *carried) close() {
	c.near.Close()
	c.far.Close()
}

// newWire begins to carry connections to an address, which is asked for with each of them.
func newWire(t *testing.T, to func() string) *wire {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{addr: l.Addr().String(), to: to, turn: make(chan struct{}), conns: map[*carried]bool{}}
	ctx, end := context.WithCancel(context.Background())
	var carrying sync.WaitGroup
	t.Cleanup(func() {
		end()
		l.Close()
		w.set(cut)
		carrying.Wait()
	})
	carrying.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			carrying.Go(func() { w.connect(ctx, near, &carrying) })
		}
	})
	return w
}

// connect carries a connection once the wire lets one through.
func (w *wire) connect(ctx context.Context, near net.Conn, carrying *sync.WaitGroup) {
	f, turn := w.pass(heldTo)
	for ; f == forgotten; f, turn = w.pass(heldTo) {
		<-turn
	}
	if f == cut {
		near.Close()
		return
	}
	far, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "tcp", w.to())
	if err != nil {
		near.Close()
		return
	}
	c := &carried{near, far}
	w.mu.Lock()
	if w.conns[c] = true; w.fault == cut {
		c.close()
	}
	w.mu.Unlock()
	carrying.Go(func() { w.carry(c, near, far, heldTo) })
	w.carry(c, far, near, heldFrom)
	w.mu.Lock()
	delete(w.conns, c)
	w.mu.Unlock()
}

// carry copies one way until an end closes.
func (w *wire) carry(c *carried, from, to net.Conn, way fault) {
	b := make([]byte, 4<<10)
	for {
		n, err := from.Read(b)
		f, turn := w.pass(way)
		switch {
		case f == forgotten && err != nil:
			<-turn
			c.close()
			return
		case f == forgotten:
			continue
		case err != nil:
			c.close()
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// pass returns once one way is not held: what is wrong with the wire then, and what is closed when something else is.
func (w *wire) pass(way fault) (fault, <-chan struct{}) {
	f, turn := w.now()
	for ; f == held || f == way; f, turn = w.now() {
		<-turn
	}
	return f, turn
}

func (w *wire) now() (fault, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fault, w.turn
}

// set makes something wrong with the wire, or nothing. Connections do not outlive that they were forgotten.
func (w *wire) set(f fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f == cut || w.fault == forgotten {
		for c := range w.conns {
			c.close()
		}
	}
	w.fault = f
	close(w.turn)
	w.turn = make(chan struct{})
}

// load is how many connections the wire carries.
func (w *wire) load() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}
