package alerts

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
)

// fleet is a core with the rules of the catalogue and n access controllers, which report every five minutes.
func fleet(t *testing.T, n int) (*core, *inventory) {
	t.Helper()
	_, rules := catalogueRules(t)
	known := newInventory()
	for i := range n {
		id := fmt.Sprintf("ac-%04d", i)
		known.devices[id] = &devices.Device{ID: id, Community: "tianjin", Type: "access_controller", State: devices.Active}
	}
	return newCore(rules, known), known
}

// report lets every device say something at an offset, each a little later than the one before.
func report(t *testing.T, c *core, known *inventory, offset time.Duration) {
	t.Helper()
	for i, d := range known.Devices() {
		at := start.Add(offset + time.Duration(i)*time.Millisecond)
		line := fmt.Appendf(nil, "access,community=tianjin,device=%s uptime_s=60,received_at=%di %d\n", d.ID, at.UnixMilli(), at.UnixNano())
		if _, err := c.reading(line); err != nil {
			t.Fatal(err)
		}
	}
}

// Nobody is offline because linli was: the time in which nobody listened does not count, whether the engine restarts as well or not.
func TestRestartOfTheServerIsNoSilenceOfDevices(t *testing.T) {
	const n = 5000
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint("engine restarts ", restarts), func(t *testing.T) {
			c, known := fleet(t, n)
			var l bus.Listening
			l.Hear(start, true, bus.Settle)
			report(t, c, known, 0)
			l.Until = start.Add(4 * time.Minute)
			c.vigil.hear(&l)
			c.advance(start.Add(4 * time.Minute).UnixMilli())
			if restarts {
				c = restarted(t, c)
			}
			c.vigil.hear(&l)
			c.advance(start.Add(2 * time.Hour).UnixMilli()) // nobody listens; the clock goes on
			back := start.Add(2 * time.Hour)
			l.Hear(back, true, bus.Settle)
			l.Until = back.Add(6 * time.Minute)
			c.vigil.hear(&l)
			report(t, c, known, 2*time.Hour+5*time.Minute)
			c.advance(back.Add(6 * time.Minute).UnixMilli())
			for _, ev := range c.book.out {
				t.Fatalf("%s of %s at %s", ev.Kind, ev.Alert.Device, ev.At)
			}
			l.Until = back.Add(3 * time.Hour)
			c.vigil.hear(&l)
			c.advance(l.Until.UnixMilli())
			if got := len(c.book.out); got != n {
				t.Errorf("%d devices are silent now, %d alerts", n, got)
			}
		})
	}
}

