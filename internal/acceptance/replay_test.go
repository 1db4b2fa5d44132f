package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// replayed are the alerts that the rules would have opened since from, one line each.
func (s *server) replayed(from time.Time, more ...string) (all []string) {
	s.t.Helper()
	out := s.linli(append([]string{"rules", "replay", "--json", "--from", from.UTC().Format(time.RFC3339)}, more...)...)
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var ev struct {
			Kind  string
			Alert alert
		}
		if err := d.Decode(&ev); err != nil {
			s.t.Fatal(err)
		}
		if ev.Kind == "opened" {
			all = append(all, ev.Alert.line())
		}
	}
	slices.Sort(all)
	return all
}

func (a *alert) line() string {
	return fmt.Sprintf("%s of %s at %s", a.Rule, a.Device, a.OpenedAt.UTC().Format(time.RFC3339Nano))
}

// replayEqualsLive replays the history that is stored and wants the alerts that there are.
func (s *server) replayEqualsLive(t *testing.T) {
	var list struct{ Alerts []alert }
	if err := s.get("/api/v1/alerts", &list); err != nil {
		t.Fatal(err)
	}
	var live []string
	from := time.Now()
	for i := range list.Alerts {
		a := &list.Alerts[i]
		live = append(live, a.line())
		if a.OpenedAt.Before(from) {
			from = a.OpenedAt
		}
	}
	slices.Sort(live)
	if diff := cmp.Diff(live, s.replayed(from.Add(-time.Hour))); diff != "" {
		t.Errorf("alerts (-live +replayed):\n%s", diff)
	}
	t.Logf("%d alerts are replayed as they came", len(live))
	if len(live) < 8 {
		t.Errorf("only %d alerts to compare", len(live))
	}
}
