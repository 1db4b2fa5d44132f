package account

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
)

var cheap = Cost{Memory: 8, Passes: 1, Threads: 1}

// clock is moved by hand.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.ns.Load()).UTC() }
func (c *clock) advance(d time.Duration) { c.ns.Add(int64(d)) }

// open runs accounts on a bus; several on one are several processes.
func open(t *testing.T, b *bus.Bus, c *clock) *Accounts {
	t.Helper()
	users, err := b.KV(t.Context(), bus.UsersBucket)
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := b.KV(t.Context(), bus.SessionsBucket)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), Config{Users: users, Sessions: sessions, Cost: cheap, Log: testkit.Log, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _ = a.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		done.Wait()
	})
	testkit.Eventually(t, 30*time.Second, func() bool { return a.Status() == nil })
	return a
}

func newClock() *clock {
	c := new(clock)
	c.advance(time.Duration(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano()))
	return c
}

const address = "192.0.2.7"

// add makes a user and logs them in.
func add(t *testing.T, a *Accounts, u User) (password, secret string) {
	t.Helper()
	password, err := a.Add(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	secret, _, err = a.Login(t.Context(), u.Name, password, Client{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	return password, secret
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	b, c := testkit.NATS(t), newClock()
	a, other := open(t, b, c), open(t, b, c)
	ctx := t.Context()
	wang := User{Name: "wang", Role: Duty, Communities: []string{"north"}}
	password, first := add(t, a, wang)
	in := func(a *Accounts, secret string) bool { return a.Session(ctx, secret) != nil }
	if p := a.Session(ctx, first); p == nil || p.Name != "wang" || !p.MustChange || !p.Community("north") || p.Community("south") {
		t.Fatalf("principal %+v", p)
	}
	if in(a, "") || in(a, first[1:]) {
		t.Error("a wrong secret is let in")
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return in(other, first) })

	second, _, err := a.ChangePassword(ctx, a.Session(ctx, first), password, "a new and better one", Client{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	if in(a, first) || !in(a, second) || a.Session(ctx, second).MustChange {
		t.Error("after a change of the password the old session is let in, or the new one is not")
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return !in(other, first) })
	if _, _, err := a.Login(ctx, "wang", password, Client{Address: address}); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}

	wang.Disabled = true
	if err := a.Change(ctx, wang); err != nil {
		t.Fatal(err)
	}
	wang.Disabled = false
	if in(a, second) {
		t.Error("a user who is shut out is let in")
	}
	if err := a.Change(ctx, wang); err != nil {
		t.Fatal(err)
	}
	if in(a, second) {
		t.Error("an ended session came back with its user")
	}

	third, _, err := a.Login(ctx, "wang", "a new and better one", Client{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		c.advance(defaultIdle - time.Minute)
		if c.now().Sub(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) >= defaultLifetime {
			break
		}
		if !in(a, third) {
			t.Fatal("a session that is used ended early")
		}
	}
	if in(a, third) {
		t.Error("a session outlived its lifetime")
	}
	fourth, _, err := a.Login(ctx, "wang", "a new and better one", Client{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	c.advance(defaultIdle)
	if in(a, fourth) {
		t.Error("a session that is not used goes on")
	}
	for _, hash := range a.over() {
		if err := a.end(ctx, hash); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.live) != 0 {
		t.Errorf("%d sessions are kept", len(a.live))
	}
}

func TestAUserHasFewSessions(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, testkit.NATS(t), c)
	password, first := add(t, a, User{Name: "li", Role: Admin})
	for range maxUserSessions {
		c.advance(time.Minute)
		if _, _, err := a.Login(t.Context(), "li", password, Client{Address: address}); err != nil {
			t.Fatal(err)
		}
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if len(a.live) != maxUserSessions || a.live[hashOf(first)] != nil {
		t.Errorf("%d sessions, the oldest there: %t", len(a.live), a.live[hashOf(first)] != nil)
	}
}

// TestTenThousandWrongPasswords counts those that were looked at: each costs memory and time.
func TestTenThousandWrongPasswords(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, testkit.NATS(t), c)
	password, _ := add(t, a, User{Name: "zhao", Role: Admin})
	try := func(name, from string) bool {
		_, _, err := a.Login(t.Context(), name, "wrong", Client{Address: from})
		var limited *LimitedError
		if !errors.Is(err, ErrWrong) && !errors.As(err, &limited) {
			t.Fatalf("%s from %s: %v", name, from, err)
		}
		return errors.Is(err, ErrWrong)
	}
	for name, test := range map[string]struct {
		try  func(i int) bool
		most int
	}{
		"one address, one name":    {func(int) bool { return try("zhao", "198.51.100.1") }, pairAllowance.burst},
		"one address, many names":  {func(i int) bool { return try(fmt.Sprint("n", i), "198.51.100.2") }, addressAllowance.burst},
		"many addresses, one name": {func(i int) bool { return try("zhao", fmt.Sprintf("203.0.%d.%d", i/250, i%250)) }, nameAllowance.burst},
		"one network of IPv6":      {func(i int) bool { return try(fmt.Sprint("m", i), fmt.Sprintf("2001:db8::%x", i)) }, addressAllowance.burst},
	} {
		looked := 0
		for i := range 10_000 {
			if test.try(i) {
				looked++
			}
		}
		if looked > test.most || looked == 0 && name != "many addresses, one name" {
			t.Errorf("%s: %d of 10,000 were looked at, want at most %d", name, looked, test.most)
		}
	}
	if _, _, err := a.Login(t.Context(), "zhao", password, Client{Address: address}); err != nil {
		t.Errorf("the owner, where they have been before: %v", err)
	}
	if n := a.limiter.pairs.Len(); n > remembered {
		t.Errorf("%d pairs are remembered", n)
	}
	c.advance(time.Hour)
	if _, _, err := a.Login(t.Context(), "zhao", password, Client{Address: "198.51.100.1"}); err != nil {
		t.Errorf("the right password an hour later: %v", err)
	}
}

func TestPasswordsAreCheckedAFewAtATime(t *testing.T) {
	t.Parallel()
	h := newHasher(cheap)
	for range cap(h.queued) {
		h.queued <- struct{}{}
	}
	if _, err := h.matches(t.Context(), "", "x"); !errors.Is(err, ErrBusy) {
		t.Errorf("one more than may wait: %v", err)
	}
	for range cap(h.queued) {
		<-h.queued
	}
	hash, err := h.hash(t.Context(), "right")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatalf("%s, %v", hash, err)
	}
	for password, want := range map[string]bool{"right": true, "Right": false, "": false} {
		if ok, err := newHasher(UsualCost).matches(t.Context(), hash, password); ok != want || err != nil {
			t.Errorf("%q: %t, %v; a hash carries its own cost", password, ok, err)
		}
	}
	if ok, err := h.matches(t.Context(), "", ""); ok || err != nil {
		t.Errorf("a user without a password: %t, %v", ok, err)
	}
}

func TestEasyPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "short", "1234567890", "aaaaaaaaaaaaaaaa", "wangwei-2026"[:10], "password1234", "\xff\xfe0123456789ab", strings.Repeat("long ", 60)} {
		var invalid *devices.InvalidError
		if err := checkPassword(bad, "wangwei"); !errors.As(err, &invalid) || strings.Contains(err.Error(), "wangwei") || len(bad) > 4 && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, good := range []string{"correct horse", "邻里社区的一个好口令吧", newPassword()} {
		if err := checkPassword(good, "wangwei"); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	a := open(t, testkit.NATS(t), newClock())
	password, err := a.First(t.Context())
	if err != nil || password == "" {
		t.Fatal(password, err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return len(a.Users()) == 1 })
	if again, err := a.First(t.Context()); again != "" || err != nil {
		t.Errorf("a second first password: %q, %v", again, err)
	}
	for _, u := range []User{{Name: "admin", Role: Admin, Disabled: true}, {Name: "admin", Role: Auditor, Communities: []string{All}}} {
		var invalid *devices.InvalidError
		if err := a.Change(t.Context(), u); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", u, err)
		}
	}
	for _, u := range []User{
		{Name: "x", Role: Manager},
		{Name: "x", Role: Family, Communities: []string{"north"}},
		{Name: "X", Role: Admin},
		{Name: "x", Role: "root"},
		{Name: "x", Role: Caretaker},
		{Name: "x", Role: Duty, Communities: []string{"a b"}},
	} {
		if _, err := a.Add(t.Context(), u); err == nil {
			t.Errorf("%+v is accepted", u)
		}
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	c := newClock()
	a := open(t, testkit.NATS(t), c)
	add(t, a, User{Name: "sun", Role: Manager, Communities: []string{"north"}})
	areas := []string{"alerts", "devices"}
	secret, tok, err := a.AddToken(t.Context(), Token{
		User: "sun", Name: "board", Scopes: []string{"alerts:read", "devices:write"}, Expires: c.now().Add(time.Hour),
	}, areas)
	if err != nil {
		t.Fatal(err)
	}
	p := a.Bearer(secret)
	if p == nil || !p.Allows("alerts", false) || p.Allows("alerts", true) || !p.Allows("devices", true) || !p.Allows("devices", false) || p.Allows("people", false) {
		t.Fatalf("principal %+v", p)
	}
	if a.Bearer(secret+"x") != nil || !IsToken(secret) {
		t.Error("another secret is let in")
	}
	for _, bad := range []Token{{Scopes: []string{"alerts"}}, {Scopes: []string{"users:write"}}, {}, {Scopes: []string{"*:read"}, Expires: c.now().AddDate(9, 0, 0)}} {
		bad.User, bad.Name = "sun", "x"
		if bad.Expires.IsZero() {
			bad.Expires = c.now().Add(time.Hour)
		}
		if _, _, err := a.AddToken(t.Context(), bad, areas); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
	c.advance(time.Hour)
	if a.Bearer(secret) != nil {
		t.Error("an expired token is let in")
	}
	if err := a.RemoveToken(t.Context(), tok.ID); err != nil || len(a.Tokens("")) != 0 {
		t.Errorf("removed: %v, %v", err, a.Tokens(""))
	}
}
