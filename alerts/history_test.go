package alerts

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"linli/bus"
	"linli/devices"
)

// archive is what is kept of what an engine has judged: a reading that came twice has taken its own place.
type archive struct {
	lines   map[string]archived // by what the database tells them apart by
	actions []archived
}

type archived struct {
	received time.Time
	at       int64 // ns
	event    bool
	line     string
	action   *bus.Action
}

func (s *archive) add(t *rapid.T, now time.Time, event bool, data []byte) {
	for line := range strings.Lines(string(data)) {
		var l devices.Line
		if _, err := l.Parse([]byte(line)); err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(line, " ")
		s.lines[fmt.Sprint(head, l.Time)] = archived{now, l.Time, event, line, nil}
	}
}

// oldestFirst puts lines that came together in the order of their times: what came in another is not known afterwards.
func oldestFirst(batch []byte) []byte {
	lines := slices.Collect(strings.Lines(string(batch)))
	slices.SortStableFunc(lines, func(a, b string) int {
		return cmp.Compare(a[strings.LastIndex(a, " "):], b[strings.LastIndex(b, " "):])
	})
	return []byte(strings.Join(lines, ""))
}

// replay judges what is stored until a time, as package app does.
func (s *archive) replay(t *rapid.T, rules *Rules, until time.Time) (log []string) {
	all := slices.Clone(s.actions)
	for _, l := range s.lines {
		all = append(all, l)
	}
	rank := func(l archived) int {
		switch {
		case l.event:
			return 0
		case l.action != nil:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(all, func(a, b archived) int {
		return cmp.Or(a.received.Compare(b.received), cmp.Compare(rank(a), rank(b)), cmp.Compare(a.at, b.at), cmp.Compare(a.line, b.line))
	})
	h := NewHistory(rules, newPeople(), start.Add(-2*time.Hour))
	for _, l := range all {
		h.Advance(l.received)
		var err error
		switch {
		case l.action != nil:
			h.Act(l.action)
		case l.event:
			err = h.Event([]byte(l.line))
		default:
			err = h.Reading([]byte(l.line))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	h.Advance(until)
	return spellConditions(h.Happened())
}

func spellConditions(events []bus.AlertEvent) (all []string) {
	for _, ev := range events {
		if conditional(&ev) {
			all = append(all, fmt.Sprintf("%s %s %s %s %s", ev.At.Sub(start), ev.Kind, ev.Alert.Rule, ev.Alert.Device, ev.Alert.Severity))
		}
	}
	slices.Sort(all)
	return all
}

// TestHistoryIsWhatHappened plays readings, events and what people do to an engine, and replays what is stored of it: alerts open,
// change and end at the same times, with the same severity.
func TestHistoryIsWhatHappened(t *testing.T) {
	rules := memoryRules(t)
	rapid.Check(t, func(t *rapid.T) {
		now := start
		d, s := newDisk(), &archive{lines: map[string]archived{}}
		e := d.engine(t, rules, &now)
		tick := func() {
			if err := e.tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.SampledFrom([]int{1, 20, 60, 90, 240, 700, 7200}).Draw(t, "seconds")) * time.Second)
			tick()
			switch rapid.SampledFrom([]string{"reading", "reading", "reading", "reading", "event", "action"}).Draw(t, "step") {
			case "reading":
				data := oldestFirst(drawReadings(t, now))
				d.readings = append(d.readings, message{bus.Readings, uint64(len(d.readings)) + 1, 0, data})
				s.add(t, now, false, data)
			case "event":
				data := drawEvent(t, now)
				d.events = append(d.events, message{bus.Events, uint64(len(d.events)) + 1, 0, data})
				s.add(t, now, true, data)
			case "action":
				data := drawAction(t, now, e.core.book)
				d.actions = append(d.actions, message{bus.Actions, uint64(len(d.actions)) + 1, 0, data})
				x := &bus.Action{}
				if err := json.Unmarshal(data, x); err != nil {
					t.Fatal(err)
				}
				s.actions = append(s.actions, archived{received: now, action: x})
			}
			d.feed(t, e)
			now = now.Add(time.Second)
			tick()
		}
		now = now.Add(48 * time.Hour)
		tick()
		if err := e.commit(t.Context(), true); err != nil {
			t.Fatal(err)
		}
		var live []bus.AlertEvent
		for _, ev := range d.log {
			if rules.Rule(ev.Alert.Rule) != nil { // and not the engine's own
				live = append(live, ev)
			}
		}
		if diff := gocmp.Diff(spellConditions(live), s.replay(t, rules, now)); diff != "" {
			t.Fatalf("what happened (-live +replayed):\n%s", diff)
		}
	})
}

// TestHistoryFlapsAnew has an alert that flaps, keeps still for two hours, and flaps again: the clock has to release it between.
func TestHistoryFlapsAnew(t *testing.T) {
	h := NewHistory(memoryRules(t), newPeople(), start)
	level := func(minute int, percent string) {
		at := start.Add(time.Duration(minute) * time.Minute)
		h.Advance(at)
		if err := h.Reading(fmt.Appendf(nil, "probe,community=tianjin,device=p3 level=%s,received_at=%di %d\n", percent, at.UnixMilli(), at.UnixNano())); err != nil {
			t.Fatal(err)
		}
	}
	for _, begin := range []int{0, 120} {
		for i := range 4 {
			level(begin+2*i, "60")
			level(begin+2*i+1, "54")
		}
		level(begin+8, "60")
		for minute := range 100 {
			level(begin+9+minute, "60")
		}
		level(begin+119, "54")
	}
	flaps := 0
	for _, ev := range h.Happened() {
		if ev.Alert.Rule == "m_step" && ev.Kind == flapping {
			flaps++
		}
	}
	if flaps != 2 {
		t.Errorf("it flapped %d times, want twice", flaps)
	}
}
