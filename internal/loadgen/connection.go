package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"os"
	"strconv"
	"time"
)

// message is one publish that the broker has not acknowledged yet; it is sent again, byte for byte, after a reconnect.
type message struct {
	topic, payload string
	device         string
	ts             int64
	reading        bool
}

// connection is one MQTT connection played by one goroutine: fill the window, flush, read acknowledgements, again.
type connection struct {
	id       Identity
	o        *options
	perConn  float64 // readings/s
	began    time.Time
	boot     int64
	seq      []int64 // next sequence number by meter
	lastTS   []int64
	turn     int
	nextSOS  time.Time
	window   map[uint16]*message
	packetID uint16

	sent, acked, pressed, reconnects int
}

func newConnection(id Identity, o *options, conns int, began time.Time) *connection {
	return &connection{
		id: id, o: o, perConn: o.rate / float64(conns), began: began, boot: began.Unix(),
		seq: make([]int64, len(id.Meters)), lastTS: make([]int64, len(id.Meters)),
		nextSOS: began.Add(o.sosEvery), window: map[uint16]*message{},
	}
}

// run publishes until the duration is over or ctx ends, then waits until everything is acknowledged, at most 60 s.
func (c *connection) run(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, c.began.Add(c.o.duration))
	defer cancel()
	waiting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(60*time.Second, stop) })()
	for waiting.Err() == nil {
		err := c.session(ctx, waiting)
		if err == nil {
			return
		}
		c.reconnects++
		select {
		case <-time.After(100 * time.Millisecond):
		case <-waiting.Done():
		}
	}
}

