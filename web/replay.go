package web

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"linli/bus"
	"linli/devices"
)

var replayRoutes = []route{
	{
		method: "POST", path: "/api/v1/rules/replay", area: "rules",
		about: "What rules would have led to on stored history, one JSON object a line, now and then {\"until\": time}, at last {\"done\": true}; stores and sends nothing",
		may:   managers, whose: inBody, in: replayRequest{}, outType: "application/x-ndjson", body: importBody, timeout: replayTimeout,
		handle: (*Server).replayRules,
	},
}

const (
	replayTimeout = 10 * time.Minute
	// longestReplay and longestWarmUp bound the history that one request reads.
	longestReplay = 400 * 24 * time.Hour
	longestWarmUp = 400 * 24 * time.Hour
)

// replayRequest is the body of a replay.
type replayRequest struct {
	From      time.Time         `json:"from"`
	To        time.Time         `json:"to"`
	WarmUp    string            `json:"warm_up,omitempty"` // history before from that windows may need; 1d
	Device    string            `json:"device,omitempty"`
	Community string            `json:"community,omitempty"`
	Rules     map[string]string `json:"rules,omitempty"`     // files by name, in the place of those of --rules; none: the rules in force
	Overrides []overrideBody    `json:"overrides,omitempty"` // what would be different
	Rule      string            `json:"rule,omitempty"`      // only what this one leads to
}

// Replay is which history is to be judged, by which rules.
type Replay struct {
	From, To          time.Time
	WarmUp            time.Duration
	Device, Community string            // empty: all
	Rules             map[string]string // files by name; none: the rules in force
	Settings          map[string][]byte // what is said of the rules in force, by name
}

// ReplayProgress is handed over like a transition: how far the replay has come.
type ReplayProgress struct {
	Until time.Time `json:"until"`
}

// check also keeps who asks within their reach: rules of their own are for who reaches everything.
func (q *replayRequest) check(s *Server, req *http.Request) (Replay, error) {
	r := Replay{From: q.From, To: q.To, WarmUp: 24 * time.Hour, Device: q.Device, Community: q.Community, Rules: q.Rules}
	if q.WarmUp != "" {
		d, err := devices.ParseDuration(q.WarmUp)
		if err != nil || d < 0 || d > longestWarmUp {
			return r, invalid("warm_up", "%q is not a duration such as 12h or 30d", q.WarmUp)
		}
		r.WarmUp = d
	}
	d := s.Registry.Device(q.Device)
	switch everywhere := principal(req).Everywhere(); {
	case q.Device != "" && (d == nil || !reaches(principal(req), deviceOwner(d))):
		return r, notFound("device", q.Device)
	case q.Community != "":
		if err := withinCommunity(req, "community", q.Community); err != nil {
			return r, err
		}
	case q.Device == "" && !everywhere || len(q.Rules) > 0 && !everywhere:
		return r, errForbidden
	}
	for i := range q.Overrides {
		if err := s.checkOverride(req, &q.Overrides[i]); err != nil {
			return r, err
		}
	}
	switch {
	case q.From.IsZero() || !q.From.Before(q.To):
		return r, invalid("from", "want a time before to")
	case q.To.Sub(q.From) > longestReplay:
		return r, invalid("from", "more than %s before to", longestReplay)
	case q.Community != "" && s.Registry.Community(q.Community) == nil:
		return r, notFound("community", q.Community)
	case len(q.Rules) > 0 && len(q.Overrides) > 0:
		return r, invalid("overrides", "are for the rules in force")
	case len(q.Rules) > 0:
		return r, nil
	}
	var err error
	r.Settings, err = s.withOverrides(req, q.Overrides)
	return r, err
}

// replayEnd is the last line of the answer: that it is complete, or why it is not.
type replayEnd struct {
	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

// replayRules streams what rules would have led to. What goes wrong after the first line is the last line.
func (s *Server) replayRules(w http.ResponseWriter, r *http.Request) error {
	var body replayRequest
	if err := read(r, &body); err != nil {
		return err
	}
	q, err := body.check(s, r)
	if err != nil {
		return err
	}
	if s.ReplayRules == nil {
		return &problem{http.StatusServiceUnavailable, "unavailable", "this process cannot replay rules", ""}
	}
	select {
	case s.replaying <- struct{}{}:
		defer func() { <-s.replaying }()
	default:
		return &problem{http.StatusServiceUnavailable, "busy", "another replay is going on; one at a time", ""}
	}
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	begun := false
	emit := func(v any) error {
		if ev, ok := v.(bus.AlertEvent); ok && body.Rule != "" && ev.Alert.Rule != body.Rule {
			return nil
		}
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
			begun = true
		}
		if err := lines.Encode(v); err != nil {
			return err
		}
		if _, ok := v.(ReplayProgress); !ok {
			return nil
		}
		return errors.Join(out.Flush(), http.NewResponseController(w).Flush())
	}
	err = s.ReplayRules(r.Context(), q, emit)
	switch {
	case err == nil:
		err = emit(replayEnd{Done: true})
	case begun:
		s.Log.Warn("replay of rules ended", "err", err)
		err = emit(replayEnd{Error: toProblem(err).said(r)})
	default:
		return err
	}
	if err != nil {
		return err
	}
	return out.Flush()
}
