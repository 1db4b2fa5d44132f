package alerts

import (
	"testing"
	"time"

	"linli/bus"
)

func TestContactWhoseNumberFailsIsReported(t *testing.T) {
	w := newTold(t)
	w.say("p1 0s!sos")
	sos := w.last().ID
	sms := &bus.Address{Channel: "sms", To: "13800000000"}
	bad := bus.Action{Kind: "bad_address", Alert: sos, Person: "daughter", Address: sms, Note: "no such number", By: "notify"}
	w.do(2*time.Second, bad)
	report := w.last()
	if report.Rule != contactUnreachable.ID || report.Person != "ma" || report.Identity != "contact=daughter,channel=sms,person=ma" {
		t.Errorf("reported as %+v", report)
	}
	if want := "马奶奶的联系人马奶奶无法通过 sms 13800000000 联系：no such number"; report.Text.ZH != want { // the test's people have one name
		t.Errorf("text %q, want %q", report.Text.ZH, want)
	}
	w.do(3*time.Second, bad)
	bad.Alert = report.ID
	w.do(4*time.Second, bad) // the report itself went the same way
	voice := bus.Action{Kind: "good_address", Alert: sos, Person: "daughter", Address: &bus.Address{Channel: "voice", To: "13800000000"}}
	w.do(5*time.Second, voice)
	w.expectTold("0s opened wang zhao daughter", "2s opened wang zhao daughter son")
	voice.Address = sms
	w.do(24*time.Hour, voice)
	w.expectTold("0s opened wang zhao daughter", "2s opened wang zhao daughter son", "24h cleared wang zhao daughter son")
	bad.Alert = sos
	w.do(25*time.Hour, bad)
	if again := w.last(); again.ID == report.ID || again.State != bus.Opened {
		t.Errorf("failed again: %+v", again)
	}
}

func TestReportOfAnAddressNeedsAPerson(t *testing.T) {
	w := newTold(t)
	for _, kind := range []string{"bad_address", "good_address"} {
		if err := w.book.act(&bus.Action{Kind: kind, At: start}); err == nil {
			t.Errorf("%s of nobody is taken", kind)
		}
	}
	w.do(0, bus.Action{Kind: "bad_address", Alert: "forgotten", Person: "wang", Address: &bus.Address{Channel: "sms"}})
	if got := w.last(); got.Identity != "contact=wang,channel=sms" || got.Person != "" {
		t.Errorf("an alert that is forgotten: %+v", got)
	}
}
