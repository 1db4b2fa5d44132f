package account

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"linli/bus/bucket"
	"linli/devices"
)

// Keys of the two buckets begin with these.
const (
	userPrefix    = "user."
	tokenPrefix   = "token."
	sessionPrefix = "session."
)

// Bounds of what is kept.
const (
	maxUsers         = 10_000
	maxUserSessions  = 20 // the oldest ends when there is one more
	maxUserTokens    = 50
	sweepPeriod      = 10 * time.Minute
	defaultIdle      = 12 * time.Hour     // a duty desk is looked at once a shift
	defaultLifetime  = 7 * 24 * time.Hour // however busy
	seenShare        = 20                 // a session's last use is written when it is older than this part of Idle
	adminName        = "admin"
	secretSize       = 32
	tokenMark        = "linli_" // what an API token begins with, so that scanners recognise one that leaked
	maxTokenLifetime = 3 * 366 * 24 * time.Hour
)

// Config is what accounts work with.
type Config struct {
	Users, Sessions jetstream.KeyValue
	Cost            Cost          // zero: UsualCost
	Idle            time.Duration // a session that is not used for so long ends; 0: 12 h
	Lifetime        time.Duration // of a session at most; 0: 7 days
	Log             *slog.Logger
	Now             func() time.Time
}

// Accounts is every user, session and API token. All methods are safe for concurrent use. Writes return when they are in force
// here, which needs Run.
type Accounts struct {
	Config
	hasher  *Hasher
	limiter *limiter

	users, sessions *bucket.Bucket

	mu     sync.RWMutex // guards everything below
	byName map[string]*record
	tokens map[string]*Token   // by the hash of the secret
	live   map[string]*session // by the hash of the secret
}

// Open loads both buckets.
func Open(ctx context.Context, c Config) (*Accounts, error) {
	c.Cost = cmp.Or(c.Cost, UsualCost)
	c.Idle, c.Lifetime = cmp.Or(c.Idle, defaultIdle), cmp.Or(c.Lifetime, defaultLifetime)
	a := &Accounts{
		Config: c, hasher: newHasher(c.Cost), limiter: newLimiter(),
		byName: map[string]*record{}, tokens: map[string]*Token{}, live: map[string]*session{},
	}
	var err error
	if a.users, err = bucket.Open(ctx, c.Users, a.takeUser); err != nil {
		return nil, err
	}
	if a.sessions, err = bucket.Open(ctx, c.Sessions, a.takeSession); err != nil {
		return nil, err
	}
	return a, nil
}

// Run follows the changes of both buckets and removes what has expired until ctx ends.
func (a *Accounts) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, b := range []*bucket.Bucket{a.users, a.sessions} {
		g.Go(func() error { return b.Run(ctx) })
	}
	g.Go(func() error { return a.sweep(ctx) })
	return g.Wait()
}

// Status returns nil while the copies follow the buckets.
func (a *Accounts) Status() error { return errors.Join(a.users.Status(), a.sessions.Status()) }

func (a *Accounts) takeUser(e bucket.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name, ok := strings.CutPrefix(e.Key(), userPrefix); ok {
		return take(a.byName, name, e)
	}
	if hash, ok := strings.CutPrefix(e.Key(), tokenPrefix); ok {
		return take(a.tokens, hash, e)
	}
	return nil
}

func (a *Accounts) takeSession(e bucket.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	hash, _ := strings.CutPrefix(e.Key(), sessionPrefix)
	return take(a.live, hash, e)
}

// take brings an entry into a copy. One that cannot be read counts as gone: it lets nobody in.
func take[T any](all map[string]*T, id string, e bucket.Entry) error {
	delete(all, id)
	if bucket.Gone(e) {
		return nil
	}
	v := new(T)
	if err := json.Unmarshal(e.Value(), v); err != nil {
		return err
	}
	all[id] = v
	return nil
}

// Users returns every user in the order of names.
func (a *Accounts) Users() []User {
	a.mu.RLock()
	defer a.mu.RUnlock()
	all := make([]User, 0, len(a.byName))
	for _, r := range a.byName {
		all = append(all, r.shown())
	}
	slices.SortFunc(all, func(x, y User) int { return cmp.Compare(x.Name, y.Name) })
	return all
}

// User returns the user of that name.
func (a *Accounts) User(name string) (User, error) {
	r := a.record(name)
	if r == nil {
		return User{}, noUser(name)
	}
	return r.shown(), nil
}

func noUser(name string) error { return fmt.Errorf("user %q: %w", name, devices.ErrNotFound) }

// shown is the user with lists that are not null.
func (r *record) shown() User {
	u := r.User
	u.Communities, u.Elders = append([]string{}, u.Communities...), append([]string{}, u.Elders...)
	return u
}

