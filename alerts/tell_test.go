package alerts

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryEventSaysWhoIsTold(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0s heat=60", "p2 0s!sos +25h", "p1 1s heat=20")
	if err := w.act(time.Minute, "close", w.book.out[1].Alert.ID, "test"); err != nil {
		t.Fatal(err)
	}
	w.wall(48 * time.Hour)
	var got []string
	for _, ev := range w.book.out {
		line := ev.Alert.Rule + " " + ev.Kind
		for _, r := range ev.Tell {
			line += " " + r.Target + " " + r.Held
		}
		got = append(got, line)
	}
	want := []string{
		"t_heat opened duty ", "t_sos opened duty late", "t_heat cleared duty ", "t_sos closed duty late", "t_heat closed",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who is told (-want +got):\n%s", diff)
	}
}
