package acceptance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Data directories that earlier versions wrote are opened by this one. Each was killed with an alert of sos-1 open and one of wb-1
// closed, a person who wears the one, a circle, a rota, and a reading: all of it is there, devices are let in with their secrets, a
// press opens an alert, and the old alert can be closed. A directory is added when what is stored changes; none is ever replaced.
func TestDataOfEarlierVersionsIsOpened(t *testing.T) {
	for archive, secret := range map[string]string{
		"testdata/upgrade/2026-11-25.tgz": "6uszayoghgotvomxyt3off7pglbon6if",
	} {
		t.Run(archive, func(t *testing.T) {
			s := newServer(t, "--accept-clock")
			s.data = filepath.Join(t.TempDir(), "data")
			if out, err := exec.Command("tar", "xzf", archive, "-C", filepath.Dir(s.data)).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			s.start()
			s.openedOf(t, "sos-1", 1)
			s.openedOf(t, "wb-1", 0)
			for command, want := range map[string]string{"people": "马奶奶", "rota": "desk"} {
				if out := s.linli(command, "export"); !bytes.Contains(out, []byte(want)) {
					t.Errorf("%s export without %s:\n%s", command, want, out)
				}
			}
			wrote, err := os.Stat(filepath.Join(s.data, "registry.key"))
			if err != nil {
				t.Fatal(err)
			}
			points, err := s.readings("wb-1", "heart_rate_bpm", wrote.ModTime().Add(-time.Hour))
			if err != nil || len(points) != 1 || points[0].Value != 71.0 {
				t.Errorf("the reading is %v, %v", points, err)
			}
			c := credentials{ID: "wb-1", Username: "wb-1", Secret: secret, Topic: "linli/telemetry/garden/wearable_band/wb-1"}
			s.press(s.band(s.mqtt, c, time.Minute), c)
			s.await(30*time.Second, "an alert of the press", func() bool { return len(s.openAlerts("wb-1")) == 1 })
			old := s.openAlerts("sos-1")
			if err := s.post("/api/v1/alerts/"+old[0]+"/close", `{"by":"desk","disposition":"test"}`); err != nil {
				t.Error(err)
			}
			s.await(30*time.Second, "the old alert closed", func() bool { return len(s.openAlerts("sos-1")) == 0 })
			s.terminate()
		})
	}
}

func (s *server) openedOf(t *testing.T, device string, want int) {
	t.Helper()
	if got := s.openAlerts(device); len(got) != want {
		t.Fatalf("open alerts of %s: %v, want %d", device, got, want)
	}
}

// openAlerts are the ids of the open alerts of presses of a device.
func (s *server) openAlerts(device string) (ids []string) {
	s.t.Helper()
	var list struct {
		Alerts []struct{ ID, Rule, Device, State string }
	}
	if err := s.get("/api/v1/alerts", &list); err != nil {
		s.t.Fatal(err)
	}
	for _, a := range list.Alerts {
		if strings.HasSuffix(a.Rule, "_sos") && a.Device == device && a.State == "opened" {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
