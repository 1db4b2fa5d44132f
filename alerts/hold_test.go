package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"linli/bus"
)

// silence is a hold of an hour from the beginning; change makes it another.
func silencing(change func(h *bus.Hold)) bus.Action {
	h := bus.Hold{ID: "h1", Kind: bus.Silence, Reason: "works", From: start, Until: start.Add(time.Hour), Match: bus.Match{Community: "tianjin"}}
	if change != nil {
		change(&h)
	}
	return bus.Action{Kind: "hold", Hold: &h}
}

func TestHoldsKeepPeopleFromBeingTold(t *testing.T) {
	jam, over := "p1 5m!jam attempts=3", "p1 20m!jam_over"
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"at the end of a silence what is still open is told": {
			func(w *world) { w.do(0, silencing(nil)); w.say(jam); w.tick(2 * time.Hour) },
			[]string{"5m opened wang!silenced zhao!silenced", "1h confirmed wang zhao"},
		},
		"what is over by then is not": {
			func(w *world) { w.do(0, silencing(nil)); w.say(jam, over); w.tick(2 * time.Hour) },
			[]string{"5m opened wang!silenced zhao!silenced", "20m cleared duty!silenced", "1h kept"},
		},
		"who was told before it hears the end after it": {
			func(w *world) {
				w.say(jam)
				w.do(10*time.Minute, silencing(nil))
				w.say(over)
				w.tick(2 * time.Hour)
			},
			[]string{"5m opened wang zhao", "20m cleared wang!silenced zhao!silenced", "1h cleared wang zhao"},
		},
		"ended by hand it ends at once": {
			func(w *world) {
				w.do(0, silencing(nil))
				w.say(jam)
				w.do(30*time.Minute, bus.Action{Kind: "release", Hold: &bus.Hold{ID: "h1"}})
				w.tick(2 * time.Hour)
			},
			[]string{"5m opened wang!silenced zhao!silenced", "30m confirmed wang zhao"},
		},
		"what is judged after it by a clock of its time is told when it ends": {
			func(w *world) {
				w.do(0, silencing(nil))
				w.say("p1 30m level=96", "p1 33m level=96", "p1 36m level=96", "p1 39m level=96")
				w.tick(2 * time.Hour)
				w.wall(2 * time.Hour)
				w.tick(3 * time.Hour)
				w.book.out = w.book.out[:2]
			},
			[]string{"40m opened wang!silenced zhao!silenced", "2h0m0.1s confirmed wang zhao"},
		},
		"of what is closed by then nothing more is said": {
			func(w *world) {
				w.do(0, silencing(nil))
				w.say(jam)
				w.do(10*time.Minute, with(bus.Action{Kind: "acknowledge"}, w))
				w.say(over)
				w.do(30*time.Minute, bus.Action{Kind: "release", Hold: &bus.Hold{ID: "h1"}})
			},
			[]string{"5m opened wang!silenced zhao!silenced", "10m acknowledged", "20m cleared duty!silenced", "20m closed"},
		},
		"of another rule it does nothing": {
			func(w *world) { w.do(0, silencing(func(h *bus.Hold) { h.Match.Rule = "t_level" })); w.say(jam) },
			[]string{"5m opened wang zhao"},
		},
		"under two, the one that ends last counts": {
			func(w *world) {
				w.do(0, silencing(nil))
				w.do(1, silencing(func(h *bus.Hold) { h.ID, h.Until, h.Match.Device = "h2", start.Add(90*time.Minute), "p1" }))
				w.say(jam)
				w.tick(2 * time.Hour)
			},
			[]string{"5m opened wang!silenced zhao!silenced", "1h30m confirmed wang zhao"},
		},
		"life-safety is told in a silence": {
			func(w *world) {
				w.do(0, silencing(func(h *bus.Hold) { h.Match.Device = "p1" }))
				w.say("p1 1m heat=60")
			},
			[]string{"1m opened wang zhao"},
		},
		"and in one of its device that nobody confirmed": {
			func(w *world) {
				w.do(0, silencing(func(h *bus.Hold) { h.Match.Device, h.Safety = "p1", true }))
				w.say("p1 1m heat=60")
			},
			[]string{"1m opened wang zhao"},
		},
		"which keeps back nothing else either, and lapses": {
			func(w *world) {
				w.do(0, silencing(func(h *bus.Hold) { h.Match.Device, h.Safety = "p1", true }))
				w.say("p1 1m!jam attempts=3")
				w.tick(16 * time.Minute)
				if err := w.refused(16*time.Minute, bus.Action{Kind: "confirm", By: "zhao", Hold: &bus.Hold{ID: "h1"}}); err == nil {
					w.t.Error("confirmed after it lapsed")
				}
				if h := w.book.changed[bus.HoldSubject("h1")].(*bus.Hold); h.EndedAt == nil || !h.EndedAt.Equal(start.Add(15*time.Minute)) || h.EndedBy != "" {
					w.t.Errorf("lapsed: %+v", h)
				}
				w.say("p1 17m heat=60")
			},
			[]string{"1m opened wang zhao", "17m opened wang zhao"},
		},
		"nor in one that its author confirmed, by whatever account": {
			func(w *world) {
				x := silencing(func(h *bus.Hold) { h.Match.Device, h.Safety = "p1", true })
				x.Person = "p-li"
				w.do(0, x)
				for _, x := range []bus.Action{{By: "li"}, {By: "li2", Person: "p-li"}} {
					x.Kind, x.Hold = "confirm", &bus.Hold{ID: "h1"}
					if err := w.refused(1, x); err == nil {
						w.t.Errorf("confirmed by %s", x.By)
					}
				}
				w.say("p1 1m heat=60")
			},
			[]string{"1m opened wang zhao"},
		},
		"a ladder that has begun stops when it is confirmed": {
			func(w *world) {
				w.say("p1 0s!sos")
				w.do(time.Second, silencing(func(h *bus.Hold) { h.Match.Device, h.Safety = "p1", true }))
				w.tick(30 * time.Second)
				w.do(30*time.Second, bus.Action{Kind: "confirm", By: "zhao", Hold: &bus.Hold{ID: "h1"}})
				w.tick(50 * time.Minute)
			},
			append(sosLadder[:2:2], "40s kept daughter@voice!silenced"),
		},
		"not in one that somebody else confirmed": {
			func(w *world) {
				w.do(0, silencing(func(h *bus.Hold) { h.Match.Device, h.Safety = "p1", true }))
				w.do(1, bus.Action{Kind: "confirm", By: "zhao", Hold: &bus.Hold{ID: "h1"}})
				w.say("p1 1m heat=60", "p3 2m heat=60")
				w.tick(59 * time.Minute)
				w.book.out = w.book.out[:2]
			},
			[]string{"1m opened wang!silenced zhao!silenced", "2m opened wang zhao"},
		},
		"an installer presses without paging anybody, and it ends by itself": {
			func(w *world) {
				w.do(0, silencing(func(h *bus.Hold) {
					h.Kind, h.Until, h.Match.Device = bus.Commissioning, start.Add(30*time.Minute), "p1"
				}))
				w.say("p1 1m!sos", "p2 90s!flood")
				w.tick(30 * time.Minute)
				w.book.out = append(w.book.out[:2:2], w.book.out[len(w.book.out)-1])
			},
			[]string{
				"1m opened wang!commissioning zhao!commissioning daughter!commissioning", "1m30s opened wang zhao daughter",
				"30m confirmed wang zhao daughter",
			},
		},
		"maintenance holds back what devices say of themselves, every night": {
			func(w *world) {
				w.do(0, silencing(func(h *bus.Hold) { h.Kind, h.EveryDays, h.Until = bus.Maintenance, 1, start.Add(2*time.Hour) }))
				w.say("p3 10m!jam attempts=3", "p1 11m level=96", "p1 13m level=96", "p1 15m level=96", "p1 17m level=96", "p1 19m level=96", "p1 21m level=96")
				w.say("p3 1h!jam_over", "p2 3h!jam attempts=3", "p2 4h!jam_over", "p1 25h!jam attempts=3", "p1 25h1m level=1")
				w.tick(27 * time.Hour)
			},
			[]string{
				"10m opened wang!maintenance zhao!maintenance", "21m opened wang zhao", "1h cleared duty!maintenance",
				"3h opened wang zhao", "4h cleared wang zhao", "25h closed", "25h opened wang!maintenance zhao!maintenance",
				"25h1m cleared wang zhao", "26h confirmed wang zhao",
			},
		},
		"a ladder stops for a silence and goes on after it": {
			func(w *world) {
				w.say("p1 0m level=96", "p1 3m level=96", "p1 6m level=96", "p1 9m level=96", "p1 10m level=96")
				w.tick(11 * time.Minute)
				w.do(15*time.Minute, silencing(nil))
				w.tick(61 * time.Minute)
			},
			[]string{"10m opened wang zhao", "20m kept chen!silenced", "1h confirmed chen"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			c.play(w)
			w.expectTold(c.want...)
		})
	}
}