// session publishes while sending lasts and reads acknowledgements while waiting lasts; nil when nothing is left to be done.
func (c *connection) session(sending, waiting context.Context) error {
	nc, err := net.DialTimeout("tcp", c.o.addr, 2*time.Second)
	if err != nil {
		return err
	}
	defer nc.Close()
	r, w := bufio.NewReaderSize(nc, 16<<10), bufio.NewWriterSize(nc, 64<<10)
	if err := c.connect(nc, r, w); err != nil {
		return err
	}
	for id, m := range c.window {
		writePublish(w, id, m, true)
	}
	for waiting.Err() == nil {
		if sending.Err() == nil {
			c.fill(w, time.Now())
		} else if len(c.window) == 0 {
			w.Write([]byte{0xE0, 0})
			return w.Flush()
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if err := c.readAcks(nc, r); err != nil {
			return err
		}
	}
	return nil
}

// fill sends what the window and the rate allow.
func (c *connection) fill(w *bufio.Writer, now time.Time) {
	if c.o.sosEvery > 0 && c.pressed < len(c.id.Buttons) && now.After(c.nextSOS) {
		device := c.id.Buttons[c.pressed]
		c.pressed++
		c.nextSOS = c.nextSOS.Add(c.o.sosEvery)
		c.send(w, &message{topic: c.o.root + "/event/" + c.o.community + "/sos_button/" + device + "/sos", device: device})
	}
	if len(c.id.Meters) == 0 {
		return
	}
	budget := c.o.inflight
	if c.perConn > 0 {
		budget = int(now.Sub(c.began).Seconds()*c.perConn) - c.sent
	}
	for ; budget > 0 && len(c.window) < c.o.inflight; budget-- {
		c.sent++
		c.send(w, c.reading(now))
	}
}

// reading is the next reading of the next meter. Its milliseconds are unique in its device.
func (c *connection) reading(now time.Time) *message {
	i := c.turn
	c.turn = (c.turn + 1) % len(c.id.Meters)
	device := c.id.Meters[i]
	c.seq[i]++
	ts := max(now.UnixMilli(), c.lastTS[i]+1)
	c.lastTS[i] = ts
	v := powerOf(c.o.seed, device, c.boot, c.seq[i])
	c.o.journal.write('S', device, ts, v)
	b := make([]byte, 0, 192)
	b = append(b, `{"ts":`...)
	b = strconv.AppendInt(b, ts, 10)
	b = append(b, `,"seq":`...)
	b = strconv.AppendInt(b, c.seq[i], 10)
	b = append(b, `,"power_w":`...)
	b = strconv.AppendFloat(b, v, 'f', 1, 64)
	b = append(b, `,"voltage_l1_v":226.4,"current_l1_a":5.31,"frequency_hz":50.01,"energy_import_kwh":`...)
	b = strconv.AppendFloat(b, float64(c.seq[i])/100, 'f', 2, 64)
	b = append(b, '}')
	return &message{topic: c.o.root + "/telemetry/" + c.o.community + "/electricity_meter/" + device, payload: string(b), device: device, ts: ts, reading: true}
}

// powerOf is the value that identifies a reading: a function of who sent it and when in its life, in W with one decimal.
func powerOf(seed uint64, device string, boot, seq int64) float64 {
	h := fnv.New64a()
	fmt.Fprint(h, seed, device, boot, seq)
	return float64(h.Sum64()%50000) / 10
}

func (c *connection) send(w *bufio.Writer, m *message) {
	for {
		c.packetID++
		if _, busy := c.window[c.packetID]; c.packetID != 0 && !busy {
			break
		}
	}
	if !m.reading {
		c.o.journal.write('S', m.device, 0, 0)
	}
	c.window[c.packetID] = m
	writePublish(w, c.packetID, m, false)
}

// readAcks reads until nothing is waiting; it blocks for at most 2 ms when nothing has come.
func (c *connection) readAcks(nc net.Conn, r *bufio.Reader) error {
	wait := 2 * time.Millisecond
	if c.perConn == 0 && len(c.window) >= c.o.inflight {
		wait = time.Second
	}
	if err := nc.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	for {
		// Peek leaves a half packet in the buffer when the deadline passes.
		if _, err := r.Peek(4); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return nil
			}
			return err
		}
		var p [4]byte
		if _, err := io.ReadFull(r, p[:]); err != nil {
			return err
		}
		if p[0] != 0x40 || p[1] != 2 {
			return fmt.Errorf("unexpected packet %x", p)
		}
		id := binary.BigEndian.Uint16(p[2:])
		if m := c.window[id]; m != nil {
			delete(c.window, id)
			if m.reading {
				c.acked++
			}
			c.o.journal.write('A', m.device, m.ts, 0)
		}
		if r.Buffered() < 4 {
			return nil
		}
	}
}

func (c *connection) connect(nc net.Conn, r *bufio.Reader, w *bufio.Writer) error {
	var body []byte
	body = appendString(body, "MQTT")
	body = append(body, 4, 0xC2, 0, 60) // 3.1.1; user, password, clean session; keep alive 60 s
	for _, s := range []string{c.id.ID, c.id.ID, c.id.Secret} {
		body = appendString(body, s)
	}
	w.WriteByte(0x10)
	writeLength(w, len(body))
	w.Write(body)
	if err := w.Flush(); err != nil {
		return err
	}
	if err := nc.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	var ack [4]byte
	if _, err := io.ReadFull(r, ack[:]); err != nil {
		return err
	}
	if ack[0] != 0x20 || ack[3] != 0 {
		return fmt.Errorf("connect refused: %x", ack)
	}
	return nil
}

func writePublish(w *bufio.Writer, id uint16, m *message, dup bool) {
	first := byte(0x32)
	if dup {
		first |= 0x08
	}
	w.WriteByte(first)
	writeLength(w, 2+len(m.topic)+2+len(m.payload))
	w.WriteByte(byte(len(m.topic) >> 8))
	w.WriteByte(byte(len(m.topic)))
	w.WriteString(m.topic)
	w.WriteByte(byte(id >> 8))
	w.WriteByte(byte(id))
	w.WriteString(m.payload)
}

func writeLength(w *bufio.Writer, n int) {
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if n > 0 {
			b |= 0x80
		}
		w.WriteByte(b)
		if n == 0 {
			return
		}
	}
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
