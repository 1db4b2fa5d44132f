package notify

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// startAll runs a notifier on several channels until the test or the returned function ends it.
func startAll(t testing.TB, b *bus.Bus, channels Channels, options ...func(*Config)) (stop func()) {
	t.Helper()
	cfg := Config{Bus: b, Channels: channels, Duty: []string{"ops"}, Log: testkit.Log}
	for _, o := range options {
		o(&cfg)
	}
	n, err := Open(t.Context(), cfg)
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

// daughter is reached by message first and by phone second.
var daughter = bus.Recipient{
	Target: "circle:1", Person: "p-2", Name: "王芳", Language: "zh",
	Reach: []bus.Address{{Channel: "chat", To: "wang"}, {Channel: "phone", To: "13800000001"}},
}

func toldTo(r ...bus.Recipient) func(*bus.AlertEvent) {
	return func(e *bus.AlertEvent) { e.Tell = r }
}

func event(alert string, n int, kind string, change ...func(*bus.AlertEvent)) bus.AlertEvent {
	e := opened(alert, true)
	e.N, e.Kind = n, kind
	for _, f := range change {
		f(&e)
	}
	return e
}

// become writes an event and the alert as it is after it, as the alert engine does.
func become(t testing.TB, b *bus.Bus, e bus.AlertEvent, change func(*bus.Alert)) {
	t.Helper()
	change(&e.Alert)
	data, err := json.Marshal(e.Alert)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.JS.Publish(t.Context(), bus.AlertSubject(e.Alert.ID), data); err != nil {
		t.Fatal(err)
	}
	happen(t, b, e)
}

// deliveries are those of an alert, by channel.
func deliveries(t testing.TB, b *bus.Bus, alert string) map[string]bus.Delivery {
	t.Helper()
	all, err := deliveriesOf(t.Context(), b, alert)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]bus.Delivery{}
	for _, d := range all {
		by[d.Channel+" "+d.Event] = d
	}
	return by
}

// unreached are whom notify has reported as not reached.
func unreached(t testing.TB, b *bus.Bus) []bus.Action {
	t.Helper()
	return slices.DeleteFunc(actions(t, b), func(a bus.Action) bool { return a.Kind != "unreached" })
}

// actions are what notify has published.
func actions(t testing.TB, b *bus.Bus) (all []bus.Action) {
	t.Helper()
	err := b.ReadAll(t.Context(), bus.Actions, "actions.*", func(m jetstream.Msg) error {
		var a bus.Action
		err := json.Unmarshal(m.Data(), &a)
		all = append(all, a)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func always(err error) func(Message, int) error { return func(Message, int) error { return err } }

func TestTheNextAddressIsTriedWhenOneFails(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bus.DeliveryState // of the first address
	}{
		"for good":       {refuse(BadTarget, "40003", "no such user"), bus.Failed},
		"over its quota": {&SendError{Class: RateLimited, After: time.Hour, Account: true, Err: errors.New("muted")}, bus.Expired},
		"not let in":     {refuse(Auth, "310000", "sign not match"), bus.Expired},
		"away":           {errors.New("connection refused"), bus.Expired},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, chat, phone := testkit.NATS(t), newRecorder(), newRecorder()
			chat.fail = always(c.err)
			startAll(t, b, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})
			happen(t, b, event("a1", 1, "opened", toldTo(daughter)))
			testkit.Eventually(t, 30*time.Second, func() bool {
				all := deliveries(t, b, "a1")
				return all["chat opened"].State == c.want && all["phone opened"].State == bus.Accepted
			})
			if d := deliveries(t, b, "a1")["phone opened"]; d.To != "13800000001" || d.Receipt == "" {
				t.Errorf("second address: %+v, want accepted", d)
			}
			if got := unreached(t, b); len(got) != 0 {
				t.Errorf("actions %+v, want none: she was reached", got)
			}
		})
	}
}

func TestRecipientWithoutAnAddressThatWorksIsReportedOnce(t *testing.T) {
	b, chat, phone := testkit.NATS(t), newRecorder(), newRecorder()
	chat.fail, phone.fail = always(refuse(BadTarget, "", "gone")), always(refuse(BadTarget, "", "no such number"))
	stop := startAll(t, b, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})
	happen(t, b, event("a1", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(unreached(t, b)) == 1 })
	stop()
	startAll(t, b, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})
	happen(t, b, event("a2", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(unreached(t, b)) == 2 })
	a := unreached(t, b)[0]
	if a.Alert != "a1" || a.N != 1 || a.Person != "p-2" || a.Recipient.Target != "circle:1" || a.Community != "tianjin" {
		t.Errorf("action %+v, want that the daughter is not reached", a)
	}
}

// silentBus is a bus that for a while neither stores nor answers.
type silentBus struct {
	jetstream.JetStream
	left atomic.Int32 // so many writes
}

