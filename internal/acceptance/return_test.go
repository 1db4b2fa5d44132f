package acceptance

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var returning = flag.Int("returning", 300, "devices that come back at once, each with a connection and a secret of its own; 10000 take minutes")

// estate is many devices that stay connected and come back when they are not, within a second and a half, as devices with back-off do.
type estate struct {
	addr    string
	online  atomic.Int64
	refused atomic.Int64
	over    chan struct{}
	playing sync.WaitGroup

	mu      sync.Mutex // guards what follows
	press   map[string]bool
	pressed map[string]time.Time // when first sent
	conns   map[string]net.Conn
}

// play keeps a device connected. One that is to press does so until the broker has acknowledged it.
func (e *estate) play(id, secret string) {
	for {
		e.session(id, secret)
		select {
		case <-e.over:
			return
		case <-time.After(500*time.Millisecond + rand.N(time.Second)):
		}
	}
}

func (e *estate) session(id, secret string) {
	c, err := net.DialTimeout("tcp", e.addr, 5*time.Second)
	if err != nil {
		return
	}
	defer c.Close()
	body := lengthy("MQTT")
	body = append(body, 4, 0xC2, 1, 44) // 3.1.1; user, password, clean session; keep alive 300 s
	for _, s := range []string{id, id, secret} {
		body = append(body, lengthy(s)...)
	}
	r := bufio.NewReaderSize(c, 16)
	answer := make([]byte, 4)
	_ = c.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := c.Write(append([]byte{0x10, byte(len(body))}, body...)); err != nil {
		return
	}
	if _, err := io.ReadFull(r, answer); err != nil || answer[3] != 0 {
		e.refused.Add(1)
		return
	}
	e.online.Add(1)
	defer e.online.Add(-1)
	_ = c.SetDeadline(time.Time{})
	e.mu.Lock()
	press := e.press[id]
	if e.conns[id] = c; press && e.pressed[id].IsZero() {
		e.pressed[id] = time.Now()
	}
	e.mu.Unlock()
	select {
	case <-e.over:
		return
	default:
	}
	if press {
		publish := append(lengthy("linli/event/"+loadCommunity+"/sos_button/"+id+"/sos"), 0, 1)
		if _, err := c.Write(append([]byte{0x32, byte(len(publish))}, publish...)); err != nil {
			return
		}
		if _, err := io.ReadFull(r, answer); err != nil {
			return
		}
		e.mu.Lock()
		e.press[id] = false
		e.mu.Unlock()
	}
	_, _ = r.ReadByte() // until either end closes
}

func lengthy(s string) []byte { return append([]byte{byte(len(s) >> 8), byte(len(s))}, s...) }

// end disconnects everybody and waits for them.
func (e *estate) end() {
	close(e.over)
	e.mu.Lock()
	for _, c := range e.conns {
		c.Close()
	}
	e.mu.Unlock()
	e.playing.Wait()
}

// A whole estate connects at once, the server is killed, and everybody comes back at once. All are let in; who pressed a button
// meanwhile is heard, once each.
func TestEverybodyComesBackAtOnce(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	s.linli("communities", "add", "--id", loadCommunity, "--name", "压力测试")
	secrets := s.buttons(*returning)
	e := &estate{addr: s.mqtt, over: make(chan struct{}), press: map[string]bool{}, pressed: map[string]time.Time{}, conns: map[string]net.Conn{}}
	began := time.Now()
	for id, secret := range secrets {
		e.playing.Go(func() { e.play(id, secret) })
	}
	t.Cleanup(e.end)
	all := func() bool { return e.online.Load() == int64(*returning) }
	s.await(4*time.Minute, "all online", all)
	first, memory := time.Since(began), s.rss()

	s.kill()
	s.await(30*time.Second, "all gone", func() bool { return e.online.Load() == 0 })
	e.mu.Lock()
	for i, id := range slices.Sorted(maps.Keys(secrets)) {
		if i%max(1, *returning/100) == 0 {
			e.press[id] = true
		}
	}
	presses := len(e.press)
	e.mu.Unlock()
	began = time.Now()
	s.launch()
	s.await(4*time.Minute, "all online again", all)
	again := time.Since(began)
	s.await(time.Minute, "told of all", func() bool { return len(hook.opened("sb_sos")) >= presses })
	var took []float64
	for _, d := range hook.all() {
		if e.mu.Lock(); d.Event == "opened" && !e.pressed[d.Alert.Device].IsZero() {
			took = append(took, d.At.Sub(e.pressed[d.Alert.Device]).Seconds()*1000)
		}
		e.mu.Unlock()
	}
	for device, n := range hook.opened("sb_sos") {
		if n != 1 {
			t.Errorf("told %d times that the alert of %s opened", n, device)
		}
	}
	t.Logf("%d devices online after %v, again %v after a kill; RSS %d MB, then %d MB; %d logins tried again; %d presses among them: p50 %.0f ms, p99 %.0f ms", *returning,
		first.Round(time.Millisecond), again.Round(time.Millisecond), memory>>20, s.rss()>>20, e.refused.Load(), presses, percentile(took, 50), percentile(took, 99))
	s.await(time.Minute, "ready", s.ready)
}

// buttons registers so many SOS buttons and returns their secrets.
func (s *server) buttons(n int) map[string]string {
	s.t.Helper()
	var csv strings.Builder
	csv.WriteString("id,community,type\n")
	for i := range n {
		fmt.Fprintf(&csv, "sos-%05d,%s,sos_button\n", i, loadCommunity)
	}
	name := filepath.Join(s.t.TempDir(), "buttons.csv")
	if err := os.WriteFile(name, []byte(csv.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	var report struct {
		Issued []struct{ ID, Secret string }
	}
	if err := json.Unmarshal(s.linli("devices", "import", "--json", name), &report); err != nil {
		s.t.Fatal(err)
	}
	secrets := map[string]string{}
	for _, d := range report.Issued {
		secrets[d.ID] = d.Secret
	}
	if len(secrets) != n {
		s.t.Fatalf("%d of %d secrets were issued", len(secrets), n)
	}
	return secrets
}
