package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"linli/bus"
	"linli/internal/testkit"
	"linli/people"
)

// site is a bus with at most one engine that a test started on it.
type site struct {
	t      testing.TB
	bus    *bus.Bus
	rules  *Rules
	people *residents
	elders func() []*people.Person
	now    atomic.Int64 // ms, the wall clock of the engines

	stepped func() time.Duration // how far that was set

	published int
}

func newSite(t testing.TB) *site {
	s := &site{t: t, bus: testkit.NATS(t), rules: probeRules(t), people: newPeople()}
	s.now.Store(start.UnixMilli())
	return s
}

func (s *site) wall(offset time.Duration) { s.now.Store(start.Add(offset).UnixMilli()) }

// running is an engine with a connection of its own.
type running struct {
	*Engine
	nc   *nats.Conn
	stop func() error // ends Run and returns what it returned
	done chan struct{}
}

// engine opens one and runs it. A hook may cut its connection.
func (s *site) engine(hook func(nc *nats.Conn, point string)) *running {
	s.t.Helper()
	nc, err := bus.Dial("", "engine", testkit.Log, nats.InProcessServer(s.bus.NC.Opts.InProcessServer))
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := bus.New(nc)
	if err != nil {
		s.t.Fatal(err)
	}
	e, err := Open(s.t.Context(), Config{
		Bus: b, Rules: s.rules, Directory: s.people, Resolver: neighbours, Elders: s.elders, Log: testkit.Log, Registerer: prometheus.NewRegistry(),
		Now: func() time.Time { return time.UnixMilli(s.now.Load()) },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	e.stepped = s.stepped
	if hook != nil {
		e.journal.hook = func(point string) { hook(nc, point) }
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	r := &running{Engine: e, nc: nc, done: make(chan struct{})}
	var result error
	go func() {
		defer close(r.done)
		result = e.Run(ctx)
	}()
	r.stop = func() error {
		cancel()
		<-r.done
		nc.Close()
		return result
	}
	s.t.Cleanup(func() { r.stop() })
	return r
}

// say publishes lines as ingest does; those of readings that follow each other become one message.
func (s *site) say(texts ...string) {
	s.t.Helper()
	var batch []byte
	flush := func() {
		if len(batch) > 0 {
			s.publish(bus.ReadingsSubject("tianjin", false), batch)
		}
		batch = nil
	}
	for _, text := range texts {
		line, event := say(text)
		if !event {
			batch = append(batch, line...)
			continue
		}
		flush()
		s.publish(bus.EventSubject("tianjin", "probe", "p1", "any"), line)
	}
	flush()
}

func (s *site) publish(subject string, data []byte) {
	s.t.Helper()
	s.published++
	if _, _, err := s.bus.Publish(s.t.Context(), subject, fmt.Sprint("m", s.published), data); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) act(x bus.Action) {
	s.t.Helper()
	data, err := json.Marshal(x)
	if err != nil {
		s.t.Fatal(err)
	}
	s.publish(bus.ActionsSubject("tianjin"), data)
}

// offset is what CORE says.
func (s *site) offset() (o bus.Offset) {
	s.t.Helper()
	stream, err := s.bus.JS.Stream(s.t.Context(), bus.Core)
	if err != nil {
		s.t.Fatal(err)
	}
	m, err := stream.GetLastMsgForSubject(s.t.Context(), bus.OffsetSubject)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := json.Unmarshal(m.Data, &o); err != nil {
		s.t.Fatal(err)
	}
	return o
}

// judged waits until everything published is judged and stored.
func (s *site) judged() {
	s.t.Helper()
	last := func(stream string) uint64 {
		info, err := s.bus.JS.Stream(s.t.Context(), stream)
		if err != nil {
			s.t.Fatal(err)
		}
		return info.CachedInfo().State.LastSeq
	}
	events, actions, readings := last(bus.Events), last(bus.Actions), last(bus.Readings)
	testkit.Eventually(s.t, 30*time.Second, func() bool {
		o := s.offset()
		return o.Events == events && o.Actions == actions && o.Readings == readings
	})
}

// log is every alert event in CORE, by alert and number.
func (s *site) events() (all []bus.AlertEvent) {
	s.t.Helper()
	err := s.bus.ReadAll(s.t.Context(), bus.Core, bus.AlertEventsFilter, func(m jetstream.Msg) error {
		var ev bus.AlertEvent
		all = append(all, ev)
		return json.Unmarshal(m.Data(), &all[len(all)-1])
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

func (s *site) log() []string { return spellEvents(s.events()) }

func (s *site) expect(want ...string) {
	s.t.Helper()
	if diff := cmp.Diff(want, s.log()); diff != "" {
		s.t.Errorf("alert log (-want +got):\n%s", diff)
	}
}
