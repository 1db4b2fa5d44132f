package people_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
	"linli/people"
)

// communities are two, of which one keeps another time.
type communities struct{}

func (communities) Community(id string) *devices.Community {
	switch id {
	case "garden":
		return &devices.Community{ID: id}
	case "west":
		return &devices.Community{ID: id, Timezone: "Asia/Urumqi"}
	}
	return nil
}

type site struct {
	*people.Directory
	t   testing.TB
	bus *bus.Bus
}

// newSite is a directory on a bus of its own that follows its bucket.
func newSite(t testing.TB) *site {
	t.Helper()
	b := testkit.NATS(t)
	return &site{open(t, b), t, b}
}

func open(t testing.TB, b *bus.Bus) *people.Directory {
	t.Helper()
	kv, err := b.KV(t.Context(), bus.PeopleBucket)
	if err != nil {
		t.Fatal(err)
	}
	d, err := people.Open(t.Context(), kv, communities{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return d
}

func (s *site) put(all ...people.Person) {
	s.t.Helper()
	for _, p := range all {
		if p.Community == "" {
			p.Community = "garden"
		}
		if p.Name == "" {
			p.Name = p.ID
		}
		if err := s.PutPerson(s.t.Context(), p); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *site) rota(r people.Rota) {
	s.t.Helper()
	if r.Community == "" {
		r.Community = "garden"
	}
	if err := s.PutRota(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
}

func phoneOf(id string) []bus.Address { return []bus.Address{{Channel: "sms", To: id}} }

func TestWhoHasWrittenReadsIt(t *testing.T) {
	s := newSite(t)
	s.put(people.Person{ID: "ma", Roles: []people.Role{people.Elder}})
	if !s.Lives("ma", "garden") || s.Lives("ma", "west") || s.Lives("nobody", "garden") {
		t.Error("ma lives in garden, and only there")
	}
	err := s.EditPerson(t.Context(), "ma", func(p *people.Person) error { p.Phone = "13800000000"; return nil })
	if err != nil || s.Person("ma").Phone != "13800000000" {
		t.Errorf("edited: %v, %+v", err, s.Person("ma"))
	}
	if err := s.EditPerson(t.Context(), "nobody", nil); !errors.Is(err, people.ErrNotFound) {
		t.Errorf("edit of nobody: %v", err)
	}
	other := open(t, s.bus)
	testkit.Eventually(t, 30*time.Second, func() bool { return other.Person("ma") != nil && other.Status() == nil })
}

func TestRecordsOfBeforeAreRead(t *testing.T) {
	s := newSite(t)
	kv, err := s.bus.KV(t.Context(), bus.PeopleBucket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "person.old", []byte(`{"id":"old","community":"garden","name":"王奶奶","away":true}`)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.Person("old") != nil })
	p := s.Person("old")
	if written := *p.AwaySince; !p.Away(written) || p.Away(written.Add(-time.Second)) || time.Since(written) > time.Hour {
		t.Errorf("away since %v, want since it was written", p.AwaySince)
	}
}

func TestWhoIsNeededIsNotRemoved(t *testing.T) {
	s := newSite(t)
	s.put(people.Person{ID: "son"}, people.Person{ID: "guard"}, people.Person{ID: "ma", Circle: []people.Member{{Person: "son", Relation: "son"}}})
	s.rota(people.Rota{ID: "duty", Role: people.Duty, Layers: []people.Layer{{People: []string{"guard"}, Turn: people.Daily, Since: "2026-01-05"}}})
	for _, test := range []struct{ id, want string }{
		{"son", `id "son" is in the circle of "ma"`}, {"guard", `id "guard" is in the rota "duty"`}, {"x", `person "x": not registered`},
	} {
		if err := s.RemovePerson(t.Context(), test.id); err == nil || err.Error() != test.want {
			t.Errorf("remove %s: got %v, want %s", test.id, err, test.want)
		}
	}
	if err := errors.Join(s.RemovePerson(t.Context(), "ma"), s.RemovePerson(t.Context(), "son"), s.RemoveRota(t.Context(), "duty")); err != nil {
		t.Error(err)
	}
	if s.Person("ma") != nil || s.Rota("duty") != nil {
		t.Error("removed, and still there")
	}
	s.put(people.Person{ID: "ma"}) // over the mark of the deletion
}
