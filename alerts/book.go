package alerts

import (
	"container/heap"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"linli/bus"
)

const (
	// unanswered is how long a cleared alert waits for somebody to acknowledge it.
	unanswered = 24 * time.Hour
	// eventEpisode is how long after its last event an alert that is not latched ends.
	eventEpisode = 24 * time.Hour
	// closedKept is how many closed alerts stay in memory, to know what has been told already.
	closedKept = 10_000
)

// What happens to alerts.
const (
	opened       = "opened"
	repeated     = "repeated"
	confirmed    = "confirmed"
	acknowledged = "acknowledged"
	cleared      = "cleared"
	closed       = "closed"
)

// book holds the alerts and writes down everything that happens to them.
type book struct {
	rules    map[string]*Rule
	alerts   map[string]*bus.Alert // by id; all that are not closed, and the latest closed ones
	episodes map[string]*episode   // by rule and identity
	due      dueHeap               // alerts that time will move
	closed   []string              // ids in the order of closing; the oldest are forgotten

	maintained map[string]bool // devices with an open alert of the rule maintenance

	out []bus.AlertEvent // what happened since the last commit
}

// episode is what a rule has to say of one identity: at most one alert that is not closed, fed by any number of cells.
type episode struct {
	alert  *bus.Alert // nil when all are closed
	firing int        // cells in state firing
}

func newBook(rules *Rules) *book {
	b := &book{rules: map[string]*Rule{}, alerts: map[string]*bus.Alert{}, episodes: map[string]*episode{}, maintained: map[string]bool{}}
	for _, r := range append(slices.Clone(rules.all), safetyEvent, maintenance) {
		b.rules[r.ID] = r
	}
	return b
}

func episodeKey(rule, identity string) string { return rule + "|" + identity }

