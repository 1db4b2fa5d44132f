package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/bus"
	"linli/internal/failpoint"
)

// Config is what Open needs.
type Config struct {
	Bus      *bus.Bus
	Channels Channels
	Duty     []string // channels that a recipient without addresses stands for; empty: the log
	Log      *slog.Logger
	Reg      prometheus.Registerer
	// Link is where a recipient acknowledges without an account; nil: nowhere. The same event and recipient give the same link.
	Link func(e *bus.AlertEvent, r *bus.Recipient) string

	hook func(point string) bool // tests end the process here, so to speak: true leaves everything as it is at that point
}

// Notify is the role. One runs at a time: a second one reads on where the first stops, and guards keep both from sending.
type Notify struct {
	cfg       Config
	core      jetstream.Stream
	consumer  jetstream.Consumer // of alert events
	callbacks jetstream.Consumer
	desks     [desks]desk
	lanes     map[string]lanes // of each channel: ordinary, life-safety
	impatient *lane            // deliveries to addresses that take long; what does not fit waits for the ladder's next step
	receipts  lanes            // deliveries that are looked at again: ordinary, life-safety; what does not fit is told by a callback, or never
	governor  *governor
	ways      *ways
	answers   *answers
	health    *health
	metrics   *metrics
	failing   atomic.Pointer[error]
	damaged   atomic.Pointer[error] // a delivery that cannot be read

	mu      sync.Mutex             // guards the three below
	held    map[string]bool        // deliveries that are in a lane, being sent, or behind another
	behind  map[string][]*delivery // by lineUp, of those that are in a lane or being sent: what comes after
	working map[*delivery]bool     // deliveries that are being sent, and whether they are to look again after it, see hurry
}

const (
	// ackWait is how long an event waits that a notifier had read and not recorded when it was killed.
	ackWait     = 5 * time.Second
	refillEvery = 10 * time.Second
)

// Open checks the channels, finds its place in CORE and takes up the deliveries that are not finished.
func Open(ctx context.Context, cfg Config) (*Notify, error) {
	if len(cfg.Duty) == 0 {
		cfg.Duty = []string{"log"}
	}
	for _, name := range cfg.Duty {
		if cfg.Channels[name] == nil {
			return nil, fmt.Errorf("duty: no channel %q among %q", name, slices.Sorted(maps.Keys(cfg.Channels)))
		}
	}
	if cfg.hook == nil {
		cfg.hook = func(point string) bool {
			failpoint.Hit("notify " + point)
			return false
		}
	}
	n := &Notify{
		cfg: cfg, lanes: map[string]lanes{}, impatient: newLane(), receipts: lanes{newLane(), newLane()}, governor: newGovernor(cfg.Channels), ways: newWays(),
		held: map[string]bool{}, behind: map[string][]*delivery{}, working: map[*delivery]bool{},
	}
	for name := range cfg.Channels {
		n.lanes[name] = lanes{newLane(), newLane()}
	}
	n.metrics = newMetrics(cfg.Reg, n)
	n.answers, n.health = newAnswers(), newHealth()
	for i := range n.desks {
		n.desks[i] = make(desk, deskRoom)
	}
	var err error
	if n.core, err = cfg.Bus.JS.Stream(ctx, bus.Core); err != nil {
		return nil, fmt.Errorf("open stream %s: %w", bus.Core, err)
	}
	n.consumer, err = cfg.Bus.JS.CreateOrUpdateConsumer(ctx, bus.Core, jetstream.ConsumerConfig{
		Durable: bus.NotifyConsumer, FilterSubject: bus.AlertEventsFilter, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: 1000, MaxDeliver: -1,
	})
	if err != nil {
		return nil, fmt.Errorf("open consumer %s: %w", bus.NotifyConsumer, err)
	}
	if err := n.openCallbacks(ctx); err != nil {
		return nil, err
	}
	return n, n.refill(ctx, true)
}

// Run delivers until ctx ends.
func (n *Notify) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return n.intake(ctx, "alert events", n.consumer, n.happened) })
	for _, d := range n.desks {
		g.Go(func() error { return n.serve(ctx, d) })
	}
	g.Go(func() error { return n.intake(ctx, "callbacks", n.callbacks, n.hear) })
	g.Go(func() error { return n.watchLanes(ctx) })
	g.Go(func() error { return n.watchPatience(ctx) })
	g.Go(func() error { return n.showHealth(ctx) })
	g.Go(func() error { return n.watchTests(ctx) })
	for i, l := range n.receipts {
		for range workersOf(i == 1) {
			g.Go(func() error { return n.watchReceipts(ctx, l) })
		}
	}
	for _, lanes := range n.lanes {
		for i, l := range lanes {
			for range workersOf(i == 1) {
				g.Go(func() error {
					n.send(ctx, l)
					return nil
				})
			}
		}
	}
	return g.Wait()
}

// workersOf is how many deliveries of a lane are under way at a time.
func workersOf(safety bool) int {
	if safety {
		return 16
	}
	return 4
}

// Close implements the role; Run leaves nothing open.
func (n *Notify) Close() error { return nil }

// manyWaiting is how many deliveries that wait are worth a look.
const manyWaiting = 1000

