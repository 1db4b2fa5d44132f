package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"linli/devices"
)

var _ = define("webhook", openWebhook)

// webhookSettings are those of a webhook as https://www.standardwebhooks.com has it.
type webhookSettings struct {
	URL    string         `yaml:"url"`
	Secret devices.Secret `yaml:"secret"` // whsec_ and 24 to 64 bytes in base64
	// AllowPrivateAddresses lets this URL be on our own network, in the clear, and on any port.
	AllowPrivateAddresses bool `yaml:"allow_private_addresses"`
}

// webhook posts messages to a URL, signed so that the receiver knows who sent them and when.
type webhook struct {
	url    string
	key    []byte
	client *http.Client
	now    func() time.Time
}

const (
	connectLimit  = 3 * time.Second
	responseLimit = 64 << 10
)

func openWebhook(s webhookSettings, _ *slog.Logger) (Channel, error) {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("url: %q is not an http URL", s.URL)
	case u.User != nil:
		return nil, errors.New("url: has a user name; use the secret")
	case !s.AllowPrivateAddresses && (u.Scheme != "https" || u.Port() != "" && u.Port() != "443"):
		return nil, fmt.Errorf("url: %q is not https on port 443; allow_private_addresses: true allows others", s.URL)
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Secret.Reveal(), "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("secret: want whsec_ and 24 to 64 bytes in base64")
	}
	return &webhook{url: s.URL, key: key, client: webhookClient(s.AllowPrivateAddresses), now: time.Now}, nil
}

// webhookClient looks at every address it connects to, after the name was resolved: a name cannot lead it into our own network.
// It follows no redirect and uses no proxy.
func webhookClient(private bool) *http.Client {
	d := &net.Dialer{Timeout: connectLimit}
	if !private {
		d.Control = func(_, address string, _ syscall.RawConn) error { return public(address) }
	}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: d.DialContext, TLSHandshakeTimeout: connectLimit, ResponseHeaderTimeout: SendLimit,
			MaxResponseHeaderBytes: responseLimit, MaxIdleConnsPerHost: workersOf(true), IdleConnTimeout: time.Minute,
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// notPublic are shared, reserved and translated addresses, which netip counts as global.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/23"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"),
}

// public refuses addresses that are not of the open internet.
func public(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	ip := ap.Addr().Unmap()
	special := slices.ContainsFunc(notPublic, func(p netip.Prefix) bool { return p.Contains(ip) })
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || special {
		return Permanent(fmt.Errorf("%s is a private address", ip))
	}
	return nil
}

// Send implements Channel.
func (w *webhook) Send(ctx context.Context, m Message) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(m.Body))
	if err != nil {
		return Permanent(err)
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "linli")
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(w.key, m.ID, at, m.Body))
	r, err := w.client.Do(req)
	if err != nil {
		return fmt.Errorf("call webhook: %w", hideURL(err))
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(r.Body, responseLimit)) // so that the connection can be used again
	return judge(r)
}

// judge sorts answers. What the receiver's operator can mend (a wrong secret, a route that is not there yet) is tried again.
func judge(r *http.Response) error {
	err := fmt.Errorf("webhook answered %s", r.Status)
	switch c := r.StatusCode; {
	case c >= 200 && c < 300:
		return nil
	case c == http.StatusTooManyRequests || c >= 500:
		return RetryAfter(err, retryAfter(r.Header.Get("Retry-After")))
	case c >= 300 && c < 400, c == http.StatusBadRequest, c == http.StatusGone, c == http.StatusRequestEntityTooLarge,
		c == http.StatusUnsupportedMediaType, c == http.StatusUnprocessableEntity:
		return Permanent(err)
	}
	return err
}

// retryAfter reads a number of seconds or a date; 0 without one.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return max(time.Duration(n)*time.Second, 0)
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// sign is the signature of Standard Webhooks, version 1.
func sign(key []byte, id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// hideURL keeps the URL, which may hold a token, out of errors.
func hideURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
