package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

var rebuildRoutes = []route{
	{
		method: "GET", path: "/api/v1/rebuild", area: "repair", about: "How far the last rebuild of the time series is",
		may: admins, whose: installation, out: rebuilding{}, handle: (*Server).rebuildStatus,
	},
	{
		method: "POST", path: "/api/v1/rebuild", area: "repair", about: "Write the time series again from the streams",
		may: admins, whose: installation, out: rebuilding{}, handle: (*Server).rebuild,
	},
}

// rebuilding is what store says of a rebuild.
type rebuilding struct {
	ID       string     `json:"id"`
	State    string     `json:"state,omitempty"`  // queued, running or done
	Stream   string     `json:"stream,omitempty"` // being read
	Messages int        `json:"messages,omitempty"`
	Bytes    int64      `json:"bytes,omitempty"`
	Started  time.Time  `json:"started_at,omitzero"`
	Finished *time.Time `json:"finished_at,omitempty"`
}

// rebuild asks store to write the time series again from the streams. Asked while one runs, it is told of that one.
func (s *Server) rebuild(w http.ResponseWriter, r *http.Request) error {
	id, err := s.Bus.RequestRebuild(r.Context())
	if err != nil {
		return err
	}
	return reply(w, http.StatusAccepted, rebuilding{ID: id})
}

// rebuildStatus shows what store says of the last rebuild.
func (s *Server) rebuildStatus(w http.ResponseWriter, r *http.Request) error {
	e, err := s.settings.Get(r.Context(), bus.RebuildStatusKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return &problem{http.StatusNotFound, "not_found", "there was no rebuild", ""}
	}
	if err != nil {
		return fmt.Errorf("read rebuild status: %w", err)
	}
	return reply(w, http.StatusOK, json.RawMessage(e.Value()))
}
