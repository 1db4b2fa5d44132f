package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

// rebuild asks store to write the time series again from the streams. Asked while one runs, it is told of that one.
func (s *Server) rebuild(w http.ResponseWriter, r *http.Request) error {
	id, err := s.Bus.RequestRebuild(r.Context())
	if err != nil {
		return err
	}
	return reply(w, http.StatusAccepted, map[string]string{"id": id})
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
