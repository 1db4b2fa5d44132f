package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/bus"
	"linli/internal/testkit"
)

// trio is the reference and two engines that are told the same: one is never stopped, the other is at every opportunity.
type trio struct {
	*rapid.T
	rules          *Rules
	now            int64 // ms after start
	clock          time.Time
	m              *reference
	quiet, harried ground
	live, e        *Engine
	doom           string // where the next write of the harried engine kills it
	lane           string // the stream that was written to last
}

var (
	errBefore = errors.New("killed before a commit")
	errAfter  = errors.New("killed after a commit")
)

func newTrio(t *rapid.T, rules *Rules, harried ground) *trio {
	w := &trio{T: t, rules: rules, clock: start, quiet: neighbourhood(), harried: harried, m: &reference{
		rules: refAllRules(), clock: math.MinInt64, holds: map[string]*refHold{}, begun: map[string]*refHold{}, loads: map[string]*refLoad{}, works: map[string][]stretch{},
		gateways: map[string]string{"p2": "p3"}, persons: map[string]string{"p1": "ma", "p2": "ma"}, family: []string{"daughter", "son"},
		people: map[string][]string{duty: {duty}},
	}}
	for target, people := range neighbours {
		w.m.people[target] = people
	}
	w.m.enrol("p1", "p2", "p3")
	w.live = w.quiet.engine(t, rules, &w.clock)
	w.restart()
	return w
}

// restart kills the harried engine and starts it again.
func (w *trio) restart() {
	w.doom = ""
	w.e = w.harried.engine(w.T, w.rules, &w.clock)
	write := w.e.write
	w.e.write = func(ctx context.Context, x transaction) error {
		doom := w.doom
		if w.doom = ""; doom == "before" {
			return errBefore
		}
		if err := write(ctx, x); err != nil {
			return err
		}
		if doom == "after" {
			return errAfter
		}
		return nil
	}
}

// both does the same to both engines, to the harried one until it is stored.
func (w *trio) both(f func(g ground, e *Engine) error) {
	if err := f(w.quiet, w.live); err != nil {
		w.Fatal(err)
	}
	for w.killed(f(w.harried, w.e)) {
	}
}

// killed restarts the harried engine if err says that it was killed, and reports whether that lost what it was doing.
func (w *trio) killed(err error) bool {
	switch {
	case err == nil:
		return false
	case !errors.Is(err, errBefore) && !errors.Is(err, errAfter):
		w.Fatal(err)
	}
	w.restart()
	return errors.Is(err, errBefore)
}

// pass lets time pass. What was judged before is stored: judged again later, it would be told later.
func (w *trio) pass(ms int64) {
	if ms > 0 {
		w.store()
	}
	w.now += ms
	w.m.wall, w.clock = w.now, start.Add(msec(w.now))
}

// store lets what is not stored yet be.
func (w *trio) store() {
	w.both(func(_ ground, e *Engine) error { return e.commit(w.Context(), false) })
}

func (w *trio) tick() {
	w.m.came = w.now
	w.m.expire(w.now)
	w.m.watch(w.now)
	w.m.advance(w.now - wallGrace.Milliseconds())
	w.m.settle()
	w.both(func(_ ground, e *Engine) error { return e.tick(w.Context()) })
}

// heard is how long it takes until the engine's own clock has passed what was said, as it does within a moment.
const heard = 300 // ms

func (w *trio) hear(all ...utterance) {
	var batch []byte
	for _, s := range all {
		w.m.hear(s)
		batch = append(batch, s.line()...)
	}
	w.put(bus.Readings, batch)
	w.pass(heard)
	w.tick()
}

func (w *trio) happen(s utterance) {
	w.m.happen(s)
	w.put(bus.Events, s.line())
	if w.m.overdue() || len(w.m.due()) > 0 { // what came late may say that a wait is over already: found within a moment, or by a start
		w.doom = ""
		w.pass(heard)
		w.tick()
	}
}

