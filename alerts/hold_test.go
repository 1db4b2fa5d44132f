package alerts

import (
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
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

func TestHoldsThatNobodyMayAskFor(t *testing.T) {
	for name, change := range map[string]func(h *bus.Hold){
		"reason": func(h *bus.Hold) { h.Reason = "" },
		"until":  func(h *bus.Hold) { h.Until = h.From.Add(24*time.Hour + 1) },
		"kind":   func(h *bus.Hold) { h.Kind = "holiday" },
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

func TestEffectsAreToldWhenTheirCauseIsOver(t *testing.T) {
	children := func(w *world) {
		w.book.edges = []edge{{cause: "t_level", effect: "t_jam", within: "gateway", wait: 3 * time.Minute}}
		for _, id := range []string{"p1", "p2"} {
			d := *w.people.devices[id]
			d.Gateway = "p3"
			w.people.devices[id] = &d
		}
	}
	down := []string{"p3 0m level=96", "p3 3m level=96", "p3 6m level=96", "p3 9m level=96", "p3 10m level=96"}
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"while the gateway is down nobody hears of its devices; after it, of those still silent": {
			func(w *world) {
				w.say(down...)
				w.say("p1 11m!jam attempts=3", "p2 11m!jam attempts=3", "p3 20m level=10", "p1 21m!jam_over")
				w.tick(30 * time.Minute)
			},
			[]string{
				"10m opened wang zhao", "11m opened wang!inhibited zhao!inhibited", "11m opened wang!inhibited zhao!inhibited",
				"20m cleared wang zhao", "20m kept", "20m kept", "21m cleared duty!inhibited", "23m confirmed wang zhao", "23m kept",
			},
		},
		"what came first waits for its cause": {
			func(w *world) {
				w.say(down[:4]...)
				w.say("p1 9m!jam attempts=3", down[4])
				w.tick(15 * time.Minute)
			},
			[]string{"9m opened wang!inhibited zhao!inhibited", "10m opened wang zhao", "12m kept"},
		},
		"and is told when there is none": {
			func(w *world) { w.say("p1 9m!jam attempts=3"); w.tick(15 * time.Minute) },
			[]string{"9m opened wang!inhibited zhao!inhibited", "12m confirmed wang zhao"},
		},
		"a device without a gateway waits for nothing": {
			func(w *world) { w.say("p3 9m!jam attempts=3") },
			[]string{"9m opened wang zhao"},
		},
		"life-safety is never an effect": {
			func(w *world) {
				w.book.edges = []edge{{cause: "t_level", effect: "t_heat", within: "community"}}
				w.say(down...)
				w.say("p1 11m heat=60")
			},
			[]string{"10m opened wang zhao", "11m opened wang zhao"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			children(w)
			c.play(w)
			got := w.told()
			for i, line := range got { // which of two alerts is first is of no matter
				if strings.HasPrefix(line, "23m") && i+1 < len(got) && strings.HasPrefix(got[i+1], "23m") && got[i+1] < got[i] {
					got[i], got[i+1] = got[i+1], got[i]
				}
			}
			w.expectLines(c.want, got)
		})
	}
}

func TestPutOffAlertsGoOnWhereTheyWere(t *testing.T) {
	level := []string{"p1 0m level=96", "p1 3m level=96", "p1 6m level=96", "p1 9m level=96", "p1 10m level=96"}
	snooze := bus.Action{Kind: "snooze", Until: start.Add(2 * time.Hour)}
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"unanswered": {
			func(w *world) { w.do(11*time.Minute, with(snooze, w)) },
			[]string{"10m opened wang zhao", "11m snoozed", "2h escalated chen", "2h20m unanswered duty wang zhao"},
		},
		"taken on": {
			func(w *world) {
				w.do(11*time.Minute, with(bus.Action{Kind: "acknowledge"}, w))
				w.do(12*time.Minute, with(snooze, w))
			},
			[]string{"10m opened wang zhao", "11m acknowledged", "12m snoozed", "2h25m reminded duty"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			w.say(level...)
			c.play(w)
			w.tick(2*time.Hour + 25*time.Minute)
			w.expectTold(c.want...)
		})
	}
	w := newTold(t)
	w.say("p1 0s!sos")
	x := with(snooze, w)
	x.At = start
	if err := w.book.act(&x); err == nil {
		t.Error("an SOS that nobody has taken on is put off")
	}
}

// The causes of a site may change while nobody judges.
func TestWhatNoCauseHoldsBackIsToldAfterARestart(t *testing.T) {
	w := newTold(t)
	w.say("p1 0s!jam attempts=3")
	a := *w.last()
	a.Held, a.HeldBy, a.Told = heldInhibited, "gone", nil
	a.Escalation.Round, a.Escalation.Next, a.Escalation.Due = 0, 0, start
	next := newTold(t)
	next.book.load(&a)
	next.book.freeLost(start.Add(time.Hour))
	next.tick(2 * time.Hour)
	next.expectTold("1h confirmed wang zhao")
}

func TestOtherRulesHaveOtherCauses(t *testing.T) {
	w := newTold(t)
	w.book.edges = []edge{{cause: "t_level", effect: "t_jam", within: "community"}}
	w.say("p3 0m level=96", "p3 3m level=96", "p3 6m level=96", "p3 9m level=96", "p3 10m level=96", "p1 11m!jam attempts=3")
	w.book.govern(probeRules(t), start.Add(12*time.Minute))
	w.tick(13 * time.Minute)
	w.expectTold("10m opened wang zhao", "11m opened wang!inhibited zhao!inhibited", "12m confirmed wang zhao")
}

func TestAlertsThatComeBack(t *testing.T) {
	on, off := " heat=60", " heat=20"
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"within 15 min it is the same": {
			func(w *world) { w.say("p1 0m"+on, "p1 1m"+off, "p1 16m"+on) },
			[]string{"0s opened wang zhao", "1m cleared wang zhao", "16m reopened wang zhao"},
		},
		"after that another": {
			func(w *world) { w.say("p1 0m"+on, "p1 1m"+off, "p1 16m1s"+on) },
			[]string{"0s opened wang zhao", "1m cleared wang zhao", "16m1s closed", "16m1s opened wang zhao"},
		},
		"acknowledged and cleared, it is closed and opens again": {
			func(w *world) {
				w.say("p1 0m" + on)
				w.do(30*time.Second, with(bus.Action{Kind: "acknowledge"}, w))
				w.say("p1 1m"+off, "p1 2m"+on)
			},
			[]string{"0s opened wang zhao", "30s acknowledged", "1m cleared wang zhao", "1m closed", "2m reopened wang zhao"},
		},
		"closed by a person it is over": {
			func(w *world) {
				w.say("p1 0m"+on, "p1 1m"+off)
				w.do(90*time.Second, with(bus.Action{Kind: "close"}, w))
				w.say("p1 2m" + on)
			},
			[]string{"0s opened wang zhao", "1m cleared wang zhao", "1m30s closed wang zhao", "2m opened wang zhao"},
		},
		"a person opens it again, and only a person closes it": {
			func(w *world) {
				w.say("p1 0m"+on, "p1 1m"+off)
				w.do(2*time.Minute, with(bus.Action{Kind: "close"}, w))
				w.do(3*time.Minute, with(bus.Action{Kind: "reopen"}, w))
				w.say("p1 4m"+off, "p1 5m"+on, "p1 6m"+off)
			},
			[]string{"0s opened wang zhao", "1m cleared wang zhao", "2m closed wang zhao", "3m reopened wang zhao"},
		},
		"flapping is told once, and then not until it keeps still": {
			func(w *world) {
				for _, at := range []string{"0m", "5m", "10m", "15m", "20m"} {
					w.say("p3 "+at+"!jam attempts=3", "p3 "+at+"30s!jam_over")
				}
				w.tick(2 * time.Hour)
			},
			[]string{
				"0s opened wang zhao", "30s cleared wang zhao", "5m reopened wang zhao", "5m30s cleared wang zhao",
				"10m reopened wang zhao", "10m30s cleared wang zhao", "15m flapping wang zhao", "15m kept",
				"15m30s cleared wang!flapping zhao!flapping", "20m reopened wang!flapping zhao!flapping",
				"20m30s cleared wang!flapping zhao!flapping", "50m cleared wang zhao",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			c.play(w)
			w.expectTold(c.want...)
			open := map[string]string{}
			for _, a := range w.book.alerts {
				if key := episodeKey(a.Rule, a.Identity); a.State != bus.Closed {
					if open[key] != "" {
						t.Errorf("alerts %s and %s of %s are open", a.ID, open[key], key)
					}
					open[key] = a.ID
				}
			}
		})
	}
}

func TestReopenMakesNoSecondOpenAlert(t *testing.T) {
	w := newTold(t)
	w.say("p1 0m heat=60")
	first := with(bus.Action{Kind: "reopen"}, w)
	w.do(30*time.Second, with(bus.Action{Kind: "close"}, w))
	w.say("p1 1m heat=20", "p1 2m heat=60")
	if err := w.book.act(&first); err == nil {
		t.Error("two alerts of one identity are open")
	}
}

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
	w.book.out = w.book.out[:5]
	w.expectTold("12h opened tired!quiet_hours", "13h opened tired!quiet_hours", "14h cleared duty!not_told", "27h opened tired", "27h closed")
}
