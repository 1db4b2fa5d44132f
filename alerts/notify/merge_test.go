package notify

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// rationed is a channel that takes two ordinary messages in a while, and one more of life-safety. What a test does while others wait, it
// must have done by the end of that.
func rationed(per time.Duration) *recorder {
	r := newRecorder()
	r.caps = Caps{Dedupes: time.Hour, Limits: []Limit{{Max: 3, Reserved: 1, Per: per}}}
	return r
}

// flood lets many ordinary alerts happen, numbered in their texts.
func flood(t *testing.T, b *bus.Bus, n int, to ...bus.Recipient) {
	t.Helper()
	for i := range n {
		happen(t, b, event(fmt.Sprint("a", i), 1, "opened", toldTo(to...), func(e *bus.AlertEvent) {
			e.Alert.Safety, e.Alert.Severity, e.Alert.Name.ZH, e.Alert.Text.ZH = false, bus.Medium, "垃圾满溢", fmt.Sprintf("第%d件。", i)
		}))
	}
}

// tellings counts in how many messages of its own id each alert of a flood is told. Those of a digest that is too long are in its
// body.
func (r *recorder) tellings() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	told, seen := map[string]int{}, map[string]bool{}
	for _, m := range r.messages {
		var b body
		if err := json.Unmarshal(m.Body, &b); err != nil || seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		told[b.Alert.ID]++
		for _, x := range b.Merged {
			told[x.Alert]++
		}
	}
	return told
}

func stored(t *testing.T, b *bus.Bus) map[bus.DeliveryRef]bus.Delivery {
	t.Helper()
	all := map[bus.DeliveryRef]bus.Delivery{}
	err := b.ReadAll(t.Context(), bus.Core, bus.DeliveriesFilter, func(m jetstream.Msg) error {
		var d bus.Delivery
		err := json.Unmarshal(m.Data(), &d)
		all[bus.DeliveryRef{Alert: d.Alert, ID: d.ID}] = d
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What does not fit into a quota is told together when there is room; life-safety is always told alone.
func TestOverflowIsToldTogether(t *testing.T) {
	t.Parallel()
	b, r := testkit.NATS(t), rationed(2*time.Second)
	start(t, b, r)
	const alerts = 40
	flood(t, b, alerts, toDuty...)
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Pending] > 0 })
	happen(t, b, event("sos", 1, "opened", func(e *bus.AlertEvent) { e.Alert.Text.ZH = "求救" }))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == alerts+1 })
	for alert, n := range r.tellings() {
		if n != 1 {
			t.Errorf("alert %s is told in %d messages", alert, n)
		}
	}
	all, contained := stored(t, b), 0
	for ref, d := range all {
		for _, x := range d.Contains {
			if contained++; all[x].Within == nil || *all[x].Within != ref || all[x].Attempts != 0 {
				t.Errorf("%v contains %v, which says %+v", ref, x, all[x])
			}
		}
		if d.Safety && (d.Within != nil || len(d.Contains) > 0) {
			t.Errorf("life-safety is told with others: %+v", d)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.messages) > 10 || contained != alerts+1-len(r.messages) {
		t.Errorf("%d messages, %d deliveries within others, want few messages and every delivery in one", len(r.messages), contained)
	}
	i := slices.IndexFunc(r.messages, func(m Message) bool { return strings.Contains(m.Title, "条通知") })
	if i < 0 || !strings.Contains(r.messages[i].Text, "垃圾满溢：第") || r.messages[i].Link != "" || r.messages[i].Alert.Name.EN == "" {
		t.Errorf("no digest among %+v", r.messages)
	}
}

// Who was told of alerts within the message of another is told their ends, together where there are many.
func TestEndsOfWhatWasToldTogetherAreToldTogether(t *testing.T) {
	t.Parallel()
	b, r := testkit.NATS(t), rationed(2*time.Second)
	start(t, b, r)
	const alerts = 20
	flood(t, b, alerts, toDuty...)
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == alerts })
	openings := r.count()
	for i := range alerts {
		happen(t, b, event(fmt.Sprint("a", i), 2, "cleared", func(e *bus.AlertEvent) {
			e.Alert.Safety, e.Alert.State = false, bus.Cleared
		}))
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 2*alerts })
	for alert, n := range r.tellings() {
		if n != 2 {
			t.Errorf("alert %s is told in %d messages, want its opening and its end", alert, n)
		}
	}
	if ends := r.count() - openings; ends > 6 || openings > 6 {
		t.Errorf("%d messages of openings, %d of ends", openings, ends)
	}
}

// What is not needed any more is in no digest, and who cannot be reached with one is told over the next address.
func TestADigestSaysWhatIsStillNeeded(t *testing.T) {
	t.Parallel()
	b, chat, phone := testkit.NATS(t), rationed(5*time.Second), newRecorder()
	chat.fail = func(m Message, _ int) error {
		if strings.Contains(m.Title, "条通知") {
			return refuse(BadTarget, "", "gone")
		}
		return nil
	}
	startAll(t, b, Channels{"chat": chat, "phone": phone, "ops": newRecorder()})
	flood(t, b, 8, daughter)
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 2 && states(t, b)[bus.Pending] == 6 })
	acked := ""
	for ref, d := range stored(t, b) {
		if d.State == bus.Pending {
			acked = ref.Alert
		}
	}
	now := time.Now()
	become(t, b, event(acked, 2, "acknowledged", toldTo()), func(a *bus.Alert) { a.Safety, a.State, a.AckedAt = false, bus.Acknowledged, &now })
	testkit.Eventually(t, 30*time.Second, func() bool {
		s := states(t, b)
		return s[bus.Pending]+s[bus.Sending] == 0 && phone.count()+chat.count() == 7
	})
	told := chat.tellings()
	for alert, n := range phone.tellings() {
		told[alert] += n
	}
	if len(told) != 7 || told[acked] != 0 {
		t.Errorf("told %v, want all but %s once", told, acked)
	}
}

// Killed at any point with a digest under way, the notifier tells everything once.
func TestADigestSurvivesAKill(t *testing.T) {
	t.Parallel()
	for _, point := range []string{"sending", "sent"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			b, r := testkit.NATS(t), rationed(4*time.Second)
			channels := Channels{"ops": r}
			const alerts = 20
			stop := runUntil(t, b, channels, []string{"ops"}, "", 0)
			flood(t, b, alerts, toDuty...)
			testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Pending] == alerts-2 })
			stop()
			stop = runUntil(t, b, channels, []string{"ops"}, point, 1)
			testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Sending] > 0 })
			stop()
			defer runUntil(t, b, channels, []string{"ops"}, "", 0)()
			testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == alerts })
			if told := r.tellings(); len(told) != alerts {
				t.Errorf("told of %d alerts, want %d", len(told), alerts)
			}
			for alert, n := range r.tellings() {
				if n != 1 {
					t.Errorf("alert %s is told in %d messages", alert, n)
				}
			}
		})
	}
}
