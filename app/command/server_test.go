package command_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"linli/app/command"
	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/people"
	"linli/web"
	"linli/web/account"
)

const token = "right-token"

// written is a time series that only takes down what is written.
type written struct {
	bytes.Buffer
	web.History // no command asks it
}

func (w *written) Write(_ context.Context, lines []byte) error {
	_, err := w.Buffer.Write(lines)
	return err
}

// server is a running server and what commands run in.
type server struct {
	*testing.T
	bus      *bus.Bus
	registry *devices.Registry
	people   *people.Directory
	series   written
	env      map[string]string
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{T: t, bus: testkit.NATS(t)}
	cat, err := devices.LoadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	things, err := s.bus.KV(t.Context(), bus.RegistryBucket)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := s.bus.KV(t.Context(), bus.PeopleBucket)
	if err != nil {
		t.Fatal(err)
	}
	lives := func(person, community string) bool { return s.people.Lives(person, community) }
	if s.registry, err = devices.OpenRegistry(t.Context(), things, cat, bytes.Repeat([]byte("k"), 32), lives); err != nil {
		t.Fatal(err)
	}
	if s.people, err = people.Open(t.Context(), kv, s.registry); err != nil {
		t.Fatal(err)
	}
	metrics := prometheus.NewRegistry()
	w, err := web.Open(t.Context(), web.Config{
		Addr: "127.0.0.1:0", Token: token, Root: "linli", Bus: s.bus, Catalogue: cat, Registry: s.registry, People: s.people,
		History: &s.series, Writer: &s.series, Gatherer: metrics, Reg: metrics, Log: testkit.Log,
		Password: account.Cost{Memory: 8, Passes: 1, Threads: 1}, ActionWait: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	background(t, s.registry.Run)
	background(t, s.people.Run)
	background(t, w.Run)
	s.env = map[string]string{"LINLI_SERVER": "http://" + w.Addr(), "LINLI_TOKEN": token}
	return s
}

func background(t *testing.T, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// try runs a command line; arguments with spaces are not possible.
func (s *server) try(line string) (out, errOut string, err error) {
	var o, e bytes.Buffer
	lookup := func(name string) (string, bool) { v, ok := s.env[name]; return v, ok }
	err = command.Run(s.Context(), strings.Fields(line), command.Environment{Lookup: lookup, In: strings.NewReader(""), Out: &o, ErrOut: &e})
	return o.String(), e.String(), err
}

// run is try that must not fail.
func (s *server) run(line string) string {
	s.Helper()
	out, errOut, err := s.try(line)
	if err != nil {
		s.Fatalf("linli %s: %v\n%s", line, err, errOut)
	}
	return out
}

// fails wants an error with a text in it.
func (s *server) fails(line, want string) {
	s.Helper()
	if out, _, err := s.try(line); err == nil || !strings.Contains(err.Error(), want) {
		s.Errorf("linli %s: %v, want an error with %q\n%s", line, err, want, out)
	}
}

func (s *server) file(name, content string) string {
	s.Helper()
	path := filepath.Join(s.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

type credentials struct{ ID, Username, Secret, Topic string }
