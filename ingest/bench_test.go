package ingest_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"linli/bus"
	"linli/ingest"
	"linli/internal/testkit"
)

// pump plays a broker whose sessions have n messages each in their queue, in a window of 4096 without an answer.
type pump struct {
	net.Listener
	b       *testing.B
	topic   string
	n       int
	wg      sync.WaitGroup
	release chan struct{}
}

func newPump(b *testing.B, topic string, n int) *pump {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	p := &pump{Listener: l, b: b, topic: topic, n: n, release: make(chan struct{})}
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
	b.Cleanup(func() {
		_ = l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *pump) serve(nc net.Conn) {
	defer func() { _ = nc.Close() }()
	c := bufio.NewReadWriter(bufio.NewReaderSize(nc, 64<<10), bufio.NewWriterSize(nc, 64<<10))
	filters, err := p.welcome(c)
	if err == nil && filters == 1 { // not the lane for events
		<-p.release
		err = p.publish(c)
	}
	if err == nil {
		_, err = io.Copy(io.Discard, c)
	}
	if err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, syscall.ECONNRESET) {
		p.b.Log("pump:", err)
	}
}

// welcome answers CONNECT and SUBSCRIBE.
func (p *pump) welcome(c *bufio.ReadWriter) (filters int, err error) {
	var subscribe []byte
	for range 2 {
		if _, err := c.ReadByte(); err != nil {
			return 0, err
		}
		n, err := binary.ReadUvarint(c)
		if err != nil {
			return 0, err
		}
		subscribe = make([]byte, n)
		if _, err := io.ReadFull(c, subscribe); err != nil {
			return 0, err
		}
		answer := []byte{0x20, 2, 1, 0}
		if filters = strings.Count(string(subscribe), "/#"); filters > 0 {
			answer = append([]byte{0x90, byte(2 + filters), subscribe[0], subscribe[1]}, []byte{1, 1, 1, 1}[:filters]...)
		}
		if _, err := c.Write(answer); err != nil {
			return 0, err
		}
		if err := c.Flush(); err != nil {
			return 0, err
		}
	}
	return filters, nil
}

func (p *pump) publish(c *bufio.ReadWriter) error {
	window := make(chan struct{}, 4096)
	p.wg.Go(func() {
		for range p.n {
			if _, err := c.Discard(4); err != nil {
				return
			}
			<-window
		}
	})
	ts := time.Now().UnixMilli()
	var b []byte
	for i := range p.n {
		if len(window) == cap(window) {
			if err := c.Flush(); err != nil {
				return err
			}
		}
		window <- struct{}{}
		payload := fmt.Appendf(nil, `{"ts":%d,"seq":%d,"power_w":312.5,"voltage_l1_v":226.4,"current_l1_a":5.31,"frequency_hz":50.01,"energy_import_kwh":1234.56}`, ts+int64(i/10), i)
		b = append(b[:0], 0x32)
		b = binary.AppendUvarint(b, uint64(4+len(p.topic)+len(payload)))
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.topic)))
		b = append(b, p.topic...)
		b = binary.BigEndian.AppendUint16(b, uint16(i%65535+1))
		if _, err := c.Write(append(b, payload...)); err != nil {
			return err
		}
	}
	return c.Flush()
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// BenchmarkIngest is the hop from the broker's connection to JetStream, everything in this process: a pump as the broker, ingest, and
// the server of the bus.
func BenchmarkIngest(b *testing.B) {
	s := openSite(b, bus.Share(2<<30))
	p := newPump(b, "linli/telemetry/north/meter/em-1", b.N)
	s.start(b, func(c *ingest.Config) { c.Broker.URL = "tcp://" + p.Addr().String() })
	before := cpu()
	b.ReportAllocs()
	b.ResetTimer()
	close(p.release)
	testkit.Eventually(b, time.Minute, func() bool { return s.sum("readings", "stored") == float64(b.N) })
	b.StopTimer()
	b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "readings/s")
	s.stop()
}
