package people

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestPasses(t *testing.T) {
	now := time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)
	ours, others := NewPasses(bytes.Repeat([]byte("k"), 32)), NewPasses(bytes.Repeat([]byte("x"), 32))
	pass := Pass{"a1", "p-2", now.Add(time.Hour)}
	token := ours.Seal(pass)
	if got, err := ours.Read(token, now); err != nil || got.Alert != "a1" || got.Person != "p-2" || !got.Until.Equal(pass.Until) {
		t.Errorf("read %+v, %v", got, err)
	}
	if token != ours.Seal(pass) {
		t.Error("the same pass gives other letters")
	}
	body, signature, _ := strings.Cut(token, ".")
	other, _, _ := strings.Cut(ours.Seal(Pass{"a2", "p-2", pass.Until}), ".")
	for name, c := range map[string]struct {
		token string
		at    time.Time
		want  error
	}{
		"of another installation": {others.Seal(pass), now, ErrForged},
		"of another alert":        {other + "." + signature, now, ErrForged},
		"without a signature":     {body, now, ErrForged},
		"a callback's secret":     {body + "." + ours.Callback("a1|p-2"), now, ErrForged},
		"empty":                   {"", now, ErrForged},
		"not letters":             {"%%%.x", now, ErrForged},
		"expired":                 {token, now.Add(time.Hour), ErrExpired},
	} {
		if _, err := ours.Read(c.token, c.at); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if !ours.IsCallback("sms", ours.Callback("sms")) || ours.IsCallback("voice", ours.Callback("sms")) || ours.IsCallback("sms", "") {
		t.Error("the secret of a callback is that of its channel alone")
	}
}