// A device that leaves the registry takes the alert of its silence with it.
func TestDeviceThatIsRevokedIsNoLongerMissed(t *testing.T) {
	c, known := fleet(t, 2)
	report(t, c, known, 0)
	c.advance(start.Add(20 * time.Minute).UnixMilli())
	gone := *known.devices["ac-0000"]
	gone.State = devices.Revoked
	known.devices["ac-0000"] = &gone
	c.enrol()
	var got []string
	for _, ev := range c.book.out {
		got = append(got, ev.Alert.Device+" "+ev.Kind)
	}
	if want := "[ac-0000 opened ac-0001 opened ac-0000 cleared]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A device that was never heard of is missed a day after it was added, however often the engine is killed meanwhile.
func TestKillsDelayNoAbsence(t *testing.T) {
	_, rules := catalogueRules(t)
	now, d := start, newDisk()
	d.people = newPeople()
	d.people.devices = map[string]*devices.Device{"ac-1": {ID: "ac-1", Community: "tianjin", Type: "access_controller", State: devices.Active}}
	for range 4 {
		e := d.engine(t, rules, &now)
		for range 7 {
			now = now.Add(time.Hour)
			if err := e.tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	var got []string
	for _, ev := range d.alertLog(t) {
		if ev.Kind == opened {
			got = append(got, fmt.Sprint(ev.Alert.Rule, " ", ev.At.Sub(start)))
		}
	}
	if want := "[dev_offline 24h0m0s]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A clock that is set back delays no absence, and what nobody could hear before that still does not count.
func TestAClockThatIsSetBackDelaysNoAbsence(t *testing.T) {
	for _, restarts := range []bool{false, true} {
		t.Run(fmt.Sprint("engine restarts ", restarts), func(t *testing.T) {
			c, known := fleet(t, 3)
			var l bus.Listening
			l.Hear(start, true, bus.Settle)
			report(t, c, known, 0)
			l.Until = start.Add(time.Minute)
			l.Hear(start.Add(10*time.Minute), true, bus.Settle) // nobody listened for nine minutes, and all are back two later
			c.vigil.hear(&l)
			c.advance(start.Add(13 * time.Minute).UnixMilli())
			c.shift(-time.Hour)
			if restarts {
				c = restarted(t, c)
			}
			for _, minute := range []int{-47, -34, -33} {
				l.Until = start.Add(time.Duration(minute) * time.Minute)
				c.vigil.hear(&l)
				c.advance(l.Until.UnixMilli())
				if got, want := len(c.book.out), map[int]int{-47: 0, -34: 0, -33: 3}[minute]; got != want {
					t.Errorf("at %d min: %d alerts, want %d", minute, got, want)
				}
			}
		})
	}
}

// One that was set back while no engine ran delays it by one window at most.
func TestAClockThatWasSetBackMeanwhile(t *testing.T) {
	now, d := start, newDisk()
	rules := rulesOf(t, "rules:\n- {id: silent, name: {zh: 无声, en: Silent}, kind: absence, type: probe, severity: low, category: device, window: 10m, basis: judgement}")
	e := d.engine(t, rules, &now)
	d.put(t, bus.Readings, utterance{device: "p1", series: "p1", fields: []field{{"level", 1.0}}}.line())
	if err := errors.Join(d.feed(t, e), e.commit(t.Context(), true)); err != nil {
		t.Fatal(err)
	}
	now = start.Add(-time.Hour)
	e = d.engine(t, rules, &now)
	now = now.Add(10*time.Minute + wallGrace)
	if err := e.tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := len(d.alertLog(t)); got != 1 {
		t.Errorf("%d alerts", got)
	}
}

// The word that ended one silence is recalled when the next one has been told already, and ends nothing.
func TestAWordThatIsRecalledEndsNoLaterSilence(t *testing.T) {
	now, d := start, newDisk()
	rules := rulesOf(t, "rules:\n- {id: nojam, name: {zh: 无, en: None}, kind: absence, type: probe, severity: low, category: device, event: jam, window: 30m, basis: judgement}")
	jam := func(at, received time.Duration) {
		d.put(t, bus.Events, utterance{device: "p1", series: "p1", event: "jam", at: at.Milliseconds(), received: received.Milliseconds()}.line())
	}
	e := d.engine(t, rules, &now)
	until := func(offset time.Duration, checkpoint bool) {
		t.Helper()
		now = start.Add(offset)
		e.checkpointed = now // none but those asked for
		if err := errors.Join(d.feed(t, e), e.tick(t.Context()), e.commit(t.Context(), checkpoint)); err != nil {
			t.Fatal(err)
		}
	}
	jam(0, 0)
	until(31*time.Minute, true) // silent since 30m
	jam(32*time.Minute, 32*time.Minute)
	until(32*time.Minute, false)
	until(63*time.Minute, false) // again since 62m
	e = d.engine(t, rules, &now)
	until(64*time.Minute, false)
	for _, a := range d.alerts {
		if want := map[time.Duration]bus.AlertState{30 * time.Minute: bus.Closed, 62 * time.Minute: bus.Opened}[a.OpenedAt.Sub(start)]; a.Device == "p1" && a.State != want {
			t.Errorf("the silence since %s is %s, want %s", a.OpenedAt.Sub(start), a.State, want)
		}
	}
}
