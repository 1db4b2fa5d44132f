package alerts

import (
	"fmt"
	"testing"
	"time"

	"linli/bus"
)

var sosLadder = []string{
	"0s opened wang zhao daughter",
	"20s escalated wang@voice zhao@voice",
	"40s escalated daughter@voice",
	"1m15s escalated zhao son",
	"2m escalated chen mute!no_address daughter son",
}

func TestSOSLadderNeverEnds(t *testing.T) {
	w := newTold(t)
	w.say("p1 0s!sos")
	w.tick(3*time.Minute - time.Millisecond)
	w.expectTold(sosLadder...)
	if w.last().Escalation.NoAnswer {
		t.Error("unanswered before its time")
	}
	w.tick(3 * time.Minute)
	w.expectTold(append(sosLadder, "3m unanswered duty wang zhao daughter")...)
	w.tick(3 * time.Hour)
	var rounds []time.Duration
	for _, ev := range w.book.out {
		for _, r := range ev.Tell {
			if r.Step == 0 && r.Person == "wang" {
				rounds = append(rounds, ev.At.Sub(start))
			}
		}
	}
	for i := 1; i < len(rounds); i++ {
		want := 3 * time.Minute
		if i > 10 {
			want = 15 * time.Minute
		}
		if got := rounds[i] - rounds[i-1]; got != want {
			t.Errorf("round %d begins %s after the one before, want %s", i, got, want)
		}
	}
	if len(rounds) != 11+10 {
		t.Errorf("%d rounds in 3 h, want 21: 11 in the first half hour, then 10", len(rounds))
	}
}

