package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/web/account"
)

// event is a received server-sent event.
type event struct {
	name, id string
	data     string
}

func (e event) String() string { return e.name + " " + e.data }

// listen opens the stream; the events come over the channel, which is closed when the stream ends.
func (s *site) listen(last string, cookie ...string) <-chan event {
	s.Helper()
	r := s.request("GET", "/api/v1/stream", "")
	for _, c := range cookie {
		r.Header.Del("Authorization")
		r.Header.Set("Cookie", c)
	}
	if last != "" {
		r.Header.Set(lastEventKey, last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		s.Fatalf("status %d, content type %q", resp.StatusCode, got)
	}
	events := make(chan event)
	done := make(chan struct{})
	s.Cleanup(func() { resp.Body.Close(); <-done })
	go func() {
		defer close(done)
		defer close(events)
		var e event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case key == "event":
				e.name = value
			case key == "id":
				e.id = value
			case key == "data":
				e.data = value
			case lines.Text() == "" && e.name != "":
				select {
				case events <- e:
				case <-s.Context().Done():
					return
				}
				e = event{}
			}
		}
	}()
	return events
}

func (s *site) next(events <-chan event) event {
	s.Helper()
	select {
	case e, ok := <-events:
		if !ok {
			s.Fatal("the stream ended")
		}
		return e
	case <-time.After(30 * time.Second):
		s.Fatal("no event after 30 s")
	}
	return event{}
}

// wants checks an event's name and the alerts in it.
func (s *site) wants(e event, name string, ids ...string) {
	s.Helper()
	var all struct{ Alerts []*bus.Alert }
	if name == "alert" {
		all.Alerts = []*bus.Alert{{}}
		if err := json.Unmarshal([]byte(e.data), all.Alerts[0]); err != nil {
			s.Fatal(err)
		}
	} else if err := json.Unmarshal([]byte(e.data), &all); err != nil {
		s.Fatal(err)
	}
	if got := (alertList{Alerts: all.Alerts}).ids(); e.name != name || got != strings.Join(ids, " ") {
		s.Errorf("event %s with %q, want %s with %q", e.name, got, name, ids)
	}
}

func TestAHoldIsToldOfToWhoReachesIt(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	s.populate("south")
	of := func(community string) bus.Hold {
		return bus.Hold{ID: community + "-h", Kind: bus.Silence, Match: bus.Match{Community: community, Device: community + "-band"}, Safety: true}
	}
	duty := s.listen("", s.user(account.User{Name: "duty-1", Role: account.Duty, Communities: []string{"north"}}))
	everywhere := s.listen("")
	for _, live := range []<-chan event{duty, everywhere} {
		s.next(live) // snapshot
	}
	for _, c := range []string{"south", "north"} {
		s.publish(bus.HoldSubject(c+"-h"), of(c))
	}
	told := func(live <-chan event) (h bus.Hold) {
		t.Helper()
		if e := s.next(live); e.name != "hold" || e.id != "" || json.Unmarshal([]byte(e.data), &h) != nil {
			t.Errorf("the stream says %s", e)
		}
		return h
	}
	if first, second := told(everywhere), told(everywhere); first.ID != "south-h" || second.ID != "north-h" || !second.Safety {
		t.Errorf("the administrator is told of %q and %q", first.ID, second.ID)
	}
	if h := told(duty); h.ID != "north-h" {
		t.Errorf("the desk of north is told of %q", h.ID)
	}
}

// Whose reach becomes another one while they look is shown what it has in it from then on, and nothing else any more.
func TestAStreamBeginsAgainWithAnotherReach(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.populate("north")
	s.populate("south")
	live := s.listen("", s.user(account.User{Name: "wang", Role: account.Duty, Communities: []string{"north", "south"}}))
	s.wants(s.next(live), "snapshot", "north-alert", "south-alert")
	if err := s.web.accounts.Change(t.Context(), account.User{Name: "wang", Role: account.Duty, Communities: []string{"south"}}); err != nil {
		t.Fatal(err)
	}
	a := newAlert(1)
	a.ID, a.Community = "south-2", "south"
	s.store(a, bus.AlertEvent{Kind: "opened"})
	s.wants(s.next(live), "snapshot", "south-alert", "south-2")
	s.wants(s.next(live), "alert", "south-2")
}

// deadlines is a connection that remembers until when it is read from.
type deadlines struct {
	*httptest.ResponseRecorder
	read time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.read = t; return nil }
func (d *deadlines) SetWriteDeadline(time.Time) error  { return nil }

// A stream goes on for as long as somebody listens: no deadline of the request ends it.
func TestAStreamHasNoEndOfItsOwn(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // who listens has gone already
	w := &deadlines{ResponseRecorder: httptest.NewRecorder(), read: time.Now()}
	s.web.handler().ServeHTTP(w, s.request("GET", "/api/v1/stream", "").WithContext(ctx))
	if w.Code != http.StatusOK || !w.read.IsZero() {
		t.Errorf("status %d, read until %s", w.Code, w.read)
	}
}

