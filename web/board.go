package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"sync"

	"linli/bus"
)

// board is the present state of the alerts, as CORE has it, and who watches it. One consumer feeds it; it holds every alert that
// is not closed and the maxClosed that were closed last.
//
//	CORE ─► put ─► alerts          list, find: what is there now
//	          └──► watchers ─► stream: first what is there, then every change
//	COMMANDS, holds ───┘       every state of a command or a hold from now on
type board struct {
	mu       sync.Mutex // guards everything below
	alerts   map[string]change
	closed   []change // in the order they were closed
	last     uint64   // sequence of the newest change
	dropped  uint64   // sequence of the newest alert no longer held: who knows less cannot be told what is missing
	watchers map[*watcher]bool
	err      error // why the board may be out of date
}

// change is an alert or a hold as it was after a message of CORE, or a command as it was after one of COMMANDS. It is immutable.
type change struct {
	seq   uint64
	alert *bus.Alert
	data  []byte // the alert as JSON, without line breaks

	command *bus.Command // instead of an alert: a state of a command
	hold    *bus.Hold    // instead of an alert: a hold
}

// watcher receives changes. Its channel is closed when it was full: the client is cut off, and comes back for what it missed.
type watcher struct{ changes chan change }

const (
	maxClosed    = 10_000
	watcherQueue = 256
)

var errLoading = errors.New("the alerts are being loaded")

func newBoard() *board {
	return &board{alerts: map[string]change{}, watchers: map[*watcher]bool{}, err: errLoading}
}

// put takes in the state of an alert and tells the watchers.
func (b *board) put(seq uint64, data []byte) error {
	a := new(bus.Alert)
	if err := json.Unmarshal(data, a); err != nil {
		return err
	}
	data, err := json.Marshal(a)
	if err != nil {
		return err
	}
	c := change{seq: seq, alert: a, data: data}
	b.mu.Lock()
	defer b.mu.Unlock()
	if seq <= b.last { // seen before the connection was lost
		return nil
	}
	b.last = seq
	if a.Synthetic { // linli checking itself is no alert to look after
		return nil
	}
	b.alerts[a.ID] = c
	if a.State == bus.Closed {
		b.forget(c)
	}
	b.tell(c)
	return nil
}

// pass tells the watchers of what is not kept here, a command or a hold as it is now.
func (b *board) pass(c change, what any) error {
	var err error
	if c.data, err = json.Marshal(what); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tell(c)
	return nil
}

func (b *board) tell(c change) {
	for w := range b.watchers {
		select {
		case w.changes <- c:
		default:
			close(w.changes)
			delete(b.watchers, w)
		}
	}
}

// forget makes room for one more closed alert.
func (b *board) forget(c change) {
	b.closed = append(b.closed, c)
	if len(b.closed) <= maxClosed {
		return
	}
	old := b.closed[0]
	b.closed = b.closed[1:]
	if b.alerts[old.alert.ID].seq == old.seq {
		delete(b.alerts, old.alert.ID)
		b.dropped = max(b.dropped, old.seq)
	}
}

// watch returns every change after the sequence since, oldest first, and a watcher of all that follow: nothing is missing and
// nothing double. Without since, or if some of those changes are no longer known, complete is true: the changes are then all
// alerts that are not closed. The caller ends with leave.
func (b *board) watch(since uint64) (w *watcher, now []change, last uint64, complete bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	complete = since == 0 || since < b.dropped || since > b.last
	now = b.those(func(c change) bool { return complete && c.alert.State != bus.Closed || !complete && c.seq > since })
	return b.add(), now, b.last, complete
}

// open returns all alerts that are not closed, oldest change first.
func (b *board) open() (now []change, last uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.those(func(c change) bool { return c.alert.State != bus.Closed }), b.last
}

// those returns the last changes of the alerts that are wanted, oldest first. The caller holds mu.
func (b *board) those(wanted func(change) bool) (all []change) {
	for _, c := range b.alerts {
		if wanted(c) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(x, y change) int { return cmp.Compare(x.seq, y.seq) })
	return all
}

// join returns a watcher of all changes from now on.
func (b *board) join() *watcher {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.add()
}

func (b *board) add() *watcher {
	w := &watcher{make(chan change, watcherQueue)}
	b.watchers[w] = true
	return w
}

func (b *board) leave(w *watcher) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.watchers, w)
}

// find returns the alert of that id, or nil if the board does not hold it.
func (b *board) find(id string) *bus.Alert {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.alerts[id].alert
}

// list returns the alerts for which keep is true, newest first.
func (b *board) list(keep func(*bus.Alert) bool) []*bus.Alert {
	b.mu.Lock()
	var found []*bus.Alert
	for _, c := range b.alerts {
		if keep(c.alert) {
			found = append(found, c.alert)
		}
	}
	b.mu.Unlock()
	slices.SortFunc(found, compareAlerts)
	return found
}

// compareAlerts orders newest first, and by id at one moment.
func compareAlerts(x, y *bus.Alert) int {
	return cmp.Or(y.OpenedAt.Compare(x.OpenedAt), cmp.Compare(x.ID, y.ID))
}

// resume is the sequence after which a consumer that takes over has to begin.
func (b *board) resume() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

func (b *board) setStatus(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.err = err
}

func (b *board) status() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
