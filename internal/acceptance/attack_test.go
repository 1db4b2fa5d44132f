package acceptance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	guesses        = 10_000
	slowClients    = 600
	strangersLimit = 20 * time.Second // to be rid of those who have not said who they are
)

// Attacks on the pages of a built binary, over real connections: who works there goes on working meanwhile.
func TestThePagesUnderAttack(t *testing.T) {
	s := newServer(t)
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	guard := s.newUser("guard")
	t.Run("guessed passwords", func(t *testing.T) { s.on(t).guessed(guard) })
	t.Run("streams", func(t *testing.T) { s.on(t).flooded() })
	t.Run("slow clients", func(t *testing.T) { s.on(t).slowed(guard) })
	s.terminate()
}

// on is the server for a subtest.
func (s *server) on(t *testing.T) *server {
	of := *s
	of.t = t
	return &of
}

// user is somebody with an account, at an address of the loopback network.
type user struct {
	s              *server
	name, password string
	client         *http.Client
	cookie         string
}

// from is a client whose connections come from an address.
func from(address string) *http.Client {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, MaxIdleConnsPerHost: 4}}
}

// newUser makes a user of the desk, with a password of their own.
func (s *server) newUser(name string) *user {
	s.t.Helper()
	var made struct{ Password string }
	if err := json.Unmarshal(s.linli("users", "add", "--name", name, "--role", "duty", "--communities", "garden", "--json"), &made); err != nil {
		s.t.Fatal(err)
	}
	u := &user{s: s, name: name, password: made.Password, client: from("127.0.0.1")}
	if status := u.login(); status != http.StatusOK {
		s.t.Fatalf("first login of %s: %d", name, status)
	}
	fresh := "右边的马 2026 " + name
	status, answer := u.ask("PUT", "/api/v1/session/password", fmt.Sprintf(`{"old":%q,"new":%q}`, u.password, fresh))
	if status != http.StatusOK {
		s.t.Fatalf("change the password of %s: %d %s", name, status, answer)
	}
	u.password = fresh
	return u
}

// login begins a session, which becomes that of the user if it is good.
func (u *user) login() int {
	status, _ := u.ask("POST", "/api/v1/session", fmt.Sprintf(`{"user":%q,"password":%q}`, u.name, u.password))
	return status
}

// ask sends a request with the cookie of the session, and keeps the one it gets. Status 0: no answer.
func (u *user) ask(method, path, body string) (int, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := u.do(ctx, method, path, body)
	if err != nil {
		return 0, err.Error()
	}
	defer r.Body.Close()
	for _, c := range r.Cookies() {
		u.cookie = c.Name + "=" + c.Value
	}
	answer, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(answer)
}

func (u *user) do(ctx context.Context, method, path, body string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, u.s.url(path), strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if u.cookie != "" {
		req.Header.Set("Cookie", u.cookie)
	}
	return u.client.Do(req)
}

// works fails the test unless the user is served as always.
func (u *user) works() {
	u.s.t.Helper()
	if status, answer := u.ask("GET", "/api/v1/alerts", ""); status != http.StatusOK {
		u.s.t.Errorf("%s is not served: %d %s", u.name, status, answer)
	}
}

// guessed has 25 addresses guess 10,000 passwords of one user. Few of them cost a look at the password, the memory stays as it is, and
// the right user logs in meanwhile.
func (s *server) guessed(guard *user) {
	t := s.t
	before, rss, began := cpu(t, s.cmd.Process.Pid), s.rss(), time.Now()
	var looked, refused, other atomic.Int64
	var wg sync.WaitGroup
	half := make(chan struct{})
	for a := range 25 {
		wg.Go(func() {
			evil := &user{s: s, name: guard.name, client: from(fmt.Sprintf("127.0.1.%d", a+1))}
			defer evil.client.CloseIdleConnections()
			for i := range guesses / 25 {
				evil.password = fmt.Sprintf("guess %d %d", a, i)
				switch status := evil.login(); status {
				case http.StatusUnauthorized:
					looked.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				default:
					other.Add(1)
				}
				if a == 0 && i == guesses/50 {
					close(half)
				}
			}
		})
	}
	<-half
	in := time.Now()
	if status := guard.on(s).login(); status != http.StatusOK {
		t.Errorf("the right password from the right address: %d", status)
	}
	loggedIn := time.Since(in)
	wg.Wait()
	guard.on(s).works()
	used, grown := cpu(t, s.cmd.Process.Pid)-before, s.rss()-rss
	t.Logf("%d guesses in %s: %d looked at, %d refused; %s of CPU, %d MB more; the right user is in after %s",
		guesses, time.Since(began).Round(time.Millisecond), looked.Load(), refused.Load(), used, grown>>20, loggedIn.Round(time.Millisecond))
	if looked.Load() > 100 || other.Load() > 0 {
		t.Errorf("%d guesses are looked at, want at most 100; %d answered otherwise", looked.Load(), other.Load())
	}
	if used > 40*time.Second || grown > 200<<20 {
		t.Errorf("they cost %s of CPU and %d MB", used, grown>>20)
	}
}

