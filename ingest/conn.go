package ingest

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/eclipse/paho.mqtt.golang/packets"
)

// MaxPayload is the largest payload that is read; of a larger one, which the embedded broker would not let through, the
// beginning is kept for the reject.
const MaxPayload = 64 << 10

const (
	writeTimeout = 5 * time.Second
	keptOversize = 1 << 10

	burstBytes    = 64 << 10
	burstMessages = 256
)

// conn is a connection to the broker that takes published messages, and answers them, past the MQTT client: the client's way for a
// message is five goroutines and 33 allocations, 7 µs of CPU, where this is one burst of messages. Everything else of the
// protocol (connecting, subscribing, pings, reconnecting) stays with the client, which reads and writes through conn.
type conn struct {
	net.Conn
	in     *bufio.Reader
	rest   []byte // of the packet that the client is reading
	buf    []byte // behind rest
	bursts chan<- *burst
	open   *burst // read, not handed on
	heard  *atomic.Int64
	new    bool // the broker had no session for us

	once   sync.Once
	closed chan struct{}
}

func newConn(nc net.Conn, bursts chan<- *burst, heard *atomic.Int64, pace time.Duration) *conn {
	c := &conn{Conn: nc, bursts: bursts, heard: heard, closed: make(chan struct{})}
	c.in = bufio.NewReaderSize(&wire{Conn: nc, heard: heard, pace: pace}, burstBytes)
	return c
}

// wire is what conn reads from. It notes when the broker was last heard, in ns since 1970, and leaves pace between two reads: a
// broker that writes message by message would cost a system call and a wake-up for each.
type wire struct {
	net.Conn
	heard *atomic.Int64
	pace  time.Duration
	last  time.Time
}

func (w *wire) Read(p []byte) (int, error) {
	if w.pace > 0 {
		time.Sleep(w.pace - time.Since(w.last))
	}
	n, err := w.Conn.Read(p)
	w.last = time.Now()
	if n > 0 {
		w.heard.Store(w.last.UnixNano())
	}
	return n, err
}

// message is one published message. Its slices point into the burst.
type message struct {
	topic, payload []byte
	id             uint16 // 0: QoS 0, nothing to acknowledge
	retained       bool   // an old message, sent again because we subscribed
	again          bool   // the broker has sent it before under the same id, and we have not acknowledged it
	oversize       int    // length of the payload if only its beginning was kept
}

// burst is what was read without waiting.
type burst struct {
	from     acker
	received time.Time
	messages []message
	data     []byte
	replay   bool // of the reject list, by a person
}

// acker is who wants to know when messages are stored.
type acker interface{ ack(ids []uint16) }

var bursts = sync.Pool{New: func() any { return &burst{data: make([]byte, 0, burstBytes)} }}

func (b *burst) free() {
	if b.replay || cap(b.data) > burstBytes {
		return
	}
	*b = burst{messages: b.messages[:0], data: b.data[:0]}
	bursts.Put(b)
}

// dial opens a connection for the client to tcp:// or ssl://.
func dial(u *url.URL, o mqtt.ClientOptions) (net.Conn, error) {
	d := net.Dialer{Timeout: o.ConnectTimeout}
	switch u.Scheme {
	case "tcp", "mqtt":
		return d.Dial("tcp", u.Host)
	case "ssl", "tls", "mqtts":
		return tls.DialWithDialer(&d, "tcp", u.Host, o.TLSConfig)
	}
	return nil, fmt.Errorf("broker url: unknown scheme %q", u.Scheme)
}

// Read gives the client the next packet that is no message.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.rest) == 0 {
		if err := c.packet(); err != nil {
			c.handOn() // what was read is good
			return 0, err
		}
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// Write is given whole packets.
func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// ack tells the broker that messages are stored. On a dead connection it does nothing: the broker sends them again.
func (c *conn) ack(ids []uint16) {
	out := make([]byte, 0, 4*len(ids))
	for _, id := range ids {
		out = append(out, packets.Puback<<4, 2, byte(id>>8), byte(id))
	}
	if _, err := c.Write(out); err != nil {
		_ = c.Close() // part of a packet may be out; the client notices and connects again
	}
}

