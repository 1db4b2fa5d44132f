package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

func TestChannelTestIsAskedForAndLimited(t *testing.T) {
	s := run(t, empty{})
	kv, err := s.bus.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), bus.ChannelsKey, []byte(`[{"channel":"sms"},{"channel":"log"}]`)); err != nil {
		t.Fatal(err)
	}
	asked, err := kv.Watch(t.Context(), bus.ChannelTestKey("*"), jetstream.IgnoreDeletes(), jetstream.UpdatesOnly())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = asked.Stop() })
	answered := make(chan error, 1)
	go func() { // the notifier
		e := <-asked.Updates()
		var test bus.ChannelTest
		err := json.Unmarshal(e.Value(), &test)
		if err == nil && (test.Channel != "sms" || test.To != "13800000000" || test.By != "admin") {
			t.Errorf("asked for %+v", test)
		}
		test.State, test.Class, test.Error = bus.Failed, "auth", "the key is wrong"
		data, _ := json.Marshal(test)
		if err == nil {
			_, err = kv.Update(t.Context(), e.Key(), data, e.Revision())
		}
		answered <- err
	}()
	a := ask[channelTestAnswer](s, http.StatusOK, "POST", "/api/v1/channels/sms/test", `{"to":"13800000000"}`)
	if err := <-answered; err != nil || a.State != bus.Failed || a.Error != "the key is wrong" {
		t.Errorf("answer %+v, %v", a, err)
	}
	s.refused(http.StatusTooManyRequests, "", "POST", "/api/v1/channels/sms/test", `{"to":"13800000000"}`)
	s.refused(http.StatusNotFound, "", "POST", "/api/v1/channels/pigeon/test", `{}`)
	s.refused(http.StatusBadRequest, "to", "POST", "/api/v1/channels/log/test", `{"to":"a\nb"}`)
	if _, _, text := s.do(s.request("GET", "/api/v1/audit", "")); !strings.Contains(text, "sms 13800000000") {
		t.Errorf("the audit log does not name the test: %s", text)
	}
}
