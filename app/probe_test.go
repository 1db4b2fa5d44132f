package app

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
	"linli/devices"
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
