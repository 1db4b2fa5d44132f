package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/people"
)

// circle is a Resolver: who each target is.
type circle map[string][]string

func (c circle) Resolve(q people.Question) (all []bus.Recipient) {
	for _, target := range q.Targets {
		if target == duty {
			all = merge(all, []bus.Recipient{{Target: duty}})
			continue
		}
		ids, named := strings.CutPrefix(target, "person:")
		for _, id := range append(strings.Fields(strings.Repeat(ids+" ", b2i(named))), c[target]...) {
			r := bus.Recipient{Target: target, Person: id, Reach: []bus.Address{{Channel: "sms", To: id}, {Channel: "voice", To: id}}}
			if strings.HasPrefix(id, "tired") && !q.Safety {
				r.Held, r.Until = people.HeldQuietHours, q.At.Truncate(24*time.Hour).Add(31*time.Hour)
			}
			if strings.HasPrefix(id, "mute") {
				r.Held, r.Reach = people.HeldNoAddress, nil
			}
			all = merge(all, []bus.Recipient{r})
		}
	}
	return all
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// neighbours are the people of the tests.
var neighbours = circle{
	"role:property_duty": {"wang", "zhao"}, "role:property_duty:2": {"zhao"}, "role:manager": {"chen"}, "role:caretaker": {"mute"},
	"circle": {"daughter", "son"}, "circle:1": {"daughter"}, "circle:2": {"son"},
}

func newTold(t testing.TB) *world {
	w := newWorld(t)
	w.book.resolver = neighbours
	return w
}

// tick lets the server's clock go to an offset, as the engine does.
func (w *world) tick(until time.Duration) {
	for ; w.ticked <= until; w.ticked += commitEvery {
		w.book.advance(start.Add(w.ticked).UnixMilli())
		w.book.wake(start.Add(w.ticked))
	}
}

// told is what happened with who was told: "20s escalated wang@voice zhao@voice", with the reason of who was not.
func (w *world) told() []string { return spellTold(w.book.out) }

func spellTold(events []bus.AlertEvent) (all []string) {
	for _, ev := range events {
		line := formatOffset(ev.At.Sub(start)) + " " + ev.Kind
		for _, r := range ev.Tell {
			who := strings.TrimPrefix(r.Who(), "person:")
			if len(r.Reach) > 0 && r.Reach[0].Channel != "sms" {
				who += "@" + r.Reach[0].Channel
			}
			if r.Held != "" {
				who += "!" + r.Held
			}
			line += " " + who
		}
		all = append(all, line)
	}
	return all
}

func (w *world) expectTold(want ...string) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.told()); diff != "" {
		w.t.Errorf("who was told of what (-want +got):\n%s", diff)
	}
}

func (w *world) do(at time.Duration, x bus.Action) {
	w.t.Helper()
	if err := w.refused(at, x); err != nil {
		w.t.Fatalf("%s: %v", x.Kind, err)
	}
}

// refused is do that may fail.
func (w *world) refused(at time.Duration, x bus.Action) error {
	x.At, x.Community = start.Add(at), "tianjin"
	x.Key = fmt.Sprint(x.Kind, at)
	if x.By == "" {
		x.By = "li"
	}
	return w.book.act(&x)
}

func (w *world) last() *bus.Alert {
	return w.book.alerts[w.book.out[len(w.book.out)-1].Alert.ID]
}

// with makes an action one on the alert that something happened to last.
func with(x bus.Action, w *world) bus.Action {
	x.Alert = w.book.out[0].Alert.ID
	return x
}

func (w *world) expectLines(want, got []string) {
	w.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.t.Errorf("who was told of what (-want +got):\n%s", diff)
	}
}
