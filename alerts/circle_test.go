package alerts

import (
	"testing"
	"time"

	"linli/bus"
)

// The others of a circle are told of its new order; who rests, in the morning.
func TestCircleIsToldOfItsNewOrder(t *testing.T) {
	w := newTold(t)
	change := bus.Action{Kind: "reordered", Key: "k", About: "ma", Person: "son", By: "王强", Note: "1 王强，2 王芳"}
	w.do(time.Second, change)
	w.do(time.Second, change)
	w.tick(32 * time.Hour)
	w.expectTold("1s opened daughter tired-1!quiet_hours", "1s closed", "27h opened tired-1", "27h closed")
	if a := w.book.out[0].Alert; a.Rule != bus.ContactOrderRule || a.Person != "ma" || a.Text.ZH != "王强更改了马奶奶的联系顺序：1 王强，2 王芳" {
		t.Errorf("told %+v", a)
	}
	if err := w.book.act(&bus.Action{Kind: "reordered", About: ""}); err == nil {
		t.Error("the order of nobody's circle is taken")
	}
}

// Of an emergency the family may say much, but the property goes on until somebody of it ends it; and a handler who has gone silent is
// not excused by what the family writes.
func TestFamilyNeitherEndsAnEmergencyNorAnswersForItsHandler(t *testing.T) {
	for name, test := range map[string]struct {
		by   string
		want bool // the acknowledgement is taken back
	}{"the family writes": {"daughter", true}, "the handler writes": {"wang", false}, "the desk writes": {"zhao", false}} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			w.people.family = map[string]bool{"daughter": true}
			w.say("p1 0s!sos")
			w.tick(time.Second)
			a := w.last()
			if err := w.refused(2*time.Second, bus.Action{Kind: "close", Alert: a.ID, Person: "daughter", Disposition: "false_press"}); err == nil || a.State != bus.Opened {
				t.Fatalf("the family ends it: %v, %s", err, a.State)
			}
			w.do(3*time.Second, bus.Action{Kind: "acknowledge", Alert: a.ID, Person: "wang"})
			lapse := 3*time.Second + wait(a.Escalation.Lapse)
			w.tick(lapse - time.Minute)
			w.do(lapse-time.Minute, bus.Action{Kind: "comment", Alert: a.ID, Person: test.by, Note: "any news?"})
			w.tick(lapse + time.Second)
			if got := a.State == bus.Opened; got != test.want {
				t.Errorf("taken back: %t, want %t: %v", got, test.want, w.told())
			}
			w.do(lapse+2*time.Second, bus.Action{Kind: "close", Alert: a.ID, Person: "zhao", Disposition: "helped"})
			if a.State != bus.Closed {
				t.Errorf("the desk cannot end it: %s", a.State)
			}
		})
	}
}
