package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	maxStreams   = 1000
	streamPing   = 15 * time.Second
	streamWrite  = 10 * time.Second // a client that takes longer for one write is gone
	streamRetry  = 2 * time.Second  // what a browser is told to wait before it comes back
	lastEventKey = "Last-Event-ID"
)

// stream sends every change of an alert as a server-sent event. Its id is the sequence in CORE: a client that comes back with
// the last one it has seen gets what it missed, each alert in its present state. Without one, or when it was away for too long,
// it first gets the event "snapshot" with all alerts that are not closed.
func (s *Server) stream(w http.ResponseWriter, r *http.Request) error {
	var since uint64
	if v := r.Header.Get(lastEventKey); v != "" {
		var err error
		if since, err = strconv.ParseUint(v, 10, 64); err != nil {
			return invalid(lastEventKey, "%q is not a sequence", v)
		}
	}
	if err := s.board.status(); err != nil {
		return &problem{http.StatusServiceUnavailable, "not_ready", err.Error(), ""}
	}
	if !s.enterStream() {
		return &problem{http.StatusServiceUnavailable, "too_many", "too many streams", ""}
	}
	defer s.leaveStream()
	watch, now, last, complete := s.board.watch(since)
	defer s.board.leave(watch)

	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	fmt.Fprintf(&out.buf, "retry: %d\n\n", streamRetry.Milliseconds())
	if complete {
		out.snapshot(last, now)
	} else {
		for _, c := range now {
			out.event("alert", c.seq, c.data)
		}
	}
	return s.pump(r, out, watch)
}

// pump sends what the watcher receives until the client goes, cannot keep up, or the server stops.
func (s *Server) pump(r *http.Request, out *eventWriter, watch *watcher) error {
	ping := time.NewTicker(streamPing)
	defer ping.Stop()
	for {
		if err := out.flush(); err != nil {
			return nil // gone
		}
		select {
		case <-r.Context().Done():
			return nil
		case <-s.leaving:
			return nil
		case <-ping.C:
			out.buf.WriteString(": ping\n\n")
		case c, ok := <-watch.changes:
			if !ok {
				s.metrics.dropped.Inc()
				return nil
			}
			out.event("alert", c.seq, c.data)
		}
	}
}

// enterStream counts a client in, unless there are too many.
func (s *Server) enterStream() bool {
	if s.streams.Add(1) > maxStreams {
		s.streams.Add(-1)
		return false
	}
	s.metrics.streams.Inc()
	return true
}

func (s *Server) leaveStream() {
	s.streams.Add(-1)
	s.metrics.streams.Dec()
}

// eventWriter writes server-sent events. Only the handler's goroutine uses it.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
}

func (e *eventWriter) event(name string, id uint64, data []byte) {
	fmt.Fprintf(&e.buf, "event: %s\nid: %d\ndata: %s\n\n", name, id, data)
}

func (e *eventWriter) snapshot(last uint64, now []change) {
	alerts := make([]json.RawMessage, len(now))
	for i, c := range now {
		alerts[i] = c.data
	}
	data, _ := json.Marshal(map[string]any{"alerts": alerts}) // valid JSON already
	e.event("snapshot", last, data)
}

func (e *eventWriter) flush() error {
	if err := e.control.SetWriteDeadline(time.Now().Add(streamWrite)); err != nil {
		return err
	}
	if _, err := e.buf.WriteTo(e.w); err != nil {
		return err
	}
	return e.control.Flush()
}
