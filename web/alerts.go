package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/web/account"
)

const (
	maxAlerts  = 10_000
	maxEvents  = 1000 // of one alert, shown with it
	actionWait = 3 * time.Second
	maxNote    = 2000
)

var (
	states       = []bus.AlertState{bus.Opened, bus.Acknowledged, bus.Cleared, bus.Closed}
	dispositions = []string{"helped", "false_press", "test", "false_detection", "no_access_escalated_120", "duplicate"}
)

var alertRoutes = []route{
	{
		method: "GET", path: "/api/v1/alerts", area: "alerts", about: "Alerts, newest first",
		may: everyone, whose: filtered, personal: true, urgent: true, in: alertFilter{}, out: alertList{}, handle: (*Server).alerts,
	},
	{
		method: "GET", path: "/api/v1/alerts/{id}", area: "alerts", about: "An alert with what happened to it",
		may: everyone, whose: anAlert, out: alertView{}, handle: (*Server).alert,
	},
	{
		method: "POST", path: "/api/v1/alerts/{id}/acknowledge", area: "alerts", about: "Take an alert on",
		may: acting, whose: anAlert, in: actionBody{}, out: bus.Alert{}, handle: (*Server).acknowledge,
	},
	{
		method: "POST", path: "/api/v1/alerts/{id}/close", area: "alerts", about: "End an alert; a latched one with a disposition",
		may: acting, whose: anAlert, in: actionBody{}, out: bus.Alert{}, handle: (*Server).closeAlert,
	},
	{
		method: "GET", path: "/api/v1/stream", area: "alerts", about: "Changes as server-sent events: snapshot, then alert and, to staff, command",
		may: everyone, whose: filtered, personal: true, urgent: true, outType: "text/event-stream", timeout: forever, handle: (*Server).stream,
	},
}

type (
	alertFilter struct {
		State     string `query:"state" enum:"opened,acknowledged,cleared,closed"`
		Community string `query:"community"`
		Rule      string `query:"rule"`
		Device    string `query:"device"`
		From      string `query:"from" description:"opened from then on"`
		To        string `query:"to" description:"opened before then"`
		Limit     int    `query:"limit" minimum:"1" maximum:"10000"`
		Cursor    string `query:"cursor" description:"next of the answer before"`
	}
	alertList struct {
		Alerts []*bus.Alert `json:"alerts"`
		Next   string       `json:"next,omitempty"`
	}
	alertView struct {
		*bus.Alert
		History []*bus.AlertEvent `json:"history"`
	}
	actionBody struct {
		By          string `json:"by,omitempty"` // who acts, if a program says so with the administrator's token
		Note        string `json:"note,omitempty"`
		Disposition string `json:"disposition,omitempty"`
	}
)

// acted is what somebody asked to be done to an alert, before it is checked.
type acted struct {
	actionBody
	assignee string
	until    time.Time
}

// alerts lists alerts, newest first: all that are not closed and those closed last.
func (s *Server) alerts(w http.ResponseWriter, r *http.Request) error {
	limit, err := number(r, "limit", maxAlerts, maxAlerts)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	state, community := bus.AlertState(q.Get("state")), q.Get("community")
	if state != "" && !slices.Contains(states, state) {
		return invalid("state", "%q is none of opened, acknowledged, cleared, closed", state)
	}
	after, err := parseAlertCursor(q.Get("cursor"))
	if err != nil {
		return err
	}
	if err := s.board.status(); errors.Is(err, errLoading) {
		return &problem{http.StatusServiceUnavailable, "not_ready", err.Error(), ""}
	}
	from, err := timeParam(r, "from", time.Time{})
	if err != nil {
		return err
	}
	to, err := timeParam(r, "to", time.Time{})
	if err != nil {
		return err
	}
	who, rule, device := principal(r), q.Get("rule"), q.Get("device")
	found := s.board.list(func(a *bus.Alert) bool {
		return (state == "" || a.State == state) && (community == "" || a.Community == community) && (rule == "" || a.Rule == rule) &&
			(device == "" || a.Device == device) && !a.OpenedAt.Before(from) && (to.IsZero() || a.OpenedAt.Before(to)) &&
			(after == nil || compareAlerts(after, a) < 0) && s.seesAlert(who, a)
	})
	body := alertList{Alerts: s.alertsFor(who, found[:min(limit, len(found))])}
	if len(found) > limit {
		body.Next = alertCursor(found[limit-1])
	}
	return reply(w, http.StatusOK, body)
}

