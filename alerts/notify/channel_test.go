package notify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
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
	"linli/internal/providers"
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

func open(t testing.TB, kind, settings string) Channel {
	t.Helper()
	ch, err := kinds[kind](&nodes(t, settings)[0], quietLog())
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// sample is a message with everything in it.
func sample(id, to string) Message {
	b := body{
		ID: id, Event: "opened", N: 1, Language: "zh", Link: "https://linli.example/a/token",
		Alert: bus.Alert{
			ID: "a1", Rule: "wb_sos", Severity: bus.Critical, Safety: true, Community: "tianjin",
			Name: devices.Text{ZH: "手环求救", EN: "Wristband SOS"}, Text: devices.Text{ZH: "马奶奶按下求救", EN: "Grandma Ma calls for help"},
			Place: devices.Place{Building: "12号楼", Unit: "301"}, EventTime: time.Date(2026, 11, 1, 2, 3, 0, 0, time.UTC),
			Instructions: devices.Text{ZH: "拨打120", EN: "Call 120"},
		},
	}
	data, err := json.Marshal(b)
	if err != nil {
		panic(err)
	}
	title, text := compose(&b)
	return Message{
		ID: id, To: to, Language: "zh", Event: "opened", Alert: b.Alert, Title: title, Text: text, Link: b.Link, Body: data, Made: time.Now(),
	}
}

// TestEveryChannel is the contract of a channel.
func TestEveryChannel(t *testing.T) {
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		c, known := contracts[kind]
		if !known {
			t.Errorf("channel kind %q is not in this suite", kind)
			continue
		}
		if c.start == nil || kind == "smtp" {
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			t.Run("is taken", func(t *testing.T) { c.isTaken(t, kind) })
			t.Run("wrong secret is refused", func(t *testing.T) { c.wrongSecret(t, kind) })
			t.Run("errors have their class", func(t *testing.T) { c.classes(t, kind) })
			t.Run("long texts are cut", func(t *testing.T) { c.longText(t, kind) })
			t.Run("quota", func(t *testing.T) { c.quota(t, kind) })
			t.Run("lost answer", func(t *testing.T) { c.lostAnswer(t, kind) })
			t.Run("keeps out of our network", func(t *testing.T) { c.guarded(t, kind) })
		})
	}
}

func (c contract) isTaken(t *testing.T, kind string) {
	settings, _, p := c.start(t)
	ch := open(t, kind, settings)
	r, err := ch.Send(t.Context(), sample("d-1", c.to))
	if err != nil {
		t.Fatal(err)
	}
	got := p.Visible()
	if len(got) != 1 || !strings.Contains(got[0].Text, "手环求救") || !strings.Contains(got[0].Text, "12号楼") && !strings.Contains(got[0].Text, "马奶奶") {
		t.Fatalf("people see %+v, want one message with what and where", got)
	}
	if c.to != "" && got[0].To != c.to {
		t.Errorf("to %q, want %q", got[0].To, c.to)
	}
	if c.link && !strings.Contains(got[0].Text+got[0].Link, "https://linli.example/a/token") {
		t.Errorf("%+v has no link", got[0])
	}
	if ch.Caps().Receipts && r.ID == "" {
		t.Error("a channel with receipts gives no id of one")
	}
}

func (c contract) wrongSecret(t *testing.T, kind string) {
	_, wrong, p := c.start(t)
	_, err := open(t, kind, wrong).Send(t.Context(), sample("d-1", c.to))
	if classOf(err) != Auth || len(p.Visible()) != 0 || len(p.Refused()) != 1 {
		t.Errorf("Send = %v (%s), people see %v, refused %v; want it refused", err, classOf(err), p.Visible(), p.Refused())
	}
	if err != nil && (strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), p.URL)) {
		t.Errorf("Send = %v: shows the secret or the URL", err)
	}
}

func (c contract) classes(t *testing.T, kind string) {
	settings, _, p := c.start(t)
	ch := open(t, kind, settings)
	for status, want := range map[int]Class{502: Retry, 429: RateLimited, 403: Auth, 410: BadTarget, 302: BadTarget, 413: BadMessage} {
		p.Will(providers.Fault{Status: status, Header: http.Header{"Retry-After": {"7"}, "Location": {"http://127.0.0.1:1/"}}})
		_, err := ch.Send(t.Context(), sample("d-1", c.to))
		if classOf(err) != want {
			t.Errorf("status %d: %v (%s), want %s", status, err, classOf(err), want)
		}
		if want := 7 * time.Second; (status == 502 || status == 429) && delay(0, err) != want {
			t.Errorf("status %d: wait %v, want %v", status, delay(0, err), want)
		}
	}
	for code, want := range c.codes {
		p.Will(providers.Fault{Code: code})
		_, err := ch.Send(t.Context(), sample("d-1", c.to))
		if classOf(err) != want {
			t.Errorf("200 with code %s: %v (%s), want %s", code, err, classOf(err), want)
		}
		if want == RateLimited && delay(0, err) < time.Second {
			t.Errorf("200 with code %s: wait %v", code, delay(0, err))
		}
	}
	if got := p.Visible(); len(got) != 0 {
		t.Errorf("people see %v", got)
	}
	p.Close()
	if _, err := open(t, kind, settings).Send(t.Context(), sample("d-1", c.to)); classOf(err) != Retry {
		t.Errorf("nobody listens: %v (%s), want %s", err, classOf(err), Retry)
	}
}