// put adds a message to a stream of both grounds and lets the engines have it. After a restart events and actions come before
// readings, so what came earlier in another stream is stored first, as it is within a tenth of a second.
func (w *trio) put(stream string, data []byte) {
	if w.lane != stream {
		w.store()
	}
	w.lane = stream
	w.quiet.put(w.T, stream, data)
	w.harried.put(w.T, stream, data)
	w.both(func(g ground, e *Engine) error { return g.feed(w.T, e) })
}

func (w *trio) act(x refAction) {
	w.m.act(x)
	b := bus.Action{
		Key: fmt.Sprint(x.kind, w.now), Kind: x.kind, Community: "tianjin", By: x.by, At: w.clock, Note: "n", Assignee: x.assignee,
		Disposition: x.disposition, Person: x.person, Until: start.Add(msec(x.until)), N: x.n,
	}
	if x.a != nil {
		b.Alert = x.a.id()
	}
	if x.who != "" {
		b.Recipient = &bus.Recipient{Target: x.who, Person: x.who}
		if x.who == duty {
			b.Recipient.Person = ""
		}
	}
	if h := x.hold; h != nil {
		b.Hold = &bus.Hold{
			ID: h.id, Kind: h.kind, Reason: "r", From: start.Add(msec(h.from)), Until: start.Add(msec(h.until)), EveryDays: int(h.everyDays),
			Safety: h.safety, Match: bus.Match{Device: h.device},
		}
	}
	data, err := json.Marshal(b)
	if err != nil {
		w.Fatal(err)
	}
	w.put(bus.Actions, data)
}

func (w *trio) compare() {
	want := w.m.lines()
	if diff := cmp.Diff(want, linesOf(w.quiet.alertLog(w.T))); diff != "" {
		w.Fatalf("alert log (-reference +engine):\n%s", diff)
	}
	if diff := cmp.Diff(want, linesOf(w.harried.alertLog(w.T))); diff != "" {
		w.Fatalf("alert log (-reference +engine that is stopped):\n%s", diff)
	}
}

// TestEngineIsAsTheReferenceSays lets devices say things in any order, twice, late and ahead of time, people act, clocks jump and an
// engine be killed before and after any of its commits. What is written of alerts is what the reference says.
func TestEngineIsAsTheReferenceSays(t *testing.T) {
	rules := refEngineRules(t)
	rapid.Check(t, func(t *rapid.T) { newTrio(t, rules, neighbourhood()).play(60) })
}

// TestEngineOnTheBusIsAsTheReferenceSays does the same on a real bus, a tenth as often.
func TestEngineOnTheBusIsAsTheReferenceSays(t *testing.T) {
	checks := flag.Lookup("rapid.checks").Value
	all := checks.String()
	n, err := strconv.Atoi(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := checks.Set(strconv.Itoa(max(1, n/10))); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = checks.Set(all) }()
	rules := refEngineRules(t)
	rapid.Check(t, func(r *rapid.T) {
		b, stop := testkit.NATSAt(t, t.TempDir())
		defer stop()
		g := &onBus{bus: b, disk: neighbourhood(), sent: map[string]int{}}
		defer g.kill()
		newTrio(r, rules, g).play(30)
	})
}

// play lets things happen, then a week pass, and compares.
func (w *trio) play(most int) {
	for range rapid.IntRange(1, most).Draw(w.T, "steps") {
		w.step()
	}
	w.restart()
	w.tick()
	for _, hours := range []int64{1, 24, 25, 50} {
		w.pass(hours * refHour)
		w.tick()
	}
	w.store()
	w.compare()
}

