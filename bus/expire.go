package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// class is a kind of record of CORE that is over at some time and then kept for a while, counted from when it was last written.
type class struct {
	name   string
	filter string
	keep   time.Duration
	over   func(data []byte, now time.Time) bool
	parts  func(subject string) string // filter of the records that go with one; nil: none
}

var classes = []class{
	{"deliveries", DeliveriesFilter, 90 * day, deliveryIsOver, nil},
	{"alerts", AlertsFilter, 365 * day, alertIsOver, func(subject string) string { return AlertEventsFilterOf(subject[len(AlertSubject("")):]) }},
	{"holds", HoldsFilter, 365 * day, holdIsOver, nil},
}

const (
	// keepShort is what is kept of every class when CORE is nearly full: longer than anything that is over can come up again. A full
	// CORE would take no new alert.
	keepShort = 10 * day

	expireLimit = 500 // records of one class in one run
)

func deliveryIsOver(data []byte, _ time.Time) bool {
	var d Delivery
	return json.Unmarshal(data, &d) == nil && d.State != Pending && d.State != Sending
}

func alertIsOver(data []byte, _ time.Time) bool {
	var a Alert
	return json.Unmarshal(data, &a) == nil && a.State == Closed
}

func holdIsOver(data []byte, now time.Time) bool {
	var h Hold
	return json.Unmarshal(data, &h) == nil && (h.EndedAt != nil || h.EveryDays == 0 && !h.Until.IsZero() && h.Until.Before(now))
}

// expire purges what is over from CORE, oldest first, a bounded number of records. It may run beside whoever writes there: a
// record that is written anew meanwhile stays.
func (b *Bus) expire(ctx context.Context, log *slog.Logger, now time.Time) error {
	core, err := b.JS.Stream(ctx, Core)
	if err != nil {
		return fmt.Errorf("clean CORE: %w", err)
	}
	state, limit := core.CachedInfo().State, float64(core.CachedInfo().Config.MaxBytes)
	full := limit > 0 && float64(state.Bytes) >= purgeAbove*limit
	if full {
		log.Error("CORE is nearly full, what is over is kept for less long", "used", float64(state.Bytes)/limit, "days", int(keepShort/day))
	}
	for _, c := range classes {
		if full {
			c.keep = keepShort
		}
		n, err := b.expireClass(ctx, core, c, now)
		if n > 0 {
			log.Info("what was over is purged from CORE", "class", c.name, "records", n)
		}
		if err != nil {
			return fmt.Errorf("clean CORE of %s: %w", c.name, err)
		}
	}
	return nil
}

// errEnough ends the reading of a class.
var errEnough = errors.New("enough")

func (b *Bus) expireClass(ctx context.Context, core jetstream.Stream, c class, now time.Time) (purged int, err error) {
	type record struct {
		subject string
		seq     uint64
	}
	var all []record
	// A record has its place in the stream by its last writing, so the first that is too young ends it.
	err = b.ReadAll(ctx, Core, c.filter, func(m jetstream.Msg) error {
		meta, err := m.Metadata()
		if err != nil {
			return err
		}
		if now.Sub(meta.Timestamp) < c.keep || len(all) == expireLimit {
			return errEnough
		}
		if c.over(m.Data(), now) {
			all = append(all, record{m.Subject(), meta.Sequence.Stream})
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return 0, err
	}
	for _, r := range all {
		if c.parts != nil { // first: what is interrupted here is found again
			if err := core.Purge(ctx, jetstream.WithPurgeSubject(c.parts(r.subject)), jetstream.WithPurgeSequence(r.seq+1)); err != nil {
				return purged, err
			}
		}
		if err := core.Purge(ctx, jetstream.WithPurgeSubject(r.subject), jetstream.WithPurgeSequence(r.seq+1)); err != nil {
			return purged, err
		}
		purged++
	}
	return purged, nil
}
