package alerts

import (
	"container/heap"
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"time"

	"linli/bus"
)

const (
	// clearedKept is how long a cleared alert waits for somebody to acknowledge it.
	clearedKept = 24 * time.Hour
	// eventEpisode is how long after its last event an alert that is not latched ends.
	eventEpisode = 24 * time.Hour
	// closedKept is how many closed alerts stay in memory, to know what has been told already.
	closedKept = 10_000
)

// What happens to alerts.
const (
	opened             = "opened"
	repeated           = "repeated"            // its event came again; of life-safety: somebody called again
	confirmed          = "confirmed"           // people are told from now on: it was late, or kept back
	escalated          = "escalated"           // the next step of its ladder
	unanswered         = "unanswered"          // the ladder has ended, and begins again
	unreached          = "unreached"           // somebody of the last step cannot be reached
	declined           = "declined"            // somebody cannot look after it
	acknowledged       = "acknowledged"        // somebody looks after it: the ladder stops
	familyAcknowledged = "family_acknowledged" // somebody of the family does: the property is told on
	reminded           = "reminded"            // who acknowledged it is asked for a sign
	renewed            = "renewed"             // and has given it
	unacknowledged     = "unacknowledged"      // or has not: the ladder goes on
	assigned           = "assigned"
	commented          = "commented"
	snoozed            = "snoozed"
	kept               = "kept" // why nobody is told has changed
	cleared            = "cleared"
	corroborated       = "corroborated" // another device says the same
	raised             = "raised"       // it has become more severe
	lowered            = "lowered"      // or less
	reopened           = "reopened"     // its condition came back soon, or a person says it is not over
	flapping           = "flapping"     // the same once too often: nothing more is told until it keeps still
	closed             = "closed"
)

// book holds the alerts and writes down everything that happens to them.
type book struct {
	rules    *Rules
	dir      Directory
	resolver Resolver              // nil: only the duty channels are known
	alerts   map[string]*bus.Alert // by id; all that are not closed, and the latest closed ones
	episodes map[string]*episode   // by rule and identity
	due      dueHeap               // alerts that the time of the streams will move
	wakes    dueHeap               // alerts that the server's clock will move
	closed   []string              // ids in the order of closing; the oldest are forgotten

	works        map[string][]work          // on devices, the latest last
	edges        []edge                     // which alerts follow from which
	causes       map[string]map[string]bool // open causes by causeKey
	held         map[string]bool            // alerts that are kept back
	holds        map[string]*bus.Hold       // that are not over
	commissioned map[string]*bus.Hold       // commissionings of late, over or not, by id
	holdsLooked  time.Time                  // when they were looked through for such as are
	loads        map[string]*bus.Load       // by subject
	waiting      map[string]*bus.Load       // those with a digest to come
	deferred     map[string][]string        // the alerts in it, by the subject of its load
	awaited      map[string][]string        // digests whose end waits for that of an alert, by its id

	clock time.Time                        // the server's, as of what is judged now; zero: nothing waits for an engine
	zones map[string]*time.Location        // by name
	going map[string]map[string]*bus.Alert // by rule and id: alerts that have not ended, of rules that others look at
	news  []news                           // what happened to such alerts, and events, for those to look at

	out     []bus.AlertEvent // what happened since the last commit
	changed map[string]any   // and the other records that changed, by subject
}

// episode is what a rule has to say of one identity: at most one alert that is not closed, fed by any number of cells.
type episode struct {
	alert  *bus.Alert      // nil when all are closed
	last   *bus.Alert      // the latest that its condition closed, while it may come back
	firing int             // cells in state firing
	levels [mostLevels]int // of them, at each level
}

