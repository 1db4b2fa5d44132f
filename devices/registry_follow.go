package devices

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// load reads everything a bucket holds now.
func (r *Registry) load(ctx context.Context, b *bucket) error {
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
				return fmt.Errorf("watch ended early")
			}
			if e == nil { // all initial values are read
				return nil
			}
			r.apply(e)
			b.seen = e.Revision()
		}
	}
}

// Run follows the buckets until ctx ends. Without it nothing changes here, and changes wait.
func (r *Registry) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	entries := make(chan followed) // unbuffered: a slow callback holds the watch, and the server keeps the rest
	for _, b := range r.buckets {
		g.Go(func() error { return b.follow(ctx, entries) })
	}
	r.setRunning(true)
	defer r.setRunning(false)
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case f := <-entries:
				change, ok := r.apply(f.entry)
				for _, call := range r.onChange {
					if ok {
						call(change)
					}
				}
				f.bucket.reached(f.entry.Revision())
			}
		}
	})
	return g.Wait()
}

// stop ends a watch. Its goroutine may be blocked on a full channel, so the rest is read away.
func stop(w jetstream.KeyWatcher) {
	_ = w.Stop()
	for range w.Updates() {
	}
}

func (r *Registry) setRunning(on bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = on
}

type followed struct {
	bucket *bucket
	entry  jetstream.KeyValueEntry
}

// follow sends on every entry after the last one seen.
func (b *bucket) follow(ctx context.Context, to chan<- followed) error {
	w, err := b.kv.WatchAll(ctx, jetstream.ResumeFromRevision(b.seen+1))
	if err != nil {
		return fmt.Errorf("follow %s: %w", b.kv.Bucket(), err)
	}
	defer stop(w)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return fmt.Errorf("follow %s: watch ended", b.kv.Bucket())
			}
			if e == nil {
				continue
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case to <- followed{b, e}:
			}
		}
	}
}

// reached tells those who wait that the copy and the callbacks have this revision.
func (b *bucket) reached(revision uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = max(b.seen, revision)
	close(b.step)
	b.step = make(chan struct{})
}

// await returns when the copy has this revision.
func (b *bucket) await(ctx context.Context, revision uint64) error {
	for {
		b.mu.Lock()
		seen, step := b.seen, b.step
		b.mu.Unlock()
		if seen >= revision {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stored, but not yet in force here: %w", ctx.Err())
		case <-step:
		}
	}
}
