package web

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWrongPasswordsAreLimited(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	try := func(user, from string) (int, http.Header) {
		code, h, _ := s.do(s.as("", "POST", "/api/v1/session", fmt.Sprintf(`{"user":%q,"password":"wrong"}`, user), "X-Forwarded-For", from))
		return code, h
	}
	last, wrong := 0, 0
	var h http.Header
	for range 50 {
		if last, h = try("admin", "198.51.100.9"); last == http.StatusUnauthorized {
			wrong++
		}
	}
	if last != http.StatusTooManyRequests || h.Get("Retry-After") == "" || wrong > 12 {
		t.Errorf("the 50th wrong password: %d %v, %d looked at", last, h, wrong)
	}
	// The same words for a name that there is and one that there is not.
	_, _, known := s.do(s.as("", "POST", "/api/v1/session", `{"user":"admin","password":"wrong"}`))
	_, _, unknown := s.do(s.as("", "POST", "/api/v1/session", `{"user":"nobody","password":"wrong"}`))
	if known != unknown {
		t.Errorf("%s, %s", known, unknown)
	}
}

func TestStreamsOfOneSessionAreFew(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	cookie := s.user(duty("wang"))
	var open []io.Closer
	defer func() {
		for _, c := range open {
			c.Close()
		}
	}()
	for i := range maxSessionStreams + 1 {
		resp, err := http.DefaultClient.Do(s.as(cookie, "GET", "/api/v1/stream", "")) //nolint:bodyclose // closed in the end, see open
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, resp.Body)
		if want := i < maxSessionStreams; want != (resp.StatusCode == 200) {
			t.Fatalf("stream %d: %d", i, resp.StatusCode)
		}
	}
	if got := s.status(s.as(s.user(duty("li")), "GET", "/api/v1/session", "")); got != 200 {
		t.Errorf("others meanwhile: %d", got)
	}
}

// A client that sends its headers byte by byte, or never, holds a connection for seconds only. Nor does one that is refused before a
// route looks at it: a request in the name of another site's page, whose body never ends.
func TestASlowClientIsCutOff(t *testing.T) {
	t.Parallel()
	for request, limit := range map[string]time.Duration{
		"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ":                                                              6 * headerTimeout,
		"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\nContent-Length: 60000\r\n\r\n{": 3 * strangerTime,
	} {
		t.Run(strings.Fields(request)[0], func(t *testing.T) {
			t.Parallel()
			s := run(t, empty{})
			conn, err := net.Dial("tcp", s.web.Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := conn.Write([]byte(request)); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("not cut off: %v", err)
			}
		})
	}
}
