package acceptance

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const loadCommunity = "load"

// identity is one MQTT connection of the load process, see internal/loadgen.
type identity struct {
	ID      string   `json:"id"`
	Secret  string   `json:"secret"`
	Meters  []string `json:"meters"`
	Buttons []string `json:"buttons"`
}

// fleet registers gateways with meters and SOS buttons in one import and returns how to connect as them.
func (s *server) fleet(gateways, meters, buttons int) []identity {
	s.t.Helper()
	s.linli("communities", "add", "--id", loadCommunity, "--name", "压力测试")
	var csv strings.Builder
	csv.WriteString("id,community,type,gateway\n")
	ids := make([]identity, gateways)
	for g := range ids {
		gw := fmt.Sprintf("gw-%d", g)
		ids[g].ID = gw
		fmt.Fprintf(&csv, "%s,%s,edge_gateway,\n", gw, loadCommunity)
		for m := range meters {
			id := fmt.Sprintf("m-%d-%d", g, m)
			ids[g].Meters = append(ids[g].Meters, id)
			fmt.Fprintf(&csv, "%s,%s,electricity_meter,%s\n", id, loadCommunity, gw)
		}
		for b := range buttons {
			id := fmt.Sprintf("sos-%d-%d", g, b)
			ids[g].Buttons = append(ids[g].Buttons, id)
			fmt.Fprintf(&csv, "%s,%s,sos_button,%s\n", id, loadCommunity, gw)
		}
	}
	name := filepath.Join(s.t.TempDir(), "fleet.csv")
	if err := os.WriteFile(name, []byte(csv.String()), 0o600); err != nil {
		s.t.Fatal(err)
	}
	var report struct {
		Issued []struct{ ID, Secret string }
	}
	out := s.linli("devices", "import", "--json", name)
	if err := json.Unmarshal(out, &report); err != nil {
		s.t.Fatalf("import printed %q: %v", out, err)
	}
	secret := map[string]string{}
	for _, d := range report.Issued {
		secret[d.ID] = d.Secret
	}
	for g := range ids {
		ids[g].Secret = secret[ids[g].ID]
	}
	return ids
}

// load is a running load process.
type load struct {
	t       *testing.T
	cmd     *exec.Cmd
	out     bytes.Buffer
	journal string
}

type loadResult struct {
	Sent, Acked, SOS, Reconnects int
	Seconds                      float64
}

// startLoad starts the load process beside the server.
func startLoad(t *testing.T, mqtt string, ids []identity, args ...string) *load {
	t.Helper()
	dir := t.TempDir()
	b, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "identities.json")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	l := &load{t: t, journal: filepath.Join(dir, "journal")}
	l.cmd = exec.Command(filepath.Join(binDir, "loadgen"), append([]string{
		"-mqtt", mqtt, "-community", loadCommunity, "-identities", file, "-journal", l.journal,
	}, args...)...)
	l.cmd.Stdout, l.cmd.Stderr = &l.out, os.Stderr
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.cmd.Process.Kill() })
	return l
}

// wait waits for the end of the load and returns its account.
func (l *load) wait() loadResult {
	l.t.Helper()
	if err := l.cmd.Wait(); err != nil {
		l.t.Fatalf("load: %v", err)
	}
	var r loadResult
	if err := json.Unmarshal(l.out.Bytes(), &r); err != nil {
		l.t.Fatalf("load printed %q: %v", l.out.Bytes(), err)
	}
	return r
}

// stop ends the sending of the load; wait returns when the rest is acknowledged.
func (l *load) stop() {
	l.t.Helper()
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		l.t.Fatalf("stop load: %v", err)
	}
}

// entry is what the journal says of one message. Times are µs of the wall clock; ackedAt is 0 while the fate is open.
type entry struct {
	value           float64
	sentAt, ackedAt int64
}

// account is the journal: by device and time in ms. SOS presses have time 0.
type account map[string]map[int64]*entry

func (l *load) account() account {
	l.t.Helper()
	f, err := os.Open(l.journal)
	if err != nil {
		l.t.Fatal(err)
	}
	defer f.Close()
	a := account{}
	for s := bufio.NewScanner(f); s.Scan(); {
		var kind, device string
		var ts, at int64
		var value float64
		fmt.Sscan(s.Text(), &kind, &device, &ts, &at, &value)
		if a[device] == nil {
			a[device] = map[int64]*entry{}
		}
		switch kind {
		case "S":
			a[device][ts] = &entry{value: value, sentAt: at}
		case "A":
			a[device][ts].ackedAt = at
		}
	}
	return a
}

// inFlight is how many readings were sent and not acknowledged at a moment.
func (a account) inFlight(at time.Time) int {
	n, us := 0, at.UnixMicro()
	for _, sent := range a {
		for ts, e := range sent {
			if ts != 0 && e.sentAt <= us && (e.ackedAt == 0 || e.ackedAt > us) {
				n++
			}
		}
	}
	return n
}

// rate is how many readings a second the journal has between its first send and its last acknowledgement.
func (a account) rate() float64 {
	n, first, last := 0, int64(math.MaxInt64), int64(0)
	for _, sent := range a {
		for ts, e := range sent {
			if ts != 0 && e.ackedAt != 0 {
				n, first, last = n+1, min(first, e.sentAt), max(last, e.ackedAt)
			}
		}
	}
	return float64(n) / (time.Duration(last-first) * time.Microsecond).Seconds()
}

// missing is how many acknowledged readings are not stored yet.
func (s *server) missing(a account, from time.Time) int {
	n := 0
	for device, sent := range a {
		if !strings.HasPrefix(device, "m-") {
			continue
		}
		points, err := s.readings(device, "power_w", from)
		if err != nil {
			s.t.Logf("read %s: %v", device, err)
			return -1
		}
		stored := map[int64]bool{}
		for _, p := range points {
			stored[p.Time.UnixMilli()] = true
		}
		for ts, e := range sent {
			if e.ackedAt != 0 && !stored[ts] {
				n++
			}
		}
	}
	return n
}

// verify compares what is stored with what was acknowledged: every acknowledged reading is there once with its value or in the
// rejects, and nothing is there that was never sent. It returns the number of readings that were acknowledged and of those
// whose fate was open.
func (s *server) verify(a account, from time.Time) (acked, open int) {
	s.t.Helper()
	var rejects struct {
		Rejects []struct{ Device, Reason string }
	}
	if err := s.get("/api/v1/rejects", &rejects); err != nil {
		s.t.Error(err)
	}
	for _, r := range rejects.Rejects {
		s.t.Errorf("rejected: %s: %s", r.Device, r.Reason)
	}
	for device, sent := range a {
		if !strings.HasPrefix(device, "m-") {
			continue
		}
		points, err := s.readings(device, "power_w", from)
		if err != nil {
			s.t.Error(err)
			continue
		}
		stored := map[int64]int{}
		for _, p := range points {
			ts := p.Time.UnixMilli()
			stored[ts]++
			switch e := sent[ts]; {
			case e == nil:
				s.t.Errorf("%s at %d: stored, never sent", device, ts)
			case p.Value != e.value:
				s.t.Errorf("%s at %d: stored %v, sent %v", device, ts, p.Value, e.value)
			case stored[ts] > 1:
				s.t.Errorf("%s at %d: stored %d times", device, ts, stored[ts])
			}
		}
		for ts, e := range sent {
			switch {
			case e.ackedAt == 0:
				open++
			case stored[ts] == 0:
				s.t.Errorf("%s at %d: acknowledged, not stored", device, ts)
				fallthrough
			default:
				acked++
			}
		}
	}
	return acked, open
}
