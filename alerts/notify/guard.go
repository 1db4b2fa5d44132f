package notify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Endpoint are the settings of a place on the network that a channel talks to; its own settings have it inline.
type endpoint struct {
	URL string `yaml:"url"`
	// AllowPrivateAddresses lets this URL be on our own network, in the clear, and on any port.
	AllowPrivateAddresses bool `yaml:"allow_private_addresses"`
}

const (
	connectLimit  = 3 * time.Second
	responseLimit = 64 << 10
)

// open checks the URL, which is usual unless the settings say otherwise, and makes the client for it.
func (e endpoint) open(usual string) (*caller, error) {
	if e.URL == "" {
		e.URL = usual
	}
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("url: %q is not an http URL", e.URL)
	case u.User != nil:
		return nil, errors.New("url: has a user name; use the secret")
	case !e.AllowPrivateAddresses && (u.Scheme != "https" || u.Port() != "" && u.Port() != "443"):
		return nil, fmt.Errorf("url: %q is not https on port 443; allow_private_addresses: true allows others", e.URL)
	}
	return &caller{url: e.URL, client: guardedClient(e.AllowPrivateAddresses)}, nil
}

// guardedDialer looks at every address it connects to, after the name was resolved: a name cannot lead it into our own network.
func guardedDialer(private bool) *net.Dialer {
	d := &net.Dialer{Timeout: connectLimit}
	if !private {
		d.Control = func(_, address string, _ syscall.RawConn) error { return public(address) }
	}
	return d
}

// guardedClient follows no redirect and uses no proxy.
func guardedClient(private bool) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext: guardedDialer(private).DialContext, TLSHandshakeTimeout: connectLimit, ResponseHeaderTimeout: SendLimit,
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
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("::/96"), netip.MustParsePrefix("fec0::/10"),
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
		return refuse(BadTarget, "", "%s is a private address", ip)
	}
	return nil
}

// caller makes the requests of a channel.
type caller struct {
	url    string
	client *http.Client
}

// do makes a request and reads its answer. Its errors say whether the request may have arrived, and never show the URL, which may
// hold a token. The status is for the channel to judge, see judgeStatus.
func (c *caller) do(ctx context.Context, req *http.Request) (status int, header http.Header, body []byte, err error) {
	sent := false
	trace := &httptrace.ClientTrace{WroteHeaders: func() { sent = true }}
	req.Header.Set("User-Agent", "linli")
	r, err := c.client.Do(req.WithContext(httptrace.WithClientTrace(ctx, trace)))
	if err == nil {
		defer r.Body.Close()
		body, err = io.ReadAll(io.LimitReader(r.Body, responseLimit))
	}
	switch {
	case err == nil:
		return r.StatusCode, r.Header, body, nil
	case errors.As(err, new(*SendError)):
		return 0, nil, nil, hideURL(err)
	case sent:
		return 0, nil, nil, &SendError{Class: InDoubt, Err: fmt.Errorf("no answer: %w", hideURL(err))}
	}
	return 0, nil, nil, fmt.Errorf("call: %w", hideURL(err))
}

// judgeStatus sorts answers by their HTTP status; nil for 2xx. What the other side's operator can mend (a wrong secret, a route
// that is not there yet) is tried again.
func judgeStatus(status int, header http.Header) error {
	text := strconv.Itoa(status)
	err := refuse(Retry, text, "answered %s %s", text, http.StatusText(status))
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests:
		err.Class, err.After, err.Account = RateLimited, waitOf(header.Get("Retry-After")), true
	case status >= 500:
		err.After = waitOf(header.Get("Retry-After"))
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		err.Class = Auth
	case status == http.StatusGone, status >= 300 && status < 400:
		err.Class = BadTarget
	case status == http.StatusBadRequest, status == http.StatusRequestEntityTooLarge, status == http.StatusUnsupportedMediaType,
		status == http.StatusUnprocessableEntity:
		err.Class = BadMessage
	}
	return err
}

// waitOf reads a number of seconds or a date; 0 without one.
func waitOf(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return max(time.Duration(n)*time.Second, 0)
	}
	if at, err := http.ParseTime(s); err == nil {
		return max(time.Until(at), 0)
	}
	return 0
}

// hideURL keeps the URL out of errors.
func hideURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
