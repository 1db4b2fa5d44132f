package alerts

import (
	"testing"
	"time"

	"linli/bus"
)

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