// alertCursor says where a list ended.
func alertCursor(a *bus.Alert) string {
	return strconv.FormatInt(a.OpenedAt.UnixNano(), 10) + "." + a.ID
}

func parseAlertCursor(v string) (*bus.Alert, error) {
	if v == "" {
		return nil, nil
	}
	at, id, _ := strings.Cut(v, ".")
	ns, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return nil, invalid("cursor", "%q does not come from a list", v)
	}
	return &bus.Alert{ID: id, OpenedAt: time.Unix(0, ns)}, nil
}

// alert shows one alert with what happened to it, oldest first.
func (s *Server) alert(w http.ResponseWriter, r *http.Request) error {
	a, err := s.findAlert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	who := principal(r)
	body := alertView{s.alertFor(who, a), []*bus.AlertEvent{}}
	for n := max(1, a.Events-maxEvents+1); n <= a.Events; n++ {
		e, err := s.alertEvent(r.Context(), a.ID, n)
		if err != nil {
			return err
		}
		if e != nil {
			body.History = append(body.History, s.eventFor(who, e))
		}
	}
	return reply(w, http.StatusOK, body)
}

// findAlert returns an alert from the board, or from CORE if it was closed long ago.
func (s *Server) findAlert(ctx context.Context, id string) (*bus.Alert, error) {
	if a := s.board.find(id); a != nil {
		return a, nil
	}
	if !isToken(id) {
		return nil, notFound("alert", id)
	}
	a := new(bus.Alert)
	switch found, err := s.lastOf(ctx, bus.AlertSubject(id), a); {
	case err != nil:
		return nil, err
	case !found:
		return nil, notFound("alert", id)
	}
	return a, nil
}

// isToken reports whether s can be one level of a subject.
func isToken(s string) bool {
	return s != "" && len(s) <= 256 && !strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(".*>", c) })
}

// alertEvent returns the n-th event of an alert, or nil.
func (s *Server) alertEvent(ctx context.Context, id string, n int) (*bus.AlertEvent, error) {
	e := new(bus.AlertEvent)
	found, err := s.lastOf(ctx, bus.AlertEventSubject(id, n), e)
	if !found {
		return nil, err
	}
	return e, nil
}

// lastOf reads the record of a subject of CORE into v.
func (s *Server) lastOf(ctx context.Context, subject string, v any) (found bool, err error) {
	core, err := s.Bus.JS.Stream(ctx, bus.Core)
	if err != nil {
		return false, fmt.Errorf("open CORE: %w", err)
	}
	m, err := core.GetLastMsgForSubject(ctx, subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", subject, err)
	}
	if err := json.Unmarshal(m.Data, v); err != nil {
		return false, fmt.Errorf("read %s: %w", subject, err)
	}
	return true, nil
}

func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request) error {
	return s.actPlain(w, r, "acknowledge")
}

func (s *Server) closeAlert(w http.ResponseWriter, r *http.Request) error {
	return s.actPlain(w, r, "close")
}

func (s *Server) actPlain(w http.ResponseWriter, r *http.Request, kind string) error {
	var body actionBody
	if err := read(r, &body); err != nil {
		return err
	}
	return s.act(w, r, kind, acted{actionBody: body})
}