// One person cannot keep a device silent by putting it into service again and again; somebody else can, and the day after they can too.
func TestNobodyCommissionsADeviceWithoutEnd(t *testing.T) {
	w := newTold(t)
	begin := func(at time.Duration, by, person, device string) error {
		return w.refused(at, bus.Action{Kind: "hold", By: by, Person: person, Hold: &bus.Hold{
			ID: fmt.Sprint(at, by, device), Kind: bus.Commissioning, Reason: "new", From: start.Add(at), Until: start.Add(at + 30*time.Minute), Match: bus.Match{Device: device},
		}})
	}
	for i := range 4 {
		at := time.Duration(i) * 20 * time.Minute
		if err := begin(at, "li", "li-1", "p1"); err != nil {
			t.Fatal(err)
		}
		w.do(at+10*time.Minute, bus.Action{Kind: "release", By: "li", Hold: &bus.Hold{ID: fmt.Sprint(at, "li", "p1")}})
	}
	next := newTold(t)
	for _, record := range w.book.changed {
		if h, ok := record.(*bus.Hold); ok {
			next.book.loadHold(h)
		}
	}
	for name, try := range map[string]*world{"as it went on": w, "after a restart": next} {
		w = try
		if begin(2*time.Hour, "li", "", "p1") == nil || begin(2*time.Hour, "another-account", "li-1", "p1") == nil || begin(23*time.Hour, "li", "", "p1") == nil {
			t.Errorf("%s: the fifth time within a day is accepted", name)
		}
		for what, err := range map[string]error{
			"somebody else": begin(3*time.Hour, "wang", "wang-1", "p1"), "another device": begin(3*time.Hour, "li", "li-1", "p2"),
			"a day later": begin(25*time.Hour, "li", "li-1", "p1"),
		} {
			if err != nil {
				t.Errorf("%s: %s: %v", name, what, err)
			}
		}
	}
	w.book.endHolds(start.Add(30 * 24 * time.Hour))
	if len(w.book.commissioned) > 0 {
		t.Errorf("still remembered: %v", w.book.commissioned)
	}
}

