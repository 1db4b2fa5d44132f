package acceptance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binDir holds the binaries under test, built once.
var binDir string

func TestMain(m *testing.M) {
	if os.Getenv(bareSubscriberEnv) != "" {
		os.Exit(m.Run())
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "linli-acceptance-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		binDir = dir
		for _, name := range []string{"cmd/linli", "internal/loadgen", "internal/influxd"} {
			b, err := exec.Command("go", "build", "-o", dir+"/", "linli/"+name).CombinedOutput()
			if err != nil {
				fmt.Fprintf(os.Stderr, "build %s: %v\n%s", name, err, b)
				return 1
			}
		}
		return m.Run()
	}())
}

// server is one `linli serve` that can be killed and started again on the same data and addresses.
type server struct {
	t          *testing.T
	data       string
	http, mqtt string
	args       []string

	scheme   string       // of the pages
	listenOn string       // for the pages; empty: http
	wrap     []string     // a command that starts the server, which follows it; empty: none
	client   *http.Client // for the pages

	cmd  *exec.Cmd
	logs *lockedBuffer
}

// newServer prepares a server; args come after --data, --http and --mqtt.
func newServer(t *testing.T, args ...string) *server {
	s := &server{t: t, data: filepath.Join(t.TempDir(), "data"), http: freeAddr(t), mqtt: freeAddr(t), args: args, logs: &lockedBuffer{}, scheme: "http", client: http.DefaultClient}
	t.Cleanup(func() {
		s.kill()
		if t.Failed() {
			t.Logf("log of the server:\n%s", s.logs.tail(16<<10))
		}
	})
	return s
}

// start starts the server and waits until it is ready.
func (s *server) start() {
	s.t.Helper()
	s.launch()
	s.await(30*time.Second, "ready", s.ready)
}

func (s *server) launch() {
	s.t.Helper()
	line := slices.Concat(s.wrap, []string{filepath.Join(binDir, "linli"), "serve", "--data", s.data, "--http", cmp.Or(s.listenOn, s.http), "--mqtt", s.mqtt}, s.args)
	s.cmd = exec.Command(line[0], line[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = s.logs, s.logs
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) ready() bool {
	r, err := s.client.Get(s.url("/readyz"))
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

func (s *server) url(path string) string { return s.scheme + "://" + s.http + path }

// kill sends SIGKILL and waits for the end.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}

// terminate sends SIGTERM and fails the test unless the server ends without an error within 10 s.
func (s *server) terminate() {
	s.t.Helper()
	s.cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan error, 1)
	cmd := s.cmd
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		s.cmd = nil
		if err != nil {
			s.t.Errorf("end after SIGTERM: %v", err)
		}
	case <-time.After(10 * time.Second):
		s.t.Error("still running 10 s after SIGTERM")
	}
}

// await polls cond until it holds.
func (s *server) await(d time.Duration, what string, cond func() bool) {
	s.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(d)
	for !cond() {
		select {
		case <-tick.C:
		case <-limit:
			s.t.Fatalf("not %s after %v", what, d)
		}
	}
}

// linli runs a command of the binary against the server and returns its standard output.
func (s *server) linli(args ...string) []byte {
	s.t.Helper()
	return s.linliWithin(time.Minute, args...)
}

func (s *server) linliWithin(limit time.Duration, args ...string) []byte {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(binDir, "linli"), args...)
	cmd.Env = append(os.Environ(), "LINLI_SERVER="+s.url(""), "LINLI_DATA="+s.data)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("linli %s: %v\n%s%s", strings.Join(args, " "), err, out.Bytes(), errOut.Bytes())
	}
	return out.Bytes()
}

type credentials struct {
	ID, Username, Secret, Topic string
}

// addDevice registers a device with the command line, as a person would.
func (s *server) addDevice(community, deviceType, id string, more ...string) credentials {
	s.t.Helper()
	var c credentials
	out := s.linli(append([]string{"devices", "add", "--community", community, "--type", deviceType, "--id", id, "--json"}, more...)...)
	if err := json.Unmarshal(out, &c); err != nil {
		s.t.Fatalf("devices add printed %q: %v", out, err)
	}
	return c
}

// get decodes the JSON answer of an API route.
func (s *server) get(path string, into any) error {
	b, err := s.fetch(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (s *server) fetch(path string) ([]byte, error) {
	token, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url(path), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	r, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s: %s", path, r.Status, b)
	}
	return b, err
}

// metric is a sample of /metrics, named with its labels as printed there; 0 when it is not there.
func (s *server) metric(name string) float64 {
	s.t.Helper()
	b, err := s.fetch("/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			var f float64
			if _, err := fmt.Sscan(v, &f); err != nil {
				s.t.Fatalf("metric %q: %v", line, err)
			}
			return f
		}
	}
	return 0
}

// point is one point of the readings route.
type point struct {
	Time  time.Time `json:"time"`
	Value any       `json:"value"`
}

func (s *server) readings(device, field string, from time.Time) ([]point, error) {
	var a struct{ Points []point }
	err := s.get(fmt.Sprintf("/api/v1/devices/%s/readings?field=%s&from=%s", device, field, from.UTC().Format(time.RFC3339)), &a)
	return a.Points, err
}

// freeAddr is a loopback address that was free a moment ago.
func freeAddr(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lockedBuffer keeps what a process prints.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) tail(n int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.b.Bytes()
	return string(s[max(0, len(s)-n):])
}

func (b *lockedBuffer) contains(s string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Contains(b.b.Bytes(), []byte(s))
}