// step is one thing that happens.
func (w *trio) step() {
	t := w.T
	w.pass(rapid.SampledFrom([]int64{0, 0, 1, 1000, 9_999, 10_000, 20_000, 30_000, 60_000, 60_000, 90_000, 240_000, 600_000, 840_000, 900_000, 1_700_000, 7_200_000}).Draw(t, "wait"))
	w.doom = rapid.SampledFrom([]string{"", "", "", "before", "after"}).Draw(t, "doom")
	switch what := rapid.SampledFrom([]string{"hear", "hear", "hear", "happen", "act", "act", "tick", "tick", "tick", "stay", "flutter", "press", "jams", "nobody", "storm", "storm", "wander", "wander", "wander", "roam", "roam", "order", "order", "hush", "checkpoint", "commit", "kill"}).Draw(t, "what"); what {
	case "hear":
		all := make([]utterance, rapid.IntRange(1, 3).Draw(t, "lines"))
		for i := range all {
			all[i] = w.reading()
		}
		w.hear(all...)
	case "stay": // a series that goes on utterance the same
		s := w.reading()
		for range rapid.IntRange(1, 12).Draw(t, "times") {
			w.hear(s)
			w.pass(60_000)
			s.at, s.received = s.at+60_000, w.now
			w.mayTick(t)
		}
	case "flutter": // what comes and goes
		s := w.reading()
		gap := rapid.SampledFrom([]int64{60_000, 400_000, 600_000, 900_000, 900_001}).Draw(t, "gap")
		for range rapid.IntRange(1, 6).Draw(t, "times") {
			for _, heat := range []float64{120, 20} {
				s.at, s.received, s.fields = w.now, w.now, []field{{"heat", heat}}
				w.hear(s)
				w.mayTick(t)
			}
			w.pass(gap)
		}
	case "press": // a hand that presses again
		for range rapid.IntRange(1, 4).Draw(t, "times") {
			w.happen(utterance{device: "p1", series: "p1", event: "sos", at: w.now, received: w.now})
			w.pass(rapid.SampledFrom([]int64{9_999, 10_000, 20_000}).Draw(t, "gap"))
			w.mayTick(t)
		}
	case "jams":
		for range rapid.IntRange(2, 4).Draw(t, "times") {
			w.happen(utterance{device: "p1", series: "p1", event: "jam", at: w.now, received: w.now})
			w.pass(rapid.SampledFrom([]int64{299_999, 300_000, 300_001}).Draw(t, "gap"))
		}
	case "nobody": // of those who were told can be reached
		for _, a := range w.m.alerts {
			for _, who := range slices.Clone(a.hoped) {
				w.act(refAction{kind: "unreached", a: a, at: w.now, by: "notify", n: a.climbed, who: who})
			}
		}
	case "storm": // more than people are told one by one
		for i := range rapid.IntRange(9, 14).Draw(t, "jams") {
			id := fmt.Sprintf("q%02d", i)
			w.happen(utterance{device: id, series: id, event: "jam", at: w.now, received: w.now, fields: []field{{"attempts", 3.0}}})
		}
	case "wander":
		w.wander()
	case "roam":
		w.roam()
	case "order":
		w.inOrder()
	case "happen":
		w.happen(w.event())
	case "act":
		w.act(w.action())
	case "tick":
		w.tick()
	case "hush": // nothing is heard for about as long as one must not be silent
		w.hush()
	case "kill":
		w.restart()
	default:
		w.killed(w.e.commit(w.Context(), what == "checkpoint"))
	}
	w.doom = ""
}

// mayTick may look at the clock.
func (w *trio) mayTick(t *rapid.T) {
	if rapid.Bool().Draw(t, "tick") {
		w.tick()
	}
}