func TestHoldsThatNobodyMayAskFor(t *testing.T) {
	for name, change := range map[string]func(h *bus.Hold){
		"reason": func(h *bus.Hold) { h.Reason = "" },
		"until":  func(h *bus.Hold) { h.Until = h.From.Add(24*time.Hour + 1) },
		"kind":   func(h *bus.Hold) { h.Kind = "holiday" },
		"no hour between them": func(h *bus.Hold) {
			h.Kind, h.EveryDays, h.Until = bus.Maintenance, 1, h.From.Add(23*time.Hour+1)
		},
		"device": func(h *bus.Hold) { h.Kind, h.Until = bus.Commissioning, h.From.Add(time.Minute) },
		"safety": func(h *bus.Hold) { h.Safety = true },
		"every_days": func(h *bus.Hold) {
			h.EveryDays = 7
		},
	} {
		w := newTold(t)
		x := silencing(change)
		x.Community, x.At = "tianjin", start
		if err := w.book.act(&x); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A window comes again at the same local time, whatever the clocks do and whatever year it is.
func TestRecurringHoldsKeepTheirLocalTime(t *testing.T) {
	for name, c := range map[string]struct {
		zone                    string
		from, at, begins, until string
		every                   int
	}{
		"first":                       {"", "2026-03-01T22:00+08:00", "2026-03-01T23:00+08:00", "2026-03-01T22:00+08:00", "2026-03-02T04:00+08:00", 1},
		"not yet":                     {"", "2026-03-01T22:00+08:00", "2026-02-01T23:00+08:00", "2026-03-01T22:00+08:00", "2026-03-02T04:00+08:00", 1},
		"behind midnight":             {"", "2026-03-01T22:00+08:00", "2026-03-03T03:59+08:00", "2026-03-02T22:00+08:00", "2026-03-03T04:00+08:00", 1},
		"between two":                 {"", "2026-03-01T22:00+08:00", "2026-03-03T21:59+08:00", "2026-03-02T22:00+08:00", "2026-03-03T04:00+08:00", 1},
		"over New Year":               {"", "2026-12-30T22:00+08:00", "2027-01-01T01:00+08:00", "2026-12-31T22:00+08:00", "2027-01-01T04:00+08:00", 1},
		"each week, after a leap day": {"", "2028-02-22T22:00+08:00", "2028-03-07T23:00+08:00", "2028-03-07T22:00+08:00", "2028-03-08T04:00+08:00", 7},
		"after ten years":             {"", "2026-03-01T22:00+08:00", "2036-03-01T23:00+08:00", "2036-03-01T22:00+08:00", "2036-03-02T04:00+08:00", 1},
		"clocks go forward":           {"Europe/Berlin", "2026-03-27T22:00+01:00", "2026-03-30T23:00+02:00", "2026-03-30T22:00+02:00", "2026-03-31T04:00+02:00", 1},
		"clocks go back":              {"Europe/Berlin", "2026-10-23T22:00+02:00", "2026-10-26T23:00+01:00", "2026-10-26T22:00+01:00", "2026-10-27T04:00+01:00", 1},
		"just before, clocks back":    {"Europe/Berlin", "2026-10-23T22:00+02:00", "2026-10-26T21:59+01:00", "2026-10-25T22:00+01:00", "2026-10-26T04:00+01:00", 1},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(s string) time.Time {
				x, err := time.Parse("2006-01-02T15:04Z07:00", s)
				if err != nil {
					t.Fatal(err)
				}
				return x
			}
			w := newTold(t)
			w.people.zone = c.zone
			h := &bus.Hold{Kind: bus.Maintenance, EveryDays: c.every, From: at(c.from), Until: at(c.from).Add(6 * time.Hour)}
			if from, until := w.book.occurrence(h, at(c.at)); !from.Equal(at(c.begins)) || !until.Equal(at(c.until)) {
				t.Errorf("from %s until %s, want %s until %s", from, until, c.begins, c.until)
			}
		})
	}
}
