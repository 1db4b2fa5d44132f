package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// tellListening says on the bus, every bus.ListeningEvery, that the broker keeps what devices send. It says nothing while that is
// not so: whoever judges the silence of devices leaves that time out.
func (i *Ingest) tellListening(ctx context.Context) error {
	kv, err := i.bus.KV(ctx, bus.SettingsBucket)
	if err != nil {
		return err
	}
	tick := time.NewTicker(bus.ListeningEvery)
	defer tick.Stop()
	anew := i.broker.Share == "" // replicas that share a subscription listen for each other
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if !i.listens() {
			anew = i.broker.Share == ""
			continue
		}
		write, cancel := context.WithTimeout(ctx, bus.ListeningEvery)
		err := hear(write, kv, i.now(), anew, i.settle)
		cancel()
		switch {
		case err == nil:
			anew = false
		case errors.Is(err, jetstream.ErrKeyExists): // a replica was faster, and said the same
		case ctx.Err() == nil:
			i.log.Warn("cannot say that devices are heard", "err", err)
		}
	}
}

// listens reports whether both sessions are connected and subscribed.
func (i *Ingest) listens() bool {
	l := i.lanes.Load()
	return i.Ready() && l.bulk.session.status() == nil && l.fast.session.status() == nil
}

func hear(ctx context.Context, kv jetstream.KeyValue, now time.Time, anew bool, settle time.Duration) error {
	var l bus.Listening
	var revision uint64
	e, err := kv.Get(ctx, bus.ListeningKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
	case err != nil:
		return err
	default:
		revision = e.Revision()
		if err := json.Unmarshal(e.Value(), &l); err != nil {
			l = bus.Listening{} // written by somebody else: begin again
		}
	}
	if now.Before(l.Until) {
		return nil // the clock went back: what was said holds until it is there again
	}
	l.Hear(now, anew, settle)
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if revision == 0 {
		_, err = kv.Create(ctx, bus.ListeningKey, data)
	} else {
		_, err = kv.Update(ctx, bus.ListeningKey, data, revision)
	}
	return err
}
