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