func (s *silentBus) PublishMsg(ctx context.Context, m *nats.Msg, o ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	if s.left.Add(-1) >= 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.JetStream.PublishMsg(ctx, m, o...)
}

// What became of a call is not forgotten when the bus does not answer meanwhile: it is made again, not made again, or the next address
// is gone on to.
func TestBusThatIsSilentWhenACallHasEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first        error
		writes       int32
		chat, phones int // tries, and calls taken
	}{
		"away":          {errors.New("connection refused"), 1, 2, 0},
		"taken":         {nil, 1, 1, 0},
		"a bad address": {refuse(BadTarget, "", "gone"), 1, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, chat, phone := testkit.NATS(t), newRecorder(), newRecorder()
			quiet := &silentBus{JetStream: b.JS}
			own := *b
			own.JS = quiet
			chat.fail = func(_ Message, try int) error {
				if try > 1 {
					return nil
				}
				quiet.left.Store(c.writes)
				return c.first
			}
			startAll(t, &own, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})
			mother := daughter
			if c.phones == 0 {
				mother.Reach = mother.Reach[:1]
			}
			happen(t, b, event("a1", 1, "opened", toldTo(mother)))
			testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 1 })
			tries := 0
			for _, n := range chat.tries {
				tries += n
			}
			if tries != c.chat || phone.count() != c.phones {
				t.Errorf("%d tries and %d calls, want %d and %d", tries, phone.count(), c.chat, c.phones)
			}
		})
	}
}

// Nobody waits for a first address that hangs.
func TestHangingAddressIsOvertaken(t *testing.T) {
	b, chat, phone := testkit.NATS(t), newRecorder(), newRecorder()
	hang := make(chan struct{})
	chat.fail = func(Message, int) error {
		<-hang
		return errors.New("away")
	}
	defer startAll(t, b, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})()
	defer close(hang)
	happen(t, b, event("a1", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() == 1 })
}

func TestAcknowledgementEndsTheTries(t *testing.T) {
	b, r := testkit.NATS(t), newRecorder()
	r.fail = always(errors.New("away"))
	startAll(t, b, Channels{"ops": r})
	happen(t, b, event("a1", 1, "opened"))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["ops opened"].Attempts > 1 })
	now := time.Now()
	become(t, b, event("a1", 2, "acknowledged", toldTo()), func(a *bus.Alert) { a.State, a.AckedAt = bus.Acknowledged, &now })
	testkit.Eventually(t, 30*time.Second, func() bool {
		d := deliveries(t, b, "a1")["ops opened"]
		return d.State == bus.Expired && d.Error == "acknowledged"
	})
	// The ladder that goes on although somebody of the family acknowledged is told on.
	r.mu.Lock()
	r.fail = nil
	r.mu.Unlock()
	later := event("a1", 3, "escalated", func(e *bus.AlertEvent) { e.Alert.AckedAt = &now })
	happen(t, b, later)
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["ops escalated"].State == bus.Accepted })
}

// A notifier that was away finds calls of hours. It makes none of what somebody has acknowledged meanwhile.
func TestOldCallsAreLookedAt(t *testing.T) {
	t.Parallel()
	b, chat := testkit.NATS(t), newRecorder()
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"chat": chat, "ops": newRecorder()}, Duty: []string{"ops"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	once := daughter
	once.Reach = once.Reach[:1]
	taken := event("taken", 1, "opened", toldTo(once))
	become(t, b, event("taken", 5, "acknowledged", toldTo()), func(a *bus.Alert) { a.State, a.AckedAt = bus.Acknowledged, &at })
	for round := range 4 {
		once.Round = round
		taken.N, taken.Tell = 1+round, []bus.Recipient{once}
		if err := n.record(t.Context(), &taken, at); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Expired] == 4 })
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if chat.count() != 0 {
		t.Error("called of what somebody has taken on")
	}
}

func TestAllClearGoesWhereTheCallArrived(t *testing.T) {
	b, chat, phone := testkit.NATS(t), newRecorder(), newRecorder()
	chat.fail = always(refuse(BadTarget, "", "gone"))
	startAll(t, b, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})
	happen(t, b, event("a1", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() == 1 })
	stranger := bus.Recipient{Target: "role:manager", Person: "p-9", Reach: []bus.Address{{Channel: "phone", To: "13800000009"}}}
	happen(t, b, event("a1", 2, "cleared", toldTo(daughter, stranger)))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Expired] == 2 && phone.count() == 2 })
	phone.mu.Lock()
	defer phone.mu.Unlock()
	if m := phone.messages[1]; m.To != "13800000001" || m.Event != "cleared" {
		t.Errorf("told %+v, want the all-clear to the number that took the call", m)
	}
}

