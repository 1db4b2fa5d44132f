package bucket_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/bus/bucket"
	"linli/internal/testkit"
)

// numbers keeps a copy of numbers by key.
type numbers struct {
	*bucket.Bucket
	kv jetstream.KeyValue

	mu   sync.Mutex // guards copy
	copy map[string]int
}

func (n *numbers) apply(e bucket.Entry) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.copy, e.Key())
	if bucket.Gone(e) {
		return nil
	}
	var x int
	if err := json.Unmarshal(e.Value(), &x); err != nil {
		return err
	}
	n.copy[e.Key()] = x
	return nil
}

func (n *numbers) get(key string) (int, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	x, ok := n.copy[key]
	return x, ok
}

func open(t *testing.T, b *bus.Bus) *numbers {
	t.Helper()
	kv, err := b.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	n := &numbers{kv: kv, copy: map[string]int{}}
	if n.Bucket, err = bucket.Open(t.Context(), kv, n.apply); err != nil {
		t.Fatal(err)
	}
	return n
}

// run follows until the test or the returned function ends it.
func (n *numbers) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func increment(old []byte) (any, error) {
	x := 0
	if old != nil {
		if err := json.Unmarshal(old, &x); err != nil {
			return nil, err
		}
	}
	return x + 1, nil
}

func TestConcurrentEditsAllCount(t *testing.T) {
	b := testkit.NATS(t)
	one, other := open(t, b), open(t, b)
	one.run(t)
	other.run(t)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			if err := []*numbers{one, other}[i%2].Edit(t.Context(), "n", increment); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := one.Edit(t.Context(), "n", increment); err != nil {
		t.Fatal(err)
	}
	if x, _ := one.get("n"); x != 41 {
		t.Errorf("after 41 increments: %d", x)
	}
}

func TestWriterReadsWhatItWrote(t *testing.T) {
	n := open(t, testkit.NATS(t))
	n.run(t)
	for want := 1; want <= 3; want++ {
		if err := n.Edit(t.Context(), "n", increment); err != nil {
			t.Fatal(err)
		}
		if x, _ := n.get("n"); x != want {
			t.Errorf("got %d, want %d", x, want)
		}
	}
	refused := errors.New("no more")
	if err := n.Edit(t.Context(), "n", func([]byte) (any, error) { return nil, refused }); !errors.Is(err, refused) {
		t.Errorf("got %v, want what the change said", err)
	}
	gone := func() bool { _, there := n.get("n"); return !there }
	for range 2 { // the second time there is nothing left to delete
		if err := n.Delete(t.Context(), "n", gone); err != nil || !gone() {
			t.Errorf("delete: %v, gone %t", err, gone())
		}
	}
	if history, err := n.kv.History(t.Context(), "n"); err != nil || len(history) != 1 {
		t.Errorf("%d entries are left of what was deleted: %v", len(history), err)
	}
	if _, err := n.Create(t.Context(), "n", 7); err != nil {
		t.Errorf("create over a deletion: %v", err)
	}
	if _, err := n.Create(t.Context(), "n", 7); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if _, err := n.Create(t.Context(), "n", 8); !errors.Is(err, bucket.ErrExists) {
		t.Errorf("another value: %v, want %v", err, bucket.ErrExists)
	}
}

func TestNothingIsMissedBetweenOpenAndRun(t *testing.T) {
	n := open(t, testkit.NATS(t))
	if n.Status() == nil {
		t.Error("well before it runs")
	}
	if _, err := n.kv.Put(t.Context(), "late", []byte("5")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := n.Edit(ctx, "n", increment); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "stored, but not yet in force here") {
		t.Errorf("a write that nobody follows: %v", err)
	}
	stop := n.run(t)
	testkit.Eventually(t, 30*time.Second, func() bool { x, _ := n.get("late"); y, _ := n.get("n"); return x == 5 && y == 1 })
	if err := n.Status(); err != nil {
		t.Error(err)
	}
	stop()
	if n.Status() == nil {
		t.Error("well after it ended")
	}
}

// lossy is a bucket whose watches the client may lose.
type lossy struct {
	jetstream.KeyValue
	watches chan jetstream.KeyWatcher
}

func (l *lossy) WatchAll(ctx context.Context, o ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	w, err := l.KeyValue.WatchAll(ctx, o...)
	if err == nil {
		l.watches <- w
	}
	return w, err
}

func TestLostWatchIsFollowedByAnother(t *testing.T) {
	b := testkit.NATS(t)
	kv, err := b.KV(t.Context(), bus.SettingsBucket)
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{kv, make(chan jetstream.KeyWatcher, 1)}
	n := &numbers{kv: l, copy: map[string]int{}}
	if n.Bucket, err = bucket.Open(t.Context(), l, n.apply); err != nil {
		t.Fatal(err)
	}
	<-l.watches // of Open
	n.run(t)
	w := <-l.watches
	l.watches <- nil // no room: there is no other before the test wants it
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return n.Status() != nil })
	if _, err := kv.Put(t.Context(), "n", []byte("7")); err != nil {
		t.Fatal(err)
	}
	<-l.watches
	testkit.Eventually(t, 30*time.Second, func() bool { x, _ := n.get("n"); return x == 7 && n.Status() == nil })
}

func TestUnreadableEntryIsNamedUntilItIsMended(t *testing.T) {
	n := open(t, testkit.NATS(t))
	n.run(t)
	if _, err := n.kv.Put(t.Context(), "n", []byte("{")); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { err := n.Status(); return err != nil && strings.Contains(err.Error(), "first n:") })
	if _, err := n.kv.Put(t.Context(), "n", []byte("1")); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return n.Status() == nil })
}
