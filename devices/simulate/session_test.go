package simulate

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestSessionsOfAPlaceFollowEachOther(t *testing.T) {
	w := probeWorld(t, 1, Faults{})
	rapid.Check(t, func(t *rapid.T) {
		p := place{w.actors[0].plan.sessions, key(rapid.Uint64().Draw(t, "key")), rapid.Float64Range(0.1, 1).Draw(t, "stretch")}
		day := rapid.Int64Range(20000, 22000).Draw(t, "day")
		all := append(p.day(day), p.day(day+1)...)
		for i, s := range all {
			if s.end <= s.start || s.end-s.start > 12*60*60*1000 {
				t.Fatalf("session %s to %s", s.start.time(), s.end.time())
			}
			if i+1 < len(all) && all[i+1].start-s.end < sessionGap {
				t.Fatalf("session until %s, the next one from %s", s.end.time(), all[i+1].start.time())
			}
			if got, busy := p.at(s.start); !busy || got != s {
				t.Fatalf("at its start %v, want %v", got, s)
			}
			if _, busy := p.at(s.end); busy {
				t.Fatalf("still busy at %s", s.end.time())
			}
		}
	})
}

func TestWhatASessionDrawsIsWhatTheCounterAdds(t *testing.T) {
	a := probeWorld(t, 2, Faults{}).actors[0]
	total, energy, load := a.plan.field("total_wh"), a.plan.field("session_wh"), a.plan.field("load")
	seen := 0
	for day := momentOf(someDay).day(); day < momentOf(someDay).day()+20; day++ {
		for _, s := range a.place(1).day(day) {
			seen++
			added := a.value(total, 1, s.end) - a.value(total, 1, s.start)
			if drawn := a.value(energy, 1, s.end-1); math.Abs(added-drawn) > 0.01 {
				t.Errorf("session from %s drew %g W.h, the counter added %g", s.start.time(), drawn, added)
			}
			sum := 0.0
			for at := s.start; at < s.end; at += 10_000 {
				sum += a.value(load, 1, at) * 10 / 3600
			}
			if math.Abs(sum-added) > 0.05*added+20 {
				t.Errorf("power from %s adds up to %g W.h, the counter to %g", s.start.time(), sum, added)
			}
			if idle := a.value(load, 1, s.end); idle != 3 {
				t.Errorf("%g W after the end", idle)
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d sessions in 20 days at three a day", seen)
	}
}

func TestSessionEventsAndStatesAgree(t *testing.T) {
	w := probeWorld(t, 3, Faults{})
	status := map[string]any{}
	starts, ends := 0, 0
	var began time.Time
	for n := range 3 {
		for m := range w.Day(someDay.AddDate(0, 0, n)) {
			if m.Device.ID != "probe-0" {
				continue
			}
			switch {
			case strings.HasSuffix(m.Topic, "/session_start"):
				starts++
				began = m.Time
			case strings.HasSuffix(m.Topic, "/session_end"):
				ends++
				var e struct {
					Port, Side string
					Probe      float64 `json:"probe_wh"`
				}
				if err := json.Unmarshal(m.Payload, &e); err != nil || e.Probe <= 0 {
					t.Errorf("%v: %s", err, m.Payload)
				}
				if last := status[e.Port+e.Side]; starts > 8 && last != "used" && last != "leaving" {
					t.Errorf("session of %s%s ended at %s, status %v", e.Port, e.Side, m.Time, last)
				}
			case strings.Contains(m.Topic, "/event/"):
			default:
				var objects []map[string]any
				if err := json.Unmarshal(m.Payload, &objects); err != nil {
					t.Fatal(err)
				}
				for _, o := range objects {
					if s, said := o["status"]; said {
						status[o["port"].(string)+o["side"].(string)] = s
					}
					if len(objects) == 1 && m.Time.Equal(began) && o["status"] != "used" {
						t.Errorf("a session began, and the report says %s", m.Payload)
					}
				}
			}
		}
	}
	if starts < 15 || ends < starts-4 || ends > starts+4 {
		t.Errorf("%d starts and %d ends in three days of four places", starts, ends)
	}
}
