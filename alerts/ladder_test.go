package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/bus"
	"linli/internal/testkit"
)

// ladder is the SOS ladder as one would explain it, second by second.
type ladder struct {
	now, began, due, handled, pressed int
	next, round                       int
	acked, reminded                   bool
	log                               []string
}

// at is when the steps of a round come, after its beginning; the last is when nobody has answered.
var at = []int{0, 20, 40, 75, 120, 180}

func (m *ladder) say(what string) { m.log = append(m.log, fmt.Sprintf("%ds %s", m.now, what)) }

// step runs the next step, and those that come at the same time.
func (m *ladder) step(what string) {
	for m.due <= m.now {
		switch {
		case m.next == len(at)-1:
			if what == "escalated" && m.round == 0 {
				what = "unanswered"
			}
			every := 180
			if m.round >= 10 {
				every = 900
			}
			m.round, m.next, m.due = m.round+1, 0, max(m.now, m.began+every)
			continue
		case m.next == 0:
			m.began = m.now
		}
		m.next++
		m.due = m.now + at[m.next] - at[m.next-1]
		if m.next == len(at)-1 {
			m.due = max(m.now, m.began+180)
		}
	}
	m.say(what)
}

func (m *ladder) second() {
	m.now++
	switch {
	case !m.acked && m.due <= m.now:
		m.step("escalated")
	case m.acked && !m.reminded && m.now == m.handled+480:
		m.reminded = true
		m.say("reminded")
	case m.acked && m.now == m.handled+600:
		m.acked, m.due = false, m.now
		m.step("unacknowledged")
	}
}

func (m *ladder) press() {
	again := m.now-m.pressed >= 10
	m.pressed = m.now
	if again && !m.acked && m.next < len(at)-1 {
		m.due = m.now
		m.step("repeated")
		return
	}
	m.say("repeated")
}

func (m *ladder) acknowledge() {
	switch {
	case !m.acked:
		m.acked, m.reminded, m.handled = true, false, m.now
		m.say("acknowledged")
	case m.reminded:
		m.reminded, m.handled = false, m.now
		m.say("renewed")
	}
}

func TestLadderIsAsTheModelSays(t *testing.T) {
	rules := probeRules(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{core: newCore(rules, newPeople()), t: nil, people: newPeople()}
		w.book.resolver = neighbours
		m := &ladder{}
		hear := func() {
			line, _ := say(fmt.Sprintf("p1 %ds!sos", m.now))
			if err := w.core.event(line); err != nil {
				t.Fatal(err)
			}
		}
		hear()
		m.step("opened")
		for range rapid.IntRange(1, 30).Draw(t, "things") {
			for range rapid.IntRange(0, 300).Draw(t, "seconds") {
				m.second()
				w.book.wake(start.Add(time.Duration(m.now) * time.Second))
			}
			switch rapid.SampledFrom([]string{"press", "acknowledge", "wait"}).Draw(t, "thing") {
			case "press":
				hear()
				m.press()
			case "acknowledge":
				x := bus.Action{Kind: "acknowledge", Alert: w.book.out[0].Alert.ID, By: "li", At: start.Add(time.Duration(m.now) * time.Second)}
				if err := w.book.act(&x); err != nil {
					t.Fatal(err)
				}
				m.acknowledge()
			}
		}
		var got []string
		for _, ev := range w.book.out {
			got = append(got, fmt.Sprintf("%d%s %s", int(ev.At.Sub(start).Seconds()), "s", ev.Kind))
		}
		if diff := cmp.Diff(m.log, got); diff != "" {
			t.Fatalf("what happened (-model +book):\n%s", diff)
		}
	})
}

// TestAcknowledgementRacesAStep lets acknowledgements arrive around the moment of a step, in the engine's own loop. Behind one
// there is no further step; before it none is early or late.
func TestAcknowledgementRacesAStep(t *testing.T) {
	rules := probeRules(t)
	for i := range 1000 {
		synctest.Test(t, func(t *testing.T) {
			d, base := newDisk(), time.Now()
			e := &Engine{
				Config:  Config{Rules: rules, Directory: newPeople(), Log: testkit.Log, Now: time.Now},
				metrics: newMetrics(nil), core: newCore(rules, newPeople()), checkpointed: base, opened: base, caughtUp: true,
			}
			e.core.book.resolver = neighbours
			e.write = func(ctx context.Context, x transaction) error {
				for _, ev := range x.events {
					if late := time.Since(ev.At); ev.Kind == escalated && (late < 0 || late > time.Second) {
						t.Errorf("race %d: a step is stored %s after its time", i, late)
					}
				}
				return d.write(ctx, x)
			}
			for i := range e.feeds {
				e.feeds[i] = &feed{out: make(chan message, ahead)}
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = e.loop(ctx)
			}()
			e.feeds[0].out <- message{bus.Events, 1, 0, fmt.Appendf(nil, "event,community=tianjin,device=p1,type=probe,event=sos received_at=%di %d\n", base.UnixMilli(), base.UnixNano())}
			time.Sleep(20*time.Second + time.Duration(rand.IntN(400)-200)*time.Millisecond)
			data, err := json.Marshal(bus.Action{Key: "k", Kind: "acknowledge", Alert: alertID("t_sos", "person=ma", base.Truncate(time.Millisecond)), By: "li", At: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			e.feeds[1].out <- message{bus.Actions, 1, 0, data}
			acked := time.Now()
			time.Sleep(5 * time.Minute)
			cancel()
			<-done
			keys := make([]string, 0, len(d.log))
			for key := range d.log {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			stopped := false
			for _, key := range keys {
				switch ev := d.log[key]; {
				case ev.Kind == acknowledged:
					stopped = true
				case ev.Kind == escalated && stopped:
					t.Errorf("race %d: a step at %s after the acknowledgement", i, ev.At.Sub(base))
				case ev.Kind == escalated && (ev.At.Sub(base) != 20*time.Second || ev.At.After(acked)):
					t.Errorf("race %d: a step at %s, acknowledged at %s", i, ev.At.Sub(base), acked.Sub(base))
				}
			}
			if !stopped {
				t.Errorf("race %d: not acknowledged: %v", i, d.tell())
			}
		})
	}
}
