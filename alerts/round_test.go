package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
)

const day = 24 * time.Hour

// toldAgain is when somebody was told by a digest, in days after the first morning.
func toldAgain(w *world, who string) (days []string) {
	for _, ev := range w.book.out {
		for _, r := range ev.Tell {
			if ev.Alert.Rule == digest.ID && ev.Kind == opened && r.Held == "" && strings.TrimPrefix(r.Who(), "person:") == who {
				days = append(days, formatOffset(ev.At.Sub(start)-20*time.Hour))
			}
		}
	}
	return days
}

// stuck is a door that is open for good, seen by so many devices at noon: of medium severity, and does not end by itself.
func stuck(w *world, n int) {
	for i := range n {
		id := fmt.Sprintf("q%02d", i)
		w.people.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "probe", State: devices.Active}
		w.say(id + " 1m!jam attempts=3")
		w.last().Latched = true
	}
}

// What nobody takes on is marked unanswered, and told again three mornings and then once a week, however long and however much it is:
// one message a morning for each who was told, and for the desk.
func TestWhatNobodyTakesOnIsToldAgainInTheMorning(t *testing.T) {
	for _, n := range []int{1, 9} {
		w := newTold(t)
		stuck(w, n)
		w.tick(18 * day)
		want := []string{"0s", "24h", "48h", "216h", "384h"}
		for _, who := range []string{"wang", "zhao", duty} {
			if got := toldAgain(w, who); !slices.Equal(got, want) {
				t.Errorf("%d alerts: %s was told again at %v, want %v", n, who, got, want)
			}
		}
		marks := 0
		for _, ev := range w.book.out {
			if ev.Kind == unanswered {
				marks++
			}
		}
		if marks != n {
			t.Errorf("%d of %d alerts are marked unanswered", marks, n)
		}
		if a := w.book.out[0].Alert; len(w.book.alerts[a.ID].Deferred) > 3 {
			t.Errorf("what was told long ago is kept: %v", w.book.alerts[a.ID].Deferred)
		}
	}
}

func TestWhatIsTakenOnOrOverIsNotToldAgain(t *testing.T) {
	for _, kind := range []string{"acknowledge", "close", "jam_over"} {
		w := newTold(t)
		w.say("p1 1m!jam attempts=3")
		w.tick(9 * time.Hour)
		want := []string{"1m opened wang zhao", "8h1m unanswered duty!together"}
		if kind == "jam_over" {
			w.say("p1 9h!jam_over")
			want = append(want, "9h cleared wang zhao", "33h closed")
		} else {
			w.do(9*time.Hour, with(bus.Action{Kind: kind}, w))
			want = append(want, map[string]string{"acknowledge": "9h acknowledged", "close": "9h closed wang zhao"}[kind])
		}
		if kind == "acknowledge" {
			want = append(want, "24h1m cleared wang zhao", "24h1m closed")
		}
		w.tick(3 * day)
		w.expectTold(want...)
	}
}

// Where nobody of those who were told can be reached, the desk does not wait for the morning.
func TestTheDeskIsToldAtOnceWhereNobodyIsReached(t *testing.T) {
	for _, kind := range []string{"unreached", "decline"} {
		w := newTold(t)
		w.book.resolver = circle{"role:property_duty": {"wang"}}
		w.say("p1 1m!jam attempts=3")
		w.tick(2 * time.Minute)
		x := with(bus.Action{Kind: kind, Person: "wang", N: 1, Recipient: &bus.Recipient{Person: "wang"}}, w)
		w.do(3*time.Minute, x)
		w.tick(19 * time.Hour)
		if got := w.told()[1]; !strings.HasSuffix(got, " duty") {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

// An engine that was not there in the morning tells when it is back, once, and the next morning at its time.
func TestAMorningWithoutAnEngineIsMadeUpFor(t *testing.T) {
	w := newTold(t)
	stuck(w, 3)
	w.tick(2 * time.Hour)
	for _, at := range []time.Duration{46*time.Hour + 30*time.Minute, 68 * time.Hour} {
		w.book.clock = start.Add(at)
		w.book.wake(start.Add(at))
	}
	for _, who := range []string{"wang", "zhao", duty} {
		if got, want := toldAgain(w, who), []string{"26h30m", "48h"}; !slices.Equal(got, want) {
			t.Errorf("%s was told again at %v, want %v", who, got, want)
		}
	}
}

// Of life-safety nobody hears by a digest, whatever a site's plan says.
func TestLifeSafetyIsToldAgainAtOnce(t *testing.T) {
	cat, err := probeCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := LoadRules(cat, rulesDir(t, "plans:\n- {id: sos, steps: [{tell: [role:property_duty]}], unanswered: 1h, repeat: [{days: 1, at: 08:00}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := newTold(t)
	w.book.rules = rules
	w.say("p1 0s!sos")
	w.tick(21 * time.Hour)
	w.expectTold("0s opened wang zhao", "1h unanswered duty", "20h escalated wang zhao duty")
}