func (c contract) longText(t *testing.T, kind string) {
	settings, _, p := c.start(t)
	m := sample("d-1", c.to)
	m.Text = strings.Repeat("长", 30_000)
	m.Alert.Place.Building = strings.Repeat("楼", 100)
	if _, err := open(t, kind, settings).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := p.Visible(); len(got) != 1 || c.link && !strings.Contains(got[0].Text+got[0].Link, m.Link) {
		t.Errorf("people see %d messages, want one with the link", len(got))
	}
}

// One message more than the quota is refused, and the governor knows of no larger quota.
func (c contract) quota(t *testing.T, kind string) {
	settings, _, _ := c.start(t)
	ch := open(t, kind, settings)
	if c.limit == 0 {
		if len(ch.Caps().Limits) != 0 {
			t.Error("limits that are not in this suite")
		}
		return
	}
	for i := range c.limit {
		if _, err := ch.Send(t.Context(), sample(fmt.Sprint("d-", i), c.to)); err != nil {
			t.Fatalf("message %d: %v", i+1, err)
		}
	}
	if _, err := ch.Send(t.Context(), sample("d-more", c.to)); classOf(err) != RateLimited {
		t.Errorf("one too many: %v (%s)", err, classOf(err))
	}
	tightest := slices.MinFunc(ch.Caps().Limits, func(a, b Limit) int { return a.Max - b.Max })
	if tightest.Max != c.limit || tightest.Reserved == 0 && tightest.Max > 1 {
		t.Errorf("limit %+v, want %d with a share for life-safety", tightest, c.limit)
	}
}

// A message whose answer is lost is in doubt. It is seen once where the provider dedupes or can be asked.
func (c contract) lostAnswer(t *testing.T, kind string) {
	settings, _, p := c.start(t)
	ch := open(t, kind, settings)
	p.Will(providers.Fault{Drop: true})
	m := sample("delivery-with-an-id-of-26-", c.to)
	if _, err := ch.Send(t.Context(), m); classOf(err) != InDoubt {
		t.Fatalf("Send = %v (%s), want %s", err, classOf(err), InDoubt)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	p.Will(providers.Fault{Delay: time.Minute})
	if _, err := ch.Send(ctx, sample("d-2", c.to)); classOf(err) != InDoubt {
		t.Errorf("Send = %v (%s) without an answer in time, want %s", err, classOf(err), InDoubt)
	}
	if ch.Caps().Dedupes > 0 {
		if _, err := ch.Send(t.Context(), m); err != nil || len(p.Visible()) != 1 {
			t.Errorf("sent again: %v, people see %d messages, want one", err, len(p.Visible()))
		}
	}
}

func (c contract) guarded(t *testing.T, kind string) {
	settings, _, p := c.start(t)
	strict := strings.Replace(settings, ", allow_private_addresses: true", "", 1)
	if _, err := kinds[kind](&nodes(t, strict)[0], quietLog()); err == nil || !strings.Contains(err.Error(), "https") {
		t.Errorf("opened with a URL in the clear: %v", err)
	}
	ch := open(t, kind, strings.ReplaceAll(strict, p.URL, strings.Replace(p.URL[:strings.LastIndex(p.URL, ":")], "http:", "https:", 1)))
	if _, err := ch.Send(t.Context(), sample("d-1", c.to)); classOf(err) != BadTarget {
		t.Errorf("Send to loopback = %v (%s), want %s", err, classOf(err), BadTarget)
	}
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
		"[64:ff9b::a00:1]:443", "[::10.0.0.1]:443", "[fec0::1]:443", "[2002:a00:1::]:443", "198.18.0.1:443", "255.255.255.255:443",
	} {
		if public(address) == nil {
			t.Errorf("%s is taken for public", address)
		}
	}
	if err := public("93.184.216.34:443"); err != nil {
		t.Error(err)
	}
	srv := httptest.NewTLSServer(http.NotFoundHandler())
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
