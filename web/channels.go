package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/web/account"
)

type (
	channelList struct {
		Channels []channel `json:"channels"`
	}
	channel struct {
		bus.ChannelState
		Kind     string `json:"kind,omitempty"`
		Callback string `json:"callback,omitempty"` // path below the public URL for the provider to call; for the administrator alone
	}
)

// channels shows what the notifier has said last.
func (s *Server) channels(w http.ResponseWriter, r *http.Request) error {
	list := channelList{Channels: []channel{}}
	var states []bus.ChannelState
	e, err := s.settings.Get(r.Context(), bus.ChannelsKey)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
	case err != nil:
		return err
	default:
		if err := json.Unmarshal(e.Value(), &states); err != nil {
			return fmt.Errorf("read states of channels: %w", err)
		}
	}
	for _, state := range states {
		c := channel{ChannelState: state, Kind: s.Channels[state.Channel]}
		if s.Passes != nil && principal(r).Role == account.Admin {
			c.Callback = "/callback/" + state.Channel + "/" + s.Passes.Callback(state.Channel)
		}
		list.Channels = append(list.Channels, c)
	}
	return reply(w, http.StatusOK, list)
}
