package embedded_test

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"linli/internal/testkit"
)

// strangers hold connections to a broker without a word until the test ends, and come back as other clients do when they lose one.
func strangers(t *testing.T, b *broker, n int) (lost *atomic.Int64) {
	lost = &atomic.Int64{}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	t.Cleanup(func() { cancel(); all.Wait() })
	for range n {
		all.Go(func() {
			for ctx.Err() == nil {
				if c, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.MQTTAddr()); err == nil {
					ended := context.AfterFunc(ctx, func() { c.Close() })
					_, _ = c.Read(make([]byte, 1))
					ended()
					c.Close()
					lost.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(500 * time.Millisecond):
				}
			}
		})
	}
	return lost
}

// Whoever may be at the listener: ingest and the roles find a connection, and devices do once strangers have been cut.
func TestStrangersLeaveRoomForOurOwn(t *testing.T) {
	b := openBrokerOf(t, t.TempDir(), 1024)
	t.Cleanup(func() { b.Close() })
	lost := strangers(t, b, 1200)
	testkit.Eventually(t, 30*time.Second, func() bool { return lost.Load() > 1000 })
	user, password := b.IngestCredentials()
	for range 5 {
		testkit.Eventually(t, 30*time.Second, func() bool {
			c, err := b.dial(login{client: "f00dfeed", user: user, secret: password, persistent: true})
			c.Disconnect(0)
			return err == nil
		})
		testkit.Eventually(t, 30*time.Second, func() bool {
			nc, err := b.Conn("web")
			if err == nil {
				nc.Close()
			}
			return err == nil
		})
	}
	b.SetGate(func() bool { return true })
	testkit.Eventually(t, 30*time.Second, func() bool {
		d, err := b.dial(device("dev1"))
		d.Disconnect(0)
		return err == nil
	})
	if b.denied("stranger") == 0 {
		t.Error("no stranger was counted")
	}
}

// Devices have seven eighths of the connections, and no more.
func TestDevicesLeaveRoomForOurOwn(t *testing.T) {
	b := openBrokerOf(t, t.TempDir(), 64)
	t.Cleanup(func() { b.Close() })
	b.book.anyone = true
	b.SetGate(func() bool { return true })
	var in []mqtt.Client
	for i := range 64 {
		d, err := b.dial(device(fmt.Sprint("dev-", i)))
		if err != nil {
			break
		}
		in = append(in, d)
	}
	t.Cleanup(func() {
		for _, d := range in {
			d.Disconnect(0)
		}
	})
	if len(in) < 48 || len(in) > 56 {
		t.Errorf("%d devices connected of 64 connections", len(in))
	}
	b.ingest(t)
	for _, d := range in {
		if !d.IsConnectionOpen() {
			t.Error("a device lost its connection")
		}
	}
}
