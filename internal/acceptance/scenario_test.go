package acceptance

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// truth is what a scenario's file says of an alert.
type truth struct {
	Rule, Device        string // an empty device stands for every device of the scenario
	At, Within, Cleared time.Duration
}

// alert is an alert as the API tells it.
type alert struct {
	ID, Rule, Device string
	Late             bool
	OpenedAt         time.Time  `json:"opened_at"`
	ClearedAt        *time.Time `json:"cleared_at"`
}

// The alerts that a scenario must open are opened on a real server, at the time they must, and each reaches a person once; those
// that must not are not. All built-in scenarios are played on one server by the command a person would use.
func TestScenarios(t *testing.T) {
	hook := newReceiver(t)
	s := newServer(t, "--config", hook.config(t))
	s.start()
	lengths := map[string]time.Duration{}
	for line := range strings.Lines(string(s.linli("simulate", "--scenario", "list"))) {
		words := strings.Fields(line)
		length, err := time.ParseDuration(words[1])
		if err != nil {
			t.Fatalf("--scenario list: %q: %v", line, err)
		}
		lengths[words[0]] = length
	}
	if len(lengths) < 8 {
		t.Errorf("only %d scenarios: %v", len(lengths), lengths)
	}
	t.Run("all", func(t *testing.T) {
		for id, length := range lengths {
			t.Run(id, func(t *testing.T) {
				t.Parallel()
				of := *s
				of.t = t
				of.playScenario(hook, id, length)
			})
		}
	})
	s.pressTwice()
	s.replayEqualsLive(t)
	if out, err := s.scenario("shed_fire"); err == nil || !bytes.Contains(out, []byte("can be played again from")) {
		t.Errorf("the same scenario again at once: %v\n%s", err, out)
	}
	s.terminate()
}

// scenario runs linli simulate --scenario and returns all it printed.
func (s *server) scenario(id string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	return exec.CommandContext(ctx, filepath.Join(binDir, "linli"),
		"simulate", "--scenario", id, "--server", "http://"+s.http, "--data", s.data, "--mqtt-url", "tcp://"+s.mqtt).CombinedOutput()
}

func (s *server) playScenario(hook *receiver, id string, length time.Duration) {
	t := s.t
	text, err := os.ReadFile("../../devices/simulate/scenarios/" + id + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Community string
		Expect    struct{ Opened, Never []truth }
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	out, err := s.scenario(id)
	if err != nil {
		t.Fatalf("linli simulate: %v\n%s", err, out)
	}
	began := before.Add(-length) // or up to slack later
	slack := time.Since(before)

	prefix := strings.ReplaceAll(id, "_", "-") + "-"
	all := s.alertsOf(file.Community, prefix)
	for _, want := range file.Expect.Opened {
		got := all[want.Rule+" "+prefix+want.Device]
		if len(got) != 1 {
			t.Errorf("%s of %s: %d alerts\n%s", want.Rule, want.Device, len(got), out)
			continue
		}
		a := got[0]
		near := func(at time.Time, want, within time.Duration) bool {
			off := at.Sub(began) - want
			return off >= -within && off <= slack+within
		}
		if !near(a.OpenedAt, want.At, want.Within) || a.Late {
			t.Errorf("%s of %s: opened at %s, want %s; late: %t", want.Rule, want.Device, a.OpenedAt.Sub(began), want.At, a.Late)
		}
		if (a.ClearedAt != nil) != (want.Cleared > 0) || a.ClearedAt != nil && !near(*a.ClearedAt, want.Cleared, want.Within) {
			t.Errorf("%s of %s: cleared at %v, want %s after %s", want.Rule, want.Device, a.ClearedAt, want.Cleared, began)
		}
		s.await(30*time.Second, "told of "+a.ID, func() bool { return hook.toldOpened(a.ID) > 0 })
		if n := hook.toldOpened(a.ID); n != 1 {
			t.Errorf("%s of %s: the webhook was told %d times that it was opened", want.Rule, want.Device, n)
		}
	}
	for _, never := range file.Expect.Never {
		for key, got := range all {
			if key == never.Rule+" "+prefix+never.Device || never.Device == "" && strings.HasPrefix(key, never.Rule+" ") {
				t.Errorf("%s: %d alerts, want none", key, len(got))
			}
		}
	}
}

// alertsOf returns the alerts of the devices whose ids begin with prefix, by rule and device.
func (s *server) alertsOf(community, prefix string) map[string][]alert {
	s.t.Helper()
	var list struct{ Alerts []alert }
	if err := s.get("/api/v1/alerts?community="+community, &list); err != nil {
		s.t.Fatal(err)
	}
	all := map[string][]alert{}
	for _, a := range list.Alerts {
		if strings.HasPrefix(a.Device, prefix) {
			all[a.Rule+" "+a.Device] = append(all[a.Rule+" "+a.Device], a)
		}
	}
	return all
}
