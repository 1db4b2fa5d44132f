package simulate

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"linli/devices"
	"linli/seeds"
)

// maxPast is how far in the past play may start: what is older than 7 days is refused as a reading, and a restart needs a margin.
const maxPast = 6 * 24 * time.Hour

// Config is what a Simulator plays and where to.
type Config struct {
	MQTTURL     string      // tcp://host:port or ssl://host:port
	TLS         *tls.Config // of an ssl URL
	Root        string      // first topic level; empty: linli
	Catalogue   *devices.Catalogue
	Communities []*seeds.Community
	Scale       float64 // of the fleets, in (0, 1]; 0: 1
	Credentials func(device string) string
	Seed        uint64
	Speed       float64       // how fast time runs until it reaches now; 0: 1
	Start       time.Time     // where it starts, at most 6 days ago; zero: 6 days ago with a Speed above 1, else now
	History     History       // takes what lies before now; needed when play starts there
	Spread      time.Duration // over which connections and first reports are spread; 0: one minute
	Faults      Faults
	Now         func() time.Time // nil: time.Now
	Log         *slog.Logger     // nil: none
	Registerer  prometheus.Registerer
}

// Simulator plays fleets until it is stopped.
type Simulator struct {
	cfg    Config
	world  *World
	links  []*link
	of     []*link // the link of each actor
	stamps []stamp // of each actor
	live   chan struct{}
	told   chan int32 // actors that show at once what a command has done
	doors  doors
	count  struct{ acked, lost, dropped atomic.Uint64 }
	began  atomic.Int64 // when the links were let go, Unix ms; 0: history is being written
}

// Open prepares the fleets and checks the settings; it does not connect.
func Open(_ context.Context, cfg Config) (*Simulator, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	w, err := NewWorld(cfg.Catalogue, cfg.Communities, cfg.Scale, cfg.Seed, cfg.Faults, cfg.Root)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	s := &Simulator{cfg: cfg, world: w, live: make(chan struct{}), told: make(chan int32, 64), doors: make(doors, 32)}
	s.wire()
	if cfg.Registerer != nil {
		if err := s.register(cfg.Registerer); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
	}
	return s, nil
}

func (c *Config) complete() error {
	u, err := url.Parse(c.MQTTURL)
	if err != nil || u.Host == "" || u.Scheme != "tcp" && u.Scheme != "ssl" {
		return fmt.Errorf("mqtt URL %q: want tcp://host:port or ssl://host:port", c.MQTTURL)
	}
	if c.Catalogue == nil || c.Credentials == nil {
		return errors.New("no catalogue or no credentials")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Root = orDefault(c.Root, "linli")
	c.Scale = orDefault(c.Scale, 1)
	c.Speed = orDefault(c.Speed, 1)
	c.Spread = orDefault(c.Spread, time.Minute)
	if !(c.Scale > 0 && c.Scale <= 1) {
		return fmt.Errorf("scale %g is not in (0, 1]", c.Scale)
	}
	if !(c.Speed >= 1 && c.Speed <= 1e6) {
		return fmt.Errorf("speed %g is not in [1, 1000000]", c.Speed)
	}
	now := c.Now()
	switch {
	case c.Start.IsZero() && c.Speed > 1:
		c.Start = now.Add(-maxPast)
	case c.Start.IsZero() || c.Start.After(now):
		c.Start = now
	case now.Sub(c.Start) > maxPast:
		return fmt.Errorf("start %s is more than 6 days ago", c.Start.Format(time.RFC3339))
	}
	if c.Start.Before(now) && c.History == nil {
		return errors.New("play starts in the past, but there is no history to write to")
	}
	return c.Faults.check()
}

func orDefault[T comparable](v, otherwise T) T {
	if v == *new(T) {
		return otherwise
	}
	return v
}

// wire gives every device its link: its gateway's, or one of its own.
func (s *Simulator) wire() {
	boot := s.cfg.Now().Unix()
	links := map[string]*link{}
	s.of, s.stamps = make([]*link, len(s.world.actors)), make([]stamp, len(s.world.actors))
	counters := make([]uint32, len(s.world.actors))
	for i, a := range s.world.actors {
		l := links[a.Gateway]
		if a.Gateway == "" || l == nil {
			l = &link{sim: s, device: &a.Device.Device, key: a.key.named("link"), log: s.cfg.Log, children: map[string]int32{}}
			l.answers, _ = lru.New[string, answer](keptAnswers) // fails without a size only
			links[a.ID] = l
			s.links = append(s.links, l)
		}
		l.children[a.ID] = int32(i)
		s.of[i] = l
		s.stamps[i] = stamp{seq: &counters[i], boot: boot, skew: s.cfg.Faults.skew(a.key)}
	}
	for _, l := range s.links {
		l.box = newOutbox(1000 + 20*len(l.children))
	}
}

// Run plays until ctx ends.
func (s *Simulator) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, l := range s.links {
		g.Go(func() error {
			select {
			case <-ctx.Done():
				return nil
			case <-s.live:
				return l.run(ctx)
			}
		})
	}
	g.Go(func() error { return s.play(ctx) })
	return g.Wait()
}

