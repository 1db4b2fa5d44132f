package web

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/nats-io/nats.go/jetstream"
)

// Keys of the settings bucket by which store is asked to write all of READINGS and EVENTS again, and says how far it is.
const (
	rebuildKey       = "rebuild"
	rebuildStatusKey = "rebuild_status"
)

// rebuild asks store to write the time series again from the streams. Asked while one runs, it is told of that one.
func (s *Server) rebuild(w http.ResponseWriter, r *http.Request) error {
	id := rand.Text()
	_, err := s.settings.Create(r.Context(), rebuildKey, []byte(id))
	if errors.Is(err, jetstream.ErrKeyExists) {
		e, err := s.settings.Get(r.Context(), rebuildKey)
		if err != nil {
			return fmt.Errorf("ask for rebuild: %w", err)
		}
		return reply(w, http.StatusAccepted, map[string]string{"id": string(e.Value())})
	}
	if err != nil {
		return fmt.Errorf("ask for rebuild: %w", err)
	}
	return reply(w, http.StatusAccepted, map[string]string{"id": id})
}

// rebuildStatus shows what store says of the last rebuild.
func (s *Server) rebuildStatus(w http.ResponseWriter, r *http.Request) error {
	e, err := s.settings.Get(r.Context(), rebuildStatusKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return &problem{http.StatusNotFound, "not_found", "there was no rebuild", ""}
	}
	if err != nil {
		return fmt.Errorf("read rebuild status: %w", err)
	}
	return reply(w, http.StatusOK, json.RawMessage(e.Value()))
}
