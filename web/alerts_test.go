package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/internal/testkit"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// newAlert is the n-th alert of tianjin, opened n seconds after noon.
func newAlert(n int) bus.Alert {
	return bus.Alert{
		ID: fmt.Sprint("a", n), Rule: "ws_overflow", Name: devices.Text{ZH: "垃圾满溢", EN: "Waste station overflowing"}, Severity: bus.High,
		State: bus.Opened, Community: "tianjin", Device: "ws-1", OpenedAt: noon.Add(time.Duration(n) * time.Second), Events: 1,
	}
}

// store puts the state of an alert, and the event behind it, into CORE as package alerts does.
func (s *site) store(a bus.Alert, e bus.AlertEvent) {
	s.Helper()
	e.N, e.Alert = a.Events, a
	state, err := json.Marshal(a)
	if err != nil {
		s.Fatal(err)
	}
	event, err := json.Marshal(e)
	if err != nil {
		s.Fatal(err)
	}
	msgs := []*nats.Msg{bus.Msg(bus.AlertEventSubject(a.ID, e.N), event), bus.Msg(bus.AlertSubject(a.ID), state)}
	if _, err := s.bus.Commit(context.WithoutCancel(s.Context()), bus.Core, msgs); err != nil {
		s.Fatal(err)
	}
}

func (s *site) shows(id string, state bus.AlertState) {
	s.Helper()
	testkit.Eventually(s, 30*time.Second, func() bool {
		a := s.web.board.find(id)
		return a != nil && a.State == state
	})
}

func (l alertList) ids() string {
	var ids []string
	for _, a := range l.Alerts {
		ids = append(ids, a.ID)
	}
	return strings.Join(ids, " ")
}

func TestAlertList(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	for n := range 5 {
		a := newAlert(n)
		a.Synthetic = n == 4
		if n == 1 {
			a.Community = "nantong"
		}
		if n == 2 {
			a.State = bus.Closed
		}
		s.store(a, bus.AlertEvent{Kind: "opened"})
	}
	testkit.Eventually(t, 30*time.Second, func() bool { return s.web.board.resume() == 10 })
	for query, want := range map[string]string{
		"": "a3 a2 a1 a0", "?state=opened": "a3 a1 a0", "?state=closed": "a2", "?community=nantong": "a1",
		"?community=tianjin&state=opened": "a3 a0", "?community=nowhere": "",
	} {
		if got := ask[alertList](s, 200, "GET", "/api/v1/alerts"+query, ""); got.ids() != want || got.Next != "" {
			t.Errorf("%s: %q, next %q; want %q", query, got.ids(), got.Next, want)
		}
	}
	if _, _, body := s.do(s.request("GET", "/api/v1/alerts?community=nowhere", "")); !strings.Contains(body, `"alerts":[]`) {
		t.Errorf("no alerts: %s", body)
	}
	first := ask[alertList](s, 200, "GET", "/api/v1/alerts?limit=3", "")
	second := ask[alertList](s, 200, "GET", "/api/v1/alerts?limit=3&cursor="+first.Next, "")
	if first.ids() != "a3 a2 a1" || second.ids() != "a0" || second.Next != "" {
		t.Errorf("pages %q and %q", first.ids(), second.ids())
	}
	s.refused(http.StatusBadRequest, "state", "GET", "/api/v1/alerts?state=open", "")
	s.refused(http.StatusBadRequest, "cursor", "GET", "/api/v1/alerts?cursor=x", "")
}

func TestAlertWithItsHistory(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	a := newAlert(1)
	s.store(a, bus.AlertEvent{Kind: "opened"})
	a.State, a.Events = bus.Cleared, 2
	s.store(a, bus.AlertEvent{Kind: "cleared"})
	s.shows("a1", bus.Cleared)
	got := ask[struct {
		bus.Alert
		History []bus.AlertEvent
	}](s, 200, "GET", "/api/v1/alerts/a1", "")
	if got.State != bus.Cleared || len(got.History) != 2 || got.History[1].Kind != "cleared" {
		t.Errorf("got %+v", got)
	}
	for _, id := range []string{"none", "%2A", "a.b", "%3E", "a%20b"} {
		s.refused(http.StatusNotFound, "", "GET", "/api/v1/alerts/"+id, "")
	}
}

// answer plays package alerts: it applies every action once, until the test ends.
func (s *site) answer() {
	s.Helper()
	actions, err := s.bus.JS.OrderedConsumer(s.Context(), bus.Actions, jetstream.OrderedConsumerConfig{})
	if err != nil {
		s.Fatal(err)
	}
	background(s.T, func(ctx context.Context) error {
		messages, err := actions.Messages()
		if err != nil {
			return err
		}
		defer messages.Stop()
		for {
			m, err := messages.Next(jetstream.NextContext(ctx))
			if err != nil {
				return err
			}
			var action bus.Action
			if err := json.Unmarshal(m.Data(), &action); err != nil {
				return err
			}
			a := *s.web.board.find(action.Alert)
			a.Events++
			kind := "acknowledged"
			if action.Kind == "close" {
				kind, a.State, a.ClosedAt, a.ClosedBy, a.Disposition = "closed", bus.Closed, &action.At, action.By, action.Disposition
			} else {
				a.State, a.AckedAt, a.AckedBy = bus.Acknowledged, &action.At, action.By
			}
			s.store(a, bus.AlertEvent{Kind: kind, By: action.By, Note: action.Note, Key: action.Key})
		}
	})
}

