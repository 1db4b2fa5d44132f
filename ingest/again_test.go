package ingest

import (
	"testing"

	"linli/bus"
	"linli/internal/testkit"
)

// A press that was stored and not acknowledged comes again when ingest is back, later than equal bytes count as a repeat.
func TestEventSentAgainIsFoundOnTheBus(t *testing.T) {
	b := testkit.NATS(t)
	l := &lane{Ingest: &Ingest{bus: b}}
	subject := bus.EventSubject("north", "sos_button", "sb-1", "sos")
	stored := func(id string) bool { return l.stored(t.Context(), &event{entry: entry{subject: subject, id: id}}) }
	if stored("a-1000-7") {
		t.Error("found on an empty stream")
	}
	if _, _, err := b.Publish(t.Context(), subject, "a-1000-7", []byte("x")); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]bool{
		"a-25000-7": true,
		"a-25000-8": false, // another press of the same button
		"b-25000-7": false, // other bytes
		"a":         false, // with a ts or seq of its own, for the bus to decide
	} {
		if got := stored(id); got != want {
			t.Errorf("%s: stored %v, want %v", id, got, want)
		}
	}
}
