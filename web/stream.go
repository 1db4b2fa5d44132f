package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"linli/web/account"
)

const (
	maxStreams = 1000
	// One session is one browser, with some pages open; one account may be used in several, and by programs.
	maxSessionStreams = 16
	maxAccountStreams = 64

	streamPing   = 15 * time.Second
	streamWrite  = 10 * time.Second // a client that takes longer for one write is gone
	streamRetry  = 2 * time.Second  // what a browser is told to wait before it comes back
	lastEventKey = "Last-Event-ID"
)

// stream sends every change of an alert as a server-sent event. Its id is the sequence in CORE: a client that comes back with
// the last one it has seen gets what it missed, each alert in its present state. Without one, or when it was away for too long,
// it first gets the event "snapshot" with all alerts that are not closed, and again whenever its reach is another one. States of commands
// and holds come as they happen, without an id.
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
	who := principal(r)
	if err := s.streams.enter(who); err != nil {
		return err
	}
	defer s.streams.leave(who)
	watch, now, last, complete := s.board.watch(since)
	defer s.board.leave(watch)

	out := &eventWriter{w: w, control: http.NewResponseController(w)}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	fmt.Fprintf(&out.buf, "retry: %d\n\n", streamRetry.Milliseconds())
	if complete {
		s.snapshot(out, who, now, last)
	} else {
		for _, c := range now {
			if s.seesAlert(who, c.alert) {
				out.event("alert", c.seq, s.changeFor(who, c))
			}
		}
	}
	return s.pump(r, out, watch)
}

// snapshot writes those of the open alerts that somebody sees.
func (s *Server) snapshot(out *eventWriter, who *account.Principal, open []change, last uint64) {
	alerts := []json.RawMessage{}
	for _, c := range open {
		if s.seesAlert(who, c.alert) {
			alerts = append(alerts, s.changeFor(who, c))
		}
	}
	out.snapshot(last, alerts)
}

// lookAgain returns who is let in now; nil: nobody. Where they reach something else than before, all that is open is sent anew.
func (s *Server) lookAgain(r *http.Request, out *eventWriter, before *account.Principal) *account.Principal {
	now := s.access.still(r)
	if now != nil && !now.ReachesAs(before) {
		open, last := s.board.open()
		s.snapshot(out, now, open, last)
	}
	return now
}

// pump sends what the watcher receives until the client goes, cannot keep up or is no longer let in, or the server stops.
func (s *Server) pump(r *http.Request, out *eventWriter, watch *watcher) error {
	ping := time.NewTicker(streamPing)
	defer ping.Stop()
	who := principal(r)
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
			if who = s.lookAgain(r, out, who); who == nil {
				return nil
			}
			out.buf.WriteString(": ping\n\n")
		case c, ok := <-watch.changes:
			if !ok {
				s.metrics.dropped.Inc()
				return nil
			}
			if who = s.lookAgain(r, out, who); who == nil {
				return nil
			}
			switch {
			case c.command != nil:
				if s.reachesCommand(who, c.command) {
					out.more("command", c.data)
				}
			case c.hold != nil:
				if who.May(staff) && reaches(who, holdOwner(c.hold)) {
					out.more("hold", c.data)
				}
			case s.seesAlert(who, c.alert):
				out.event("alert", c.seq, s.changeFor(who, c))
			}
		}
	}
}

// streams counts the clients of the live stream: in all, by session and by account.
type streams struct {
	metrics *metrics

	mu        sync.Mutex // guards everything below
	all       int
	sessions  map[string]int
	byAccount map[string]int
}

// enter counts a client in, unless there are too many.
func (c *streams) enter(who *account.Principal) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions[who.Key()] >= maxSessionStreams || c.byAccount[who.Name] >= maxAccountStreams {
		return &problem{http.StatusTooManyRequests, "too_many", "too many streams of one session or account", ""}
	}
	if c.all >= maxStreams {
		return &problem{http.StatusServiceUnavailable, "too_many", "too many streams", ""}
	}
	c.all++
	c.sessions[who.Key()]++
	c.byAccount[who.Name]++
	c.metrics.streams.Inc()
	return nil
}

func (c *streams) leave(who *account.Principal) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.sessions[who.Key()]--; c.sessions[who.Key()] == 0 {
		delete(c.sessions, who.Key())
	}
	if c.byAccount[who.Name]--; c.byAccount[who.Name] == 0 {
		delete(c.byAccount, who.Name)
	}
	c.metrics.streams.Dec()
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

// more is an event that does not come again: a client that comes back asks for what it concerns.
func (e *eventWriter) more(name string, data []byte) {
	fmt.Fprintf(&e.buf, "event: %s\ndata: %s\n\n", name, data)
}

func (e *eventWriter) snapshot(last uint64, alerts []json.RawMessage) {
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
