package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"time"

	"linli/devices"
)

var replayRoutes = []route{
	{
		method: "POST", path: "/api/v1/rules/replay", area: "rules",
		about: "What rules would have led to on stored history, one JSON object a line, at last {\"done\": true}; stores and sends nothing",
		may:   admins, whose: installation, in: replayRequest{}, outType: "application/x-ndjson", body: importBody, timeout: replayTimeout,
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
	Rules     map[string]string `json:"rules,omitempty"` // files by name, in the place of those of --rules; none: the rules in force
}

// Replay is which history is to be judged, by which rules.
type Replay struct {
	From, To          time.Time
	WarmUp            time.Duration
	Device, Community string            // empty: all
	Rules             map[string]string // files by name; none: the rules in force
}

func (q *replayRequest) check(s *Server) (Replay, error) {
	r := Replay{From: q.From, To: q.To, WarmUp: 24 * time.Hour, Device: q.Device, Community: q.Community, Rules: q.Rules}
	if q.WarmUp != "" {
		d, err := devices.ParseDuration(q.WarmUp)
		if err != nil || d < 0 || d > longestWarmUp {
			return r, invalid("warm_up", "%q is not a duration such as 12h or 30d", q.WarmUp)
		}
		r.WarmUp = d
	}
	switch {
	case q.From.IsZero() || !q.From.Before(q.To):
		return r, invalid("from", "want a time before to")
	case q.To.Sub(q.From) > longestReplay:
		return r, invalid("from", "more than %s before to", longestReplay)
	case q.Device != "" && s.Registry.Device(q.Device) == nil:
		return r, notFound("device", q.Device)
	case q.Community != "" && s.Registry.Community(q.Community) == nil:
		return r, notFound("community", q.Community)
	}
	return r, nil
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
	q, err := body.check(s)
	if err != nil {
		return err
	}
	if s.ReplayRules == nil {
		return &problem{http.StatusServiceUnavailable, "unavailable", "this process cannot replay rules", ""}
	}
	out := bufio.NewWriterSize(w, 64<<10)
	lines := json.NewEncoder(out)
	begun := false
	emit := func(v any) error {
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
			begun = true
		}
		return lines.Encode(v)
	}
	err = s.ReplayRules(r.Context(), q, emit)
	switch {
	case err == nil:
		err = emit(replayEnd{Done: true})
	case begun:
		s.Log.Warn("replay of rules ended", "err", err)
		err = emit(replayEnd{Error: toProblem(err).text})
	default:
		return err
	}
	if err != nil {
		return err
	}
	return out.Flush()
}
