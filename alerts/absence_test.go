package alerts

import (
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
