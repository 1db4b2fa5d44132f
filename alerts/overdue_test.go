package alerts

import (
	"slices"
	"testing"
	"time"

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
			testkit.Eventually(t, 10*time.Second, func() bool { return len(s.log()) == len(c.want) })
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
