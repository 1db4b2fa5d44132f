package devices

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestSecretNeverShowsByAccident(t *testing.T) {
	const canary = "canary-in-the-coal-mine"
	s := Secret(canary)
	nested := struct {
		Name   string
		Secret Secret
		Of     map[string]*Secret
	}{"x", s, map[string]*Secret{"y": &s}}
	var out bytes.Buffer
	for _, v := range []any{s, &s, nested, &nested, []Secret{s}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
	}
	text := slog.New(slog.NewTextHandler(&out, nil))
	text.Info("log", "secret", s, "nested", nested)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("log", "secret", s, "nested", nested)
	for _, marshal := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := marshal(nested)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(data)
	}
	out.WriteString(s.String())
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%s is in\n%s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), "***") || s.Reveal() != canary {
		t.Error("the mask or the secret is missing")
	}
}

func TestNewSecretsDiffer(t *testing.T) {
	seen := map[Secret]bool{}
	for range 1000 {
		s := newSecret()
		if seen[s] || checkSecret(s) != nil || strings.ToLower(s.Reveal()) != s.Reveal() {
			t.Fatal("a secret is there twice or has a bad form")
		}
		seen[s] = true
	}
}
