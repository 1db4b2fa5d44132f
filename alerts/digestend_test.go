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

// stormOf is a world in which so many devices jam at the first minute.
func stormOf(t *testing.T, n int) (w *world, ids []string) {
	w = newTold(t)
	for i := range n {
		id := fmt.Sprintf("q%03d", i)
		w.people.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "probe", State: devices.Active}
		w.say(id + " 1m!jam attempts=3")
		ids = append(ids, id)
	}
	w.tick(10 * time.Minute)
	return w, ids
}

// heardBy is what somebody was told, each message as "3m opened alert_digest".
func heardBy(events []bus.AlertEvent, who string) (all []string) {
	for _, ev := range events {
		for _, r := range ev.Tell {
			if r.Person == who && r.Held == "" {
				all = append(all, formatOffset(ev.At.Sub(start))+" "+ev.Kind+" "+ev.Alert.Rule)
			}
		}
	}
	return all
}

// Who heard by a digest that things are wrong hears when all of them are over, in one message, however they ended; also when the engine
// ended between the last of them and the message.
func TestTheEndOfADigestIsToldOnce(t *testing.T) {
	w, ids := stormOf(t, 40)
	for i, id := range ids[:39] {
		w.say(fmt.Sprintf("%s %ds!jam_over", id, 600+i))
	}
	if over := heardBy(w.book.out, "wang"); slices.Contains(over[stormAlerts+1:], "cleared alert_digest") || len(over) != 2*stormAlerts+1 {
		t.Errorf("before the last is over: %v", over)
	}
	last := w.book.episodes[episodeKey("t_jam", "device="+ids[39])].alert
	before := len(w.book.out)
	w.do(20*time.Minute, bus.Action{Kind: "close", Alert: last.ID, By: "li"})
	if got := heardBy(w.book.out[before:], "wang"); !slices.Equal(got, []string{"20m cleared alert_digest"}) {
		t.Errorf("the end of the last: wang is told %v", got)
	}
	end := w.book.out[len(w.book.out)-1].Alert
	if end.Text.ZH != "03-01 12:03 汇总的 30 条告警均已解除" || end.Text.EN != "All 30 alerts of the digest of 03-01 12:03 are over" || end.State != bus.Closed {
		t.Errorf("text %v, %s", end.Text, end.State)
	}
	w.tick(30 * time.Hour)
	for _, who := range []string{"wang", "zhao"} {
		all := heardBy(w.book.out, who)
		opened := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return !strings.Contains(s, " opened ") })
		if len(all) > 2*len(opened) {
			t.Errorf("%s: %d messages of ends for %d of openings: %v", who, len(all)-len(opened), len(opened), all)
		}
	}
	if len(w.book.awaited) > 0 {
		t.Errorf("still awaited: %v", w.book.awaited)
	}
}

func TestTheEndOfADigestOutlivesTheEngine(t *testing.T) {
	w, ids := stormOf(t, 12)
	for _, id := range ids {
		w.say(id + " 20m!jam_over")
	}
	of := func(x *bus.Alert, keep func(bus.AlertEvent) bool) {
		for _, ev := range w.book.out {
			if ev.Alert.ID == x.ID && keep(ev) {
				*x = ev.Alert
			}
		}
	}
	next := newTold(t)
	for id, a := range w.book.alerts {
		x := bus.Alert{ID: id}
		of(&x, func(ev bus.AlertEvent) bool { return a.Rule != digest.ID || ev.Kind != cleared })
		next.book.load(reread(t, &x))
	}
	next.book.recallEnds()
	if got := heardBy(next.book.out, "wang"); !slices.Equal(got, []string{"20m cleared alert_digest"}) {
		t.Errorf("after the restart wang is told %v", got)
	}
	next.book.recallEnds()
	if len(next.book.out) != 2 { // wang's and zhao's
		t.Errorf("%d ends of two digests", len(next.book.out))
	}
}

// A digest that cannot name all it tells of names what is not over, and says how many it named.
func TestADigestThatIsTooLongSaysSo(t *testing.T) {
	w, ids := stormOf(t, digestList+30)
	for _, id := range ids {
		w.say(id + " 20m!jam_over")
	}
	end := w.book.out[len(w.book.out)-1]
	if end.Kind != cleared || end.Alert.Rule != digest.ID {
		t.Fatalf("last: %s of %s", end.Kind, end.Alert.Rule)
	}
	if want := "03-01 12:03 汇总的 520 条告警中，列出的 500 条均已解除"; end.Alert.Text.ZH != want {
		t.Errorf("text %s, want %s", end.Alert.Text.ZH, want)
	}
}

// Who was told by day of what ends at night hears of the end in the morning.
func TestAnEndByNightIsToldInTheMorning(t *testing.T) {
	w := newTold(t)
	w.book.resolver = circle{"role:property_duty": {"wang"}}
	w.say("p1 1h!jam attempts=3")
	w.last().Told = []string{"person:tired"} // who did not rest then
	w.say("p1 12h!jam_over")
	w.tick(48 * time.Hour)
	w.expectTold("1h opened wang", "12h cleared tired!quiet_hours", "27h opened tired", "27h closed", "36h closed")
}
