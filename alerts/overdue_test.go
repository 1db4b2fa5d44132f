package alerts

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/internal/testkit"
)

// An engine that was away runs what became due meanwhile together, and not before it has read who answered.
func TestOverdueStepsAfterARestart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answered bool
		want     []string
	}{
		"run together": {false, []string{"t_sos[person=ma] 0s:opened", "t_sos[person=ma] 1m40s:escalated"}},
		"do not run when somebody answered meanwhile": {true, []string{"t_sos[person=ma] 0s:opened", "t_sos[person=ma] 1m30s:acknowledged"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			first := s.engine(nil)
			s.say("p1 0s!sos")
			s.judged()
			if err := first.stop(); err != nil {
				t.Fatal(err)
			}
			alert := s.events()[0].Alert
			if c.answered {
				s.act(bus.Action{Key: "k", Kind: "acknowledge", Alert: alert.ID, Community: "tianjin", By: "li", At: start.Add(90 * time.Second)})
			}
			s.wall(100 * time.Second)
			e := s.engine(nil)
			s.judged()
			testkit.Eventually(t, 30*time.Second, func() bool { return len(s.log()) == len(c.want) })
			s.say("p3 100s level=1") // one more transaction
			s.judged()
			if err := e.stop(); err != nil {
				t.Fatal(err)
			}
			s.expect(c.want...)
			last := s.events()[1]
			if !c.answered && !slices.ContainsFunc(last.Tell, func(r bus.Recipient) bool { return r.Step == 3 && r.Person == "son" }) {
				t.Errorf("the overdue steps told %+v", last.Tell)
			}
		})
	}
}

// What was pressed while no engine ran has its whole ladder from the moment that somebody is told, and is told at once.
func TestAPressThatWaitedForAnEngine(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.say("p1 0s!sos")
	s.wall(20 * time.Minute)
	e := s.engine(nil)
	for i, want := range [][]string{
		{"0s opened wang zhao daughter"},
		{"0s opened wang zhao daughter", "20m20s escalated wang@voice zhao@voice"},
	} {
		s.wall(20*time.Minute + time.Duration(i)*20*time.Second)
		testkit.Eventually(t, 30*time.Second, func() bool { return len(s.told()) >= len(want) })
		s.say("p3 1200s level=1") // one more transaction
		s.judged()
		if diff := cmp.Diff(want, s.told()); diff != "" {
			t.Errorf("who was told of what (-want +got):\n%s", diff)
		}
	}
	if err := e.stop(); err != nil {
		t.Fatal(err)
	}
}

// Wherever a transaction is cut off in the life of an alert, the next engine leaves the same log: nobody is told twice by the same
// step, and nobody is forgotten.
func TestLaddersSurviveAKillInEveryTransaction(t *testing.T) {
	t.Parallel()
	want := []string{
		"0s opened wang zhao daughter", "20s escalated wang@voice zhao@voice", "30s acknowledged", "8m30s reminded wang",
		"10m30s unacknowledged daughter@voice", "10m50s repeated wang zhao daughter son", "10m55s closed wang zhao daughter son",
		"10m59s reopened wang zhao daughter",
	}
	for _, cut := range []string{"before commit", "after commit"} {
		for nth := 2; nth <= len(want)+1; nth++ {
			t.Run(fmt.Sprintf("%s %d", cut, nth), func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				n := 0
				e := s.engine(func(nc *nats.Conn, point string) {
					if point == cut {
						if n++; n == nth {
							nc.Close()
						}
					}
				})
				reach := func(lines int) {
					t.Helper()
					testkit.Eventually(t, 30*time.Second, func() bool {
						if e.nc.IsClosed() {
							e.stop()
							e = s.engine(nil)
						}
						return len(s.told()) == lines
					})
				}
				act := func(at time.Duration, x bus.Action) {
					x.Key, x.Alert, x.Community, x.By, x.At = x.Kind, s.events()[0].Alert.ID, "tianjin", "li", start.Add(at)
					s.wall(at)
					s.act(x)
				}
				s.say("p1 0s!sos")
				reach(1)
				s.wall(20 * time.Second)
				reach(2)
				act(30*time.Second, bus.Action{Kind: "acknowledge", Person: "wang"})
				reach(3)
				s.wall(8*time.Minute + 30*time.Second)
				reach(4)
				s.wall(10*time.Minute + 30*time.Second)
				reach(5)
				s.wall(10*time.Minute + 50*time.Second)
				s.say("p1 10m50s!sos")
				reach(6)
				act(10*time.Minute+55*time.Second, bus.Action{Kind: "close", Disposition: "helped"})
				reach(7)
				act(10*time.Minute+59*time.Second, bus.Action{Kind: "reopen"})
				reach(8)
				if diff := cmp.Diff(want, s.told()); diff != "" {
					t.Errorf("who was told of what (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func (s *site) told() []string { return spellTold(s.events()) }
