package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"linli/devices"
)

// Cost is what one argon2id computation takes.
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// UsualCost is what OWASP asks for at least.
var UsualCost = Cost{Memory: 19 << 10, Passes: 2, Threads: 1}

const (
	hashing     = 2  // computations at a time: they take memory and a processor each
	hashWaiting = 32 // that may wait for one of them; one more is turned away
	saltSize    = 16
	keySize     = 32

	minPassword = 10  // runes
	maxPassword = 256 // bytes
)

// ErrBusy says that too many passwords are being checked.
var ErrBusy = errors.New("too many people are logging in at this moment")

// Hasher makes and checks password hashes in the PHC format, a few at a time.
type Hasher struct {
	cost    Cost
	running chan struct{}
	queued  chan struct{}
	dummy   string
}

func newHasher(c Cost) *Hasher {
	h := &Hasher{cost: c, running: make(chan struct{}, hashing), queued: make(chan struct{}, hashing+hashWaiting)}
	h.dummy = c.hash(rand.Text())
	return h
}

// hash makes the hash of a new password.
func (h *Hasher) hash(ctx context.Context, password string) (hash string, err error) {
	err = h.do(ctx, func() { hash = h.cost.hash(password) })
	return hash, err
}

// matches reports whether a password is that of a hash. An empty hash takes as long as any other and matches nothing.
func (h *Hasher) matches(ctx context.Context, hash, password string) (ok bool, err error) {
	known := hash != ""
	if !known {
		hash = h.dummy
	}
	failed := h.do(ctx, func() { ok, err = matches(hash, password) })
	return ok && known, errors.Join(failed, err)
}

func (h *Hasher) do(ctx context.Context, compute func()) error {
	select {
	case h.queued <- struct{}{}:
		defer func() { <-h.queued }()
	default:
		return ErrBusy
	}
	select {
	case h.running <- struct{}{}:
		defer func() { <-h.running }()
	case <-ctx.Done():
		return ctx.Err()
	}
	compute()
	return nil
}

var encoding = base64.RawStdEncoding

func (c Cost) hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, keySize)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, c.Memory, c.Passes, c.Threads,
		encoding.EncodeToString(salt), encoding.EncodeToString(key))
}

func matches(hash, password string) (bool, error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errors.New("stored password: unknown format")
	}
	var version int
	var c Cost
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &c.Memory, &c.Passes, &c.Threads); err != nil {
		return false, fmt.Errorf("stored password: %w", err)
	}
	salt, err := encoding.DecodeString(parts[4])
	want, err2 := encoding.DecodeString(parts[5])
	if err := errors.Join(err, err2); err != nil || version != argon2.Version || len(want) == 0 {
		return false, fmt.Errorf("stored password: version %d: %w", version, err)
	}
	got := argon2.IDKey([]byte(password), salt, c.Passes, c.Memory, c.Threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// checkPassword refuses what is too easily guessed. The error does not repeat it.
func checkPassword(password, name string) error {
	bad := func(reason string) error {
		return &devices.InvalidError{Field: "password", Value: "***", Reason: reason}
	}
	lower := strings.ToLower(password)
	switch {
	case !utf8.ValidString(password) || utf8.RuneCountInString(password) < minPassword:
		return bad(fmt.Sprintf("has fewer than %d characters", minPassword))
	case len(password) > maxPassword:
		return bad(fmt.Sprintf("is longer than %d bytes", maxPassword))
	case strings.Contains(lower, name) && len(lower)-len(name) < minPassword/2:
		return bad("is little more than the user's name")
	case distinct(lower) < 5:
		return bad("repeats too few characters")
	case strings.Contains("01234567890123456789", lower) || strings.Contains("qwertyuiopasdfghjklzxcvbnm", lower) || strings.HasPrefix(lower, "password"):
		return bad("is one of the first that are tried")
	}
	return nil
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// newPassword is one to be told on the phone: 16 letters and digits that are not mistaken for each other, 80 bits.
func newPassword() string {
	const signs = "abcdefghijkmnpqrstuvwxyz23456789" // 32: every byte gives one without bias
	b := make([]byte, 16)
	rand.Read(b) // never fails
	var s strings.Builder
	for i, c := range b {
		if i > 0 && i%4 == 0 {
			s.WriteByte('-')
		}
		s.WriteByte(signs[c%32])
	}
	return s.String()
}