func (a *Accounts) record(name string) *record {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.byName[name]
}

// Add makes a user with a password that is theirs to replace, and returns it.
func (a *Accounts) Add(ctx context.Context, u User) (password string, err error) {
	if err := u.check(); err != nil {
		return "", err
	}
	if a.record(u.Name) != nil {
		return "", fmt.Errorf("user %q: %w", u.Name, devices.ErrExists)
	}
	if len(a.Users()) >= maxUsers {
		return "", &devices.InvalidError{Field: "name", Value: u.Name, Reason: fmt.Sprintf("would be one of more than %d users", maxUsers)}
	}
	revision, password, err := a.create(ctx, u)
	if err != nil {
		return "", err
	}
	return password, a.users.Await(ctx, revision)
}

func (a *Accounts) create(ctx context.Context, u User) (revision uint64, password string, err error) {
	password = newPassword()
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return 0, "", err
	}
	now := a.Now().UTC()
	u.MustChange, u.Created, u.Changed = true, now, now
	revision, err = a.users.Create(ctx, userPrefix+u.Name, record{User: u, Password: hash})
	if errors.Is(err, bucket.ErrExists) {
		return 0, "", fmt.Errorf("user %q: %w", u.Name, devices.ErrExists)
	}
	return revision, password, err
}

// First makes the user "admin" if there is no user at all, and returns the password; else "". It may be called before Run.
func (a *Accounts) First(ctx context.Context) (password string, err error) {
	if len(a.Users()) > 0 {
		return "", nil
	}
	_, password, err = a.create(ctx, User{Name: adminName, Role: Admin})
	if errors.Is(err, devices.ErrExists) { // another process was faster
		return "", nil
	}
	return password, err
}

// ErrChanged says that somebody else has changed a user meanwhile.
var ErrChanged = errors.New("somebody has changed it meanwhile: look again")

// Change replaces what may be changed of a user: role, reach, display name, person, and whether they are shut out, which ends
// their sessions. There is always one admin who may log in. A user with Changed replaces that state alone: another one is ErrChanged.
func (a *Accounts) Change(ctx context.Context, u User) error {
	if err := u.check(); err != nil {
		return err
	}
	if (u.Role != Admin || u.Disabled) && a.lastAdmin(u.Name) {
		return &devices.InvalidError{Field: "role", Value: string(u.Role), Reason: "would leave no admin who may log in"}
	}
	return a.edit(ctx, u.Name, func(r *record) error {
		if !u.Changed.IsZero() && !u.Changed.Equal(r.Changed) {
			return ErrChanged
		}
		if u.Disabled && !r.Disabled {
			r.Epoch++
		}
		u.MustChange, u.Created, u.Language = r.MustChange, r.Created, r.Language
		r.User = u
		return nil
	})
}

// ChangeOwn replaces what somebody may change of themselves: how they are shown, and the language of their pages.
func (a *Accounts) ChangeOwn(ctx context.Context, name, display, language string) (User, error) {
	err := a.edit(ctx, name, func(r *record) error {
		r.Display, r.Language = display, language
		return r.check()
	})
	if err != nil {
		return User{}, err
	}
	return a.User(name)
}

func (a *Accounts) lastAdmin(name string) bool {
	only := false
	for _, u := range a.Users() {
		if u.Role == Admin && !u.Disabled {
			if u.Name != name {
				return false
			}
			only = true
		}
	}
	return only
}

// ResetPassword gives a user a new password, to be replaced by them, and ends their sessions.
func (a *Accounts) ResetPassword(ctx context.Context, name string) (password string, err error) {
	password = newPassword()
	return password, a.setPassword(ctx, name, password, true)
}

func (a *Accounts) setPassword(ctx context.Context, name, password string, mustChange bool) error {
	if a.record(name) == nil {
		return noUser(name)
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return err
	}
	return a.edit(ctx, name, func(r *record) error {
		r.Password, r.MustChange = hash, mustChange
		r.Epoch++
		return nil
	})
}

// edit changes the record of a user that exists.
func (a *Accounts) edit(ctx context.Context, name string, change func(*record) error) error {
	if !devices.ValidID(name) {
		return noUser(name)
	}
	return a.users.Edit(ctx, userPrefix+name, func(old []byte) (any, error) {
		if old == nil {
			return nil, noUser(name)
		}
		var r record
		if err := json.Unmarshal(old, &r); err != nil {
			return nil, err
		}
		if err := change(&r); err != nil {
			return nil, err
		}
		r.Changed = a.Now().UTC()
		return r, nil
	})
}
