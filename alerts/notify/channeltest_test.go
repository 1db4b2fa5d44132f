package notify

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/testkit"
)

// testOver asks for a test as web does and returns the answer.
func testOver(t *testing.T, b *bus.Bus, id, channel string, asked time.Time) (answer bus.ChannelTest) {
	t.Helper()
	kv, err := b.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(bus.ChannelTest{Channel: channel, To: "13800000000", By: "wang", Asked: asked})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Create(t.Context(), bus.ChannelTestKey(id), data); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool {
		e, err := kv.Get(t.Context(), bus.ChannelTestKey(id))
		if err != nil {
			t.Fatal(err)
		}
		answer = bus.ChannelTest{}
		if err := json.Unmarshal(e.Value(), &answer); err != nil {
			t.Fatal(err)
		}
		return answer.State != "" && answer.State != bus.Sending
	})
	return answer
}

func TestChannelIsTested(t *testing.T) {
	b := testkit.NATS(t)
	ops, broken := newRecorder(), newRecorder()
	ops.caps = Caps{Limits: []Limit{{Max: 3, Reserved: 2, Per: time.Hour}}}
	broken.fail = func(Message, int) error { return refuse(Auth, "40001", "the key is wrong") }
	startAll(t, b, Channels{"ops": ops, "broken": broken})

	if a := testOver(t, b, "one", "ops", time.Now()); a.State != bus.Accepted || a.Error != "" {
		t.Errorf("a channel that works: %+v", a)
	}
	ops.mu.Lock()
	m := ops.messages[0]
	ops.mu.Unlock()
	for _, where := range []string{m.Title, m.Text, string(m.Body)} {
		if !strings.Contains(where, "【测试】") || !strings.Contains(where, "[TEST]") {
			t.Errorf("a test that does not say so: %q", where)
		}
	}
	if m.To != "13800000000" || m.Alert.State != bus.Closed || m.Link != "" {
		t.Errorf("message %+v", m)
	}
	if a := testOver(t, b, "two", "ops", time.Now()); a.State != bus.Pending || !strings.Contains(a.Error, "quota") || ops.count() != 1 {
		t.Errorf("what is kept for life-safety is not spent on tests: %+v, %d sent", a, ops.count())
	}
	if a := testOver(t, b, "three", "broken", time.Now()); a.State != bus.Failed || a.Class != string(Auth) || a.Error != "the key is wrong" {
		t.Errorf("a channel that does not work: %+v", a)
	}
	if a := testOver(t, b, "four", "no-such", time.Now()); a.State != bus.Failed {
		t.Errorf("a channel that is not there: %+v", a)
	}
}

func TestOldTestOfAChannelIsForgotten(t *testing.T) {
	b := testkit.NATS(t)
	ops := newRecorder()
	kv, err := b.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(bus.ChannelTest{Channel: "ops", Asked: time.Now().Add(-time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), bus.ChannelTestKey("old"), data); err != nil {
		t.Fatal(err)
	}
	startAll(t, b, Channels{"ops": ops})
	testkit.Eventually(t, 30*time.Second, func() bool {
		_, err := kv.Get(t.Context(), bus.ChannelTestKey("old"))
		return err != nil
	})
	if ops.count() != 0 {
		t.Error("it was sent")
	}
}
