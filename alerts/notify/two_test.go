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

// Two notifiers at once, by mistake or while one takes over, tell everything once between them, over a channel that knows ids and over
// one that does not.
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
	if h, m := hook.Requests(), len(mail.Visible()); h != alerts || m != alerts {
		t.Errorf("%d requests to the webhook and %d mails for %d alerts", h, m, alerts)
	}
}
