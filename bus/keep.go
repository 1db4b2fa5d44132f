package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// ErrMadeAnew ends Keep: a stream or bucket was deleted and is there again, empty. What its readers know of their place in it means
// nothing any more.
var ErrMadeAnew = errors.New("was deleted and made anew; what it held is lost")

// keepPeriod is how long a deleted stream is missed at most.
const keepPeriod = 2 * time.Second

// Births are when the streams and buckets were made, by the name of the stream.
type Births map[string]time.Time

// Births asks for all of them. One that is not there has none.
func (b *Bus) Births(ctx context.Context) (Births, error) {
	var names []string
	for _, c := range (Limits{}).configs() {
		names = append(names, c.Name)
	}
	for _, c := range buckets() {
		names = append(names, "KV_"+c.Bucket)
	}
	births := Births{}
	for _, name := range names {
		s, err := b.JS.Stream(ctx, name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
		case err != nil:
			return nil, fmt.Errorf("look at stream %s: %w", name, err)
		default:
			births[name] = s.CachedInfo().Created
		}
	}
	return births, nil
}

// Keep looks after the streams and buckets until ctx ends. One that is gone is set up again with setup. Once one is not what it was
// at first, whoever set it up, Keep ends with ErrMadeAnew: readers are to be opened anew.
func (b *Bus) Keep(ctx context.Context, first Births, setup func(context.Context) error, log *slog.Logger) error {
	tick := time.NewTicker(keepPeriod)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now, err := b.Births(ctx)
		if err != nil {
			continue // the roles say that the bus does not answer
		}
		var gone, other []string
		for name, born := range first {
			switch at, there := now[name]; {
			case !there:
				gone = append(gone, name)
			case !at.Equal(born):
				other = append(other, name)
			}
		}
		if len(gone) > 0 {
			log.Error("streams are gone and what they held is lost; setting them up again", "streams", gone)
			if err := setup(ctx); err != nil {
				log.Error("streams not set up", "streams", gone, "err", err)
				continue
			}
			other = append(other, gone...)
		}
		if len(other) > 0 {
			return fmt.Errorf("streams %v: %w", other, ErrMadeAnew)
		}
	}
}