// alertID is the same whenever the same thing is found again.
func alertID(rule, identity string, openedAt time.Time) string {
	sum := sha256.Sum256([]byte(rule + "\x00" + identity + "\x00" + strconv.FormatInt(openedAt.UnixMilli(), 10)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

// episode returns the one of that key, made if it is new.
func (b *book) episode(key string) *episode {
	e := b.episodes[key]
	if e == nil {
		e = &episode{}
		b.episodes[key] = e
	}
	return e
}

// open adds an alert; one that is known by its id changes nothing.
func (b *book) open(a *bus.Alert) {
	if b.alerts[a.ID] != nil {
		return
	}
	e := b.episode(episodeKey(a.Rule, a.Identity))
	if e.alert != nil {
		b.close(e.alert, a.OpenedAt, "", "opened again")
	}
	e.alert = a
	b.alerts[a.ID] = a
	b.record(a, bus.AlertEvent{Kind: opened, At: a.OpenedAt})
	b.schedule(a)
}

// repeat counts one more event.
func (b *book) repeat(a *bus.Alert, at time.Time) {
	a.Count++
	if at.After(a.LastEvent) {
		a.LastEvent = at
	}
	b.record(a, bus.AlertEvent{Kind: repeated, At: at})
}

// confirm ends the lateness of an alert that a fresh reading still fulfils.
func (b *book) confirm(a *bus.Alert, at time.Time) {
	if a.Late {
		a.Late = false
		b.record(a, bus.AlertEvent{Kind: confirmed, At: at})
	}
}

// clear notes that the condition has ended. Nothing happens to an alert that is latched or cleared.
func (b *book) clear(a *bus.Alert, at time.Time) {
	if a.Latched || a.State == bus.Cleared || a.State == bus.Closed {
		return
	}
	a.State, a.ClearedAt = bus.Cleared, &at
	b.record(a, bus.AlertEvent{Kind: cleared, At: at})
	if a.AckedAt != nil {
		b.close(a, at, "", "acknowledged and cleared")
		return
	}
	b.schedule(a)
}

func (b *book) close(a *bus.Alert, at time.Time, by, note string) {
	b.closeAs(a, bus.AlertEvent{Kind: closed, At: at, By: by, Note: note})
}

func (b *book) closeAs(a *bus.Alert, ev bus.AlertEvent) {
	a.State, a.ClosedAt, a.ClosedBy = bus.Closed, &ev.At, ev.By
	b.episode(episodeKey(a.Rule, a.Identity)).alert = nil
	b.record(a, ev)
	b.closed = append(b.closed, a.ID)
}

// act does what a person asked for. What makes no sense any more changes nothing, so an action may come twice.
func (b *book) act(x *bus.Action) error {
	a := b.alerts[x.Alert]
	ev := bus.AlertEvent{At: x.At, By: x.By, Note: x.Note, Key: x.Key}
	switch {
	case a == nil:
		return fmt.Errorf("%s: no open alert %q", x.Kind, x.Alert)
	case a.State == bus.Closed:
		return nil
	case x.Kind == "acknowledge":
		if a.AckedAt != nil {
			return nil
		}
		a.AckedAt, a.AckedBy = &x.At, x.By
		wasCleared := a.State == bus.Cleared
		if !wasCleared {
			a.State = bus.Acknowledged
		}
		ev.Kind = acknowledged
		b.record(a, ev)
		if wasCleared {
			b.close(a, x.At, x.By, "acknowledged and cleared")
		}
	case x.Kind == "close":
		if a.Latched && x.Disposition == "" {
			return fmt.Errorf("close: alert %s of rule %s needs a disposition", a.ID, a.Rule)
		}
		a.Disposition = x.Disposition
		ev.Kind = closed
		b.closeAs(a, ev)
	default:
		return fmt.Errorf("unknown action %q", x.Kind)
	}
	return nil
}

func (b *book) record(a *bus.Alert, ev bus.AlertEvent) {
	b.maintain(a)
	a.Events++
	ev.N, ev.Alert = a.Events, *a
	b.tell(&ev)
	b.out = append(b.out, ev)
}

// maintain follows which devices are being worked on.
func (b *book) maintain(a *bus.Alert) {
	if a.Rule != maintenance.ID {
		return
	}
	if a.State == bus.Opened || a.State == bus.Acknowledged {
		b.maintained[a.Device] = true
	} else {
		delete(b.maintained, a.Device)
	}
}

// load takes an alert as CORE has it.
func (b *book) load(a *bus.Alert) {
	b.alerts[a.ID] = a
	if a.State == bus.Closed {
		b.closed = append(b.closed, a.ID)
		return
	}
	b.episode(episodeKey(a.Rule, a.Identity)).alert = a
	b.maintain(a)
	b.schedule(a)
}

// replace puts an alert as CORE has it in the place of one that was opened again by mistake.
func (b *book) replace(a *bus.Alert) {
	key := episodeKey(a.Rule, a.Identity)
	if e := b.episode(key); e.alert != nil && e.alert.ID == a.ID {
		e.alert = nil
	}
	b.load(a)
}

// forget drops the closed alerts beyond closedKept. The caller knows that no replay will meet them again.
func (b *book) forget() {
	if excess := len(b.closed) - closedKept; excess > 0 {
		for _, id := range b.closed[:excess] {
			delete(b.alerts, id)
		}
		b.closed = append([]string(nil), b.closed[excess:]...)
	}
	for key, e := range b.episodes {
		if e.alert == nil && e.firing == 0 {
			delete(b.episodes, key)
		}
	}
}

// deadline is when time alone moves an alert; zero for never.
func (b *book) deadline(a *bus.Alert) time.Time {
	switch rule := b.rules[a.Rule]; {
	case a.State == bus.Cleared:
		return a.ClearedAt.Add(unanswered)
	case a.State == bus.Closed, a.Latched, rule == nil, rule.Kind != EventKind:
		return time.Time{}
	}
	return a.LastEvent.Add(eventEpisode)
}

func (b *book) schedule(a *bus.Alert) {
	if at := b.deadline(a); !at.IsZero() {
		heap.Push(&b.due, dueAlert{at.UnixMilli(), a.ID})
	}
}

// advance does what has become due at now, ms.
func (b *book) advance(now int64) {
	for len(b.due) > 0 && b.due[0].at <= now {
		next := heap.Pop(&b.due).(dueAlert)
		a := b.alerts[next.alert]
		if a == nil {
			continue
		}
		switch at := b.deadline(a); {
		case at.IsZero():
		case at.UnixMilli() > now: // repeated meanwhile
			b.schedule(a)
		case a.State == bus.Cleared:
			b.close(a, at, "", "nobody answered")
		default:
			b.clear(a, at)
		}
	}
}

type dueAlert struct {
	at    int64 // ms
	alert string
}

type dueHeap []dueAlert

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at < h[j].at }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)        { *h = append(*h, x.(dueAlert)) }
func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
