package ingest

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

const (
	leaseKey  = "ingest.lease"
	senderKey = "ingest.sender" // of commands
	leaseTerm = 10 * time.Second
)

// lease lets one process at a time use the sessions: two would take them from each other without end. Its holder writes it anew all
// the time; one that has not changed for leaseTerm, by the clock of who waits, is free. What is left of an owner's own before it was
// killed is free at once.
type lease struct {
	kv       jetstream.KeyValue
	key      string
	owner    string
	revision uint64 // held; 0: not held
	held     atomic.Bool
	log      *slog.Logger
}

var errNoLease = errors.New("another ingest is at work; this one stands by")

func newLease(ctx context.Context, b *bus.Bus, key, owner string, log *slog.Logger) (*lease, error) {
	kv, err := b.KV(ctx, bus.SettingsBucket)
	if err != nil {
		return nil, err
	}
	return &lease{kv: kv, key: key, owner: cmp.Or(owner, rand.Text()), log: log}, nil
}

// hold waits for the lease, does the work and gives the lease back. The work's context ends when the lease is lost.
func (l *lease) hold(ctx context.Context, work func(context.Context) error) error {
	for ctx.Err() == nil {
		if err := l.acquire(ctx); err != nil {
			return err
		}
		l.log.Info("lease acquired", "lease", l.key)
		working, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- work(working) }()
		err := l.renew(working, done)
		l.held.Store(false)
		stop()
		if err != nil {
			l.log.Error("lease lost", "lease", l.key, "err", errors.Join(err, <-done))
			continue
		}
		err = <-done
		l.release(context.WithoutCancel(ctx))
		return err
	}
	return ctx.Err()
}

// acquire returns when the lease is held.
func (l *lease) acquire(ctx context.Context) error {
	var seen uint64
	since := time.Now()
	tick := time.NewTicker(leaseTerm / 10)
	defer tick.Stop()
	for {
		e, err := l.kv.Get(ctx, l.key)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
			l.revision, err = l.kv.Create(ctx, l.key, []byte(l.owner))
		case err == nil && string(e.Value()) == l.owner:
			l.revision, err = l.kv.Update(ctx, l.key, []byte(l.owner), e.Revision())
		case err == nil && e.Revision() != seen:
			seen, since = e.Revision(), time.Now()
			err = errNoLease
		case err == nil && time.Since(since) < leaseTerm:
			err = errNoLease
		case err == nil:
			l.revision, err = l.kv.Update(ctx, l.key, []byte(l.owner), seen)
		}
		if err == nil {
			l.held.Store(true)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// renew writes the lease anew until ctx ends or the work is done. Its error says why the lease is lost: somebody else has it, or might,
// because it could not be written for too long.
func (l *lease) renew(ctx context.Context, done chan error) error {
	tick := time.NewTicker(leaseTerm / 4)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case err := <-done:
			done <- err
			return nil
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		write, cancel := context.WithTimeout(ctx, leaseTerm/4)
		revision, err := l.kv.Update(write, l.key, []byte(l.owner), l.revision)
		cancel()
		switch {
		case err == nil:
			l.revision, last = revision, time.Now()
		case errors.Is(err, jetstream.ErrKeyExists):
			return err
		case time.Since(last) > leaseTerm/2:
			return fmt.Errorf("not written for %s: %w", time.Since(last), err)
		}
	}
}

// release lets the next one begin at once.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, leaseTerm/4)
	defer cancel()
	if err := l.kv.Delete(ctx, l.key, jetstream.LastRevision(l.revision)); err != nil {
		l.log.Warn("lease is not given back", "err", err)
	}
}

// status says whether the lease is missing.
func (l *lease) status() error {
	if !l.held.Load() {
		return errNoLease
	}
	return nil
}