func (w *trio) reading() utterance {
	t := w.T
	series := rapid.SampledFrom([]string{"p1", "p1", "p1,inlet=2", "p2,inlet=1", "p2,inlet=2", "p3", "p3"}).Draw(t, "series")
	lag := rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 30, 100, 800, 4000, 90_000, -60}).Draw(t, "lag")
	s := utterance{device: series[:2], series: series, at: w.now - lag*1000, received: w.now}
	s.fields = rapid.SampledFrom([][]field{
		{{"level", 96.0}},
		{{"level", 96.0}},
		{{"level", 85.0}},
		{{"level", 50.0}},
		{{"level", 97.0}, {"heat", 20.0}},
		{{"level", 60.0}, {"heat", 60.0}},
		{{"heat", 60.0}},
		{{"heat", 20.0}},
		{{"heat", 120.0}},
		{{"smoke", true}},
		{{"smoke", false}},
		{{"used", 5.0}},
		{{"door", "open"}, {"awake", false}},
		{{"door", "closed"}},
		{{"awake", true}},
		{{"awake", false}},
		{{"door", "jammed"}},
		{{"lat", 39.102}, {"lon", 117.7}},
	}).Draw(t, "fields")
	return s
}

func (w *trio) event() utterance {
	t := w.T
	device := rapid.SampledFrom([]string{"p1", "p2", "p3", "p9"}).Draw(t, "device")
	lag := rapid.SampledFrom([]int64{0, 0, 0, 10, 70, 5000, 90_000, -60}).Draw(t, "lag")
	s := utterance{device: device, series: device, at: w.now - lag*1000, received: w.now}
	s.event = rapid.SampledFrom([]string{"sos", "sos", "sos", "jam", "jam", "jam_over", "flood", "smoke_alarm", "offline", "maintenance_start", "maintenance_end"}).Draw(t, "event")
	switch s.event {
	case "jam":
		s.fields = []field{{"attempts", 3.0}}
	case "sos":
		s.fields = rapid.SampledFrom([][]field{nil, nil, {{"confidence", 0.9}}, {{"confidence", 0.5}}}).Draw(t, "confidence")
	}
	return s
}

func (w *trio) action() refAction {
	t := w.T
	x := refAction{
		at: w.now, by: rapid.SampledFrom([]string{"li", "zhao"}).Draw(t, "by"), until: w.now + rapid.Int64Range(1, 100).Draw(t, "minutes")*refMinute, assignee: "wang",
		person:      rapid.SampledFrom([]string{"", "wang", "daughter"}).Draw(t, "person"),
		disposition: rapid.SampledFrom([]string{"", "test"}).Draw(t, "disposition"),
		kind: rapid.SampledFrom([]string{
			"acknowledge", "acknowledge", "acknowledge", "close", "reopen", "comment", "assign", "snooze", "unreached", "unreached", "decline", "decline", "hold", "hold", "confirm", "release",
		}).Draw(t, "kind"),
	}
	switch x.kind {
	case "hold", "confirm", "release":
		h := &refHold{
			id: rapid.SampledFrom([]string{"h1", "h2"}).Draw(t, "hold"), from: w.now, until: x.until,
			kind:   rapid.SampledFrom([]string{bus.Silence, bus.Silence, bus.Maintenance, bus.Commissioning}).Draw(t, "hold kind"),
			device: rapid.SampledFrom([]string{"", "p1", "p3"}).Draw(t, "device"),
		}
		h.why = map[string]string{bus.Silence: "silenced", bus.Maintenance: "maintenance", bus.Commissioning: "commissioning"}[h.kind]
		switch h.kind {
		case bus.Silence:
			h.safety = h.device != "" && rapid.Bool().Draw(t, "safety")
		case bus.Maintenance:
			h.everyDays = rapid.SampledFrom([]int64{0, 1}).Draw(t, "every")
		case bus.Commissioning:
			h.device, h.until = "p1", min(h.until, h.from+30*refMinute)
			h.id = rapid.SampledFrom([]string{"c1", "c2", "c3", "c4", "c5", "c6"}).Draw(t, "commissioning")
		}
		x.hold = h
		return x
	}
	if len(w.m.alerts) > 0 {
		x.a = w.m.alerts[rapid.IntRange(0, len(w.m.alerts)-1).Draw(t, "alert")]
		x.n = x.a.climbed
		if len(x.a.hoped) > 0 {
			x.who = rapid.SampledFrom(x.a.hoped).Draw(t, "who")
		}
	}
	return x
}
