package ingest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/devices"
)

// shipment is what is stored and then acknowledged together: at most one batch a subject.
type shipment struct {
	batches map[batchKey]*batch
	order   []*batch
	rejects []entry
	settlement
	spare []*batch
}

type batchKey struct {
	community string
	health    bool
}

type batch struct {
	subject  string
	data     []byte
	readings int
}

// entry is a message for the bus.
type entry struct {
	subject, id string
	data        []byte
}

// settlement is what happens once something is stored: who is told, and what is counted.
type settlement struct {
	acks   []receipt
	counts counts
	began  time.Time // when the first of them was read
}

type receipt struct {
	to acker
	id uint16
}

var shipments = sync.Pool{New: func() any {
	return &shipment{batches: map[batchKey]*batch{}, settlement: settlement{counts: counts{codes: map[devices.Code]int{}}}}
}}

func newShipment() *shipment { return shipments.Get().(*shipment) }

func (s *shipment) free() {
	for _, b := range s.order {
		*b = batch{data: b.data[:0]}
	}
	s.spare = append(s.spare, s.order...)
	clear(s.batches)
	clear(s.counts.codes)
	clear(s.acks)
	clear(s.rejects)
	*s = shipment{
		batches: s.batches, order: s.order[:0], rejects: s.rejects[:0], spare: s.spare,
		settlement: settlement{acks: s.acks[:0], counts: counts{codes: s.counts.codes}},
	}
	shipments.Put(s)
}

func (s *shipment) empty() bool { return len(s.acks) == 0 }

// batch is the one for readings of a community.
func (s *shipment) batch(community string, health bool) *batch {
	k := batchKey{community, health}
	if b := s.batches[k]; b != nil {
		return b
	}
	var b *batch
	if n := len(s.spare); n > 0 {
		b, s.spare = s.spare[n-1], s.spare[:n-1]
	} else {
		b = &batch{}
	}
	b.subject = bus.ReadingsSubject(community, health)
	s.batches[k] = b
	s.order = append(s.order, b)
	return b
}

// owe notes that the message is to be acknowledged.
func (s *settlement) owe(b *burst, m *message) {
	if len(s.acks) == 0 {
		s.began = b.received
	}
	s.acks = append(s.acks, receipt{b.from, m.id})
}

// settle counts and acknowledges. In this order: whoever sees the acknowledgement finds the message counted.
func (s *settlement) settle(m *metrics) {
	m.add(&s.counts)
	var ids []uint16
	for i, a := range s.acks {
		if a.id != 0 {
			ids = append(ids, a.id)
		}
		if len(ids) > 0 && (i+1 == len(s.acks) || s.acks[i+1].to != a.to) {
			a.to.ack(ids)
			ids = ids[:0]
		}
	}
}

// ship stores shipments until there are no more or ctx ends.
func (l *lane) ship(ctx context.Context) {
	for s := range l.shipments {
		if err := l.storeReadings(ctx, s); err != nil {
			return
		}
		for _, e := range s.rejects {
			if _, err := l.store(ctx, &l.shipping, e); err != nil {
				return
			}
		}
		s.settle(l.metrics)
		l.metrics.stored.Observe(l.now().Sub(s.began).Seconds())
		s.free()
	}
}

// storeReadings keeps no message id: a batch that is stored twice changes nothing, because readings overwrite themselves.
func (l *lane) storeReadings(ctx context.Context, s *shipment) error {
	if !l.syncAlways || len(s.order) < 2 {
		for _, b := range s.order {
			if b.readings == 0 {
				continue
			}
			if _, err := l.store(ctx, &l.shipping, entry{subject: b.subject, data: b.data}); err != nil {
				return err
			}
		}
		return nil
	}
	return l.retry(ctx, &l.shipping, func(ctx context.Context) error {
		msgs := make([]*nats.Msg, 0, len(s.order))
		for _, b := range s.order {
			if b.readings > 0 {
				msgs = append(msgs, bus.Msg(b.subject, b.data))
			}
		}
		if len(msgs) == 0 {
			return nil
		}
		_, err := l.bus.Commit(ctx, bus.Readings, msgs)
		return err
	})
}

// store returns when the bus has the entry, or ctx has ended.
func (l *lane) store(ctx context.Context, t *trouble, e entry) (duplicate bool, err error) {
	err = l.retry(ctx, t, func(ctx context.Context) (err error) {
		_, duplicate, err = l.bus.Publish(ctx, e.subject, e.id, e.data)
		return err
	})
	return duplicate, err
}

const (
	attempt    = 3 * time.Second
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
)

// retry tries for ever: a message that cannot be stored is not acknowledged, and devices wait rather than lose it.
func (l *lane) retry(ctx context.Context, t *trouble, try func(context.Context) error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		tryCtx, cancel := context.WithTimeout(ctx, attempt)
		err := try(tryCtx)
		cancel()
		if err == nil {
			t.clear()
			return nil
		}
		t.set(err)
		l.log.Warn("store on the bus", "err", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// trouble is why nothing can be stored at the moment.
type trouble struct{ err atomic.Pointer[error] }

func (t *trouble) set(err error) { t.err.Store(&err) }

func (t *trouble) clear() {
	if t.err.Load() != nil {
		t.err.Store(nil)
	}
}

func (t *trouble) status() error {
	if err := t.err.Load(); err != nil {
		return fmt.Errorf("bus does not store: %w", *err)
	}
	return nil
}