func newBook(rules *Rules, dir Directory) *book {
	return &book{
		rules: rules, dir: dir, alerts: map[string]*bus.Alert{}, episodes: map[string]*episode{}, works: map[string][]work{},
		edges: rules.causes, causes: map[string]map[string]bool{}, held: map[string]bool{}, holds: map[string]*bus.Hold{},
		loads: map[string]*bus.Load{}, waiting: map[string]*bus.Load{}, deferred: map[string][]string{}, changed: map[string]any{},
		awaited: map[string][]string{}, commissioned: map[string]*bus.Hold{},
		going: map[string]map[string]*bus.Alert{}, zones: map[string]*time.Location{},
	}
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

// open adds an alert; one that is known by its id changes nothing. When the last of its episode ended by itself a short while ago,
// that one opens again in its place.
func (b *book) open(a *bus.Alert) {
	if b.alerts[a.ID] != nil {
		return
	}
	e := b.episode(episodeKey(a.Rule, a.Identity))
	if old := e.returning(a); old != nil {
		b.comeBack(old, a)
		return
	}
	if e.alert != nil {
		b.close(e.alert, a.OpenedAt, "", "opened again")
	}
	e.alert, e.last = a, nil
	b.alerts[a.ID] = a
	a.Escalation = b.rules.plan(a.Rule, a.Severity).freeze()
	a.Where = b.dir.Community(a.Community).Where(a.Place)
	a.Instructions = b.instructions(a)
	b.raise(a, bus.AlertEvent{Kind: opened, At: a.OpenedAt}, begun(a))
	b.schedule(a)
}

// repeat counts one more event, which arrived at received.
func (b *book) repeat(a *bus.Alert, at, received time.Time) {
	again := pressedAgain(a, at, received)
	a.Count++
	if at.After(a.LastEvent) {
		a.LastEvent = at
	}
	ev := bus.AlertEvent{Kind: repeated, At: at}
	if again {
		b.press(a, ev, received)
		return
	}
	b.record(a, ev)
}

// confirm ends the lateness of an alert that a fresh reading still fulfils.
func (b *book) confirm(a *bus.Alert, at time.Time) {
	if !a.Late {
		return
	}
	a.Late = false
	ev := bus.AlertEvent{Kind: confirmed, At: at}
	if a.State == bus.Opened {
		b.raise(a, ev, latest(at, a.Received))
		return
	}
	a.Held, a.HeldBy, a.HeldUntil = "", "", time.Time{}
	b.record(a, ev)
}

// clear notes that the condition has ended. Nothing happens to an alert that is latched or cleared.
func (b *book) clear(a *bus.Alert, at time.Time) {
	if a.Latched || a.State == bus.Cleared || a.State == bus.Closed {
		return
	}
	a.State, a.ClearedAt = bus.Cleared, &at
	b.record(a, bus.AlertEvent{Kind: cleared, At: at, Tell: b.ended(a, at)})
	if a.AckedAt != nil {
		b.close(a, at, "", "acknowledged and cleared")
		return
	}
	b.schedule(a)
}

func (b *book) close(a *bus.Alert, at time.Time, by, note string) {
	b.closeAs(a, bus.AlertEvent{Kind: closed, At: at, By: by, Note: note})
}

// closeAs closes an alert. People are told when a person does; by itself it closes after it cleared, which they know.
func (b *book) closeAs(a *bus.Alert, ev bus.AlertEvent) {
	a.State, a.ClosedAt, a.ClosedBy = bus.Closed, &ev.At, ev.By
	e := b.episode(episodeKey(a.Rule, a.Identity))
	e.alert, e.last = nil, nil
	if ev.By == "" && a.ClearedAt != nil {
		e.last = a
	}
	if ev.By != "" {
		ev.Tell = b.ended(a, ev.At)
	}
	b.record(a, ev)
	b.closed = append(b.closed, a.ID)
}

func (b *book) record(a *bus.Alert, ev bus.AlertEvent) {
	a.Events++
	ev.N, ev.Alert = a.Events, *a
	b.out = append(b.out, ev)
	if a.Escalation != nil { // what is written stays as it is
		e := *a.Escalation
		a.Escalation = &e
	}
	b.index(a)
	b.freed(a, ev.At)
	b.conclude(a)
	if b.rules.followed[a.Rule] {
		b.news = append(b.news, news{alert: a, kind: ev.Kind, at: ev.At.UnixMilli()})
	}
}

// index follows what the state of an alert means for others, and when it is to be looked at again.
func (b *book) index(a *bus.Alert) {
	b.maintain(a)
	b.follow(a)
	if a.HeldBy != "" && a.State != bus.Closed || a.Owed {
		b.held[a.ID] = true
	} else {
		delete(b.held, a.ID)
	}
	b.arm(a)
	if b.rules.followed[a.Rule] {
		if b.going[a.Rule] == nil {
			b.going[a.Rule] = map[string]*bus.Alert{}
		}
		if delete(b.going[a.Rule], a.ID); going(a) {
			b.going[a.Rule][a.ID] = a
		}
	}
}

// load takes an alert as CORE has it.
func (b *book) load(a *bus.Alert) {
	if a.Synthetic {
		return
	}
	b.alerts[a.ID] = a
	b.index(a)
	for _, d := range a.Deferred {
		b.expect(a, d.Who)
	}
	if a.State != bus.Closed {
		b.episode(episodeKey(a.Rule, a.Identity)).alert = a
		b.schedule(a)
		return
	}
	b.closed = append(b.closed, a.ID)
	if a.ClosedBy == "" && a.ClearedAt != nil {
		if e := b.episode(episodeKey(a.Rule, a.Identity)); e.last == nil || e.last.ClosedAt.Before(*a.ClosedAt) {
			e.last = a
		}
	}
}

// replace puts an alert as CORE has it in the place of one that was opened again by mistake.
func (b *book) replace(a *bus.Alert) {
	key := episodeKey(a.Rule, a.Identity)
	if e := b.episode(key); e.alert != nil && e.alert.ID == a.ID {
		e.alert = nil
	}
	b.load(a)
}

// forget drops the closed alerts beyond closedKept, but for those whose end is owed. The caller knows that no replay will meet them
// again.
func (b *book) forget() {
	if excess := len(b.closed) - closedKept; excess > 0 {
		var owed []string
		for _, id := range b.closed[:excess] {
			if a := b.alerts[id]; a != nil && a.Owed {
				owed = append(owed, id)
				continue
			}
			delete(b.alerts, id)
		}
		b.closed = append(owed, b.closed[excess:]...)
	}
	for key, e := range b.episodes {
		if e.alert == nil && e.firing == 0 && (e.last == nil || b.alerts[e.last.ID] == nil) {
			delete(b.episodes, key)
		}
	}
}

// deadline is when time alone moves an alert; zero for never.
func (b *book) deadline(a *bus.Alert) time.Time {
	switch rule := b.rules.byID[a.Rule]; {
	case a.State == bus.Cleared:
		return a.ClearedAt.Add(clearedKept)
	case a.State == bus.Closed, a.Latched, rule == nil:
		return time.Time{}
	case rule.Kind == CountKind:
		return a.LastEvent.Add(rule.own.window.fixed)
	case rule.Kind != EventKind:
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
		case at.UnixMilli() > next.at: // repeated meanwhile: others may be due before it
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

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].alert < h[j].alert
}
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *dueHeap) Push(x any)   { *h = append(*h, x.(dueAlert)) }
func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