// Close releases nothing: Run leaves no connection behind.
func (s *Simulator) Close() error { return nil }

// Status is nil while at least nine of ten links are up; a minute of grace is given to connect.
func (s *Simulator) Status() error {
	began := s.began.Load()
	if began == 0 || s.cfg.Now().UnixMilli()-began < (s.cfg.Spread+time.Minute).Milliseconds() {
		return nil
	}
	if up := s.up(); up*10 < len(s.links)*9 {
		return fmt.Errorf("%d of %d links are up", up, len(s.links))
	}
	return nil
}

func (s *Simulator) up() int {
	n := 0
	for _, l := range s.links {
		if l.up.Load() {
			n++
		}
	}
	return n
}

// play lets devices report, first the history and then live.
func (s *Simulator) play(ctx context.Context) error {
	if len(s.world.actors) == 0 {
		return nil
	}
	c := s.world.from(momentOf(s.cfg.Start))
	if err := s.history(ctx, c); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // asked to end
		}
		return err
	}
	now := momentOf(s.cfg.Now())
	spread := float64(s.cfg.Spread.Milliseconds())
	for i, a := range s.world.actors {
		c.push(due{at: now + moment(spread*a.key.named("birth").between(0.05, 0.95)), actor: int32(i), event: birth})
	}
	s.began.Store(int64(now))
	close(s.live)
	s.cfg.Log.Info("simulation is live", "devices", len(s.world.actors), "links", len(s.links))
	var buf []byte
	for {
		select {
		case <-ctx.Done():
			return nil
		case actor := <-s.told:
			s.post(due{at: momentOf(s.cfg.Now()), actor: actor, event: birth}, &buf)
		case <-time.After(c.peek().at.time().Sub(s.cfg.Now())):
			s.post(c.next(), &buf)
		}
	}
}

// post writes what is due into the outbox of its link, with the faults of delivery.
func (s *Simulator) post(d due, buf *[]byte) {
	f, l := &s.cfg.Faults, s.of[d.actor]
	k := key(mix(uint64(s.world.actors[d.actor].key.named("delivery")))).at(int64(d.at) + int64(d.event))
	st := s.stamps[d.actor]
	st.dirt = f.dirt(k.at(1))
	*buf = s.world.encode((*buf)[:0], d, st)
	if len(*buf) == 0 {
		return
	}
	if f.Loss > 0 && k.at(2).chance(f.Loss) {
		s.count.lost.Add(1)
		return
	}
	letter := letter{s.world.topic(d), append([]byte(nil), *buf...)}
	if f.Reorder > 0 && l.held == nil && k.at(3).chance(f.Reorder) {
		l.held = &letter
		return
	}
	l.box.put(letter)
	if f.Duplicate > 0 && k.at(4).chance(f.Duplicate) {
		l.box.put(letter)
	}
	if l.held != nil {
		l.box.put(*l.held)
		l.held = nil
	}
}

// connectDelay spreads the connections, so that they are up before most devices report for the first time.
func (s *Simulator) connectDelay(k key) time.Duration {
	return time.Duration(k.uniform() * float64(min(s.cfg.Spread/3, time.Duration(len(s.links))*50*time.Millisecond)))
}

func (s *Simulator) dial(u *url.URL, timeout time.Duration) (net.Conn, error) {
	d := &net.Dialer{Timeout: timeout}
	if u.Scheme == "ssl" {
		return tls.DialWithDialer(d, "tcp", u.Host, s.cfg.TLS)
	}
	return d.Dial("tcp", u.Host)
}

func (s *Simulator) register(reg prometheus.Registerer) error {
	counter := func(result string, read func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "linli_simulate_messages_total", Help: "Messages of simulated devices: acknowledged by the broker, lost on purpose, dropped from a full outbox.",
			ConstLabels: prometheus.Labels{"result": result},
		}, func() float64 { return float64(read()) })
	}
	return errors.Join(
		reg.Register(counter("acked", s.count.acked.Load)),
		reg.Register(counter("lost", s.count.lost.Load)),
		reg.Register(counter("dropped", s.dropped)),
		reg.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "linli_simulate_links", Help: "MQTT connections of simulated devices that are up."}, func() float64 { return float64(s.up()) })),
	)
}

func (s *Simulator) dropped() uint64 {
	for _, l := range s.links {
		s.count.dropped.Add(l.box.drops())
	}
	return s.count.dropped.Load()
}

// doors bounds how many connect at the same time.
type doors chan struct{}

func (d doors) enter(ctx context.Context) bool {
	select {
	case d <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d doors) leave() { <-d }
