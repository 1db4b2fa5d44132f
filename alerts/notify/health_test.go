package notify

import (
	"encoding/json"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
)

// What the page says of a channel: what is left of its quota, its penalty, and how its last message ended.
func TestChannelStatesAreShown(t *testing.T) {
	b := testkit.NATS(t)
	_, robot := dingTalk(t)
	n, err := Open(t.Context(), Config{Bus: b, Channels: Channels{"robot": robot}, Duty: []string{"robot"}, Log: testkit.Log})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for range 5 {
		n.governor.admit("robot", "", false, now)
	}
	n.governor.admit("robot", "", true, now)
	muted := &SendError{Class: RateLimited, Code: "130101", After: 10 * time.Minute, Account: true, Err: errMuted{}}
	n.governor.punished("robot", "", muted, now)
	n.health.note("robot", muted, now)
	s := n.channelStates(now)[0]
	if s.Channel != "robot" || *s.Ordinary != 7 || *s.Safety != 14 || !s.Muted.Equal(now.Add(10*time.Minute)) || s.Code != "130101" || s.Error != "muted" {
		b, _ := json.Marshal(s)
		t.Errorf("state %s, want 7 ordinary and 14 messages left, and muted for ten minutes", b)
	}
	n.health.note("robot", nil, now)
	if s := n.channelStates(now)[0]; s.Error != "" || !s.Accepted.Equal(now) {
		t.Errorf("after a message was taken: %+v", s)
	}
	startAll(t, b, Channels{"ops": newRecorder()})
	testkit.Eventually(t, 30*time.Second, func() bool {
		kv, err := b.KV(t.Context(), bus.SettingsBucket)
		if err != nil {
			t.Fatal(err)
		}
		e, err := kv.Get(t.Context(), bus.ChannelsKey)
		return err == nil && len(e.Value()) > 0
	})
}

type errMuted struct{}

func (errMuted) Error() string { return "muted" }
