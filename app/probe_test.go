package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"linli/alerts/notify"
	"linli/app/watch"
	"linli/bus"
	"linli/devices"
	"linli/internal/providers"
	"linli/internal/testkit"
)

// start runs a server of some roles until the test ends and waits until it is ready.
func start(t *testing.T, roles string) *App {
	t.Helper()
	set, err := parseSettings([]string{
		"--data", t.TempDir(), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0", "--roles", roles,
	}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{set: set, out: t.Output(), auth: &auth{}, log: testkit.Log, reg: prometheus.NewRegistry(), status: map[string]func() error{}}
	if err := a.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, a.close()); err != nil {
			t.Error(err)
		}
	})
	testkit.Eventually(t, 30*time.Second, func() bool { return a.notReady() == nil })
	return a
}

func press(t *testing.T, a *App, limit time.Duration) error {
	t.Helper()
	b, err := a.connect("watch")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return a.probe(b).Press(ctx)
}

func TestTrialPressGoesTheWholeWayAndLeavesNoTrace(t *testing.T) {
	a := start(t, "all")
	for range 3 {
		if err := press(t, a, 30*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	if d := a.registry.Device(devices.Probe.ID); d != nil {
		t.Errorf("the registry lists the probe: %+v", d)
	}
	trials := 0
	err := a.setup.ReadAll(t.Context(), bus.Core, bus.AlertsFilter, func(m jetstream.Msg) error {
		var x bus.Alert
		if err := json.Unmarshal(m.Data(), &x); err != nil {
			return err
		}
		if trials++; trials > 1 || !x.Synthetic || x.State != bus.Closed {
			t.Errorf("%d trials on record; synthetic %v, %s", trials, x.Synthetic, x.State)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = a.setup.ReadAll(t.Context(), bus.Core, bus.DeliveriesFilter, func(m jetstream.Msg) error {
		if m.Subject() != bus.ProbeSubject {
			t.Errorf("somebody was told: %s", m.Data())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.registry.AddDevice(t.Context(), devices.Device{ID: devices.Probe.ID, Community: "north", Type: "sos_button"}); err == nil {
		t.Error("somebody else registered the id of the probe")
	}
}

func TestTrialPressSaysHowFarItCame(t *testing.T) {
	a := start(t, "ingest,store,alerts,web")
	err := press(t, a, 5*time.Second)
	if err == nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "the notifier has not had it") {
		t.Errorf("pressed without a notifier: %v", err)
	}
}

// The operator and the heartbeat of the configuration file are reached by a process that has neither bus nor database.
func TestOperatorIsToldWithoutABus(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	hook, beats := providers.Webhook(t, secret), 0
	outside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { beats++ }))
	defer outside.Close()
	config := filepath.Join(t.TempDir(), "linli.yaml")
	text := fmt.Sprintf("channels: [{name: ops, type: webhook, url: %q, secret: %q, allow_private_addresses: true}]\noperator: [{channel: ops}]\n"+
		"heartbeat: {url: %q, allow_private_addresses: true}\n", hook.URL, secret, outside.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set, err := parseSettings([]string{"--data", t.TempDir(), "--config", config}, os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	a := &App{set: set, log: testkit.Log, reg: prometheus.NewRegistry()}
	if a.channels, err = notify.OpenChannels(set.file.Channels, a.log); err != nil {
		t.Fatal(err)
	}
	c, err := a.watchOnItsOwn()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Tell(t.Context(), watch.Notice{Part: "broker", Err: "nobody answers", Since: time.Now()}); err != nil {
		t.Error(err)
	}
	if got := hook.Visible(); len(got) != 1 || !strings.Contains(got[0].Text, "broker: nobody answers") {
		t.Errorf("told %+v, want what is wrong", got)
	}
	if err := c.Beat(t.Context()); err != nil || beats != 1 {
		t.Errorf("%d heartbeats: %v", beats, err)
	}
}
