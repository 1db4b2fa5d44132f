package account

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"linli/devices"
)

// session is one login. It is kept under the hash of its secret, so the bucket lets nobody in.
type session struct {
	User    string    `json:"user"`
	Epoch   int       `json:"epoch"` // of the user when they logged in
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // last use, exact to a twentieth of Config.Idle
	Client
}

// Client is where somebody logs in from.
type Client struct {
	Address string `json:"address,omitempty"`
	Agent   string `json:"agent,omitempty"` // what their browser says of itself, at most maxAgent bytes
}

const maxAgent = 300

// Session is a session as its user sees it.
type Session struct {
	ID      string    `json:"id"` // not its secret
	Created time.Time `json:"created"`
	Seen    time.Time `json:"seen"` // last use, within the hour
	Client
}

// ErrWrong says that name and password do not go together, or that the user is shut out: which of it is nobody's business.
var ErrWrong = errors.New("the name or the password is wrong")

// newSecret returns a random secret and the hash it is kept under.
func newSecret() (secret, hash string) {
	b := make([]byte, secretSize)
	rand.Read(b) // never fails
	secret = base64.RawURLEncoding.EncodeToString(b)
	return secret, hashOf(secret)
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// Login checks a password tried from somewhere and begins a session. The error is ErrWrong, ErrBusy or a *LimitedError unless
// something is broken.
func (a *Accounts) Login(ctx context.Context, name, password string, from Client) (secret string, p *Principal, err error) {
	name = strings.ToLower(strings.TrimSpace(name))
	r, err := a.check(ctx, name, password, from.Address)
	if err != nil {
		return "", nil, err
	}
	return a.begin(ctx, r, from)
}

// check returns the user if the password is right.
func (a *Accounts) check(ctx context.Context, name, password, address string) (*record, error) {
	if !devices.ValidID(name) || len(password) > maxPassword {
		name, password = "-", "" // counted and hashed like any other
	}
	if err := a.limiter.take(address, name, a.Now()); err != nil {
		return nil, err
	}
	r := a.record(name)
	hash := ""
	if r != nil {
		hash = r.Password
	}
	ok, err := a.hasher.matches(ctx, hash, password)
	if err != nil {
		return nil, err
	}
	if !ok || r.Disabled {
		return nil, ErrWrong
	}
	a.limiter.forgive(address, name)
	return r, nil
}

// begin begins a session of a user as they were when their password was checked: if it is changed meanwhile the session is void.
func (a *Accounts) begin(ctx context.Context, r *record, from Client) (secret string, p *Principal, err error) {
	if err := a.makeRoom(ctx, r.Name); err != nil {
		return "", nil, err
	}
	secret, hash := newSecret()
	now := a.Now().UTC()
	from.Agent = from.Agent[:min(len(from.Agent), maxAgent)]
	s := session{User: r.Name, Epoch: r.Epoch, Created: now, Seen: now, Client: from}
	revision, err := a.sessions.Create(ctx, sessionPrefix+hash, s)
	if err == nil {
		err = a.sessions.Await(ctx, revision)
	}
	if err != nil {
		return "", nil, err
	}
	if p = a.principal(hash, &s); p == nil {
		return "", nil, ErrWrong
	}
	return secret, p, nil
}

// makeRoom ends the oldest sessions of a user, so that one more is no more than maxUserSessions.
func (a *Accounts) makeRoom(ctx context.Context, name string) error {
	type own struct {
		hash string
		seen time.Time
	}
	a.mu.RLock()
	var all []own
	for hash, s := range a.live {
		if s.User == name {
			all = append(all, own{hash, s.Seen})
		}
	}
	a.mu.RUnlock()
	slices.SortFunc(all, func(x, y own) int { return x.seen.Compare(y.seen) })
	for len(all) >= maxUserSessions {
		if err := a.end(ctx, all[0].hash); err != nil {
			return err
		}
		all = all[1:]
	}
	return nil
}

// Session returns who has a session with that secret, or nil, and notes that it is used.
func (a *Accounts) Session(ctx context.Context, secret string) *Principal {
	hash := hashOf(secret)
	a.mu.RLock()
	s := a.live[hash]
	a.mu.RUnlock()
	if s == nil {
		return nil
	}
	p := a.principal(hash, s)
	if p == nil {
		return nil
	}
	if now := a.Now().UTC(); now.Sub(s.Seen) > a.Idle/seenShare {
		if err := a.touch(ctx, hash, now); err != nil {
			a.Log.Warn("use of a session not noted", "user", s.User, "err", err)
		}
	}
	return p
}

// principal returns whose a session is; nil if it has ended.
func (a *Accounts) principal(hash string, s *session) *Principal {
	r := a.record(s.User)
	now := a.Now()
	if r == nil || r.Disabled || r.Epoch != s.Epoch || a.expired(s, now) {
		return nil
	}
	return &Principal{User: r.shown(), Via: BySession, Expires: s.Created.Add(a.Lifetime), key: hash}
}

func (a *Accounts) expired(s *session, now time.Time) bool {
	return now.Sub(s.Created) >= a.Lifetime || now.Sub(s.Seen) >= a.Idle
}

// errEnded ends an edit of a session that is gone.
var errEnded = errors.New("the session has ended")

func (a *Accounts) touch(ctx context.Context, hash string, now time.Time) error {
	err := a.sessions.Edit(ctx, sessionPrefix+hash, func(old []byte) (any, error) {
		var s session
		if old == nil {
			return nil, errEnded
		}
		if err := json.Unmarshal(old, &s); err != nil {
			return nil, err
		}
		s.Seen = now
		return s, nil
	})
	if errors.Is(err, errEnded) {
		return nil
	}
	return err
}

// Still reports whether who asked some time ago would still be let in, with the same role and reach or others.
func (a *Accounts) Still(p *Principal) *Principal {
	a.mu.RLock()
	s, t := a.live[p.key], a.tokens[p.key]
	a.mu.RUnlock()
	switch {
	case p.Via == BySession && s != nil:
		return a.principal(p.key, s)
	case p.Via == ByToken && t != nil:
		return a.bearer(p.key, t)
	case p.Via == ByAdminToken:
		return p
	}
	return nil
}

// Logout ends the session with that secret, if there is one.
func (a *Accounts) Logout(ctx context.Context, secret string) error {
	return a.end(ctx, hashOf(secret))
}

func (a *Accounts) end(ctx context.Context, hash string) error {
	return a.sessions.Delete(ctx, sessionPrefix+hash, func() bool {
		a.mu.RLock()
		defer a.mu.RUnlock()
		return a.live[hash] == nil
	})
}

// sessionID names a session without letting anybody in.
func sessionID(hash string) string { return hash[:min(len(hash), 16)] }

// Sessions are those of a user that let somebody in, the last used first.
func (a *Accounts) Sessions(name string) []Session {
	all := []Session{}
	a.mu.RLock()
	for hash, s := range a.live {
		if r := a.byName[s.User]; s.User == name && r != nil && r.Epoch == s.Epoch && !a.expired(s, a.Now()) {
			all = append(all, Session{sessionID(hash), s.Created, s.Seen, s.Client})
		}
	}
	a.mu.RUnlock()
	slices.SortFunc(all, func(x, y Session) int { return cmp.Or(y.Seen.Compare(x.Seen), cmp.Compare(x.ID, y.ID)) })
	return all
}

// SessionID is the id of the session that somebody asks by; empty if there is none.
func (p *Principal) SessionID() string {
	if p.Via != BySession {
		return ""
	}
	return sessionID(p.key)
}

// EndSession ends one session of a user.
func (a *Accounts) EndSession(ctx context.Context, name, id string) error {
	var found string
	a.mu.RLock()
	for hash, s := range a.live {
		if s.User == name && sessionID(hash) == id {
			found = hash
		}
	}
	a.mu.RUnlock()
	if found == "" {
		return fmt.Errorf("session %q: %w", id, devices.ErrNotFound)
	}
	return a.end(ctx, found)
}

// ChangePassword replaces the password of who asks. All their sessions end; the secret is that of a new one.
func (a *Accounts) ChangePassword(ctx context.Context, p *Principal, old, password string, from Client) (secret string, now *Principal, err error) {
	if err := checkPassword(password, p.Name); err != nil {
		return "", nil, err
	}
	if old == password {
		return "", nil, &devices.InvalidError{Field: "password", Value: "***", Reason: "is the one to be replaced"}
	}
	if _, err := a.check(ctx, p.Name, old, from.Address); err != nil {
		return "", nil, err
	}
	if err := a.setPassword(ctx, p.Name, password, false); err != nil {
		return "", nil, err
	}
	return a.begin(ctx, a.record(p.Name), from)
}

// sweep removes sessions that have ended, now and then, until ctx ends.
func (a *Accounts) sweep(ctx context.Context) error {
	tick := time.NewTicker(sweepPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, hash := range a.over() {
			if err := a.end(ctx, hash); err != nil && ctx.Err() == nil {
				a.Log.Warn("session not removed", "err", err)
				break
			}
		}
	}
}

// over returns the sessions that let nobody in any more.
func (a *Accounts) over() []string {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var hashes []string
	for hash, s := range a.live {
		if r := a.byName[s.User]; r == nil || r.Epoch != s.Epoch || a.expired(s, a.Now()) {
			hashes = append(hashes, hash)
		}
	}
	return hashes
}