func TestStreamBeginsWithWhatIsOpenAndGoesOn(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	closed := newAlert(0)
	closed.State = bus.Closed
	s.store(closed, bus.AlertEvent{Kind: "closed"})
	s.store(newAlert(1), bus.AlertEvent{Kind: "opened"})
	s.shows("a1", bus.Opened)
	events := s.listen("")
	s.wants(s.next(events), "snapshot", "a1")
	s.store(newAlert(2), bus.AlertEvent{Kind: "opened"})
	s.wants(s.next(events), "alert", "a2")
}

func TestStreamResumesWithoutGapOrDouble(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	for n := range 3 {
		s.store(newAlert(n), bus.AlertEvent{Kind: "opened"})
	}
	s.shows("a2", bus.Opened)
	first := s.next(s.listen(""))
	s.wants(first, "snapshot", "a0", "a1", "a2")
	again := newAlert(0)
	again.State, again.Events = bus.Closed, 2
	s.store(again, bus.AlertEvent{Kind: "closed"})
	s.store(newAlert(3), bus.AlertEvent{Kind: "opened"})
	s.shows("a3", bus.Opened)
	events := s.listen(first.id)
	s.wants(s.next(events), "alert", "a0")
	e := s.next(events)
	s.wants(e, "alert", "a3")
	events = s.listen(e.id)
	s.store(newAlert(4), bus.AlertEvent{Kind: "opened"})
	s.wants(s.next(events), "alert", "a4")
	later := strconv.Itoa(1 << 40) // of another installation
	s.wants(s.next(s.listen(later)), "snapshot", "a1", "a2", "a3", "a4")
	s.refused(http.StatusBadRequest, lastEventKey, "GET", "/api/v1/stream", "", lastEventKey, "x")
}

func TestStreamsEndWhenTheServerStops(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	events := s.listen("")
	s.wants(s.next(events), "snapshot")
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > shutdownLimit {
		t.Errorf("the server waited %v for the stream", took)
	}
	select {
	case _, ok := <-events:
		if ok {
			t.Error("an event after the end")
		}
	case <-time.After(30 * time.Second):
		t.Error("the stream goes on")
	}
}

// fill puts n alerts into a board, with sequences from first on.
func fill(t *testing.T, b *board, first, n int, state bus.AlertState) {
	t.Helper()
	for i := first; i < first+n; i++ {
		a := newAlert(i)
		a.State = state
		data, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.put(uint64(i), data); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSlowClientIsDisconnected(t *testing.T) {
	t.Parallel()
	b := newBoard()
	slow, _, _, _ := b.watch(0)
	quick := b.join()
	fill(t, b, 1, watcherQueue, bus.Opened)
	for range watcherQueue {
		<-quick.changes
	}
	fill(t, b, watcherQueue+1, 1, bus.Opened)
	n := 0
	for range slow.changes {
		n++
	}
	if n != watcherQueue {
		t.Errorf("%d changes before the end, want %d", n, watcherQueue)
	}
	if c := <-quick.changes; c.seq != watcherQueue+1 {
		t.Errorf("the other client got %d", c.seq)
	}
	b.leave(slow)
	b.leave(quick)
	if len(b.watchers) != 0 {
		t.Errorf("%d watchers left", len(b.watchers))
	}
}

func TestBoardForgetsTheOldestClosed(t *testing.T) {
	t.Parallel()
	b := newBoard()
	fill(t, b, 1, 1, bus.Opened)
	fill(t, b, 2, maxClosed+5, bus.Closed)
	for n, want := range map[int]bool{1: true, 2: false, 6: false, 7: true, maxClosed + 6: true} {
		if got := b.find(fmt.Sprint("a", n)) != nil; got != want {
			t.Errorf("alert %d on the board: %t, want %t", n, got, want)
		}
	}
	if _, now, _, complete := b.watch(5); !complete || len(now) != 1 {
		t.Errorf("who misses a forgotten change: complete %t, %d alerts; want a snapshot of 1", complete, len(now))
	}
	if _, now, _, complete := b.watch(6); complete || len(now) != maxClosed {
		t.Errorf("who misses none: complete %t, %d alerts", complete, len(now))
	}
}

func TestRepeatedMessageChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBoard()
	fill(t, b, 1, 3, bus.Opened)
	w := b.join()
	fill(t, b, 2, 2, bus.Closed)
	if len(w.changes) != 0 || b.find("a2").State != bus.Opened {
		t.Error("an old sequence was taken in")
	}
	if err := b.put(9, []byte("{")); err == nil {
		t.Error("an unreadable alert was taken in")
	}
}
