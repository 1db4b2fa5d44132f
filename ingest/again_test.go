package ingest

import (
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
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

// What a term had read when it lost its lease may be stored yet, when the network gives it back. It comes again from the broker in the
// next term, and is the same event: the bus keeps one.
func TestEventOfALostTermKeepsItsID(t *testing.T) {
	i := &Ingest{bus: testkit.NATS(t), log: testkit.Log, root: defaultRoot}
	start := time.Now()
	press := func(after time.Duration) string {
		if err := i.renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := &message{topic: []byte("linli/event/north/sos_button/sb-1/sos"), id: 7, again: after > 0}
		e := &event{}
		i.lanes.Load().fast.news(&burst{received: start.Add(after)}, m, source{topic: devices.Topic{Lane: devices.EventLane}}, "sos", false, e)
		return e.id
	}
	if first, again := press(0), press(25*time.Second); first != again {
		t.Errorf("first %s, again %s", first, again)
	}
}
