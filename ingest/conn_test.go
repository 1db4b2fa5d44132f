package ingest

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fed is a connection whose other side sends data, in parts, and keeps what it gets.
type fed struct {
	net.Conn
	parts [][]byte
	out   bytes.Buffer
}

func (f *fed) Read(p []byte) (int, error) {
	if len(f.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(p, f.parts[0])
	if f.parts[0] = f.parts[0][n:]; len(f.parts[0]) == 0 {
		f.parts = f.parts[1:]
	}
	return n, nil
}

func (f *fed) Write(p []byte) (int, error)      { return f.out.Write(p) }
func (f *fed) SetWriteDeadline(time.Time) error { return nil }
func (f *fed) Close() error                     { return nil }

func publishPacket(flags byte, id uint16, topic, payload string) []byte {
	body := binary.BigEndian.AppendUint16(nil, uint16(len(topic)))
	body = append(body, topic...)
	if flags&6 != 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	body = append(body, payload...)
	return append(binary.AppendUvarint([]byte{0x30 | flags}, uint64(len(body))), body...)
}

// drain reads like the MQTT client until the end and returns what it saw and what was handed on.
func drain(parts ...[]byte) (client []byte, got []message, err error) {
	ch := make(chan *burst, 1000)
	c := newConn(&fed{parts: parts}, ch, new(atomic.Int64), 0)
	client, err = io.ReadAll(c)
	close(ch)
	for b := range ch {
		got = append(got, b.messages...)
	}
	return client, got, err
}

func TestMessagesAreTakenOutOfTheStream(t *testing.T) {
	connack, pong := []byte{0x20, 2, 1, 0}, []byte{0xd0, 0}
	large := strings.Repeat("x", 70<<10)
	all := slices.Concat(connack, publishPacket(2, 7, "a/b", "one"), pong, publishPacket(0, 0, "c", ""), publishPacket(3, 8, "d", large), publishPacket(10, 9, "e", "again"), pong)
	for _, size := range []int{1, 3, 100, len(all)} {
		client, got, err := drain(slices.Collect(slices.Chunk(all, size))...)
		if err != nil || !bytes.Equal(client, slices.Concat(connack, pong, pong)) {
			t.Fatalf("in parts of %d the client saw %x, %v", size, client, err)
		}
		if len(got) != 4 {
			t.Fatalf("in parts of %d: %d messages, want 4", size, len(got))
		}
		a, b, c, d := got[0], got[1], got[2], got[3]
		if string(a.topic) != "a/b" || string(a.payload) != "one" || a.id != 7 || a.retained {
			t.Errorf("first is %+v", a)
		}
		if string(b.topic) != "c" || len(b.payload) != 0 || b.id != 0 {
			t.Errorf("second is %+v", b)
		}
		if c.oversize != len(large) || len(c.payload) != keptOversize || c.id != 8 || !c.retained {
			t.Errorf("third has %d of %d bytes, id %d", len(c.payload), c.oversize, c.id)
		}
		if string(d.payload) != "again" || d.id != 9 {
			t.Errorf("fourth is %+v", d)
		}
	}
}

func TestBrokenStreamEndsTheConnection(t *testing.T) {
	for name, data := range map[string][]byte{
		"QoS 2":               publishPacket(4, 1, "a", "b"),
		"topic beyond packet": {0x32, 4, 0, 9, 'a', 'b'},
		"no room for id":      {0x32, 3, 0, 1, 'a'},
		"length of 5 bytes":   {0x30, 0xff, 0xff, 0xff, 0xff, 1},
		"huge answer":         {0x90, 0xff, 0xff, 0xff, 0x7f},
	} {
		if _, got, err := drain(data); err == nil || len(got) > 0 {
			t.Errorf("%s: %d messages, %v", name, len(got), err)
		}
	}
}

func TestAcknowledgements(t *testing.T) {
	f := &fed{}
	newConn(f, nil, new(atomic.Int64), 0).ack([]uint16{1, 0x1234})
	if want := []byte{0x40, 2, 0, 1, 0x40, 2, 0x12, 0x34}; !bytes.Equal(f.out.Bytes(), want) {
		t.Errorf("wrote %x, want %x", f.out.Bytes(), want)
	}
}

func FuzzConn(f *testing.F) {
	f.Add(slices.Concat([]byte{0x20, 2, 0, 0}, publishPacket(2, 7, "a/b", "one"), []byte{0xd0, 0}))
	f.Add(publishPacket(4, 1, "a", "b"))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0x32, 0xff, 0xff, 0x7f, 0, 1, 'a', 0, 1, 'x'})
	f.Fuzz(func(t *testing.T, data []byte) {
		client, got, _ := drain(data)
		n := len(client)
		for _, m := range got {
			n += len(m.topic) + len(m.payload)
		}
		if n > len(data) {
			t.Fatalf("%d bytes out of %d", n, len(data))
		}
	})
}
