package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/bus"
	"linli/internal/testkit"
)

// disk is CORE and the streams, without a bus: what survives the kill of an engine.
type disk struct {
	people                    *residents
	readings, events, actions []message
	alerts                    map[string]bus.Alert
	log                       map[string]bus.AlertEvent // by alert and number
	records                   map[string]any            // holds and loads
	shards, sequences         map[uint8][]byte
	offset                    bus.Offset
}

func newDisk() *disk {
	return &disk{people: newPeople(), alerts: map[string]bus.Alert{}, log: map[string]bus.AlertEvent{}, records: map[string]any{}, shards: map[uint8][]byte{}, sequences: map[uint8][]byte{}}
}

// write is a transaction. One that tells of something twice is refused, as by the bus.
func (d *disk) write(_ context.Context, t transaction) error {
	for _, ev := range t.events {
		key := fmt.Sprintf("%s %03d", ev.Alert.ID, ev.N)
		if _, twice := d.log[key]; twice {
			return errors.New("told twice: " + spellEvents([]bus.AlertEvent{ev})[0])
		}
		d.log[key] = ev
		d.alerts[ev.Alert.ID] = ev.Alert
	}
	maps.Copy(d.shards, t.shards)
	maps.Copy(d.sequences, t.sequences)
	maps.Copy(d.records, t.records)
	d.offset = t.offset
	return nil
}

// tester is a test, of rapid or not.
type tester interface {
	Fatal(args ...any)
	Context() context.Context
}

