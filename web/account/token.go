package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"linli/devices"
)

// Token lets a program in on behalf of a user, with no more than their role and reach and only within its scopes.
type Token struct {
	ID      string    `json:"id"`
	User    string    `json:"user"`
	Name    string    `json:"name"` // what it is for
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// idSize is how much of the hash of a secret serves as the id of a token.
const idSize = 16

// AddToken makes a token for a user. The secret is shown this once. areas are those a scope may name.
func (a *Accounts) AddToken(ctx context.Context, t Token, areas []string) (secret string, _ Token, err error) {
	now := a.Now().UTC()
	bad := func(field, value, reason string) (string, Token, error) {
		return "", Token{}, &devices.InvalidError{Field: field, Value: value, Reason: reason}
	}
	switch {
	case a.record(t.User) == nil:
		return "", Token{}, noUser(t.User)
	case t.Name == "" || len(t.Name) > 200:
		return bad("name", t.Name, "has not 1 to 200 bytes")
	case !t.Expires.After(now) || t.Expires.Sub(now) > maxTokenLifetime:
		return bad("expires", t.Expires.Format(time.RFC3339), "is not within the next three years")
	case len(t.Scopes) == 0 || len(t.Scopes) > 50:
		return bad("scopes", "", "has not 1 to 50 entries")
	case len(a.Tokens(t.User)) >= maxUserTokens:
		return bad("name", t.Name, fmt.Sprintf("would be one of more than %d tokens of that user", maxUserTokens))
	}
	for _, s := range t.Scopes {
		area, mode, _ := strings.Cut(s, ":")
		if area != "*" && !slices.Contains(areas, area) || mode != "read" && mode != "write" {
			return bad("scopes", s, "is not AREA:read or AREA:write with an area out of *, "+strings.Join(areas, ", "))
		}
	}
	secret, _ = newSecret()
	secret = tokenMark + secret
	hash := hashOf(secret)
	t.ID, t.Created, t.Expires = hash[:idSize], now, t.Expires.UTC()
	revision, err := a.users.Create(ctx, tokenPrefix+hash, t)
	if err == nil {
		err = a.users.Await(ctx, revision)
	}
	return secret, t, err
}

// Tokens returns the tokens of a user, or all if the name is empty, the newest first.
func (a *Accounts) Tokens(user string) []Token {
	a.mu.RLock()
	defer a.mu.RUnlock()
	all := []Token{}
	for _, t := range a.tokens {
		if user == "" || t.User == user {
			all = append(all, *t)
		}
	}
	slices.SortFunc(all, func(x, y Token) int { return cmp.Or(y.Created.Compare(x.Created), cmp.Compare(x.ID, y.ID)) })
	return all
}

// RemoveToken ends the token of that id.
func (a *Accounts) RemoveToken(ctx context.Context, id string) error {
	a.mu.RLock()
	var found string
	for hash, t := range a.tokens {
		if t.ID == id {
			found = hash
		}
	}
	a.mu.RUnlock()
	if found == "" {
		return fmt.Errorf("token %q: %w", id, devices.ErrNotFound)
	}
	return a.users.Delete(ctx, tokenPrefix+found, func() bool {
		a.mu.RLock()
		defer a.mu.RUnlock()
		return a.tokens[found] == nil
	})
}

// IsToken reports whether a bearer token looks like one of ours.
func IsToken(secret string) bool { return strings.HasPrefix(secret, tokenMark) }

// Bearer returns who has the token with that secret, or nil.
func (a *Accounts) Bearer(secret string) *Principal {
	hash := hashOf(secret)
	a.mu.RLock()
	t := a.tokens[hash]
	a.mu.RUnlock()
	if t == nil {
		return nil
	}
	return a.bearer(hash, t)
}

func (a *Accounts) bearer(hash string, t *Token) *Principal {
	r := a.record(t.User)
	if r == nil || r.Disabled || !a.Now().Before(t.Expires) {
		return nil
	}
	return &Principal{User: r.shown(), Via: ByToken, Scopes: t.Scopes, Expires: t.Expires, key: hash}
}
