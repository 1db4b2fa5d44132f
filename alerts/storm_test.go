package alerts

import (
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
)

func TestStormsAreSummedUp(t *testing.T) {
	w := newTold(t)
	for i := range 40 {
		id := "q" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		w.people.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "probe", State: devices.Active}
		w.say(id + " 1m!jam attempts=3")
	}
	w.say("qaa 90s!jam_over", "qan 90s!jam_over", "p1 90s!sos")
	w.tick(30 * time.Minute)
	told, held := map[string]int{}, map[string]int{}
	var sums []bus.AlertEvent
	for _, ev := range w.book.out {
		if ev.Alert.Rule == digest.ID && ev.Kind == opened {
			sums = append(sums, ev)
		}
		if ev.Kind != opened || ev.Alert.Rule != "t_jam" {
			continue
		}
		for _, r := range ev.Tell {
			if r.Held == heldStorm {
				held[r.Person]++
			} else {
				told[r.Person]++
			}
		}
	}
	if told["wang"] != stormAlerts || held["wang"] != 30 || told["zhao"] != stormAlerts {
		t.Errorf("told %v held %v", told, held)
	}
	if len(sums) != 2 {
		t.Fatalf("%d digests, want one for wang and one for zhao", len(sums))
	}
	for _, ev := range sums {
		a := ev.Alert
		if len(a.Listed) != 30 || a.Count != 30 || len(ev.Tell) != 1 || ev.Tell[0].Held != "" || ev.At.Sub(start) != 3*time.Minute {
			t.Errorf("digest %d listed, tell %+v at %s", len(a.Listed), ev.Tell, ev.At.Sub(start))
		}
		if !strings.HasPrefix(a.Text.ZH, "30 条告警（1 条已解除）：卡阻 30。") {
			t.Errorf("text %s", a.Text.ZH)
		}
	}
	if s := spellEvents(w.book.out); !strings.Contains(strings.Join(s, "\n"), "t_sos[person=ma] 1m30s:opened") {
		t.Error("the SOS is missing")
	}
	for _, line := range w.told() {
		if strings.HasPrefix(line, "1m30s opened") && line != "1m30s opened wang zhao daughter" {
			t.Errorf("an SOS in a storm: %s", line)
		}
	}
}

func TestWhatRestHeldBackIsToldInTheMorning(t *testing.T) {
	w := newTold(t)
	w.book.resolver = circle{"role:property_duty": {"tired"}}
	w.say("p1 12h!jam attempts=3", "p2 13h!jam attempts=3", "p2 14h!jam_over")
	w.tick(48 * time.Hour)
	w.book.out = w.book.out[:6]
	w.expectTold("12h opened tired!quiet_hours", "13h opened tired!quiet_hours", "14h cleared duty!not_told", "20h unanswered duty!together", "27h opened tired", "27h closed")
}

// A storm is stored in parts: when the engine ends between the alerts and the loads that say when their digest comes, it comes
// nevertheless, and once.
func TestADigestOutlivesTheEngine(t *testing.T) {
	for _, stored := range []bool{false, true} {
		w := newTold(t)
		w.book.resolver = circle{"role:property_duty": {"tired"}}
		w.say("p1 12h!jam attempts=3")
		next := newTold(t)
		next.book.resolver = w.book.resolver
		next.book.load(w.last())
		for _, record := range w.book.changed {
			if l, ok := record.(*bus.Load); ok && stored {
				next.book.loadLoad(l)
			}
		}
		for range 2 {
			next.book.recallDigests()
		}
		if changed := len(next.book.changed) > 0; changed == stored {
			t.Errorf("loads stored: %t, and yet written again: %t", stored, changed)
		}
		next.tick(30 * time.Hour)
		next.expectTold("20h unanswered duty!together", "27h opened tired", "27h closed")
	}
}
