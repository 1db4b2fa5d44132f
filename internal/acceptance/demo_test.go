package acceptance

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// demoCommunities are the sites of the demo.
var demoCommunities = []string{"tianjin", "xingtai", "hegang", "nantong", "ningbo", "nanchang", "zhuhai", "xingyi", "kaiyuan", "jinchang"}

// What `make run` promises on a fresh machine: within two minutes every device of all ten communities reports, nothing raises an alert that is
// well, and the printed line calls for help.
func TestDemoReportsWithinTwoMinutes(t *testing.T) {
	s := newServer(t, "--demo", "--scale", "0.05")
	s.launch()
	s.await(time.Minute, "ready", s.ready)
	ready := time.Now()
	var silent []string
	for _, c := range demoCommunities {
		devices := s.devicesOf(c)
		if len(devices) == 0 {
			t.Errorf("%s has no devices", c)
		}
		silent = append(silent, devices...)
	}
	all := len(silent)
	s.await(2*time.Minute, "reporting everywhere", func() bool {
		for len(silent) > 0 && (silent[0] == "try-1" || s.hasValue(silent[0])) { // nobody plays try-1
			silent = silent[1:]
		}
		return len(silent) == 0
	})
	t.Logf("%d devices of %d communities report %.0f s after the server is ready", all, len(demoCommunities), time.Since(ready).Seconds())

	var list struct {
		Alerts []struct{ Rule, Community, Device, State string }
	}
	if err := s.get("/api/v1/alerts", &list); err != nil {
		t.Fatal(err)
	}
	for _, a := range list.Alerts {
		t.Errorf("%s of %s in %s is %s, though all is well", a.Rule, a.Device, a.Community, a.State)
	}
	s.tryPrintedLine()
	s.terminate()
}

func (s *server) devicesOf(community string) []string {
	s.t.Helper()
	var list struct{ Devices []struct{ ID string } }
	if err := s.get("/api/v1/devices?limit=5000&community="+community, &list); err != nil {
		s.t.Fatal(err)
	}
	var ids []string
	for _, d := range list.Devices {
		ids = append(ids, d.ID)
	}
	return ids
}

// hasValue reports whether a field of the device has a latest value.
func (s *server) hasValue(device string) bool {
	s.t.Helper()
	var d struct{ Values []struct{ Value any } }
	if err := s.get("/api/v1/devices/"+device, &d); err != nil {
		s.t.Fatal(err)
	}
	return len(d.Values) > 0
}

// tryPrintedLine pastes the line that the server printed into a shell, as it stands, and awaits its alert.
func (s *server) tryPrintedLine() {
	s.t.Helper()
	line := regexp.MustCompile(`(?m)^\s*(mosquitto_pub .*)$`).FindString(s.logs.tail(1 << 20))
	if line == "" {
		s.t.Fatal("no mosquitto_pub line is printed")
	}
	if out, err := exec.CommandContext(s.t.Context(), "sh", "-c", line).CombinedOutput(); err != nil {
		s.t.Fatalf("%s: %v\n%s", strings.TrimSpace(line), err, out)
	}
	s.await(30*time.Second, "raised by the printed line", func() bool {
		raised := 0
		for key, alerts := range s.alertsOf("tianjin", "try-1") {
			if key == "wb_sos try-1" {
				raised += len(alerts)
			}
		}
		return raised == 1
	})
}
