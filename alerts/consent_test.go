package alerts

import (
	"testing"
	"time"

	"linli/bus"
	"linli/people"
)

// Who rests when the daily line comes has it when their rest is over; else they would never hear that all is well.
func TestAllIsWellIsToldToWhoRestsAfterIt(t *testing.T) {
	w := newTold(t)
	w.book.resolver = circle{"circle": {"daughter", "tired-1"}}
	w.people.family = map[string]bool{"daughter": true, "tired-1": true}
	w.watch(elders(), 0, 12*hour, 8*hour+5*time.Minute)
	w.expectTold("21h opened daughter tired-1!quiet_hours", "21h closed")
	w.tick(52 * hour)
	w.expectTold("21h opened daughter tired-1!quiet_hours", "21h closed", "51h opened tired-1", "51h closed")
}

// What an elder takes back counts for what was begun before: a digest that is due leaves the alert out, and its end is not told.
func TestWithdrawnConsentEndsWhatWasBegun(t *testing.T) {
	for name, test := range map[string]struct {
		agreed []people.Consent
		want   []string
	}{
		"agreed": {[]people.Consent{{Scope: people.Events}}, []string{
			"0s opened daughter tired-1!quiet_hours", "8h unanswered duty!together",
			"20h escalated daughter!together tired-1!quiet_hours duty!together", "20h opened duty", "20h closed", "20h opened daughter", "20h closed",
			"27h opened tired-1", "27h closed", "28h cleared daughter", "28h cleared duty", "28h cleared tired-1!quiet_hours",
		}},
		"taken back": {nil, []string{
			"0s opened daughter tired-1!quiet_hours", "8h unanswered duty!together",
			"20h escalated daughter!together tired-1!quiet_hours duty!together", "20h opened duty", "20h closed",
			"28h cleared daughter!no_consent", "28h cleared duty",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTold(t)
			w.book.resolver = circle{"circle": {"daughter", "tired-1"}}
			w.people.family = map[string]bool{"daughter": true, "tired-1": true}
			a := &bus.Alert{
				ID: "a", Rule: contactUnreachable.ID, Severity: bus.Medium, State: bus.Opened, Community: "tianjin", Person: "ma", Identity: "person=ma",
				OpenedAt: start, EventTime: start, LastEvent: start, Received: start,
			}
			w.book.open(a)
			w.people.agreed = test.agreed
			w.tick(28 * hour)
			w.book.clear(a, start.Add(28*hour))
			w.expectTold(test.want...)
		})
	}
}