var errProtocol = errors.New("broker broke the protocol")

// packet reads one packet: a message into the open burst, another one into rest.
func (c *conn) packet() error {
	if c.in.Buffered() == 0 {
		c.handOn()
	}
	kind, err := c.in.ReadByte()
	if err != nil {
		return err
	}
	header := append(c.buf[:0], kind)
	length := 0
	for shift := 0; ; shift += 7 {
		b, err := c.in.ReadByte()
		if err != nil {
			return err
		}
		header = append(header, b)
		length |= int(b&0x7f) << shift
		if b&0x80 == 0 {
			break
		}
		if shift == 21 {
			return errProtocol
		}
	}
	if c.in.Buffered() < length {
		c.handOn()
	}
	if kind>>4 == packets.Publish {
		return c.publish(kind, length)
	}
	if length > MaxPayload {
		return errProtocol
	}
	n := len(header)
	c.buf = append(header, make([]byte, length)...)
	c.rest = c.buf
	if _, err = io.ReadFull(c.in, c.rest[n:]); err == nil && kind>>4 == packets.Connack && length == 2 {
		c.new = c.rest[n]&1 == 0
	}
	return err
}

// publish reads a message whose header has been read.
func (c *conn) publish(kind byte, length int) error {
	m := message{retained: kind&1 == 1, again: kind&8 != 0}
	qos := kind >> 1 & 3
	n, err := c.uint16()
	if err != nil {
		return err
	}
	topic := int(n)
	left := length - 2 - topic
	if qos == 1 {
		left -= 2
	}
	if left < 0 || qos > 1 { // we subscribe with QoS 1
		return errProtocol
	}
	keep := left
	if left > MaxPayload {
		keep, m.oversize = keptOversize, left
	}
	b := c.room(topic + keep)
	if m.topic, err = b.read(c.in, topic); err != nil {
		return err
	}
	if qos == 1 {
		if m.id, err = c.uint16(); err != nil {
			return err
		}
	}
	if m.payload, err = b.read(c.in, keep); err != nil {
		return err
	}
	b.messages = append(b.messages, m)
	_, err = c.in.Discard(left - keep)
	return err
}

func (c *conn) uint16() (uint16, error) {
	p, err := c.in.Peek(2)
	if err != nil {
		return 0, err
	}
	v := binary.BigEndian.Uint16(p)
	_, err = c.in.Discard(2)
	return v, err
}

// room is the open burst with room for n more bytes.
func (c *conn) room(n int) *burst {
	if c.open != nil && (cap(c.open.data)-len(c.open.data) < n || len(c.open.messages) == burstMessages) {
		c.handOn()
	}
	if c.open == nil {
		c.open = bursts.Get().(*burst)
		c.open.from, c.open.received = c, time.Now()
		if n > cap(c.open.data) {
			c.open.data = make([]byte, 0, n)
		}
	}
	return c.open
}

// read appends n bytes of r to the burst, which has room for them.
func (b *burst) read(r io.Reader, n int) ([]byte, error) {
	at := len(b.data)
	b.data = b.data[:at+n]
	_, err := io.ReadFull(r, b.data[at:])
	return b.data[at : at+n : at+n], err
}

// handOn gives the open burst to the lane. The channel holds more bursts than the broker sends messages without an answer, so it
// cannot be full; were it, the client would miss its pings and connect again, and nothing would be lost.
func (c *conn) handOn() {
	if c.open == nil || len(c.open.messages) == 0 {
		return
	}
	select {
	case c.bursts <- c.open:
		c.open = nil
	case <-c.closed:
	}
}

// Close ends reading and writing.
func (c *conn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}
