package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	"github.com/google/go-cmp/cmp"
)

// transition is what conditions led to.
type transition struct {
	Kind  string
	At    time.Time
	Alert struct {
		Rule, Device, Severity string
		ClearedAt              time.Time `json:"cleared_at"`
	}
}

// conditional reports whether a transition is one that a replay shows: what became of a condition.
func (x *transition) conditional() bool {
	switch x.Kind {
	case "opened", "reopened", "flapping", "raised", "lowered":
		return x.Alert.Rule != "alert_digest"
	case "cleared": // and not told of again later
		return x.At.Equal(x.Alert.ClearedAt)
	}
	return false
}

func (x *transition) line() string {
	return fmt.Sprintf("%s of %s %s at %s, %s", x.Alert.Rule, x.Alert.Device, x.Kind, x.At.UTC().Format(time.RFC3339Nano), x.Alert.Severity)
}

// replayed is what the rules would have led to since from, one line each.
func (s *server) replayed(from time.Time, more ...string) (all []string) {
	s.t.Helper()
	out := s.linli(append([]string{"rules", "replay", "--json", "--from", from.UTC().Format(time.RFC3339)}, more...)...)
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var x transition
		if err := d.Decode(&x); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, x.line())
	}
	slices.Sort(all)
	return all
}

// happened is what the engine has written down of all alerts that there are, and when the first of them opened.
func (s *server) happened() (all []string, first time.Time) {
	s.t.Helper()
	var list struct{ Alerts []alert }
	if err := s.get("/api/v1/alerts", &list); err != nil {
		s.t.Fatal(err)
	}
	first = time.Now()
	for _, a := range list.Alerts {
		var view struct{ History []transition }
		if err := s.get("/api/v1/alerts/"+a.ID, &view); err != nil {
			s.t.Fatal(err)
		}
		for i := range view.History {
			if x := &view.History[i]; x.conditional() {
				all = append(all, x.line())
			}
		}
		if a.OpenedAt.Before(first) {
			first = a.OpenedAt
		}
	}
	slices.Sort(all)
	return all, first
}

// pressTwice presses a button, closes the alert, and presses again: two alerts.
func (s *server) pressTwice() {
	s.t.Helper()
	s.linli("communities", "add", "--id", "twice", "--name", "两次")
	cred := s.addDevice("twice", "sos_button", "twice-1")
	o := mqtt.NewClientOptions().AddBroker("tcp://" + s.mqtt).SetClientID(cred.ID).SetUsername(cred.Username).SetPassword(cred.Secret)
	c := mqtt.NewClient(o)
	if k := c.Connect(); !k.WaitTimeout(30*time.Second) || k.Error() != nil {
		s.t.Fatal(k.Error())
	}
	defer c.Disconnect(100)
	for press := 1; press <= 2; press++ {
		c.Publish("linli/event/twice/sos_button/twice-1/sos", 1, false, fmt.Sprintf(`{"seq":%d}`, press))
		var open []alert
		s.await(30*time.Second, "opened", func() bool {
			open = s.alertsOf("twice", "twice-")["sb_sos twice-1"]
			return len(open) == press
		})
		if press == 1 {
			if err := s.post("/api/v1/alerts/"+open[0].ID+"/close", `{"disposition":"helped"}`); err != nil {
				s.t.Fatal(err)
			}
			s.await(30*time.Second, "closed", func() bool {
				var a struct{ State string }
				return s.get("/api/v1/alerts/"+open[0].ID, &a) == nil && a.State == "closed"
			})
		}
	}
}

// replayEqualsLive replays the history that is stored and wants what the engine made of it when it came: every opening and every
// clearing, at its time and with its severity.
func (s *server) replayEqualsLive(t *testing.T) {
	var live []string
	var diff string
	defer func() {
		if diff != "" {
			t.Logf("what happened (-live +replayed):\n%s", diff)
		}
	}()
	s.await(30*time.Second, "replayed as it happened", func() bool { // again if something has happened meanwhile
		var first time.Time
		live, first = s.happened()
		diff = cmp.Diff(live, s.replayed(first.Add(-time.Hour)))
		return diff == ""
	})
	cleared := 0
	for _, line := range live {
		if strings.Contains(line, " cleared at ") {
			cleared++
		}
	}
	t.Logf("%d transitions are replayed as they came, %d of them endings", len(live), cleared)
	if len(live) < 12 || cleared < 4 {
		t.Errorf("only %d transitions to compare, %d of them endings", len(live), cleared)
	}
}
