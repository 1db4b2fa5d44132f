package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/people"
	"linli/series"
	"linli/web/account"
)

const token = "right-token"

// site is a running server with a bus and a registry of its own.
type site struct {
	*testing.T
	web  *Server
	bus  *bus.Bus
	url  string
	stop func() // the server, and wait for it
}

// empty is a history in which nothing was measured yet.
type empty struct{}

func (empty) Raw(context.Context, series.Query, int) ([]series.Point, error) { return nil, nil }

func (empty) Window(context.Context, series.Query, series.Window) ([]series.Point, error) {
	return nil, nil
}

func (empty) Latest(context.Context, ...series.Group) ([]series.Value, error) { return nil, nil }

func (empty) Spread(context.Context, series.Group) ([]series.Value, error) { return nil, nil }

func (empty) Buckets(context.Context, series.Query, series.Window) ([]series.Bucket, error) {
	return nil, nil
}

func (empty) Events(context.Context, []string, time.Time, time.Time, int) ([]series.Event, error) {
	return nil, nil
}

func (empty) EventsOf(context.Context, series.EventQuery, int) ([]series.Event, error) {
	return nil, nil
}

// store is an InfluxDB, or what stands in for one where none is needed.
type store interface {
	History
	Writer
}

func (empty) Write(context.Context, []byte) error { return nil }

// run starts a server, with the community tianjin and the device ws-1 in it.
func run(t *testing.T, with store, options ...func(*Config)) *site {
	t.Helper()
	ctx := t.Context()
	b := testkit.NATS(t)
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	reg, folk := registry(t, b, cat)
	if err := reg.AddCommunity(ctx, devices.Community{ID: "tianjin", Name: devices.Text{ZH: "天津", EN: "Tianjin"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := reg.AddDevice(ctx, devices.Device{ID: "ws-1", Community: "tianjin", Type: "waste_station"}); err != nil {
		t.Fatal(err)
	}
	metrics := prometheus.NewRegistry()
	c := Config{
		Addr: "127.0.0.1:0", Token: token, Root: "linli", Version: "v1", Bus: b, Catalogue: cat, Registry: reg, People: folk,
		History: with, Writer: with, Gatherer: metrics, Reg: metrics, Log: testkit.Log,
		Password: account.Cost{Memory: 8, Passes: 1, Threads: 1}, Rules: allRules{everybody{reg, folk}},
	}
	for _, o := range options {
		o(&c)
	}
	s, err := Open(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	stop := background(t, s.Run)
	testkit.Eventually(t, 30*time.Second, func() bool { return s.Status() == nil })
	return &site{t, s, b, "http://" + s.Addr(), stop}
}

// patient is for a site on which somebody acts: an answer waits until they have, however busy the machine is.
func patient(c *Config) { c.ActionWait = time.Minute }

func registry(t *testing.T, b *bus.Bus, cat *devices.Catalogue) (*devices.Registry, *people.Directory) {
	t.Helper()
	things, err := b.KV(t.Context(), bus.RegistryBucket)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := b.KV(t.Context(), bus.PeopleBucket)
	if err != nil {
		t.Fatal(err)
	}
	var folk *people.Directory
	lives := func(person, community string) bool { return folk.Lives(person, community) }
	reg, err := devices.OpenRegistry(t.Context(), things, cat, bytes.Repeat([]byte("k"), 32), lives)
	if err != nil {
		t.Fatal(err)
	}
	if folk, err = people.Open(t.Context(), kv, reg); err != nil {
		t.Fatal(err)
	}
	for _, run := range []func(context.Context) error{reg.Run, folk.Run} {
		background(t, func(ctx context.Context) error {
			_ = run(ctx) // has tests of its own; here the bus may be taken away from it
			return nil
		})
	}
	return reg, folk
}

// background runs f until the test ends or stop is called, and waits for it.
func background(t *testing.T, f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// request builds a request with the token; headers are pairs.
func (s *site) request(method, path, body string, headers ...string) *http.Request {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// do sends a request and returns status and body.
func (s *site) do(r *http.Request) (int, http.Header, string) {
	s.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

// ask sends a request, wants a status, and decodes the answer into a T.
func ask[T any](s *site, status int, method, path, body string, headers ...string) T {
	s.Helper()
	got, _, text := s.do(s.request(method, path, body, headers...))
	if got != status {
		s.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, text)
	}
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		s.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
	return v
}

// refused wants an error with that status and field.
func (s *site) refused(status int, field, method, path, body string, headers ...string) {
	s.Helper()
	got := ask[detail](s, status, method, path, body, headers...)
	if got.Code == "" || got.Detail == "" || got.Status != status || got.Field != field {
		s.Errorf("%s %s %s: error %+v, want field %q", method, path, body, got, field)
	}
}

// askAs asks with a cookie and decodes the answer into a T.
func askAs[T any](s *site, cookie, path string) (v T) {
	s.Helper()
	status, _, text := s.do(s.as(cookie, "GET", path, ""))
	if err := json.Unmarshal([]byte(text), &v); err != nil || status != http.StatusOK {
		s.Fatalf("%s: %d %v in %s", path, status, err, text)
	}
	return v
}