func TestWhoIsToldOfAnSOS(t *testing.T) {
	ack := bus.Action{Kind: "acknowledge", By: "王"}
	for name, c := range map[string]struct {
		play func(w *world)
		want []string
	}{
		"an acknowledgement stops the ladder": {
			func(w *world) { w.tick(30 * time.Second); w.do(31*time.Second, with(ack, w)); w.tick(7 * time.Minute) },
			append(sosLadder[:2:2], "31s acknowledged"),
		},
		"who acknowledged and gives no sign is reminded, and then the ladder goes on": {
			func(w *world) {
				x := with(ack, w)
				x.Person = "wang"
				w.tick(30 * time.Second)
				w.do(31*time.Second, x)
				w.tick(10*time.Minute + 51*time.Second)
			},
			append(sosLadder[:2:2], "31s acknowledged", "8m31s reminded wang", "10m31s unacknowledged daughter@voice"),
		},
		"a comment is a sign": {
			func(w *world) {
				w.do(time.Second, with(ack, w))
				w.tick(9 * time.Minute)
				w.do(9*time.Minute, with(bus.Action{Kind: "comment", Note: "on the stairs"}, w))
				w.tick(18 * time.Minute)
			},
			[]string{"0s opened wang zhao daughter", "1s acknowledged", "8m1s reminded duty", "9m commented", "17m reminded duty"},
		},
		"so is another acknowledgement after the reminder": {
			func(w *world) {
				w.do(time.Second, with(ack, w))
				w.do(2*time.Second, with(ack, w))
				w.tick(9 * time.Minute)
				w.do(9*time.Minute, with(ack, w))
			},
			[]string{"0s opened wang zhao daughter", "1s acknowledged", "8m1s reminded duty", "9m renewed"},
		},
		"the family does not stop the property": {
			func(w *world) {
				x := with(ack, w)
				x.Person = "daughter"
				w.people.family["daughter"], w.people.family["son"] = true, true
				w.tick(30 * time.Second)
				w.do(31*time.Second, x)
				w.tick(2 * time.Minute)
			},
			append(sosLadder[:2:2], "31s family_acknowledged", "40s escalated daughter@voice!answered", "1m15s escalated zhao son!answered",
				"2m escalated chen mute!no_address daughter!answered son!answered"),
		},
		"a press within 10 s is counted": {
			func(w *world) { w.say("p1 9s!sos"); w.tick(19 * time.Second) },
			[]string{"0s opened wang zhao daughter", "9s repeated"},
		},
		"a press after that tells everybody again and runs the next step": {
			func(w *world) { w.say("p1 10s!sos"); w.tick(30 * time.Second) },
			[]string{"0s opened wang zhao daughter", "10s repeated wang zhao daughter", "30s escalated daughter@voice"},
		},
		"presses by a nervous hand are a cry every ten seconds": {
			func(w *world) {
				for at := 3 * time.Second; at < 30*time.Second; at += 3 * time.Second {
					w.say(fmt.Sprintf("p1 %ds!sos", at/time.Second))
				}
			},
			[]string{
				"0s opened wang zhao daughter", "3s repeated", "6s repeated", "9s repeated", "12s repeated wang zhao daughter",
				"15s repeated", "18s repeated", "21s repeated", "24s repeated wang zhao daughter", "27s repeated",
			},
		},
		"a press that waited on the way is no cry": {
			func(w *world) { w.say("p1 10s!sos +2m"); w.tick(19 * time.Second) },
			[]string{"0s opened wang zhao daughter", "10s repeated"},
		},
		"a press while somebody is on the way reaches them, and the ladder stays": {
			func(w *world) {
				x := with(ack, w)
				x.Person = "chen"
				w.do(time.Second, x)
				w.say("p1 30s!sos")
				w.tick(5 * time.Minute)
			},
			[]string{"0s opened wang zhao daughter", "1s acknowledged", "30s repeated chen wang zhao daughter"},
		},
		"all of a step cannot be reached: the next one at once": {
			func(w *world) {
				for _, who := range []string{"wang", "zhao", "daughter"} {
					w.do(5*time.Second, with(bus.Action{Kind: "unreached", N: 1, Recipient: &bus.Recipient{Person: who}, By: "notify"}, w))
				}
				w.tick(24 * time.Second)
			},
			[]string{"0s opened wang zhao daughter", "5s unreached", "5s unreached", "5s unreached wang@voice zhao@voice"},
		},
		"one of it is not enough": {
			func(w *world) {
				w.do(5*time.Second, with(bus.Action{Kind: "unreached", N: 1, Recipient: &bus.Recipient{Person: "wang"}, By: "notify"}, w))
				w.tick(19 * time.Second)
			},
			[]string{"0s opened wang zhao daughter", "5s unreached"},
		},
		"who says that they cannot go counts as not reached": {
			func(w *world) {
				for _, who := range []string{"wang", "zhao", "daughter"} {
					w.do(5*time.Second, with(bus.Action{Kind: "decline", Person: who, By: who}, w))
				}
				w.tick(24 * time.Second)
			},
			[]string{"0s opened wang zhao daughter", "5s declined", "5s declined", "5s declined wang@voice zhao@voice"},
		},
		"what the family had taken on and cannot is told to the others of it": {
			func(w *world) {
				x, cannot := with(ack, w), with(bus.Action{Kind: "decline", Person: "daughter", By: "daughter"}, w)
				x.Person = "daughter"
				w.people.family["daughter"], w.people.family["son"] = true, true
				w.tick(80 * time.Second)
				w.do(81*time.Second, x)
				w.do(90*time.Second, cannot)
				w.do(91*time.Second, cannot)
				w.do(92*time.Second, with(bus.Action{Kind: "acknowledge", Person: "son", By: "son"}, w))
			},
			append(sosLadder[:4:4], "1m21s family_acknowledged", "1m30s declined son", "1m31s declined", "1m32s family_acknowledged"),
		},
		"what somebody had taken on and cannot goes on at once": {
			func(w *world) {
				x := with(ack, w)
				x.Person = "wang"
				w.do(time.Second, x)
				w.do(3*time.Second, with(bus.Action{Kind: "decline", Person: "zhao", By: "zhao"}, w))
				w.do(4*time.Second, with(bus.Action{Kind: "decline", Person: "wang", By: "wang"}, w))
				w.tick(20 * time.Second)
			},
			[]string{"0s opened wang zhao daughter", "1s acknowledged", "3s declined", "4s declined zhao@voice"},
		},
		"what is overdue runs together": {
			func(w *world) { w.book.wake(start.Add(100 * time.Second)) },
			[]string{"0s opened wang zhao daughter", "1m40s escalated wang@voice zhao@voice daughter@voice son"},
		},
		"steps to come are a breath later than planned at most": {
			func(w *world) {
				w.book.wake(start.Add(70 * time.Second))
				w.ticked = 70 * time.Second
				w.tick(135 * time.Second)
			},
			[]string{
				"0s opened wang zhao daughter", "1m10s escalated wang@voice zhao@voice daughter@voice", "1m30s escalated zhao son",
				"2m15s escalated chen mute!no_address daughter son",
			},
		},
		"after twenty minutes everybody is told once, and the next round comes after a whole interval": {
			func(w *world) {
				w.book.wake(start.Add(20 * time.Minute))
				w.ticked = 20 * time.Minute
				w.tick(23*time.Minute + 20*time.Second)
			},
			[]string{
				"0s opened wang zhao daughter", "20m unanswered wang@voice zhao@voice daughter@voice son chen mute!no_address duty",
				"23m escalated wang zhao daughter", "23m20s escalated wang@voice zhao@voice",
			},
		},
		"a few seconds at the end of a round bring nobody before their time": {
			func(w *world) {
				w.tick(179 * time.Second)
				w.book.wake(start.Add(183 * time.Second))
				w.ticked = 183 * time.Second
				w.tick(220 * time.Second)
			},
			append(sosLadder[:5:5], "3m3s unanswered duty wang zhao daughter", "3m23s escalated wang@voice zhao@voice"),
		},
		"an acknowledgement that lapses late in a ladder brings one step": {
			func(w *world) {
				w.tick(80 * time.Second)
				w.do(80*time.Second, with(ack, w))
				w.tick(14*time.Minute - time.Second)
			},
			append(sosLadder[:4:4], "1m20s acknowledged", "9m20s reminded duty", "11m20s unacknowledged chen mute!no_address daughter son",
				"12m20s unanswered duty wang zhao daughter", "12m40s escalated wang@voice zhao@voice", "13m escalated daughter@voice",
				"13m35s escalated zhao son"),
		},
		"who is asked late for a sign has as long to give it": {
			func(w *world) {
				w.do(time.Second, with(ack, w))
				w.book.wake(start.Add(20 * time.Minute))
				w.ticked = 20 * time.Minute
				w.tick(22 * time.Minute)
			},
			[]string{"0s opened wang zhao daughter", "1s acknowledged", "20m reminded duty", "22m unacknowledged wang@voice zhao@voice"},
		},
		"a step late by less than a moment does not move the next": {
			func(w *world) {
				w.book.wake(start.Add(21 * time.Second))
				w.ticked = 21 * time.Second
				w.tick(40 * time.Second)
			},
			sosLadder[:3],
		},
		"closed with a disposition, everybody is told who was": {
			func(w *world) {
				w.tick(20 * time.Second)
				w.do(25*time.Second, with(bus.Action{Kind: "close", Disposition: "helped"}, w))
				w.tick(time.Hour)
			},
			append(sosLadder[:2:2], "25s closed wang zhao daughter"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			w.say("p1 0s!sos")
			c.play(w)
			w.expectTold(c.want...)
		})
	}
}

