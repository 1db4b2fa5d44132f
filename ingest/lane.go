package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"linli/devices"
)

const (
	// A batch is one message on the bus.
	maxBatchReadings = 1000
	maxBatchBytes    = 512 << 10

	keptKeys = 1 << 18 // of readings, for finding duplicates: the last half minute at least, at 4000 readings/s

	// The broker sends at most so many messages of a filter without an answer; one that ends in # counts twice.
	brokerWindow = 2 * 8192

	grace = 2 * time.Second // to store what has been read when the lane stops
)

// lane is one session and the way of its messages. Nothing on it waits for something behind it: what cannot be stored now piles up in
// full and waiting, which the broker bounds, since it sends no more than its window without an answer.
//
//	broker ─► conn ─bursts─► gather ─shipments─► ship ─► READINGS, REJECTS
//	   ▲                        └─────events───► post ─► EVENTS, REJECTS
//	   └───────────────── acknowledgements ◄──────┘
//
// Shipments are stored one after the other, and so are events: order is kept, and what is found to be a duplicate is acknowledged
// after its original.
type lane struct {
	*Ingest
	session session
	name    string
	linger  time.Duration // how long a reading may wait for others
	log     *slog.Logger

	bursts    chan *burst
	replays   chan *burst
	shipments chan *shipment
	events    chan *event

	// Of gather:
	decoder devices.Decoder
	lines   []byte // decoded last
	keys    *recent
	series  series
	repeats repeats
	states  map[string]string // last known state by device
	unknown unknownFields
	open    *shipment // being filled
	due     bool      // and may be stored
	full    []*shipment
	waiting []*event

	shipping, posting trouble
}

func newLane(i *Ingest, name string, linger time.Duration, filters []string) *lane {
	window := len(filters) * brokerWindow
	l := &lane{
		Ingest: i, name: name, linger: linger, log: i.log.With("lane", name),
		bursts: make(chan *burst, window), replays: make(chan *burst),
		keys: newRecent(keptKeys), series: series{i.maxSeries, map[string][]uint64{}}, states: map[string]string{},
		open: newShipment(),
	}
	l.unknown = unknownFields{log: l.log, seen: map[unknownField]int{}}
	for n, f := range filters {
		if filters[n] = i.root + "/" + f + "/#"; i.broker.Share != "" {
			filters[n] = "$share/" + i.broker.Share + "/" + filters[n]
		}
	}
	l.session = session{
		broker: i.broker, clientID: i.clientID + "-" + name, filters: filters, pace: linger / 2, bursts: l.bursts, log: l.log, metrics: i.metrics,
	}
	return l
}

// run works until ctx ends, then stores and acknowledges what has been read, within grace, and disconnects.
func (l *lane) run(ctx context.Context) error {
	l.shipments, l.events = make(chan *shipment), make(chan *event)
	storing, stopStoring := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStoring()
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, stopStoring) })
	defer stop()
	connected, disconnect := context.WithCancel(context.WithoutCancel(ctx))
	var session, work sync.WaitGroup
	session.Go(func() { l.session.run(connected) })
	work.Go(func() { l.gather(ctx, storing) })
	work.Go(func() { l.ship(storing) })
	work.Go(func() { l.post(storing) })
	work.Wait()
	disconnect()
	session.Wait()
	return ctx.Err()
}

// gather reads bursts and hands on shipments and events when their takers are free.
func (l *lane) gather(ctx, storing context.Context) {
	defer close(l.events)
	defer close(l.shipments)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		empty := l.open.empty()
		ship, shipments := l.nextShipment()
		event, events := l.nextEvent()
		select {
		case <-ctx.Done():
			l.finish(storing)
			return
		case b := <-l.bursts:
			l.take(b)
			for range len(l.bursts) {
				l.take(<-l.bursts)
			}
			if empty && !l.open.empty() {
				l.due = l.linger == 0
				timer.Reset(l.linger)
			}
		case r := <-l.replays:
			l.take(r)
			l.due = true
		case shipments <- ship:
			l.shipped(ship)
		case events <- event:
			l.waiting = l.waiting[1:]
		case <-timer.C:
			l.due = true
		}
	}
}

// finish hands on what is left, until storing ends.
func (l *lane) finish(storing context.Context) {
	l.due = true
	for {
		ship, shipments := l.nextShipment()
		event, events := l.nextEvent()
		if ship == nil && event == nil {
			return
		}
		select {
		case <-storing.Done():
			return
		case shipments <- ship:
			l.shipped(ship)
		case events <- event:
			l.waiting = l.waiting[1:]
		}
	}
}

// nextShipment is what ship may have, and its channel; both nil if there is nothing.
func (l *lane) nextShipment() (*shipment, chan<- *shipment) {
	switch {
	case len(l.full) > 0:
		return l.full[0], l.shipments
	case l.due && !l.open.empty():
		return l.open, l.shipments
	}
	return nil, nil
}

func (l *lane) shipped(s *shipment) {
	if s == l.open {
		l.open, l.due = newShipment(), false
		return
	}
	l.full[0] = nil
	l.full = l.full[1:]
}

func (l *lane) nextEvent() (*event, chan<- *event) {
	if len(l.waiting) == 0 {
		return nil, nil
	}
	return l.waiting[0], l.events
}

func (l *lane) take(b *burst) {
	for i := range b.messages {
		l.message(b, &b.messages[i])
	}
	b.free()
}

// status says why the lane is not all right.
func (l *lane) status() error {
	if err := l.session.status(); err != nil {
		return err
	}
	return errors.Join(l.shipping.status(), l.posting.status())
}
