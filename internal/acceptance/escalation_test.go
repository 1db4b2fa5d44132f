package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// quickLadder is an SOS plan of seconds: the desk, a daughter, a chief, and again.
const quickLadder = `plans:
- id: sos
  steps:
  - {tell: [person:desk-1]}
  - {wait: 2s, tell: [circle:1]}
  - {wait: 1s, tell: [role:manager]}
  unanswered: 2s
  repeat: [{every: 6s}]
  lapse: 30m
`

// rungs are when each of the people is told, after the alert opened.
var rungs = map[string]time.Duration{"desk-1": 0, "daughter-1": 2 * time.Second, "chief-1": 3 * time.Second, "": 5 * time.Second}

const household = `people:
- {id: desk-1, community: garden, name: 值班, roles: [property_duty], reach: [{channel: ops, to: desk}]}
- {id: chief-1, community: garden, name: 经理, roles: [manager], reach: [{channel: ops, to: chief}]}
- {id: daughter-1, community: garden, name: 女儿, roles: [contact], reach: [{channel: ops, to: daughter}]}
- {id: ma-%d, community: garden, name: 马奶奶, roles: [elder], circle: [{person: daughter-1, relation: daughter}]}
`

// Ladders run on their time, never early and at most a second late, and an acknowledgement stops them within 300 ms. On the built
// binary, with a person behind every button; every second press is answered at some time of its ladder.
func TestLaddersRunOnTimeUntilSomebodyAnswers(t *testing.T) {
	const presses = 16
	hook := newReceiver(t)
	rules := t.TempDir()
	if err := os.WriteFile(filepath.Join(rules, "plans.yaml"), []byte(quickLadder), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--config", hook.config(t), "--rules", rules)
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	host, port, err := net.SplitHostPort(s.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	press := map[string]*exec.Cmd{}
	for i := range presses {
		file, id := filepath.Join(t.TempDir(), "people.yaml"), fmt.Sprintf("sos-%02d", i)
		if err := os.WriteFile(file, fmt.Appendf(nil, household, i), 0o600); err != nil {
			t.Fatal(err)
		}
		s.linli("people", "import", file)
		c := s.addDevice("garden", "sos_button", id, "--person", fmt.Sprintf("ma-%d", i))
		press[id] = exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-i", c.ID, "-u", c.Username, "-P", c.Secret,
			"-q", "1", "-t", "linli/event/garden/sos_button/"+id+"/sos", "-n")
	}
	answered := map[string]time.Time{} // by device
	for i := range presses {
		id := fmt.Sprintf("sos-%02d", i)
		if out, err := press[id].CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", id, err, out)
		}
		if i%2 == 0 {
			continue
		}
		alert := ""
		s.await(30*time.Second, "paged for "+id, func() bool {
			for _, d := range hook.all() {
				if d.Alert.Device == id {
					alert = d.Alert.ID
				}
			}
			return alert != ""
		})
		at := time.Now().Add(time.Duration(i) * 4 * time.Second / presses)
		s.await(30*time.Second, "its time", func() bool { return !time.Now().Before(at) })
		if err := s.post("/api/v1/alerts/"+alert+"/acknowledge", `{"by":"desk"}`); err != nil {
			t.Fatal(err)
		}
		answered[id] = time.Now()
	}
	last := fmt.Sprintf("sos-%02d", presses-2)
	s.await(30*time.Second, "told that nobody answered the last", func() bool { return told(hook, last, "unanswered", "") != nil })
	why := s.linli("alerts", "why", told(hook, last, "unanswered", "").Alert.ID)
	for _, want := range []string{"opened      person:desk-1 值班", "escalated   person:daughter-1 女儿", "unanswered  duty", "told; ops accepted"} {
		if !strings.Contains(string(why), want) {
			t.Errorf("linli alerts why: no %q in\n%s", want, why)
		}
	}
	s.answerAtATerminal(last)
	s.terminate()
	s.judgeLadders(hook, presses, answered)
}

// answerAtATerminal finds the alert of a device, takes it on and ends it.
func (s *server) answerAtATerminal(device string) {
	s.t.Helper()
	_, first, _ := strings.Cut(string(s.linli("alerts", "list", "--device", device)), "\n")
	line := strings.Fields(first)
	if len(line) < 6 || line[3] != "critical" || line[4] != "opened" {
		s.t.Fatalf("linli alerts list: %q", line)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"acknowledge"}, "is acknowledged"},
		{[]string{"close", "--disposition", "false_press"}, "is closed"},
	} {
		args := append([]string{"alerts"}, step.args...)
		if out := string(s.linli(append(args, line[0])...)); !strings.Contains(out, step.want) {
			s.t.Errorf("linli %v: %s", args, out)
		}
	}
	if out := string(s.linli("alerts", "list", "--device", device)); strings.Contains(out, line[0]) {
		s.t.Errorf("still listed:\n%s", out)
	}
}

func told(hook *receiver, device, event, person string) *delivery {
	for _, d := range hook.all() {
		if d.Alert.Device == device && d.Event == event && d.Person == person {
			return &d
		}
	}
	return nil
}

func (s *server) judgeLadders(hook *receiver, presses int, answered map[string]time.Time) {
	t := s.t
	var late, after []float64 // ms
	for i := range presses {
		id := fmt.Sprintf("sos-%02d", i)
		for who, wait := range rungs {
			event := map[string]string{"desk-1": "opened", "": "unanswered"}[who]
			if event == "" {
				event = "escalated"
			}
			d := told(hook, id, event, who)
			switch at, stopped := answered[id]; {
			case d == nil && !stopped:
				t.Errorf("%s: %q was never told", id, who)
			case d == nil:
			case stopped && d.At.After(at):
				after = append(after, float64(d.At.Sub(at).Milliseconds()))
			default:
				late = append(late, float64(d.At.Sub(d.Alert.OpenedAt.Add(wait)).Milliseconds()))
			}
		}
	}
	slices.Sort(late)
	slices.Sort(after)
	t.Logf("%d steps: earliest %.0f ms, median %.0f ms, latest %.0f ms after their time; %d after an acknowledgement, %v ms",
		len(late), late[0], percentile(late, 50), late[len(late)-1], len(after), after)
	if late[0] < 0 || late[len(late)-1] > 1000 {
		t.Errorf("steps come from %.0f to %.0f ms after their time, want 0 to 1000", late[0], late[len(late)-1])
	}
	if n := len(after); n > 0 && after[n-1] > 300 {
		t.Errorf("a step came %.0f ms after the acknowledgement", after[n-1])
	}
}
