package notify

import (
	"slices"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
)

// said is what was reported of ways to people: "bad_address p-2 chat".
func said(all []bus.Action) (lines []string) {
	for _, a := range all {
		if a.Address != nil {
			lines = append(lines, a.Kind+" "+a.Person+" "+a.Address.Channel)
		}
	}
	return lines
}

func TestAddressThatDoesNotExistIsReportedUntilSomethingArrives(t *testing.T) {
	t.Parallel()
	b, chat, phone := testkit.NATS(t), newRecorder(), newRecorder()
	chat.fail = always(refuse(BadTarget, "40003", "no such user"))
	channels := Channels{"chat": chat, "phone": phone, "ops": newRecorder()}
	stop := startAll(t, b, channels)
	await := func(want ...string) {
		t.Helper()
		testkit.Eventually(t, 30*time.Second, func() bool { return slices.Equal(said(actions(t, b)), want) })
	}
	happen(t, b, event("a1", 1, "opened", toldTo(daughter)))
	await("bad_address p-2 chat") // and not that the phone works, which it always did
	stop()
	chat.mu.Lock()
	chat.fail = nil
	chat.mu.Unlock()
	startAll(t, b, channels) // remembers
	happen(t, b, event("a2", 1, "opened", toldTo(daughter)))
	await("bad_address p-2 chat", "good_address p-2 chat")
	happen(t, b, event("a3", 1, "opened", toldTo(daughter)))
	testkit.Eventually(t, 30*time.Second, func() bool { return told(ptr(deliveries(t, b, "a3")["chat opened"])) })
	await("bad_address p-2 chat", "good_address p-2 chat")
}

func ptr(d bus.Delivery) *bus.Delivery { return &d }
