//go:build !race

package alerts

import (
	"testing"
	"time"

	"linli/devices/simulate"
	"linli/seeds"
)

// Devices that are well raise nothing: a day of all ten communities, as `make run` plays them, in each of three seasons. Half a
// million readings are judged in turn, by no goroutine but one: there is nothing in it for the race detector, which would take a
// minute and a half.
func TestQuietDaysRaiseNoAlert(t *testing.T) {
	const scale = 0.05
	cat, rules := catalogueRules(t)
	all, err := seeds.Load()
	if err != nil {
		t.Fatal(err)
	}
	known := newInventory()
	for _, c := range all {
		known.communities[c.ID] = &c.Community
		for _, d := range c.Fleet(scale) {
			known.devices[d.ID] = &d.Device
		}
		for _, p := range c.People(scale) {
			known.people[p.ID] = &p
		}
	}
	world, err := simulate.NewWorld(cat, all, scale, 1, simulate.Faults{}, "linli")
	if err != nil {
		t.Fatal(err)
	}
	for _, day := range []string{"2026-01-17", "2026-07-14", "2026-11-24"} {
		t.Run(day, func(t *testing.T) {
			t.Parallel()
			date, err := time.Parse(time.DateOnly, day)
			if err != nil {
				t.Fatal(err)
			}
			l := newListener(cat, rules, known)
			messages := 0
			for m := range world.Day(date.Add(12 * time.Hour)) {
				if err := l.hear(m.Topic, m.Payload, m.Time); err != nil {
					t.Fatal(err)
				}
				messages++
			}
			for _, r := range l.raised() {
				if r.Rule == "en_pm25_day" || r.Rule == "en_pm10_day" {
					continue // the devices are well, the winter air is not
				}
				t.Errorf("%s of %s was opened at %s", r.Rule, r.Device, r.Opened)
			}
			if messages < len(known.devices) {
				t.Errorf("%d messages of %d devices: the day is too quiet", messages, len(known.devices))
			}
			t.Logf("%d messages of %d devices", messages, len(known.devices))
		})
	}
}