// The press that wakes an alert that had only been recorded is told once, and is no second cry.
func TestAPressThatWakesAnAlertIsToldOnce(t *testing.T) {
	w := newTold(t)
	w.say("p1 0s!sos +25h")
	w.say("p1 26h!sos")
	w.say("p1 26h9s!sos")
	w.say("p1 26h10s!sos")
	w.expectLines([]string{
		"0s opened wang!late zhao!late daughter!late", "26h confirmed wang zhao daughter", "26h repeated", "26h0m9s repeated",
		"26h0m10s repeated wang zhao daughter",
	}, w.told())
}

func TestWithoutPeopleTheDeskIsTold(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0s!sos")
	w.tick(6 * time.Minute)
	w.expectTold("0s opened duty", "20s escalated", "3m unanswered duty", "3m20s escalated", "6m escalated duty")
}

func TestOrdinaryAlertsRepeatSlowly(t *testing.T) {
	w := newTold(t)
	w.say("p1 0s heat=120") // critical, latched, and no life-safety
	w.book.out = nil
	for id, a := range w.book.alerts {
		if a.Safety {
			delete(w.book.alerts, id)
		}
	}
	w.tick(13 * time.Hour)
	w.expectTold("10m escalated chen", "30m unanswered duty wang zhao", "40m escalated chen", "1h escalated duty",
		"2h30m escalated wang zhao", "2h40m escalated chen", "3h escalated duty", "10h30m escalated wang zhao", "10h40m escalated chen", "11h escalated duty")
}
