package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// recorder is a channel of the test. It keeps what it took and fails as told; like a provider that dedupes it counts an id once.
type recorder struct {
	mu    sync.Mutex // guards the fields below
	taken map[string]int
	order []string
	fail  func(m Message, try int) error
	tries map[string]int
	caps  Caps

	messages []Message
}

func newRecorder() *recorder { return &recorder{taken: map[string]int{}, tries: map[string]int{}} }

func (r *recorder) Caps() Caps { return r.caps }

func (r *recorder) Send(_ context.Context, m Message) (Receipt, error) {
	r.mu.Lock()
	r.tries[m.ID]++
	try, fail := r.tries[m.ID], r.fail
	r.mu.Unlock()
	if fail != nil {
		if err := fail(m, try); err != nil {
			return Receipt{}, err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken[m.ID]++
	r.order = append(r.order, m.ID)
	r.messages = append(r.messages, m)
	return Receipt{ID: "r-" + m.ID}, nil
}

func (r *recorder) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.taken)
}

// happen writes an event of an alert as the alert engine does.
func happen(t testing.TB, b *bus.Bus, e bus.AlertEvent) {
	t.Helper()
	data, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Commit(t.Context(), bus.Core, []*nats.Msg{bus.Msg(bus.AlertEventSubject(e.Alert.ID, e.N), data)}); err != nil {
		t.Fatal(err)
	}
}

func opened(id string, safety bool) bus.AlertEvent {
	return bus.AlertEvent{N: 1, Kind: "opened", At: time.Now(), Tell: toDuty, Alert: bus.Alert{ID: id, Rule: "r", Community: "tianjin", State: bus.Opened, Safety: safety}}
}

var toDuty = []bus.Recipient{{Target: "duty"}}

// dutyID is the id of the delivery of an event over the duty channel of the tests.
func dutyID(alert string, n int) string { return idOf(alert, n, &toDuty[0], "ops", "") }

// start runs a notifier until the test or the returned function ends it.
func start(t testing.TB, b *bus.Bus, ch Channel) (stop func()) {
	t.Helper()
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"ops": ch}, Duty: []string{"ops"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func states(t testing.TB, b *bus.Bus) map[bus.DeliveryState]int {
	t.Helper()
	n := map[bus.DeliveryState]int{}
	err := b.ReadAll(t.Context(), bus.Core, bus.DeliveriesFilter, func(m jetstream.Msg) error {
		var d bus.Delivery
		err := json.Unmarshal(m.Data(), &d)
		n[d.State]++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEventsAreToldOnce(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	start(t, b, r)
	e := opened("a1", true)
	happen(t, b, e)
	for i, kind := range []string{"repeated", "acknowledged", "cleared", "closed"} {
		e.N, e.Kind, e.By, e.Tell = i+2, kind, "li", nil
		if i >= 2 {
			e.Tell = toDuty
		}
		happen(t, b, e)
	}
	late, check, again, live := opened("a2", false), opened("a3", true), opened("a4", false), opened("a2", false)
	late.Tell = []bus.Recipient{{Target: "duty", Held: "late"}}
	check.Tell = []bus.Recipient{{Target: "duty", Held: "synthetic"}}
	again.Kind, again.Tell = "repeated", nil
	live.N, live.Kind = 2, "confirmed"
	for _, e := range []bus.AlertEvent{late, check, again, live} {
		happen(t, b, e)
	}
	want := []string{dutyID("a1", 1), dutyID("a1", 4), dutyID("a1", 5), dutyID("a2", 2)}
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] >= len(want) })
	r.mu.Lock()
	defer r.mu.Unlock()
	if slices.Sort(want); !slices.Equal(slices.Sorted(maps.Keys(r.taken)), want) {
		t.Errorf("told %v, want opened, cleared and closed of the first alert, and the second once it is confirmed", r.order)
	}
}

// What happened to an alert is told in order, however often the first message has to be tried.
func TestDeliveriesOfAnAlertKeepTheirOrder(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	first := dutyID("a1", 1)
	r.fail = func(m Message, try int) error {
		if m.ID == first && try == 1 {
			return errors.New("away")
		}
		return nil
	}
	stop := start(t, b, r)
	e := opened("a1", true)
	for n, kind := range []string{"opened", "cleared", "closed"} {
		e.N, e.Kind, e.By = n+1, kind, "li"
		happen(t, b, e)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 3 })
	stop()
	if want := []string{first, dutyID("a1", 2), dutyID("a1", 3)}; !slices.Equal(r.order, want) {
		t.Errorf("told %v, want %v", r.order, want)
	}
}

