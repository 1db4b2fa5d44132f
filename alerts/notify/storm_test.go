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

func dingTalk(t testing.TB) (*providers.Provider, Channel) {
	p := providers.DingTalk(t, "tok", "SECx")
	return p, open(t, "dingtalk_robot", kind("url: 'URL', token: tok, secret: SECRET")(p.URL, "SECx"))
}

// A storm of ordinary alerts spends its own share of a robot's quota: the robot is never muted, and an SOS comes through at once.
func TestStormLeavesItsShareToSafety(t *testing.T) {
	b := testkit.NATS(t)
	p, robot := dingTalk(t)
	startAll(t, b, Channels{"ops": robot})
	for i := range 100 {
		happen(t, b, event(fmt.Sprint("storm", i), 1, "opened", func(e *bus.AlertEvent) { e.Alert.Safety = false }))
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return len(p.Visible()) == 12 })
	for i := range 8 {
		happen(t, b, event(fmt.Sprint("sos", i), 1, "opened", func(e *bus.AlertEvent) { e.Alert.Text.ZH = "求救" }))
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return len(p.Visible()) == 20 })
	for _, m := range p.Visible()[12:] {
		if !strings.Contains(m.Text, "求救") {
			t.Errorf("after the share of ordinary alerts: %q", m.Text)
		}
	}
	if got := p.Refused(); len(got) != 0 {
		t.Errorf("refused %v, want that the robot is never asked for more than it bears", got)
	}
	if got := states(t, b); got[bus.Pending] != 88 || got[bus.Failed]+got[bus.Expired] != 0 {
		t.Errorf("states %v, want that the rest waits", got)
	}
}

// A robot that is muted, by whomever, is not asked again; its recipient is told over the next address at once.
func TestMutedRobotIsPassedOver(t *testing.T) {
	b := testkit.NATS(t)
	p, robot := dingTalk(t)
	phone := newRecorder()
	for i := range 21 { // by somebody else who uses it
		_, _ = robot.Send(t.Context(), sample(fmt.Sprint("d-", i), ""))
	}
	startAll(t, b, Channels{"chat": robot, "phone": phone, "ops": newRecorder()})
	for i := range 5 {
		happen(t, b, event(fmt.Sprint("a", i), 1, "opened", toldTo(daughter)))
	}
	began := time.Now()
	testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() == 5 })
	t.Logf("told of all over the next address after %v", time.Since(began).Round(time.Millisecond))
	happen(t, b, event("later", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() == 6 })
	if got := p.Requests() - 21; got > 5 {
		t.Errorf("the robot was asked %d times while it was muted", got)
	}
}

// An answer of 200 with an error code is no acceptance.
func TestAnswer200WithAnErrorIsAFailure(t *testing.T) {
	for channel, code := range map[string]string{
		"wecom_robot": "45009", "dingtalk_robot": "130101", "feishu_robot": "11232", "aliyun_sms": "isv.BUSINESS_LIMIT_CONTROL",
	} {
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			settings, _, p := contracts[channel].start(t)
			p.Will(providers.Fault{Code: code})
			b, phone := testkit.NATS(t), newRecorder()
			startAll(t, b, Channels{"chat": open(t, channel, settings), "phone": phone, "ops": newRecorder()})
			to := daughter
			to.Reach = []bus.Address{{Channel: "chat", To: "13800000001"}, {Channel: "phone", To: "13800000001"}}
			happen(t, b, event("a1", 1, "opened", toldTo(to)))
			testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() == 1 })
			if len(p.Visible()) != 0 || deliveries(t, b, "a1")["chat opened"].State == bus.Accepted {
				t.Errorf("%+v counts as sent", deliveries(t, b, "a1")["chat opened"])
			}
		})
	}
}

// An acknowledgement stops what has not gone out, however much of it there is.
func TestAcknowledgementStopsRequests(t *testing.T) {
	b := testkit.NATS(t)
	r := newRecorder()
	r.fail = always(fmt.Errorf("away"))
	startAll(t, b, Channels{"ops": r})
	const alerts = 100
	for i := range alerts {
		happen(t, b, event(fmt.Sprint("a", i), 1, "opened"))
	}
	testkit.Eventually(t, 30*time.Second, func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.tries) == alerts
	})
	for i := range alerts {
		now := time.Now()
		become(t, b, event(fmt.Sprint("a", i), 2, "acknowledged", toldTo()), func(a *bus.Alert) { a.State, a.AckedAt = bus.Acknowledged, &now })
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Expired] == alerts })
	r.mu.Lock()
	before := len(r.tries)
	r.mu.Unlock()
	if before != alerts {
		t.Errorf("%d deliveries were tried", before)
	}
}