// act hands an action on to alerts and waits for a moment to show what came of it: 200 with the alert as it is then, or 202
// with the alert as it was if alerts has not got to it yet. The same Idempotency-Key again does nothing twice.
func (s *Server) act(w http.ResponseWriter, r *http.Request, kind string, body acted) error {
	a, err := s.findAlert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	key, err := actionKey(a.ID, kind, r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	switch {
	case len(body.By) > maxNote || len(body.Note) > maxNote:
		return invalid("note", "longer than %d bytes", maxNote)
	case body.Disposition != "" && !slices.Contains(dispositions, body.Disposition):
		return invalid("disposition", "%q is none of %s", body.Disposition, strings.Join(dispositions, ", "))
	case kind == "close" && a.Latched && a.State != bus.Closed && body.Disposition == "":
		return invalid("disposition", "wanted to close this alert, one of %s", strings.Join(dispositions, ", "))
	}
	who := principal(r)
	if kind == "close" && who.Kin() && a.PropertyEnds() {
		return &problem{http.StatusForbidden, "property_ends", "the alert is of life-safety: the property ends it", ""}
	}
	if body.By == "" || who.Via != account.ByAdminToken {
		body.By = who.Name
	}
	action := bus.Action{
		Key: key, Kind: kind, Alert: a.ID, Community: a.Community, By: body.By, Person: who.Person, Family: who.Role == account.Family,
		Note: body.Note, Disposition: body.Disposition, Assignee: body.assignee, Until: body.until, At: s.Now().UTC(),
	}
	done, err := s.perform(r.Context(), a, action)
	if err != nil {
		return err
	}
	if done == nil {
		return reply(w, http.StatusAccepted, s.alertFor(who, a))
	}
	return reply(w, http.StatusOK, s.alertFor(who, done))
}

// actionKey makes the client's key one of this action alone.
func actionKey(alert, kind, given string) (string, error) {
	given, err := idempotencyKey(given)
	return alert + "." + kind + "." + given, err
}

// idempotencyKey is the client's, or one that nobody else has.
func idempotencyKey(given string) (string, error) {
	given = cmp.Or(given, rand.Text())
	printable := func(c rune) bool { return c > ' ' && c <= '~' }
	if len(given) > 128 || strings.ContainsFunc(given, func(c rune) bool { return !printable(c) }) {
		return "", invalid("Idempotency-Key", "not 1 to 128 printable ASCII characters")
	}
	return given, nil
}

// perform publishes an action and returns the alert after it; nil if that takes too long. An alert that is already what the
// action would make it stays as it is.
func (s *Server) perform(ctx context.Context, a *bus.Alert, action bus.Action) (*bus.Alert, error) {
	watch := s.board.join()
	defer s.board.leave(watch)
	if now := s.board.find(a.ID); now != nil {
		a = now
	}
	if settled(a, &action) {
		return a, nil
	}
	if a.State == bus.Closed && action.Kind != "comment" && action.Kind != "reopen" {
		return nil, &problem{http.StatusConflict, "closed", "the alert is closed", ""}
	}
	data, err := json.Marshal(action)
	if err != nil {
		return nil, err
	}
	seen := a.Events
	wait, cancel := context.WithTimeout(ctx, s.ActionWait)
	defer cancel()
	if _, _, err := s.Bus.Publish(wait, bus.ActionsSubject(a.Community), action.Key, data); err != nil {
		return nil, err
	}
	for {
		select {
		case <-wait.Done():
			return nil, ctx.Err()
		case c, ok := <-watch.changes:
			if !ok {
				return nil, nil // more went on than this request can follow
			}
			if c.alert == nil || c.alert.ID != a.ID {
				continue
			}
			if done, err := s.caused(ctx, c.alert, action, seen+1); err != nil {
				return nil, err
			} else if done {
				return c.alert, nil
			}
			seen = c.alert.Events
		}
	}
}

// settled reports whether an alert already is what an action would make it.
func settled(a *bus.Alert, x *bus.Action) bool {
	switch x.Kind {
	case "close":
		return a.State == bus.Closed
	case "acknowledge":
		asked := a.Escalation != nil && a.Escalation.Reminded // for a sign
		return a.AckedAt != nil && !asked || x.Family && a.FamilyAckBy != ""
	}
	return false
}

// caused reports whether one of the events of an alert, from the n-th on, is what an action has led to.
func (s *Server) caused(ctx context.Context, a *bus.Alert, action bus.Action, n int) (bool, error) {
	for ; n <= a.Events; n++ {
		e, err := s.alertEvent(ctx, a.ID, n)
		if err != nil {
			return false, err
		}
		if e != nil && e.Key == action.Key {
			return true, nil
		}
	}
	return false, nil
}
