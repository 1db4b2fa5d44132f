package alerts

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/internal/testkit"
)

// ground is what an engine stands on, and what survives it.
type ground interface {
	put(t tester, stream string, data []byte)
	// engine starts one in the place of any other, and feed hands it all that it has not judged.
	engine(t tester, rules *Rules, now *time.Time) *Engine
	feed(t tester, e *Engine) error
	alertLog(t tester) []bus.AlertEvent
}

var (
	_ ground = (*disk)(nil)
	_ ground = (*onBus)(nil)
)

// neighbourhood is a disk with the people that the reference knows.
func neighbourhood() *disk {
	d := newDisk()
	d.people.devices["p2"].Gateway = "p3"
	d.people.family = map[string]bool{"daughter": true, "son": true}
	return d
}

func (d *disk) put(_ tester, stream string, data []byte) {
	all := map[string]*[]message{bus.Readings: &d.readings, bus.Events: &d.events, bus.Actions: &d.actions}[stream]
	*all = append(*all, message{stream, uint64(len(*all)) + 1, 0, data})
}

func (d *disk) alertLog(tester) []bus.AlertEvent { return slices.Collect(maps.Values(d.log)) }

// onBus is a real bus. Its engines are opened as always, and driven by hand.
type onBus struct {
	*disk // for its people
	bus   *bus.Bus
	sent  map[string]int
	stop  func()
}

func (g *onBus) put(t tester, stream string, data []byte) {
	g.sent[stream]++
	subject := map[string]string{
		bus.Readings: bus.ReadingsSubject("tianjin", false), bus.Events: bus.EventSubject("tianjin", "probe", "p1", "any"), bus.Actions: bus.ActionsSubject("tianjin"),
	}[stream]
	if _, _, err := g.bus.Publish(t.Context(), subject, fmt.Sprint(stream, g.sent[stream]), data); err != nil {
		t.Fatal(err)
	}
}

// kill stops the feeds of the last engine. It writes nothing more.
func (g *onBus) kill() {
	if g.stop != nil {
		g.stop()
	}
}

func (g *onBus) engine(t tester, rules *Rules, now *time.Time) *Engine {
	g.kill()
	e, err := Open(t.Context(), Config{
		Bus: g.bus, Rules: rules, Directory: g.people, Resolver: neighbours, Log: testkit.Log, Now: func() time.Time { return *now },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	for _, f := range e.feeds {
		go func() {
			defer func() { done <- struct{}{} }()
			_ = f.run(ctx, testkit.Log)
		}()
	}
	g.stop = func() {
		cancel()
		for range e.feeds {
			<-done
		}
		g.stop = nil
	}
	if err := g.feed(t, e); err != nil {
		t.Fatal(err)
	}
	return e
}

func (g *onBus) feed(t tester, e *Engine) error {
	for i, judge := range []func(context.Context, message) error{e.event, e.action, e.readings} {
		behind := func() bool {
			judged := []uint64{e.done.Events, e.done.Actions, e.done.Readings}[i]
			return judged < uint64(g.sent[e.feeds[i].stream]) || i == 0 && e.recall > 0 || i == 2 && e.core.quiet
		}
		for behind() {
			if err := judge(t.Context(), <-e.feeds[i].out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *onBus) alertLog(t tester) (all []bus.AlertEvent) {
	err := g.bus.ReadAll(t.Context(), bus.Core, bus.AlertEventsFilter, func(m jetstream.Msg) error {
		var ev bus.AlertEvent
		if err := json.Unmarshal(m.Data(), &ev); err != nil {
			return err
		}
		all = append(all, ev)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// line is an utterance as ingest writes it.
func (s utterance) line() []byte {
	var fields []string
	for _, f := range s.fields {
		if text, ok := f.v.(string); ok {
			fields = append(fields, fmt.Sprintf("%s=%q", f.id, text))
			continue
		}
		fields = append(fields, fmt.Sprintf("%s=%v", f.id, f.v))
	}
	head := "probe,community=tianjin,device=" + s.series
	if s.event != "" {
		head = "event,community=tianjin,device=" + s.device + ",type=probe,event=" + s.event
	}
	fields = append(fields, fmt.Sprintf("received_at=%di", start.Add(msec(s.received)).UnixMilli()))
	return fmt.Appendf(nil, "%s %s %d\n", head, strings.Join(fields, ","), start.Add(msec(s.at)).UnixNano())
}

// linesOf are the events of an alert log as the reference writes them.
func linesOf(events []bus.AlertEvent) (all []string) {
	for _, ev := range events {
		a := &ev.Alert
		line := fmt.Sprintf("%s[%s] %d #%02d %d %s %s %s", a.Rule, a.Identity, a.OpenedAt.Sub(start).Milliseconds(), ev.N, ev.At.Sub(start).Milliseconds(), ev.Kind, a.State, a.Severity)
		if a.Level != "" {
			line += " " + a.Level
		}
		if a.Late {
			line += " late"
		}
		switch {
		case a.Rule == digest.ID:
			line += fmt.Sprint(" ", len(a.Listed))
		case a.Value != nil:
			line += fmt.Sprint(" ", a.Value)
		}
		for _, r := range ev.Tell {
			who := strings.TrimPrefix(r.Who(), "person:")
			line += fmt.Sprint(" ", told{who, r.Held, len(r.Reach) > 0 && r.Reach[0].Channel == "voice", r.Round, r.Step, 0})
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}