// Status is nil while events are read, and a bus.Concern if a delivery cannot be read or many wait. A receiver that is away is counted
// and logged: it does not make this role unable.
func (n *Notify) Status() error {
	for _, trouble := range []*error{n.failing.Load(), n.damaged.Load()} {
		if trouble != nil {
			return *trouble
		}
	}
	if waiting := n.pending(); waiting >= manyWaiting {
		return bus.Concern(fmt.Sprintf("%.0f deliveries wait to be sent", waiting))
	}
	return nil
}

// record writes the deliveries of an event, which was stored at a time, and puts them into their lanes.
func (n *Notify) record(ctx context.Context, e *bus.AlertEvent, stored time.Time) error {
	if e.Alert.Synthetic {
		return n.hearTrial(ctx, e)
	}
	if !call(e.Kind) {
		n.hurry(e.Alert.ID)
	}
	all, err := n.recipients(e)
	if err != nil {
		return err
	}
	for _, d := range all {
		d.stored = stored
		if err := n.add(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// add writes the first record of a delivery and puts it into its lane. One that is there already, because its event has come before
// or the answer to the first write was lost, is taken as it is.
func (n *Notify) add(ctx context.Context, d *delivery) error {
	now := time.Now()
	if n.cfg.Channels[d.Channel] == nil {
		d.State, d.Class, d.Error = bus.Failed, string(BadTarget), "no channel "+d.Channel+" is configured"
	} else if d.Safety && d.fresh(now) && n.free(d) {
		if _, ok := n.governor.admit(d.Channel, d.To, true, now); ok {
			d.begin()
		}
	}
	err := n.write(ctx, d)
	if err != nil && d.begun { // it does not go out by this
		n.governor.giveBack(d.Channel, d.To, now)
	}
	if errors.Is(err, bus.ErrConflict) {
		d, err = n.last(ctx, d.Alert, d.ID)
	}
	switch {
	case err != nil:
		return err
	case !d.finished():
		n.takeUp(d)
	case d.State == bus.Failed:
		return n.advance(ctx, d)
	case d.passedOver():
		return n.revive(ctx, d)
	}
	return nil
}

// revive takes a delivery up again that another address of its recipient made needless: over that one nothing arrived after all. It
// looks whether it is needed before it goes out.
func (n *Notify) revive(ctx context.Context, d *delivery) error {
	now := time.Now().UTC()
	d.State, d.Error, d.Created, d.Updated = bus.Pending, "", now, now
	switch err := n.write(ctx, d); {
	case errors.Is(err, bus.ErrConflict): // somebody else has
		return nil
	case err != nil:
		return err
	}
	n.takeUp(d)
	return nil
}

// takeUp puts an unfinished delivery into its lane, and has an eye on how long it takes.
func (n *Notify) takeUp(d *delivery) {
	if !d.Look.IsZero() {
		n.await(d)
		return
	}
	if call(d.Event) {
		watched := &delivery{Delivery: d.Delivery}
		n.impatient.put(watched, d.Created.Add(patience(d.Safety)))
	}
	n.enqueue(d)
}

// write stores the next version of a record, guarded by the last.
func (n *Notify) write(ctx context.Context, d *delivery) error {
	if told(&d.Delivery) && len(d.members) > 0 {
		return n.writeTogether(ctx, d)
	}
	b, err := json.Marshal(d.Delivery)
	if err != nil {
		return err
	}
	m := bus.Msg(bus.DeliverySubject(d.Alert, d.ID), b)
	bus.ExpectLast(m, d.seq)
	ack, err := n.cfg.Bus.JS.PublishMsg(ctx, m)
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence:
		return bus.ErrConflict
	case err != nil:
		if sum := sumOf(b); !slices.Contains(d.unanswered, sum) { // the same record is tried again and again
			d.unanswered = append(d.unanswered, sum)
		}
		return fmt.Errorf("record delivery %s: %w", d.ID, err)
	}
	d.seq, d.unanswered = ack.Sequence, nil
	return nil
}

var recordSeed = maphash.MakeSeed()

// sumOf tells records of this process apart.
func sumOf(record []byte) uint64 { return maphash.Bytes(recordSeed, record) }

// watchLanes reads deliveries again that did not fit into a lane.
func (n *Notify) watchLanes(ctx context.Context) error {
	for wait(ctx, refillEvery) {
		for _, lanes := range n.lanes {
			if !lanes[0].emptied() && !lanes[1].emptied() {
				continue
			}
			if err := n.refill(ctx, false); err != nil && ctx.Err() == nil {
				n.cfg.Log.Warn("pending deliveries are not read", "err", err)
			}
			break
		}
	}
	return nil
}

// refill puts every unfinished delivery of CORE into its lane. At the start it also learns what was sent lately.
func (n *Notify) refill(ctx context.Context, start bool) error {
	all, err := n.unfinished(ctx, start)
	if err != nil {
		return err
	}
	for _, d := range n.claim(all) {
		if _, err := d.message(); err != nil {
			n.cfg.Log.Error("delivery cannot be read", "delivery", d.ID, "err", err)
			continue
		}
		n.takeUp(d)
	}
	return nil
}

// leaveOut notes a delivery that cannot be read. It must not keep the others from being sent.
func (n *Notify) leaveOut(subject string, err error) {
	c := error(bus.Concern(fmt.Sprintf("delivery left out: %s: %v", subject, err)))
	n.damaged.Store(&c)
	n.metrics.unreadable.Inc()
	n.cfg.Log.Error("delivery cannot be read", "subject", subject, "err", err)
}

func (n *Notify) pending() float64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return float64(len(n.held))
}

// wait returns false when ctx ended first.
func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
