package notify

import (
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func nodes(t testing.TB, text string) []yaml.Node {
	t.Helper()
	var list []yaml.Node
	if err := yaml.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestEveryChannel is the contract of a channel. Each kind says how to reach a receiver that answers with a status; a kind without
// a receiver of its own (the log) cannot fail.
func TestEveryChannel(t *testing.T) {
	settings := map[string]func(url string) string{
		"log": nil,
		"webhook": func(url string) string {
			return `{url: "` + url + `", secret: ` + testSecret + `, allow_private_addresses: true}`
		},
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		receiver, known := settings[kind]
		if !known {
			t.Errorf("channel kind %q is not in this suite", kind)
			continue
		}
		t.Run(kind, func(t *testing.T) {
			for name, c := range map[string]struct {
				answer    http.HandlerFunc
				permanent bool
				after     time.Duration
				fails     bool
			}{
				"taken":       {answer: status(200)},
				"down":        {answer: status(502), fails: true},
				"busy":        {answer: busy, fails: true, after: 7 * time.Second},
				"gone":        {answer: status(410), fails: true, permanent: true},
				"misdirected": {answer: status(302), fails: true, permanent: true},
				"not let in":  {answer: status(401), fails: true},
			} {
				if receiver == nil && c.fails {
					continue
				}
				t.Run(name, func(t *testing.T) {
					srv := httptest.NewServer(c.answer)
					defer srv.Close()
					text := "{}"
					if receiver != nil {
						text = receiver(srv.URL)
					}
					ch, err := kinds[kind](&nodes(t, "["+text+"]")[0], quietLog())
					if err != nil {
						t.Fatal(err)
					}
					_, err = ch.Send(t.Context(), Message{ID: "d-1", Body: []byte(`{"id":"d-1"}`)})
					if (err != nil) != c.fails {
						t.Fatalf("Send = %v, want an error: %v", err, c.fails)
					}
					if got := Permanent(err); got != c.permanent {
						t.Errorf("Send = %v, permanent %v, want %v", err, got, c.permanent)
					}
					if got := delay(0, err); got != c.after {
						t.Errorf("Send = %v, wait %v, want %v", err, got, c.after)
					}
					if err != nil && strings.Contains(err.Error(), srv.URL) {
						t.Errorf("Send = %v: shows the URL", err)
					}
				})
			}
			t.Run("ends with its context", func(t *testing.T) {
				if receiver == nil {
					t.Skip("does not wait")
				}
				release := make(chan struct{})
				srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
				defer srv.Close()
				defer close(release)
				ch, err := kinds[kind](&nodes(t, "["+receiver(srv.URL)+"]")[0], quietLog())
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if _, err := ch.Send(ctx, Message{ID: "d-1"}); classOf(err) != InDoubt {
					t.Errorf("Send = %v, want that it may have arrived", err)
				}
			})
		})
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(code)
	}
}

func busy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "7")
	w.WriteHeader(http.StatusTooManyRequests)
}

// The vector of the reference implementation of Standard Webhooks.
func TestWebhookSignature(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(testSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWebhookSendsTheSameBytesUnderTheSameID(t *testing.T) {
	var ids, bodies []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		ids, bodies = append(ids, r.Header.Get("webhook-id")), append(bodies, string(b))
		if len(ids) == 1 {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer srv.Close()
	ch, err := openWebhook(webhookSettings{endpoint{srv.URL, true}, testSecret}, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	m := Message{ID: "d-7", Body: []byte(`{"a":1}`)}
	if _, err := ch.Send(t.Context(), m); err == nil {
		t.Error("a 502 is no error")
	}
	if _, err := ch.Send(t.Context(), m); err != nil {
		t.Error(err)
	}
	if !slices.Equal(ids, []string{"d-7", "d-7"}) || !slices.Equal(bodies, []string{`{"a":1}`, `{"a":1}`}) {
		t.Errorf("ids %q, bodies %q", ids, bodies)
	}
}

func TestWebhookKeepsOutOfOurNetwork(t *testing.T) {
	for _, address := range []string{
		"127.0.0.1:443", "[::1]:443", "0.0.0.0:443", "10.1.2.3:443", "172.16.0.1:443", "192.168.1.1:443", "169.254.169.254:443",
		"100.64.0.1:443", "[fe80::1]:443", "[fd00::1]:443", "[::ffff:127.0.0.1]:443", "224.0.0.1:443",
		"[64:ff9b::a00:1]:443", "[2002:a00:1::]:443", "198.18.0.1:443", "255.255.255.255:443",
	} {
		if public(address) == nil {
			t.Errorf("%s is taken for public", address)
		}
	}
	if err := public("93.184.216.34:443"); err != nil {
		t.Error(err)
	}
	srv := httptest.NewTLSServer(status(200))
	defer srv.Close()
	w := &webhook{caller: &caller{srv.URL, guardedClient(false)}, now: time.Now}
	if _, err := w.Send(t.Context(), Message{}); !Permanent(err) {
		t.Errorf("Send to loopback = %v, want a permanent error", err)
	}
}

func TestBadChannelSettingsAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		`[{name: ops, type: pigeon}]`:                                                     `unknown type "pigeon"`,
		`[{name: "Ops!", type: log}]`:                                                     "not an identifier",
		`[{name: ops, type: log}, {name: ops, type: log}]`:                                "twice",
		`[{name: ops, type: log, colour: red}]`:                                           "colour",
		`[{name: ops, type: webhook, url: "ftp://x", secret: ` + testSecret + `}]`:        "url",
		`[{name: ops, type: webhook, url: "http://x", secret: ` + testSecret + `}]`:       "not https",
		`[{name: ops, type: webhook, url: "https://x:8443", secret: ` + testSecret + `}]`: "port 443",
		`[{name: ops, type: webhook, url: "https://u:p@x", secret: ` + testSecret + `}]`:  "user name",
		`[{name: ops, type: webhook, url: "https://x", secret: whsec_short}]`:             "secret",
		`[ops]`: "mapping",
	} {
		_, err := OpenChannels(nodes(t, text), quietLog())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("OpenChannels(%s) = %v, want an error with %q and its line", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "short") {
			t.Errorf("OpenChannels(%s) = %v: shows the secret", text, err)
		}
	}
}

func TestLogChannelSaysWhat(t *testing.T) {
	var b strings.Builder
	ch := logChannel{slog.New(slog.NewTextHandler(&b, nil))}
	m := Message{ID: "d", Alert: bus.Alert{Text: devices.Text{ZH: "三号楼求救", EN: "SOS in building 3"}}}
	if _, err := ch.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "三号楼求救") || !strings.Contains(b.String(), "SOS in building 3") {
		t.Errorf("got %q", b.String())
	}
}
