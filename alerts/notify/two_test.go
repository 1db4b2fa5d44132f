package notify

import (
	"fmt"
	"strings"
	"testing"
	"time"

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
	mails, repeats := map[string]int{}, 0
	for _, m := range mail.Visible() {
		if mails[m.ID]++; mails[m.ID] > 1 {
			if repeats++; !strings.Contains(decoded(t, m.Text), "可能重复") {
				t.Errorf("mail %s comes again and does not say so: %s", m.ID, decoded(t, m.Text))
			}
		}
	}
	if len(mails) != alerts || repeats > alerts/2 { // what was under way when the second came
		t.Errorf("%d mails of %d alerts, %d of them again", len(mails), alerts, repeats)
	}
	t.Logf("%d of %d mails came again, and said so", repeats, alerts)
}
