package notify

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/internal/providers"
	"linli/internal/testkit"
)

// Two notifiers at once, by mistake or while one takes over, tell everything between them: once over a channel that knows ids, and over
// one that does not what the first was sending when the second came may come again, and says so.
func TestTwoNotifiersTellOnce(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	hook, mail := providers.Webhook(t, testSecret), providers.SMTP(t, "linli", "right")
	channels := func() Channels {
		return Channels{
			"hook": open(t, "webhook", kind("url: 'URL', secret: SECRET")(hook.URL, testSecret)),
			"mail": open(t, "smtp", strings.Replace(mailSettings(mail.Addr, "linli", "right"), "}]", ", to: desk@estate.example}]", 1)),
		}
	}
	duty := []string{"hook", "mail"}
	const alerts = 80
	defer runUntil(t, b, channels(), duty, "", 0)()
	for i := range alerts {
		if i == alerts/2 {
			defer runUntil(t, b, channels(), duty, "", 0)()
		}
		happen(t, b, event(fmt.Sprint("a", i), 1, "opened", toldTo(toDuty[0]), func(e *bus.AlertEvent) { e.Alert.Safety = i%2 == 0 }))
	}
	testkit.Eventually(t, 60*time.Second, func() bool { return states(t, b)[bus.Accepted] == 2*alerts })
	if got := len(hook.Visible()); got != alerts {
		t.Errorf("the webhook sees %d messages of %d alerts", got, alerts)
	}
	mails, plain, repeats := map[string]int{}, map[string]int{}, 0
	for _, m := range mail.Visible() {
		if mails[m.ID]++; mails[m.ID] > 1 {
			repeats++
		}
		if !strings.Contains(decoded(t, m.Text), "可能重复") { // the first of two to be sent may be the last to arrive
			plain[m.ID]++
		}
	}
	for id, n := range plain {
		if n > 1 {
			t.Errorf("mail %s comes %d times, %d of them without saying that it may be a repeat", id, mails[id], n)
		}
	}
	if len(mails) != alerts || repeats > alerts/2 { // what was under way when the second came
		t.Errorf("%d mails of %d alerts, %d of them again", len(mails), alerts, repeats)
	}
	t.Logf("%d of %d mails came again, and said so", repeats, alerts)
}

// An alert that nobody answers is told again and again; whether somebody still has to be told is known however often that was.
func TestDeliveriesOfAnAlertWithoutEnd(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	for _, count := range []int{1, maxAnswered, maxAnswered + 1, 2*maxAnswered + 1} {
		alert := fmt.Sprint("a", count)
		for from := 0; from < count; from += 500 {
			var batch []*nats.Msg
			for i := from; i < min(from+500, count); i++ {
				data, err := json.Marshal(bus.Delivery{ID: fmt.Sprint("d", i), Alert: alert, State: bus.Accepted})
				if err != nil {
					t.Fatal(err)
				}
				batch = append(batch, bus.Msg(bus.DeliverySubject(alert, fmt.Sprint("d", i)), data))
			}
			if _, err := b.Commit(t.Context(), bus.Core, batch); err != nil {
				t.Fatal(err)
			}
		}
		all, err := deliveriesOf(t.Context(), b, alert)
		if err != nil || len(all) != count {
			t.Errorf("%d deliveries: found %d, %v", count, len(all), err)
		}
	}
}