// engine starts one on the disk, as Open does, and judges what was not judged, events first.
func (d *disk) engine(t tester, rules *Rules, now *time.Time) *Engine {
	e := &Engine{
		Config:  Config{Rules: rules, Directory: d.people, Log: testkit.Log, Now: func() time.Time { return *now }},
		metrics: newMetrics(nil), core: newCore(rules, d.people), write: d.write, done: d.offset, resumed: d.offset,
		checkpointed: *now, caughtUp: true,
	}
	for i := range e.feeds {
		e.feeds[i] = &feed{}
	}
	e.core.book.resolver = neighbours
	for _, record := range d.records {
		switch x := record.(type) {
		case *bus.Hold:
			e.core.book.loadHold(reread(t, x))
		case *bus.Load:
			e.core.book.loadLoad(reread(t, x))
		case *bus.Lookouts:
			e.core.loadLookouts(reread(t, x))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.alerts)) {
		a := d.alerts[id]
		e.core.book.load(reread(t, &a))
	}
	e.core.loadUnfollowed(d.offset.Unfollowed)
	for _, data := range d.shards {
		if err := e.core.unpack(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, data := range d.sequences {
		if err := e.core.unpackSteps(data); err != nil {
			t.Fatal(err)
		}
	}
	if d.offset.ReplayEvents < d.offset.Events {
		e.recall = d.offset.Events
	}
	e.startWaits()
	e.replay(d.offset.Replay < d.offset.Readings)
	if err := d.feed(t, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// reread is a record as it comes back from a disk.
func reread[T any](t tester, x *T) *T {
	data, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	again := new(T)
	if err := json.Unmarshal(data, again); err != nil {
		t.Fatal(err)
	}
	return again
}

// feed hands the engine what it has not judged.
func (d *disk) feed(t tester, e *Engine) error {
	from := e.done.Events
	if e.recall > 0 {
		from = e.done.ReplayEvents
	}
	for _, m := range d.events[from:] {
		m.left = uint64(len(d.events)) - m.seq
		if err := e.event(t.Context(), m); err != nil {
			return err
		}
	}
	for _, m := range d.actions[e.done.Actions:] {
		if err := e.action(t.Context(), m); err != nil {
			return err
		}
	}
	from = e.done.Readings
	if e.replays && e.core.quiet {
		from = e.done.Replay
	}
	for _, m := range d.readings[from:] {
		m.left = uint64(len(d.readings)) - m.seq
		if err := e.readings(t.Context(), m); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) tell() (all []string) {
	for _, key := range slices.Sorted(maps.Keys(d.log)) {
		ev := d.log[key]
		line := fmt.Sprintf("%s value %v", spellEvents([]bus.AlertEvent{ev})[0], ev.Alert.Value)
		for _, r := range ev.Tell {
			line += fmt.Sprintf(" %s round %d step %d %s", r.Who(), r.Round, r.Step, r.Held)
		}
		all = append(all, line)
	}
	slices.Sort(all)
	return all
}

// TestRestartsChangeNothing plays the same inputs to an engine that is never stopped and to one that is stopped or killed at
// random points, with readings out of order, repeated, delayed and ahead of time. The alert logs are the same.
func TestRestartsChangeNothing(t *testing.T) {
	restarts(t, memoryRules(t))
}

// TestRestartsChangeNothingAround does so with rules over groups of devices. Rules that weigh readings against events or alerts are left
// out: those come on other streams, without a common order, and are there before the readings that a restart judges again.
func TestRestartsChangeNothingAround(t *testing.T) {
	data, err := os.ReadFile("testdata/beyond.yaml")
	if err != nil {
		t.Fatal(err)
	}
	groups := regexp.MustCompile(`(?m)^- \{id: (m_sum|m_pair),.*\n`).FindAllString(string(data), -1)
	restarts(t, rulesOf(t, "rules:\n"+strings.Join(groups, "")))
}

func restarts(t *testing.T, rules *Rules) {
	rapid.Check(t, func(t *rapid.T) {
		now := start
		quiet, harried := newDisk(), newDisk()
		live, e := quiet.engine(t, rules, &now), harried.engine(t, rules, &now)
		both := func(f func(d *disk, e *Engine)) {
			f(quiet, live)
			f(harried, e)
		}
		tick := func(_ *disk, e *Engine) {
			if err := e.tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		lane := "" // the stream of the last input
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			seconds := rapid.SampledFrom([]int{0, 0, 0, 1, 20, 60, 90, 240, 700, 7200}).Draw(t, "seconds")
			now = now.Add(time.Duration(seconds) * time.Second)
			what := rapid.SampledFrom([]string{"reading", "reading", "reading", "reading", "event", "action", "action", "tick", "tick", "commit", "checkpoint", "kill"}).Draw(t, "step")
			// What was judged before is stored: judged again later, its ladder would count from then, and events and actions would come
			// before readings.
			if streams := []string{"reading", "event", "action"}; seconds > 0 || slices.Contains(streams, what) && what != lane {
				lane = what
				if err := e.commit(t.Context(), false); err != nil {
					t.Fatal(err)
				}
			}
			switch what {
			case "reading":
				data := drawReadings(t, now)
				both(func(d *disk, e *Engine) {
					d.readings = append(d.readings, message{bus.Readings, uint64(len(d.readings)) + 1, 0, data})
					if err := d.feed(t, e); err != nil {
						t.Fatal(err)
					}
				})
			case "event":
				data := drawEvent(t, now)
				both(func(d *disk, e *Engine) {
					d.events = append(d.events, message{bus.Events, uint64(len(d.events)) + 1, 0, data})
					if err := d.feed(t, e); err != nil {
						t.Fatal(err)
					}
				})
			case "action":
				data := drawAction(t, now, live.core.book)
				both(func(d *disk, e *Engine) {
					d.actions = append(d.actions, message{bus.Actions, uint64(len(d.actions)) + 1, 0, data})
					if err := d.feed(t, e); err != nil {
						t.Fatal(err)
					}
				})
			case "tick":
				both(tick)
			case "kill":
				e = harried.engine(t, rules, &now)
			default:
				if err := e.commit(t.Context(), what == "checkpoint"); err != nil {
					t.Fatal(err)
				}
			}
			both(func(_ *disk, e *Engine) { oneOpen(t, e.core.book) })
		}
		now = now.Add(msec(heard)) // one that starts looks at the clock, which the other has not passed before
		both(tick)
		e = harried.engine(t, rules, &now)
		now = now.Add(1000 * time.Hour)
		both(func(d *disk, e *Engine) {
			tick(d, e)
			if err := e.commit(t.Context(), true); err != nil {
				t.Fatal(err)
			}
		})
		if diff := cmp.Diff(quiet.tell(), harried.tell()); diff != "" {
			t.Fatalf("alert logs (-never stopped +stopped):\n%s", diff)
		}
	})
}

// oneOpen checks that no identity has two open alerts, and that the book knows each as that of its episode.
func oneOpen(t *rapid.T, b *book) {
	open := map[string]string{}
	for id, a := range b.alerts {
		if key := episodeKey(a.Rule, a.Identity); a.State != bus.Closed {
			if e := b.episodes[key]; open[key] != "" || e == nil || e.alert != a {
				t.Fatalf("alerts %s and %s of %s are open; the episode is %+v", id, open[key], key, e)
			}
			open[key] = id
		}
	}
}

// drawAction is something that a person, or the notifier, does to one of the alerts that are known, or to people's being told.
func drawAction(t *rapid.T, now time.Time, b *book) []byte {
	kind := rapid.SampledFrom([]string{
		"acknowledge", "acknowledge", "close", "reopen", "comment", "assign", "snooze", "unreached", "decline", "hold", "confirm", "release",
	}).Draw(t, "kind")
	x := bus.Action{
		Key: fmt.Sprint(now, kind), Kind: kind, Community: "tianjin", By: "li", At: now, Note: "n", Assignee: "wang",
		Disposition: "test", Person: rapid.SampledFrom([]string{"", "wang"}).Draw(t, "person"),
	}
	if kind == "confirm" {
		x.By = "zhao"
	}
	x.Until = now.Add(time.Duration(rapid.IntRange(1, 100).Draw(t, "minutes")) * time.Minute)
	if ids := slices.Sorted(maps.Keys(b.alerts)); len(ids) > 0 {
		x.Alert = rapid.SampledFrom(ids).Draw(t, "alert")
		if e := b.alerts[x.Alert].Escalation; e != nil && len(e.Reaching) > 0 {
			who, _ := strings.CutPrefix(rapid.SampledFrom(e.Reaching).Draw(t, "who"), "person:")
			x.N, x.Recipient = e.N, &bus.Recipient{Target: who, Person: who}
		}
	}
	x.Hold = &bus.Hold{
		ID: rapid.SampledFrom([]string{"h1", "h2", "h3"}).Draw(t, "hold"), Kind: rapid.SampledFrom([]string{bus.Silence, bus.Maintenance}).Draw(t, "hold kind"),
		Reason: "r", From: now, Until: x.Until, Match: bus.Match{Device: rapid.SampledFrom([]string{"", "p1"}).Draw(t, "device")},
	}
	x.Hold.Safety = x.Hold.Match.Device != "" && x.Hold.Kind == bus.Silence
	data, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// drawReadings is a batch that arrives now.
func drawReadings(t *rapid.T, now time.Time) (batch []byte) {
	for i := range rapid.IntRange(1, 3).Draw(t, "lines") {
		lag := rapid.SampledFrom([]int{0, 0, 0, 0, 30, 100, 4000, -60}).Draw(t, "lag")
		fields := rapid.SampledFrom([]string{
			"level=96", "level=96", "level=96", "level=85", "level=50", "heat=60", "heat=20", "heat=120", "level=97,heat=20", "used=10", "used=40", "used=90", "heat=45", "level=60,heat=60",
			"smoke=true", "smoke=false", `door="open",awake=false`, `door="closed"`, "awake=true",
			"lat=39.102,lon=117.7", "lat=39.102,lon=117.7,accuracy_m=40", "lat=39.1,lon=117.7",
		}).Draw(t, "fields")
		device := rapid.SampledFrom([]string{"p1", "p1,inlet=2", "p2,inlet=1", "p2,inlet=2", "p3"}).Draw(t, "device")
		unique := now.Sub(start)/time.Second*10 + time.Duration(i) // as ingest tells readings of one millisecond apart
		at := now.Add(-time.Duration(lag)*time.Second + unique)
		batch = fmt.Appendf(batch, "probe,community=tianjin,device=%s %s,received_at=%di %d\n", device, fields, now.UnixMilli(), at.UnixNano())
	}
	return batch
}

func drawEvent(t *rapid.T, now time.Time) []byte {
	lag := rapid.SampledFrom([]int{0, 0, 10, 5000}).Draw(t, "lag")
	name := rapid.SampledFrom([]string{"sos", "jam", "jam", "jam", "jam_over", "flood"}).Draw(t, "event")
	device := rapid.SampledFrom([]string{"p1", "p2", "p3"}).Draw(t, "device")
	at := now.Add(-time.Duration(lag) * time.Second)
	return fmt.Appendf(nil, "event,community=tianjin,device=%s,type=probe,event=%s attempts=3,received_at=%di %d\n", device, name, now.UnixMilli(), at.UnixNano())
}

// An event has opened the alert, the field has said nothing of it yet. A restart must not take that for a field that fires: once a
// person has closed the alert, smoke opens another.
func TestSmokeAfterARestartIsTold(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0s smoke=false", "p1 1m!smoke_alarm")
	next := newWorld(t)
	next.book.load(w.last())
	for shard := range uint8(shards) {
		if err := next.unpack(w.pack(shard, func(*series) bool { return true })); err != nil {
			t.Fatal(err)
		}
	}
	next.endReplay()
	if err := next.act(2*time.Minute, "close", w.last().ID, ""); err != nil {
		t.Fatal(err)
	}
	next.say("p1 3m smoke=true")
	next.expect("t_smoke[device=p1] 2m:closed", "t_smoke[device=p1] 3m:opened")
}

// A replay reads again what came before a maintenance, when that has begun already: it is judged as it was judged then.
func TestAReplayKnowsWhenMaintenanceBegan(t *testing.T) {
	w := newWorld(t)
	w.say("p1 0m level=96", "p1 4m level=96", "p1 8m level=96", "p1 8m30s!maintenance_start")
	next := newWorld(t)
	next.book.load(w.last())
	next.quiet = true
	next.say("p1 0m level=96", "p1 4m level=96", "p1 8m level=96")
	next.endReplay()
	next.say("p1 9m!maintenance_end", "p1 10m level=96")
	next.expect("dev_maintenance[device=p1] 9m:cleared", "t_level[device=p1] 10m:opened")
}

// Two inlets are one to a rule. What the second said before a person closed the alert of the first opens none in a replay, either.
func TestAReplayOpensNothingThatWasOneWithWhatIsClosed(t *testing.T) {
	w := newWorld(t)
	said := []string{"p1 1m heat=101", "p1,inlet=2 30s +1m heat=101"}
	w.say(said...)
	next := newWorld(t)
	for id, a := range w.book.alerts {
		if err := w.act(2*time.Minute, "close", id, "helped"); err != nil {
			t.Fatal(err)
		}
		next.book.load(reread(t, a))
	}
	next.quiet = true
	next.say(said...)
	next.endReplay()
	next.expect()
}
