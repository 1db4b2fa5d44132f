package notify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/providers"
	"linli/internal/testkit"
)

// runUntil runs a notifier that is killed, so to speak, when one of its goroutines comes to a point for the n-th time: from then on
// nothing more is recorded or sent by it. An empty point never comes.
func runUntil(t *testing.T, b *bus.Bus, channels Channels, duty []string, point string, n int64) (stop func()) {
	t.Helper()
	ctx, kill := context.WithCancel(t.Context())
	var left atomic.Int64
	left.Store(n)
	var dead atomic.Bool
	x, err := Open(t.Context(), Config{
		Bus: b, Channels: channels, Duty: duty, Log: testkit.Log,
		hook: func(p string) bool {
			if p == point && left.Add(-1) == 0 {
				dead.Store(true)
				kill()
			}
			return dead.Load()
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- x.Run(ctx) }()
	return func() {
		if point != "" {
			select {
			case <-ctx.Done():
			case <-time.After(300 * time.Millisecond): // its point does not come
			}
		}
		kill()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Killed at any point, the notifier loses nothing. A receiver that knows ids sees nothing twice, nor does one that can be asked; a
// mail that comes again says so.
func TestKilledAnywhereItLosesNothing(t *testing.T) {
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(uint64(seed), 1))
	b := testkit.NATS(t)
	hook, mail, sms := providers.Webhook(t, testSecret), providers.SMTP(t, "linli", "right"), providers.AliyunSMS(t, "AK", "sk")
	channels := Channels{
		"hook": open(t, "webhook", kind("url: 'URL', secret: SECRET")(hook.URL, testSecret)),
		"mail": open(t, "smtp", strings.Replace(mailSettings(mail.Addr, "linli", "right"), "}]", ", to: desk@estate.example}]", 1)),
		"sms":  open(t, "aliyun_sms", kind("url: 'URL', access_key_id: AK, access_key_secret: SECRET, sign: 邻里, template: SMS_1, params: {text: text, rule: rule}")(sms.URL, "sk")),
	}
	duty := []string{"hook", "mail"}
	points := []string{"read", "recorded", "sending", "sent"}
	const kills, each = 24, 3
	alerts := 0
	for range kills {
		stop := runUntil(t, b, channels, duty, points[random.IntN(len(points))], 1+random.Int64N(5))
		for range each {
			alerts++
			son := bus.Recipient{Target: "circle:1", Person: "p-1", Language: "zh", Reach: []bus.Address{{Channel: "sms", To: fmt.Sprintf("138%08d", alerts)}}}
			happen(t, b, event(fmt.Sprint("a", alerts), 1, "opened", toldTo(toDuty[0], son), func(e *bus.AlertEvent) {
				e.Alert.Safety = random.IntN(2) == 0
				e.Alert.Text.ZH = fmt.Sprintf("第%d件", alerts)
			}))
		}
		stop()
	}
	defer runUntil(t, b, channels, duty, "", 0)()
	testkit.Eventually(t, 60*time.Second, func() bool { return states(t, b)[bus.Accepted] == 3*alerts })

	if got := hook.Visible(); len(got) != alerts {
		t.Errorf("the webhook sees %d messages of %d alerts", len(got), alerts)
	}
	seen := map[string]int{}
	for _, m := range sms.Visible() {
		if seen[m.To]++; seen[m.To] > 1 && !strings.Contains(m.Text, "可能重复") {
			t.Errorf("%s gets a second short message: %s", m.To, m.Text)
		}
	}
	mails, repeats := map[string]int{}, 0
	for _, m := range mail.Visible() {
		if mails[m.ID]++; mails[m.ID] > 1 {
			if repeats++; !strings.Contains(decoded(t, m.Text), "可能重复") {
				t.Errorf("mail %s comes again and does not say so: %s", m.ID, decoded(t, m.Text))
			}
		}
	}
	if len(mails) != alerts || len(seen) != alerts {
		t.Errorf("%d mails and %d short messages of %d alerts", len(mails), len(seen), alerts)
	}
	t.Logf("%d alerts, %d kills: %d short messages, %d mails repeated and labelled", alerts, kills, len(sms.Visible()), repeats)
}
