package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"linli/bus"
	"linli/web/account"
)

// Who may use a route, within their reach.
var (
	admins   = []account.Role{account.Admin}
	managers = []account.Role{account.Admin, account.Manager}
	acting   = []account.Role{account.Admin, account.Manager, account.Duty, account.Caretaker, account.Family}
	desk     = []account.Role{account.Admin, account.Manager, account.Duty}
	staff    = []account.Role{account.Admin, account.Manager, account.Duty, account.Auditor}
	caring   = []account.Role{account.Admin, account.Manager, account.Duty, account.Auditor, account.Caretaker}
	watching = []account.Role{account.Admin, account.Manager, account.Auditor}
	everyone = account.Roles
)

// access decides who is let in.
type access struct {
	token    [sha256.Size]byte // of the administrator
	accounts *account.Accounts
	secure   bool // browsers reach us over TLS
}

// administrator is who has the administrator's token.
var administrator = account.Principal{User: account.User{Name: "admin", Role: account.Admin}, Via: account.ByAdminToken}

// who returns who asks: by bearer token, else by the cookie of a session; nil if they are not let in. Wrong tokens of the
// administrator all take the same time.
func (a *access) who(r *http.Request) *account.Principal {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, token, _ := strings.Cut(h, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil
		}
		got := sha256.Sum256([]byte(token))
		if subtle.ConstantTimeCompare(got[:], a.token[:]) == 1 {
			p := administrator
			return &p
		}
		if account.IsToken(token) {
			return a.accounts.Bearer(token)
		}
		return nil
	}
	if c, err := r.Cookie(a.cookieName()); err == nil {
		return a.accounts.Session(r.Context(), c.Value)
	}
	return nil
}

// still is who asked, as they are now; nil if they are no longer let in.
func (a *access) still(r *http.Request) *account.Principal { return a.accounts.Still(principal(r)) }

// cookieName is that of the session. A browser accepts one with __Host- over TLS only, and only from this very host.
func (a *access) cookieName() string {
	if a.secure {
		return "__Host-linli_session"
	}
	return "linli_session"
}

// cookie carries the secret of a session; without a secret it ends there. The pages are no part of what a login protects, so
// even a link from elsewhere works with SameSite=Strict: the page it opens asks from this site.
func (a *access) cookie(secret string) *http.Cookie {
	c := &http.Cookie{
		Name: a.cookieName(), Value: secret, Path: "/", HttpOnly: true, Secure: a.secure, SameSite: http.SameSiteStrictMode,
	}
	if secret == "" {
		c.MaxAge = -1
	}
	return c
}

// caller is who asks, and the audit entry of what they ask for.
type caller struct {
	who   *account.Principal
	entry *bus.AuditEntry
}

type callerKey struct{}

func withCaller(r *http.Request, c *caller) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), callerKey{}, c))
}

// callerOf is who asks; who was not let in, on a public route, reaches nothing.
func callerOf(r *http.Request) *caller {
	if c, ok := r.Context().Value(callerKey{}).(*caller); ok {
		return c
	}
	return &caller{&account.Principal{}, new(bus.AuditEntry)}
}

// principal is who asks.
func principal(r *http.Request) *account.Principal { return callerOf(r).who }

// clientAddress is where a request comes from. A proxy on this machine says for whom it asks.
func clientAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.IsLoopback() {
		return host
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	if ip, err := netip.ParseAddr(strings.TrimSpace(chain[len(chain)-1])); err == nil {
		return ip.String()
	}
	return host
}

func clientOf(r *http.Request) account.Client {
	return account.Client{Address: clientAddress(r), Agent: r.UserAgent()}
}

// contentPolicy lets a page load and talk to its own site only, and run no inline script or style.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// secure sets the headers that every answer has.
func (s *Server) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store")
		if s.access.secure { // over plain http browsers ignore it, and complain
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		if s.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