// An event whose delivery is recorded, but was never put into a lane, is delivered when it comes again.
func TestRecordedDeliveryIsTakenUpWhenTheEventComesAgain(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	e := opened("a1", true)
	start(t, b, r)
	n := &Notify{cfg: Config{Bus: b}}
	d, err := n.plan(&e, &toDuty[0], 0, bus.Address{Channel: "ops"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.write(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	happen(t, b, e)
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 1 })
}

// A write of which no answer came may be stored long after one has stopped waiting for it. It is ours, and what comes after it is
// recorded; what another process has written is not touched.
func TestAWriteThatIsStoredLateIsOurs(t *testing.T) {
	b := testkit.NATS(t)
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"ops": newRecorder()}, Duty: []string{"ops"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	e := opened("a1", true)
	d, err := n.plan(&e, &toDuty[0], 0, bus.Address{Channel: "ops"})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.write(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	late := func(attempts int) *delivery {
		x := &delivery{Delivery: d.Delivery, seq: d.seq}
		x.Attempts = attempts
		if err := n.write(t.Context(), x); err != nil {
			t.Fatal(err)
		}
		return x
	}
	record, err := json.Marshal(late(1).Delivery)
	if err != nil {
		t.Fatal(err)
	}
	d.unanswered = []uint64{sumOf(record)}
	d.State = bus.Sending
	if again, done := n.keep(t.Context(), d); again || done {
		t.Errorf("keep behind a write of ours: again %v, done %v", again, done)
	}
	late(7)
	d.State = bus.Accepted
	if n.end(t.Context(), d) {
		t.Error("what another process wrote was written over")
	}
	last, err := n.last(t.Context(), d.Alert, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last.Attempts != 7 || last.State != bus.Sending {
		t.Errorf("stored are attempts %d, %s", last.Attempts, last.State)
	}
}

// An event that comes again after its message was taken, however often, spends nothing of a quota.
func TestAnEventThatComesAgainIsCountedOnce(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	r.caps.Limits = []Limit{{Max: 3, Reserved: 1, Per: time.Hour}}
	stop := start(t, b, r)
	e := opened("a1", true)
	happen(t, b, e)
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 1 })
	stop()
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"ops": r}, Duty: []string{"ops"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if err := n.record(t.Context(), &e, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if q := n.governor.quota("ops", time.Now()); q.safety != 2 {
		t.Errorf("%d left of 3 after one message", q.safety)
	}
}

func TestDeliveryIsTriedUntilItIsTaken(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	r.fail = func(_ Message, try int) error {
		if try == 1 {
			return errors.New("away")
		}
		return nil
	}
	start(t, b, r)
	happen(t, b, opened("a1", true))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 1 })
}

func TestPermanentFailureIsRecorded(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	r.fail = func(Message, int) error { return refuse(BadTarget, "", "no such receiver") }
	start(t, b, r)
	happen(t, b, opened("a1", false))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Failed] == 1 })
}

// A stop at any moment loses nothing, and what was in doubt comes again under the same id.
func TestRestartLosesNothing(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	blocked := make(chan struct{}, 100)
	r.fail = func(Message, int) error {
		blocked <- struct{}{}
		return errors.New("away")
	}
	stop := start(t, b, r)
	const alerts = 20
	for i := range alerts {
		happen(t, b, opened(fmt.Sprint("a", i), i%2 == 0))
	}
	<-blocked
	stop()
	r.mu.Lock()
	r.fail = nil
	r.mu.Unlock()
	start(t, b, r)
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == alerts })
	if r.count() != alerts {
		t.Errorf("told of %d alerts, want %d", r.count(), alerts)
	}
}

// A storm of ordinary alerts whose receiver hangs does not hold up life-safety.
func TestStormDoesNotDelaySafety(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	hang := make(chan struct{})
	r.fail = func(m Message, _ int) error {
		var x body
		if err := json.Unmarshal(m.Body, &x); err != nil {
			return err
		}
		if !x.Alert.Safety {
			<-hang
		}
		return nil
	}
	defer start(t, b, r)()
	defer close(hang)
	for i := range 200 {
		happen(t, b, opened(fmt.Sprint("storm", i), false))
	}
	happen(t, b, opened("sos", true))
	testkit.Eventually(t, 30*time.Second, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.taken[dutyID("sos", 1)] == 1
	})
	if n := r.count(); n != 1 {
		t.Errorf("%d deliveries were taken, want the SOS alone", n)
	}
}

func TestDamagedDeliveryDoesNotKeepOthers(t *testing.T) {
	t.Parallel()
	b, ch := testkit.NATS(t), newRecorder()
	if _, _, err := b.Publish(t.Context(), bus.DeliverySubject("a", "damaged"), "", []byte(`{"id":`)); err != nil {
		t.Fatal(err)
	}
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"ops": ch}, Duty: []string{"ops"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Status(); err == nil || bus.Broken(err) {
		t.Errorf("status %v, want a concern", err)
	}
	start(t, b, ch)
	happen(t, b, opened("a", true))
	testkit.Eventually(t, 30*time.Second, func() bool { return ch.count() == 1 })
}

func TestABacklogIsAConcern(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	for i := range manyWaiting {
		d := bus.Delivery{ID: fmt.Sprint("d", i), Alert: fmt.Sprint("a", i), Channel: "ops", State: bus.Pending, Body: []byte(`{}`)}
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.JS.PublishAsync(bus.DeliverySubject(d.Alert, d.ID), data); err != nil {
			t.Fatal(err)
		}
	}
	<-b.JS.PublishAsyncComplete()
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"ops": newRecorder()}, Duty: []string{"ops"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Status(); err == nil || bus.Broken(err) {
		t.Errorf("status %v, want a concern", err)
	}
}

func TestUnknownDutyChannelIsRefused(t *testing.T) {
	_, err := Open(t.Context(), Config{Bus: testkit.NATS(t), Channels: Channels{}, Duty: []string{"nobody"}, Log: testkit.Log})
	if err == nil {
		t.Error("a duty channel that does not exist was accepted")
	}
}
