package ingest_test

import (
	"bufio"
	"encoding/binary"
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
	p := &pump{Listener: l, topic: topic, n: n, release: make(chan struct{})}
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
		l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *pump) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReaderSize(c, 64<<10)
	packet := func() []byte {
		r.ReadByte()
		n, _ := binary.ReadUvarint(r)
		body := make([]byte, n)
		io.ReadFull(r, body)
		return body
	}
	packet()
	c.Write([]byte{0x20, 2, 1, 0})
	subscribe := packet()
	filters := strings.Count(string(subscribe), "/#")
	c.Write(append([]byte{0x90, byte(2 + filters), subscribe[0], subscribe[1]}, []byte{1, 1, 1, 1}[:filters]...))
	if filters > 1 { // the other lane
		io.Copy(io.Discard, c)
		return
	}
	<-p.release
	window := make(chan struct{}, 4096)
	p.wg.Go(func() {
		for range p.n {
			if _, err := r.Discard(4); err != nil {
				return
			}
			<-window
		}
	})
	w := bufio.NewWriterSize(c, 64<<10)
	ts := time.Now().UnixMilli()
	var b []byte
	for i := range p.n {
		select {
		case window <- struct{}{}:
		default:
			w.Flush()
			window <- struct{}{}
		}
		payload := fmt.Appendf(nil, `{"ts":%d,"seq":%d,"power_w":312.5,"voltage_l1_v":226.4,"current_l1_a":5.31,"frequency_hz":50.01,"energy_import_kwh":1234.56}`, ts+int64(i/10), i)
		b = append(b[:0], 0x32)
		b = binary.AppendUvarint(b, uint64(4+len(p.topic)+len(payload)))
		b = binary.BigEndian.AppendUint16(b, uint16(len(p.topic)))
		b = append(b, p.topic...)
		b = binary.BigEndian.AppendUint16(b, uint16(i%65535+1))
		w.Write(b)
		w.Write(payload)
	}
	w.Flush()
	io.Copy(io.Discard, c)
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
