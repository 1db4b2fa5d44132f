package alerts

import (
	"testing"
	"time"

	"linli/devices"
	"linli/people"
)

// The desk hears once a day of what is wrong, again when it is something else, and that all is mended; a restart tells nothing twice.
func TestTheDeskHearsOfPeopleProblemsOnceADay(t *testing.T) {
	w := newTold(t)
	problem := func(name string) people.Problem {
		return people.Problem{Community: "tianjin", Person: "ma", Code: people.FewContacts, Text: devices.Text{ZH: name + "：联系人不足", EN: name + ": few contacts"}}
	}
	var now []people.Problem
	until := func(offset time.Duration) {
		for ; w.ticked <= offset; w.ticked += 10 * time.Minute {
			at := start.Add(w.ticked)
			w.core.sumUp(func(time.Time) []people.Problem { return now }, at)
			w.book.advance(at.UnixMilli())
			w.book.wake(at)
		}
	}
	eight := func(day int) time.Duration {
		y, m, d := start.In(w.core.zone("tianjin")).Date()
		return time.Date(y, m, d+day, summaryHour, 0, 0, 0, w.core.zone("tianjin")).Sub(start)
	}
	until(eight(1) - time.Hour)
	w.expectTold()
	now = []people.Problem{problem("马奶奶")}
	until(eight(1) - time.Minute)
	w.expectTold()
	until(eight(2) + 12*time.Hour)
	first := []string{
		"20h opened wang zhao", "28h unanswered duty!together", "44h escalated wang!together zhao!together duty!together",
		"44h opened duty", "44h closed", "44h opened wang", "44h closed", "44h opened zhao", "44h closed",
	}
	w.expectTold(first...)
	if got := w.book.out[0].Alert.Text.ZH; got != "1 个问题：马奶奶：联系人不足" {
		t.Errorf("text %q", got)
	}
	if got := w.last().Text.ZH; got != "1 条告警（0 条已解除，1 条无人响应）：联系人与排班待完善 1。1 个问题：马奶奶：联系人不足" {
		t.Errorf("text of the next morning %q", got)
	}
	w.core.summary = summary{} // a restart
	until(eight(3) - time.Hour)
	w.expectTold(first...)
	now = append(now, problem("李爷爷"))
	until(eight(3))
	second := append(first, "68h closed", "68h cleared duty", "68h opened wang zhao")
	w.expectTold(second...)
	now = nil
	until(eight(4))
	w.expectTold(append(second, "76h unanswered duty!together", "92h cleared wang zhao")...)
}
