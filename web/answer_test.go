package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

func actionsOf(s *site) (all []bus.Action) {
	s.Helper()
	err := s.bus.ReadAll(s.Context(), bus.Actions, "actions.*", func(m jetstream.Msg) error {
		var a bus.Action
		err := json.Unmarshal(m.Data(), &a)
		all = append(all, a)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return all
}

// Looking at a link does nothing: mail programs and chats look at every link they see.
func TestLinkAcknowledgesOnlyByItsButton(t *testing.T) {
	t.Parallel()
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, empty{}, func(c *Config) { c.Passes = passes })
	a := bus.Alert{
		ID: "a1", Community: "tianjin", State: bus.Opened, Events: 1, OpenedAt: time.Now(), Text: devices.Text{ZH: "<b>求救</b>", EN: "SOS"},
	}
	s.store(a, bus.AlertEvent{N: 1, Kind: "opened"})
	s.shows("a1", bus.Opened)
	pass := people.Pass{Alert: "a1", Until: time.Now().Add(time.Hour)}
	link := "/a/" + passes.Seal(pass)

	status, h, body := s.do(s.request("GET", link, ""))
	if status != http.StatusOK || !strings.Contains(body, "&lt;b&gt;求救") || !strings.Contains(body, `method="post"`) || !strings.Contains(h.Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("page: status %d, %v, %s", status, h, body)
	}
	if got := actionsOf(s); len(got) != 0 {
		t.Fatalf("looking did %+v", got)
	}
	if status, _, body := s.do(s.request("POST", link, "")); status != http.StatusOK || !strings.Contains(body, "已收到") {
		t.Errorf("button: status %d, %s", status, body)
	}
	if got := actionsOf(s); len(got) != 1 || got[0].Kind != "acknowledge" || got[0].Alert != "a1" || got[0].Community != "tianjin" || got[0].By != "duty" {
		t.Errorf("actions %+v", got)
	}
	expired, gone, nothing := pass, pass, pass
	expired.Until = time.Now().Add(-time.Minute)
	gone.Person = "p-removed"
	nothing.Alert = "a9"
	for _, bad := range []string{passes.Seal(expired), passes.Seal(gone), passes.Seal(nothing), "x", "x.y"} {
		for _, method := range []string{"GET", "POST"} {
			s.noLink(method, "/a/"+bad)
		}
	}
	if got := actionsOf(s); len(got) != 1 {
		t.Errorf("bad links did %+v", got[1:])
	}
}

// noLink asks with a link that is good for nothing: the page says so in words, and nothing of any alert.
func (s *site) noLink(method, path string) {
	s.Helper()
	status, h, body := s.do(s.request(method, path, ""))
	if status != http.StatusNotFound || !strings.Contains(body, "已失效") || !strings.Contains(body, "no longer good") || strings.Contains(body, "<form") || !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
		s.Errorf("%s %s: status %d, %s", method, path, status, body)
	}
}

func TestCallbackIsKeptOnce(t *testing.T) {
	t.Parallel()
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, empty{}, func(c *Config) { c.Passes = passes })
	url := "/callback/sms/" + passes.Callback("sms")
	for range 2 {
		if status, _, body := s.do(s.request("POST", url, `[{"out_id":"x"}]`)); status != http.StatusOK || strings.TrimSpace(body) != `{"code":0,"msg":"ok"}` {
			t.Errorf("status %d, %s", status, body)
		}
	}
	if got := actionsOf(s); len(got) != 1 || got[0].Callback.Channel != "sms" || string(got[0].Callback.Body) != `[{"out_id":"x"}]` {
		t.Errorf("actions %+v", got)
	}
	s.refused(http.StatusNotFound, "", "POST", "/callback/voice/"+passes.Callback("sms"), "[]")
	s.refused(http.StatusNotFound, "", "POST", "/callback/sms/x", "[]")
	s.refused(http.StatusRequestEntityTooLarge, "", "POST", url, strings.Repeat("x", defaultBody+1))
}

func TestChannelsAreShown(t *testing.T) {
	t.Parallel()
	passes := people.NewPasses(bytes.Repeat([]byte("k"), 32))
	s := run(t, empty{}, func(c *Config) { c.Passes, c.Channels = passes, map[string]string{"sms": "aliyun_sms"} })
	if _, err := s.web.settings.Put(s.Context(), bus.ChannelsKey, []byte(`[{"channel":"sms","waiting":3,"muted_code":"x"}]`)); err != nil {
		t.Fatal(err)
	}
	status, _, body := s.do(s.request("GET", "/api/v1/channels", ""))
	for _, want := range []string{`"kind":"aliyun_sms"`, `"waiting":3`, "/callback/sms/" + passes.Callback("sms")} {
		if status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("status %d, %s, want %s", status, body, want)
		}
	}
}
