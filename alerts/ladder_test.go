package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
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
	told                              []string // by what happens now
	log                               []string
}

// ladderTimes are when the steps of a round come, after its beginning, and ladderPeople who they tell; the last is that nobody has
// answered.
var (
	ladderTimes  = []int{0, 20, 40, 75, 120, 180}
	ladderPeople = [][]string{{"wang", "zhao", "daughter"}, {"wang", "zhao"}, {"daughter"}, {"zhao", "son"}, {"chen", "mute", "daughter", "son"}, {"duty"}}
)

const end = 5

func (m *ladder) tell(steps ...[]string) { m.told = slices.Concat(m.told, slices.Concat(steps...)) }

func (m *ladder) say(at int, what string) {
	slices.Sort(m.told)
	m.log = append(m.log, fmt.Sprint(at, "s ", what, slices.Compact(m.told)))
	m.told = nil
}

// step runs the next step, and those that come at the same time.
func (m *ladder) step(at int, what string) {
	last, overdue := m.due, m.now-m.due > 2
	for n := 0; m.due <= m.now && (!overdue || n <= end); n++ { // each step once
		if m.next == end && m.round == 0 && what == "escalated" {
			what = "unanswered"
		}
		last = m.due
		m.run()
	}
	switch {
	case m.due <= m.now: // all who are on the ladder, and then a whole interval of rest
		m.round += min(m.next, 1)
		m.next, m.began, m.due = 0, m.now, m.now+180
		if m.round > 10 {
			m.due = m.now + 900
		}
	case overdue && m.next > 0 && m.next < end: // nobody waits longer than planned, but for 20 s in which one of the others may answer
		m.due = max(m.due, m.now+min(20, m.due-last))
	case overdue:
		m.due, m.began = m.due+m.now-last, m.began+m.now-last
	}
	m.say(at, what)
}

// run runs a single step.
func (m *ladder) run() {
	m.tell(ladderPeople[m.next])
	if m.next == end {
		every := 180
		if m.round >= 10 {
			every = 900
		}
		m.round, m.next, m.due = m.round+1, 0, max(m.due, m.began+every)
		return
	}
	if m.next == 0 {
		m.began = m.due
	}
	m.next++
	m.due += ladderTimes[m.next] - ladderTimes[m.next-1]
	if m.next == end {
		m.due = max(m.due+ladderTimes[end-1]-ladderTimes[end], m.began+180)
	}
}

// look does what has become due.
func (m *ladder) look() {
	switch {
	case m.acked && !m.reminded && m.now >= m.handled+480:
		if late := m.now - m.handled - 480; late > 2 { // who is asked late has as long to answer
			m.handled += late
		}
		m.reminded = true
		m.tell(ladderPeople[end])
		m.say(m.handled+480, "reminded")
	case m.acked && m.now >= m.handled+600:
		m.acked = false
		void := m.handled + 600
		m.began, m.due = m.began+max(0, void-m.due), void // the time that somebody looked after it does not count
		m.step(void, "unacknowledged")
	case !m.acked && m.now-m.due > 2:
		m.step(m.now, "escalated")
	case !m.acked && m.now >= m.due:
		m.step(m.due, "escalated")
	}
}

// press is one that came at a time and is heard now.
func (m *ladder) press(at int) {
	again := at-m.pressed >= 10
	if again {
		m.pressed = at
	}
	if now := m.now; now-at <= 2 {
		m.now = at
		defer func() { m.now = now }()
	}
	switch told := ladderPeople[:min(m.next, end)]; {
	case again && m.acked:
		m.tell(ladderPeople[0], ladderPeople[end]) // and who acknowledged, who is not known here
	case again && (m.next < end || m.due <= m.now):
		m.due = min(m.due, m.now)
		m.tell(told...)
		m.step(at, "repeated")
		return
	case again:
		m.tell(told...)
	}
	m.say(at, "repeated")
}

func (m *ladder) acknowledge() {
	switch {
	case !m.acked:
		m.acked, m.reminded, m.handled = true, false, m.now
		m.say(m.now, "acknowledged")
	case m.reminded:
		m.reminded, m.handled = false, m.now
		m.say(m.now, "renewed")
	}
}

// TestLadderIsAsTheModelSays plays presses, acknowledgements and outages of the server. What is pressed in an outage is heard after
// it.
func TestLadderIsAsTheModelSays(t *testing.T) {
	rules := probeRules(t)
	rapid.Check(t, func(t *rapid.T) {
		w := &world{core: newCore(rules, newPeople()), t: nil, people: newPeople()}
		w.book.resolver = neighbours
		m := &ladder{}
		hear := func(at int) {
			w.book.clock = start.Add(time.Duration(m.now) * time.Second)
			line, _ := say(fmt.Sprintf("p1 %ds!sos", at))
			if err := w.core.event(line); err != nil {
				t.Fatal(err)
			}
		}
		wait := func(seconds int) {
			m.now += seconds
			m.look()
			w.book.wake(start.Add(time.Duration(m.now) * time.Second))
		}
		m.now = rapid.SampledFrom([]int{0, 0, 1, 1200}).Draw(t, "heard after")
		if m.now > 2 {
			m.due = m.now
		}
		hear(0)
		m.step(0, "opened")
		for range rapid.IntRange(1, 30).Draw(t, "things") {
			for range rapid.IntRange(0, 300).Draw(t, "seconds") {
				wait(1)
			}
			switch rapid.SampledFrom([]string{"press", "acknowledge", "outage", "wait"}).Draw(t, "thing") {
			case "press":
				hear(m.now)
				m.press(m.now)
			case "acknowledge":
				x := bus.Action{Kind: "acknowledge", Alert: w.book.out[0].Alert.ID, By: "li", At: start.Add(time.Duration(m.now) * time.Second)}
				if err := w.book.act(&x); err != nil {
					t.Fatal(err)
				}
				m.acknowledge()
			case "outage":
				from := m.now
				m.now += rapid.IntRange(3, 3000).Draw(t, "outage")
				if rapid.Bool().Draw(t, "with a press") {
					at := rapid.IntRange(from, m.now).Draw(t, "pressed at")
					hear(at)
					m.press(at)
				}
				wait(0)
			}
		}
		var got []string
		for _, ev := range w.book.out {
			var told []string
			for _, r := range ev.Tell {
				told = append(told, strings.TrimPrefix(r.Who(), "person:"))
			}
			slices.Sort(told)
			got = append(got, fmt.Sprint(int(ev.At.Sub(start).Seconds()), "s ", ev.Kind, told))
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
