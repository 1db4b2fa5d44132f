package devices

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
)

// Secret is a password in the clear. Printed, logged or marshalled it is ***; only Reveal shows it.
type Secret string

const masked = "***"

// Reveal returns the secret itself, for the one who is meant to have it.
func (s Secret) Reveal() string { return string(s) }

func (Secret) String() string { return masked }

// Format masks the secret under every verb, %x and %#v too.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(masked)) }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(masked) }

// MarshalText masks the secret in JSON, but not as the key of a map: JSON writes the strings of keys as they are.
func (Secret) MarshalText() ([]byte, error) { return []byte(masked), nil }

// MarshalYAML implements yaml.Marshaler.
func (Secret) MarshalYAML() (any, error) { return masked, nil }

// secretBytes is the entropy of a generated secret: 160 bits, 32 characters.
const secretBytes = 20

// newSecret draws a secret. Lower-case base32 survives being read aloud, typed and printed on a label.
func newSecret() Secret {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails
	return Secret(strings.ToLower(base32.StdEncoding.EncodeToString(b)))
}

// checkSecret says what is wrong with a secret chosen by somebody else.
func checkSecret(s Secret) error {
	if len(s) < 16 || len(s) > 128 {
		return &InvalidError{"secret", masked, "must have 16 to 128 characters"}
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return &InvalidError{"secret", masked, "must be printable ASCII without spaces"}
		}
	}
	return nil
}

// hash is the keyed hash that is stored. The id is part of it: a hash copied to another device opens nothing.
func (r *Registry) hash(device string, s Secret) string {
	m := hmac.New(sha256.New, r.key)
	m.Write([]byte(device))
	m.Write([]byte{0})
	m.Write([]byte(s))
	return hex.EncodeToString(m.Sum(nil))
}

// Verify reports whether d may connect with that secret: it is registered, active, and the secret is its own. A nil d takes as
// long as a wrong secret.
func (r *Registry) Verify(d *Device, secret string) bool {
	var id, want string
	if d != nil && d.State == Active {
		id, want = d.ID, d.SecretHash
	}
	return hmac.Equal([]byte(r.hash(id, Secret(secret))), []byte(want))
}