func TestLaterCallOvertakesAnEarlierOne(t *testing.T) {
	b, chat := testkit.NATS(t), newRecorder()
	chat.fail = func(m Message, _ int) error {
		if m.Event == "opened" {
			return errors.New("away")
		}
		return nil
	}
	startAll(t, b, Channels{"chat": chat, "ops": newRecorder()})
	once := daughter
	once.Reach = once.Reach[:1]
	happen(t, b, event("a1", 1, "opened", toldTo(once)))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["chat opened"].Attempts > 0 })
	once.Round = 1
	happen(t, b, event("a1", 2, "escalated", toldTo(once)))
	testkit.Eventually(t, 30*time.Second, func() bool { return chat.count() == 1 })
	if d := deliveries(t, b, "a1")["chat opened"]; d.State != bus.Expired {
		t.Errorf("first call %+v, want expired", d)
	}
}

func TestChannelThatIsNotConfiguredIsPassedOver(t *testing.T) {
	b, phone := testkit.NATS(t), newRecorder()
	startAll(t, b, Channels{"phone": phone, "ops": newRecorder()})
	happen(t, b, event("a1", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() == 1 })
}

func TestHeldRecipientIsNotTold(t *testing.T) {
	b, chat := testkit.NATS(t), newRecorder()
	startAll(t, b, Channels{"chat": chat, "ops": newRecorder()})
	held := daughter
	held.Held = "quiet_hours"
	happen(t, b, event("a1", 1, "opened", toldTo(held, toDuty[0])))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 1 })
	if chat.count() != 0 {
		t.Error("who is held was told")
	}
}

// need is the whole of what stops a delivery.
func TestNeed(t *testing.T) {
	at := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	after := at.Add(time.Minute)
	mine := bus.Delivery{ID: "d", N: 3, Event: "escalated", Channel: "chat", To: "wang", Recipient: daughter}
	with := func(change func(*bus.Delivery)) bus.Delivery {
		d := mine
		d.ID = "other"
		change(&d)
		return d
	}
	news := with(func(d *bus.Delivery) { d.Event, d.N = "cleared", 4 })
	toDesk := with(func(d *bus.Delivery) { d.Recipient = toDuty[0] })
	for name, c := range map[string]struct {
		d      bus.Delivery
		then   bus.Alert
		alert  *bus.Alert
		others []bus.Delivery
		want   string
	}{
		"open":                          {d: mine, alert: &bus.Alert{State: bus.Opened}},
		"alert unknown":                 {d: mine},
		"acknowledged":                  {d: mine, alert: &bus.Alert{AckedAt: &at}, want: "acknowledged"},
		"acknowledged before":           {d: mine, then: bus.Alert{AckedAt: &at}, alert: &bus.Alert{AckedAt: &at}},
		"acknowledged by a second one":  {d: mine, then: bus.Alert{AckedAt: &at}, alert: &bus.Alert{AckedAt: &after}, want: "acknowledged"},
		"family looks after it":         {d: mine, alert: &bus.Alert{FamilyAckBy: "王芳"}, want: "acknowledged by the family"},
		"family, told on":               {d: toDesk, alert: &bus.Alert{FamilyAckBy: "王芳"}},
		"closed":                        {d: toDesk, alert: &bus.Alert{State: bus.Closed}, want: "closed"},
		"closed as a digest is":         {d: toDesk, alert: &bus.Alert{State: bus.Closed, Listed: []string{"a1"}}},
		"reached otherwise":             {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.Channel, d.State = "phone", bus.Accepted })}, want: "reached over phone"},
		"taken, and did not arrive":     {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.Channel, d.State = "phone", bus.Failed })}},
		"receipt not due yet":           {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.Channel, d.State, d.Look = "sms", bus.Accepted, after.Add(1) })}, want: "reached over sms"},
		"receipt overdue":               {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.Channel, d.State, d.Look = "sms", bus.Accepted, after })}},
		"somebody else reached":         {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.Recipient.Person, d.Channel, d.State = "p-3", "phone", bus.Accepted })}},
		"reached in the round before":   {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.N, d.State = 2, bus.Accepted })}},
		"a later call":                  {d: mine, others: []bus.Delivery{with(func(d *bus.Delivery) { d.N = 5 })}, want: "told of what came later"},
		"a later call to the desk":      {d: toDesk, others: []bus.Delivery{with(func(d *bus.Delivery) { d.N, d.Recipient = 5, toDuty[0] })}},
		"news, told":                    {d: news, alert: &bus.Alert{State: bus.Closed}, others: []bus.Delivery{with(func(d *bus.Delivery) { d.State = bus.Delivered })}},
		"news, told at another address": {d: news, others: []bus.Delivery{with(func(d *bus.Delivery) { d.State, d.To = bus.Delivered, "li" })}, want: "was not told of the alert"},
		"news, never told":              {d: news, others: []bus.Delivery{with(func(d *bus.Delivery) { d.State = bus.Failed })}, want: "was not told of the alert"},
	} {
		if got := need(&c.d, &c.then, c.alert, append(slices.Clone(c.others), c.d), after); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
