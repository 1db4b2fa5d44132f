package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// keep returns the random 32-byte secret kept in a file of the data directory, made at the first start with mode 0600.
func keep(dir, name string) (string, error) {
	path := filepath.Join(dir, name)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeSecret(path)
	}
	if err != nil {
		return "", err
	}
	s := strings.TrimSpace(string(b))
	if raw, err := hex.DecodeString(s); err != nil || len(raw) != 32 {
		return "", fmt.Errorf("%s does not hold 64 hexadecimal digits", path)
	}
	return s, nil
}

// makeSecret writes through a temporary file, so that a crash leaves no half secret.
func makeSecret(path string) (string, error) {
	s := hex.EncodeToString(randomBytes(32))
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return "", err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(s + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", err
	}
	return s, os.Rename(f.Name(), path)
}

// share returns the random 32-byte secret that all processes of an installation have under a name, made by the first that asks.
func share(ctx context.Context, kv jetstream.KeyValue, name string) ([]byte, error) {
	secret := randomBytes(32)
	_, err := kv.Create(ctx, name, secret)
	if err == nil {
		return secret, nil
	}
	if !errors.Is(err, jetstream.ErrKeyExists) {
		return nil, fmt.Errorf("make %s: %w", name, err)
	}
	e, err := kv.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return e.Value(), nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}
