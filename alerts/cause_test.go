package alerts

import (
	"strings"
	"testing"
	"time"

	"linli/bus"
)

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
