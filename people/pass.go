package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Passes makes and reads what lets somebody do one thing without an account, by a link that only they were sent. Who has a pass may
// do that thing; nothing is stored of it, and it ends by itself.
type Passes struct{ key []byte }

// NewPasses signs with a key of 32 bytes, the same in every process of an installation.
func NewPasses(key []byte) *Passes { return &Passes{key} }

// Pass lets a person acknowledge an alert.
type Pass struct {
	Alert  string
	Person string // empty: whoever looks after the duty channel it was sent to
	Until  time.Time
}

// PassFor is how long the link of a message is good for.
const PassFor = 24 * time.Hour

// Sent is when the message that a link was in was made.
func (x *Pass) Sent() time.Time { return x.Until.Add(-PassFor) }

// What Read says of a pass that is none.
var (
	ErrForged  = errors.New("not a pass of ours")
	ErrExpired = errors.New("the pass has expired")
)

// Seal writes a pass as letters that may stand in a URL. The same pass gives the same letters.
func (p *Passes) Seal(x Pass) string {
	text := strings.Join([]string{x.Alert, x.Person, strconv.FormatInt(x.Until.Unix(), 36)}, "|")
	return base64.RawURLEncoding.EncodeToString([]byte(text)) + "." + p.sign("pass", text)
}

// Read opens a pass.
func (p *Passes) Read(token string, now time.Time) (Pass, error) {
	text, signature, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(text)
	parts := strings.Split(string(raw), "|")
	if err != nil || len(parts) != 3 || !hmac.Equal([]byte(signature), []byte(p.sign("pass", string(raw)))) {
		return Pass{}, ErrForged
	}
	until, err := strconv.ParseInt(parts[2], 36, 64)
	if err != nil {
		return Pass{}, ErrForged
	}
	x := Pass{parts[0], parts[1], time.Unix(until, 0)}
	if !now.Before(x.Until) {
		return Pass{}, ErrExpired
	}
	return x, nil
}

// Callback is the secret part of the URL that the provider of a channel calls.
func (p *Passes) Callback(channel string) string { return p.sign("callback", channel) }

// IsCallback reports whether a secret is that of a channel. It takes the same time for every wrong one.
func (p *Passes) IsCallback(channel, secret string) bool {
	return hmac.Equal([]byte(secret), []byte(p.Callback(channel)))
}

// sign signs a text for one purpose alone.
func (p *Passes) sign(purpose, text string) string {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(purpose + "\x00" + text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18])
}
