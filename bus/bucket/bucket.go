// Package bucket keeps a copy in memory of a key-value bucket: it reads all of it, follows its changes, and writes by
// compare-and-set only. A write returns when the copy has it, so who has written reads what they wrote.
//
// It must not know what the entries mean: who keeps the copy decodes them.
package bucket

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrExists says that a key holds something else than its writer expected.
var ErrExists = errors.New("exists already")

var errLost = errors.New("the watch is lost")

// Entry is a key with its value; nil once the key is deleted.
type Entry = jetstream.KeyValueEntry

// Gone reports whether an entry says that its key is deleted.
func Gone(e Entry) bool { return e.Operation() != jetstream.KeyValuePut }

// Bucket is a bucket that is followed. Reads are its keeper's; writes are safe for concurrent use.
type Bucket struct {
	kv    jetstream.KeyValue
	apply func(Entry) error

	mu         sync.Mutex // guards what follows
	seen       uint64     // revision of the last entry in the copy
	step       chan struct{}
	trouble    error            // why the copy does not follow
	unreadable map[string]error // by key
}

// Open hands all that the bucket holds to apply, which brings it into the copy; later Run hands it every change. It is called for
// one entry at a time. Its error says that the entry cannot be read and stands in Status until a later one can.
func Open(ctx context.Context, kv jetstream.KeyValue, apply func(Entry) error) (*Bucket, error) {
	b := &Bucket{kv: kv, apply: apply, step: make(chan struct{}), unreadable: map[string]error{}, trouble: errors.New("not begun")}
	if err := b.load(ctx); err != nil {
		return nil, fmt.Errorf("load %s: %w", kv.Bucket(), err)
	}
	return b, nil
}

func (b *Bucket) load(ctx context.Context) error {
	w, err := b.kv.WatchAll(ctx)
	if err != nil {
		return err
	}
	defer stop(w)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return errors.New("watch ended early")
			}
			if e == nil { // all initial values are read
				return nil
			}
			b.take(e)
		}
	}
}

// again is how long after a lost watch the bucket is followed again.
const again = time.Second

// Run follows the bucket until ctx ends. Without it nothing changes in the copy, and writes wait. A watch that is lost, as happens when
// its server goes at a bad moment, is followed by another one from where it was, and Status says so until then.
func (b *Bucket) Run(ctx context.Context) error {
	for {
		err := b.follow(ctx)
		b.setFollowing(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(again):
		}
	}
}

// follow follows with one watch.
func (b *Bucket) follow(ctx context.Context) error {
	w, err := b.kv.WatchAll(ctx, jetstream.ResumeFromRevision(b.revision()+1))
	if err != nil {
		return err
	}
	defer stop(w)
	b.setFollowing(nil)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return errLost
			}
			if e != nil {
				b.take(e) // a slow keeper holds the watch, and the server keeps the rest
			}
		}
	}
}

// stop ends a watch. Its goroutine may be blocked on a full channel, so the rest is read away.
func stop(w jetstream.KeyWatcher) {
	_ = w.Stop()
	for range w.Updates() {
	}
}

// take brings an entry into the copy and tells those who wait for it.
func (b *Bucket) take(e Entry) {
	err := b.apply(e)
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.unreadable, e.Key())
	if err != nil {
		b.unreadable[e.Key()] = err
	}
	b.seen = max(b.seen, e.Revision())
	close(b.step)
	b.step = make(chan struct{})
}

func (b *Bucket) revision() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

func (b *Bucket) setFollowing(trouble error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble = trouble
}

// Status returns nil while the copy follows the bucket and every entry of it could be read. One that could not is of concern and no more
// (see bus.Concern): it counts as gone, and the others are as good as before.
func (b *Bucket) Status() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.trouble != nil {
		return fmt.Errorf("the copy of %s does not follow its changes: %w", b.kv.Bucket(), b.trouble)
	}
	for _, key := range slices.Sorted(maps.Keys(b.unreadable)) {
		return concern{fmt.Errorf("%d unreadable entries, first %s: %w", len(b.unreadable), key, b.unreadable[key])}
	}
	return nil
}

type concern struct{ error }

func (c concern) Concern() {}

func (c concern) Unwrap() error { return c.error }

// Await returns when the copy has a revision.
func (b *Bucket) Await(ctx context.Context, revision uint64) error {
	return b.until(ctx, func() bool { return b.revision() >= revision })
}

// until returns when the copy fulfils a condition.
func (b *Bucket) until(ctx context.Context, fulfilled func() bool) error {
	for {
		b.mu.Lock()
		step := b.step // before the condition is looked at: what comes in between is not missed
		b.mu.Unlock()
		if fulfilled() {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stored, but not yet in force here: %w", ctx.Err())
		case <-step:
		}
	}
}

// Create stores a value under a key that must not exist or hold just that value, else it is ErrExists. It does not wait for the
// copy: Await does.
func (b *Bucket) Create(ctx context.Context, key string, value any) (revision uint64, err error) {
	data, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	revision, err = b.write(ctx, key, data, 0)
	if errors.Is(err, ErrExists) {
		if old, last, e := b.get(ctx, key); e == nil && bytes.Equal(old, data) {
			return last, nil
		}
	}
	return revision, err
}

// Edit replaces the value of a key by what change makes of the old one, nil if there is none. change may run several times, each
// time on what is stored then; its error ends the edit and is returned as it is.
func (b *Bucket) Edit(ctx context.Context, key string, change func(old []byte) (any, error)) error {
	for {
		old, last, err := b.get(ctx, key)
		if err != nil {
			return err
		}
		value, err := change(old)
		if err != nil {
			return err
		}
		data, err := json.Marshal(value)
		if err != nil {
			return err
		}
		revision, err := b.write(ctx, key, data, last)
		if errors.Is(err, ErrExists) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return b.Await(ctx, revision)
	}
}

// Delete deletes a key with its history unless it is deleted already, and returns when gone reports that the copy is without it.
func (b *Bucket) Delete(ctx context.Context, key string, gone func() bool) error {
	for {
		old, last, err := b.get(ctx, key)
		if err != nil {
			return err
		}
		if old != nil {
			err = b.kv.Purge(ctx, key, jetstream.LastRevision(last))
		}
		if taken(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return b.until(ctx, gone)
	}
}

// Revision returns the revision that a key has in the bucket, 0 if there is no such key.
func (b *Bucket) Revision(ctx context.Context, key string) (uint64, error) {
	_, revision, err := b.get(ctx, key)
	return revision, err
}

func (b *Bucket) get(ctx context.Context, key string) (value []byte, revision uint64, err error) {
	e, err := b.kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("%s: %w", key, err)
	}
	return e.Value(), e.Revision(), nil
}

// write stores a value under a key whose last revision must be the one given, 0 for none, else it is ErrExists. An answer that went
// missing is looked for: what is stored is stored.
func (b *Bucket) write(ctx context.Context, key string, data []byte, last uint64) (revision uint64, err error) {
	if last == 0 {
		revision, err = b.kv.Create(ctx, key, data)
	} else {
		revision, err = b.kv.Update(ctx, key, data, last)
	}
	switch {
	case err == nil:
		return revision, nil
	case taken(err):
		return 0, ErrExists
	}
	if e, e2 := b.kv.Get(ctx, key); e2 == nil && e.Revision() > last && bytes.Equal(e.Value(), data) {
		return e.Revision(), nil
	}
	return 0, err
}

func taken(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}
