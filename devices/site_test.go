package devices_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
)

var hashKey = bytes.Repeat([]byte{7}, 32)

// site is a registry with one community of known places, on a bus of its own.
type site struct {
	*devices.Registry
	bus     *bus.Bus
	changes chan devices.Change // the first of them; what does not fit is dropped
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{bus: testkit.NATS(t), changes: make(chan devices.Change, 4096)}
	s.Registry = openRegistry(t, s.bus)
	s.OnChange(func(c devices.Change) {
		select {
		case s.changes <- c:
		default:
		}
	})
	run(t, s.Registry)
	ctx := t.Context()
	for _, c := range []devices.Community{
		{ID: "north", Name: devices.Text{ZH: "北区", EN: "North"}, Estates: []devices.Estate{
			{ID: "e1", Name: devices.Text{ZH: "一号院", EN: "One"}, Buildings: []devices.Building{{ID: "b1", Units: []string{"u1", "u2"}}, {ID: "b2"}}},
			{ID: "e2", Name: devices.Text{ZH: "二号院", EN: "Two"}},
		}},
		{ID: "south", Name: devices.Text{EN: "South"}},
	} {
		if err := s.AddCommunity(ctx, c); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// types is a small catalogue: the tests of the registry do not depend on the built-in one.
func types(t testing.TB) *devices.Catalogue {
	t.Helper()
	cat, err := devices.ReadCatalogue(os.DirFS("testdata/catalogue"))
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

func openRegistry(t testing.TB, b *bus.Bus) *devices.Registry {
	t.Helper()
	kv, err := b.KV(t.Context(), bus.RegistryBucket)
	if err != nil {
		t.Fatal(err)
	}
	r, err := devices.OpenRegistry(t.Context(), kv, types(t), hashKey, func(person, community string) bool { return person == "p1" && community == "north" })
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs r until the test ends, before the bus goes.
func run(t testing.TB, r *devices.Registry) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

func (s *site) add(t testing.TB, d devices.Device) devices.Secret {
	t.Helper()
	secret, err := s.AddDevice(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func bin(id string) devices.Device {
	return devices.Device{ID: id, Community: "north", Type: "bin"}
}