func (s *site) actions() uint64 {
	s.Helper()
	stream, err := s.bus.JS.Stream(s.Context(), bus.Actions)
	if err != nil {
		s.Fatal(err)
	}
	return stream.CachedInfo().State.Msgs
}

func TestAcknowledgeAndClose(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, patient)
	s.answer()
	a := newAlert(1)
	a.Latched = true
	s.store(a, bus.AlertEvent{Kind: "opened"})
	s.shows("a1", bus.Opened)

	const path = "/api/v1/alerts/a1"
	got := ask[bus.Alert](s, 200, "POST", path+"/acknowledge", `{"by":"王芳"}`, "Idempotency-Key", "k1")
	if got.State != bus.Acknowledged || got.AckedBy != "王芳" {
		t.Errorf("acknowledge: %+v", got)
	}
	if again := ask[bus.Alert](s, 200, "POST", path+"/acknowledge", `{"by":"王芳"}`, "Idempotency-Key", "k1"); again.AckedBy != "王芳" || s.actions() != 1 {
		t.Errorf("again: %+v, %d actions", again, s.actions())
	}
	s.refused(http.StatusBadRequest, "disposition", "POST", path+"/close", "")
	s.refused(http.StatusBadRequest, "disposition", "POST", path+"/close", `{"disposition":"bored"}`)
	closed := ask[bus.Alert](s, 200, "POST", path+"/close", `{"disposition":"test","note":"drill"}`, "Idempotency-Key", "k1")
	if closed.State != bus.Closed || closed.ClosedBy != "admin" || closed.Disposition != "test" {
		t.Errorf("close: %+v", closed)
	}
	s.shows("a1", bus.Closed)
	if again := ask[bus.Alert](s, 200, "POST", path+"/close", `{"disposition":"test"}`); again.State != bus.Closed || s.actions() != 2 {
		t.Errorf("close again: %+v, %d actions", again, s.actions())
	}
	b := newAlert(2)
	b.State = bus.Closed
	s.store(b, bus.AlertEvent{Kind: "closed"})
	s.shows("a2", bus.Closed)
	s.refused(http.StatusConflict, "", "POST", "/api/v1/alerts/a2/acknowledge", "")
	s.refused(http.StatusNotFound, "", "POST", "/api/v1/alerts/none/acknowledge", "")
	s.refused(http.StatusBadRequest, "Idempotency-Key", "POST", path+"/acknowledge", "", "Idempotency-Key", strings.Repeat("k", 129))
	s.refused(http.StatusBadRequest, "note", "POST", path+"/acknowledge", `{"note":"`+strings.Repeat("x", maxNote+1)+`"}`)
}

func TestOneKeyOnTwoAlertsIsTwoActions(t *testing.T) {
	t.Parallel()
	s := run(t, empty{}, patient)
	s.answer()
	for n := range 2 {
		s.store(newAlert(n), bus.AlertEvent{Kind: "opened"})
	}
	s.shows("a1", bus.Opened)
	for _, id := range []string{"a0", "a1"} {
		if got := ask[bus.Alert](s, 200, "POST", "/api/v1/alerts/"+id+"/acknowledge", "", "Idempotency-Key", "same"); got.ID != id || got.State != bus.Acknowledged {
			t.Errorf("%s: %+v", id, got)
		}
	}
}

func TestActionThatAlertsIsSlowToTakeIsAccepted(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.store(newAlert(1), bus.AlertEvent{Kind: "opened"})
	s.shows("a1", bus.Opened)
	got := ask[bus.Alert](s, 202, "POST", "/api/v1/alerts/a1/acknowledge", "")
	if got.State != bus.Opened || s.actions() != 1 {
		t.Errorf("got %+v and %d actions", got, s.actions())
	}
}

func TestBoardStaysWhileTheBusIsAway(t *testing.T) {
	t.Parallel()
	s := run(t, empty{})
	s.store(newAlert(1), bus.AlertEvent{Kind: "opened"})
	s.shows("a1", bus.Opened)
	s.bus.NC.Close()
	testkit.Eventually(t, 30*time.Second, func() bool { return s.web.Status() != nil })
	if got := ask[alertList](s, 200, "GET", "/api/v1/alerts", ""); got.ids() != "a1" {
		t.Errorf("got %q", got.ids())
	}
	s.refused(http.StatusServiceUnavailable, "", "GET", "/api/v1/rejects", "")
	if errors.Is(s.web.Status(), errLoading) {
		t.Errorf("status %v", s.web.Status())
	}
}
