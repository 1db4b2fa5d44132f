package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
)

// testAge is when a test that nobody took the answer of is forgotten.
const testAge = 10 * time.Minute

// watchTests sends the tests of channels that web asks for, one after the other, until ctx ends.
func (n *Notify) watchTests(ctx context.Context) error {
	for ctx.Err() == nil {
		err := n.cfg.Bus.FollowSettings(ctx, bus.ChannelTestKey("*"), func(kv jetstream.KeyValue, e jetstream.KeyValueEntry) error {
			return n.test(ctx, kv, e)
		}, jetstream.IgnoreDeletes())
		if ctx.Err() == nil {
			n.cfg.Log.Warn("tests of channels are not followed", "err", err)
		}
		wait(ctx, time.Second)
	}
	return nil
}

// test sends a test that is new and writes down the answer. It is not tried again, and it is no delivery: it belongs to no alert.
func (n *Notify) test(ctx context.Context, kv jetstream.KeyValue, e jetstream.KeyValueEntry) error {
	var t bus.ChannelTest
	now := time.Now()
	err := json.Unmarshal(e.Value(), &t)
	switch {
	case err != nil, now.Sub(t.Asked) > testAge:
		return kv.Delete(ctx, e.Key())
	case t.State != "" || now.Sub(t.Asked) > bus.ChannelTestLimit:
		return nil
	}
	t.State, t.Error = bus.Sending, ""
	claimed, err := n.note(ctx, kv, e.Key(), t, e.Revision())
	if claimed == 0 || err != nil {
		return err // another notifier was faster
	}
	n.sendTest(ctx, strings.TrimPrefix(e.Key(), bus.ChannelTestKey("")), &t, now)
	t.Took = time.Since(now).Milliseconds()
	_, err = n.note(ctx, kv, e.Key(), t, claimed)
	return err
}

// note writes how a test is and returns its revision; 0: somebody else has changed it.
func (n *Notify) note(ctx context.Context, kv jetstream.KeyValue, key string, t bus.ChannelTest, last uint64) (uint64, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return 0, err
	}
	revision, err := kv.Update(ctx, key, b, last)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return 0, nil
	}
	return revision, err
}

func (n *Notify) sendTest(ctx context.Context, id string, t *bus.ChannelTest, now time.Time) {
	ch := n.cfg.Channels[t.Channel]
	if ch == nil {
		t.State, t.Class, t.Error = bus.Failed, string(BadTarget), "no channel "+t.Channel+" is configured"
		return
	}
	if free, ok := n.governor.admit(t.Channel, t.To, false, now); !ok {
		t.State, t.Error = bus.Pending, "the quota is spent until "+free.In(zone).Format(time.TimeOnly)
		return
	}
	m, err := testMessage(id, t, now)
	if err == nil {
		sending, cancel := context.WithTimeout(ctx, SendLimit)
		defer cancel()
		_, err = ch.Send(sending, m)
	}
	n.health.note(t.Channel, err, time.Now().UTC())
	t.State = bus.Accepted
	if err != nil {
		t.State, t.Class, t.Error = bus.Failed, string(classOf(err)), err.Error()
		n.cfg.Log.Warn("test of a channel failed", "channel", t.Channel, "by", t.By, "err", err)
	}
	var e *SendError
	if errors.As(err, &e) && e.Class == RateLimited {
		n.governor.punished(t.Channel, t.To, e, now)
	}
}

// testMessage says in every place where a person or a program may look that it is a test.
func testMessage(id string, t *bus.ChannelTest, now time.Time) (Message, error) {
	name := devices.Text{ZH: "【测试】通知渠道", EN: "[TEST] notification channel"}
	by := cmp.Or(t.By, "-")
	b := body{ID: id, Event: "test", N: 1, At: now.UTC(), By: by, Alert: bus.Alert{
		ID: "test-" + id, Rule: "channel_test", Kind: "test", Name: name, Severity: bus.Informational, State: bus.Closed, Category: "service",
		OpenedAt: now.UTC(), EventTime: now.UTC(), Received: now.UTC(), Count: 1, Text: devices.Text{
			ZH: fmt.Sprintf("【测试】这是 %s 发出的测试消息，没有告警，请忽略。", by),
			EN: fmt.Sprintf("[TEST] This is a test by %s. There is no alert.", by),
		},
	}}
	data, err := json.Marshal(b)
	if err != nil {
		return Message{}, err
	}
	title, text := compose(&b)
	return Message{ID: id, To: t.To, Event: b.Event, Alert: b.Alert, Title: title, Text: text, Body: data, Made: now}, nil
}