// on is the user before another test.
func (u *user) on(s *server) *user {
	u.s = s
	return u
}

// flooded has one account open hundreds of streams, over sessions and a token: few are given, and the rest of the desk has its own.
func (s *server) flooded() {
	t := s.t
	evil := s.newUser("evil")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	open, refused := 0, 0
	for range 12 {
		if status := evil.login(); status != http.StatusOK {
			t.Fatalf("login: %d", status)
		}
		for range 25 {
			r, err := evil.do(ctx, "GET", "/api/v1/stream", "")
			if err != nil {
				t.Fatal(err)
			}
			defer r.Body.Close()
			switch r.StatusCode {
			case http.StatusOK:
				open++
			case http.StatusTooManyRequests:
				refused++
			default:
				t.Fatalf("stream: %s", r.Status)
			}
		}
	}
	if open > 64 || open+refused != 300 {
		t.Errorf("%d streams of one account, %d refused", open, refused)
	}
	other := s.newUser("other")
	r, err := other.do(ctx, "GET", "/api/v1/stream", "")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if line, err := bufio.NewReader(r.Body).ReadString('\n'); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("the stream of somebody else: %s %q %v", r.Status, line, err)
	}
	other.works()
	t.Logf("of 300 streams of one account %d are open", open)
}

// slowed has hundreds of clients send their headers, or the body of a login, a byte at a time: they are cut off within seconds, and
// who works there is served meanwhile.
func (s *server) slowed(guard *user) {
	t := s.t
	ctx, cancel := context.WithTimeout(t.Context(), 2*strangersLimit)
	defer cancel()
	var longest atomic.Int64
	var open atomic.Int64
	var wg sync.WaitGroup
	for i := range slowClients {
		begin := "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nX-Slow: "
		switch i % 3 {
		case 1:
			begin = "POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
		case 2:
			begin = "POST /api/v1/communities HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
		}
		wg.Go(func() {
			open.Add(1)
			defer open.Add(-1)
			held := drip(ctx, s.http, begin)
			for was := longest.Load(); held > was && !longest.CompareAndSwap(was, held); was = longest.Load() {
			}
		})
	}
	s.await(30*time.Second, "under way", func() bool { return open.Load() == slowClients })
	began := time.Now()
	guard.on(s).works()
	served := time.Since(began)
	wg.Wait()
	guard.works()
	held := time.Duration(longest.Load())
	t.Logf("%d slow clients: the last is cut off after %s; served meanwhile in %s", slowClients, held.Round(time.Millisecond), served.Round(time.Millisecond))
	if held > strangersLimit {
		t.Errorf("a slow client holds its connection for %s", held)
	}
}

// drip sends a beginning and then a byte every half second, and returns how long the server stood it, in ns.
func drip(ctx context.Context, addr, begin string) int64 {
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	began := time.Now()
	gone := make(chan struct{})
	go func() { // whatever the server says, it is over when it closes
		defer close(gone)
		_, _ = io.Copy(io.Discard, c)
	}()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for out := []byte(begin); ; out = []byte(" ") {
		if _, err := io.Copy(c, bytes.NewReader(out)); err != nil {
			return int64(time.Since(began))
		}
		select {
		case <-gone:
			return int64(time.Since(began))
		case <-ctx.Done():
			c.Close()
			<-gone
			return int64(time.Since(began))
		case <-tick.C:
		}
	}
}
