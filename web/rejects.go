package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
)

const (
	defaultRejects = 100
	maxRejects     = 1000
	replayWait     = 3 * time.Second
)

// rejects lists what could not be stored, newest first. before is a cursor: the id that the list goes on after.
func (s *Server) rejects(w http.ResponseWriter, r *http.Request) error {
	if err := onlyParams(r, "community", "limit", "before"); err != nil {
		return err
	}
	limit, err := number(r, "limit", defaultRejects, maxRejects)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	filter := "rejects.>"
	if c := q.Get("community"); c != "" {
		if !devices.ValidID(c) {
			return invalid("community", "%q is not an identifier", c)
		}
		filter = bus.RejectsSubject(c)
	}
	var before uint64
	if q.Has("before") {
		if before, err = strconv.ParseUint(q.Get("before"), 10, 64); err != nil {
			return invalid("before", "%q is not the id of a reject", q.Get("before"))
		}
	}
	found, err := s.newestRejects(r.Context(), filter, before, limit)
	if err != nil {
		return err
	}
	body := struct {
		Rejects []*bus.Reject `json:"rejects"`
		Next    string        `json:"next,omitempty"`
	}{Rejects: list(found)}
	if len(found) == limit {
		body.Next = found[limit-1].ID
	}
	return reply(w, http.StatusOK, body)
}

// newestRejects reads backwards in spans that grow until there are enough.
func (s *Server) newestRejects(ctx context.Context, filter string, before uint64, limit int) ([]*bus.Reject, error) {
	stream, err := s.Bus.JS.Stream(ctx, bus.Rejects)
	if err != nil {
		return nil, fmt.Errorf("open REJECTS: %w", err)
	}
	state := stream.CachedInfo().State
	first, end := max(state.FirstSeq, 1), state.LastSeq+1
	if before > 0 {
		end = min(end, before)
	}
	var found []*bus.Reject
	for width := uint64(limit); end > first && len(found) < limit; width *= 8 {
		begin := first
		if end-begin > width {
			begin = end - width
		}
		some, err := s.rejectsBetween(ctx, filter, begin, end, limit-len(found))
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
		end = begin
	}
	return found, nil
}

// rejectsBetween returns the newest of the rejects with sequences in [begin, end), newest first.
func (s *Server) rejectsBetween(ctx context.Context, filter string, begin, end uint64, most int) ([]*bus.Reject, error) {
	consumer, err := s.Bus.JS.OrderedConsumer(ctx, bus.Rejects, jetstream.OrderedConsumerConfig{
		FilterSubjects: []string{filter}, DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: begin,
	})
	if err != nil {
		return nil, fmt.Errorf("read REJECTS: %w", err)
	}
	if consumer.CachedInfo().NumPending == 0 {
		return nil, nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, fmt.Errorf("read REJECTS: %w", err)
	}
	defer messages.Stop()
	var found []*bus.Reject
	for {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read REJECTS: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, fmt.Errorf("read REJECTS: %w", err)
		}
		if meta.Sequence.Stream < end {
			found = append(found, s.reject(meta.Sequence.Stream, m.Data()))
			if len(found) > most {
				found = found[1:]
			}
		}
		if meta.NumPending == 0 || meta.Sequence.Stream+1 >= end {
			slices.Reverse(found)
			return found, nil
		}
	}
}

func (s *Server) reject(seq uint64, data []byte) *bus.Reject {
	r := new(bus.Reject)
	if err := json.Unmarshal(data, r); err != nil {
		r = &bus.Reject{Code: "unreadable", Reason: "the entry itself cannot be read", Raw: data}
	}
	r.ID = strconv.FormatUint(seq, 10)
	return r
}

// replayReject asks the role that rejected a message to try again, and waits for a moment: 200 when it has, 202 when it has not
// got to it yet. What is rejected again is a new reject.
func (s *Server) replayReject(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	seq, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return notFound("reject", id)
	}
	ctx := r.Context()
	stream, err := s.Bus.JS.Stream(ctx, bus.Rejects)
	if err != nil {
		return fmt.Errorf("open REJECTS: %w", err)
	}
	if _, err := stream.GetMsg(ctx, seq); errors.Is(err, jetstream.ErrMsgNotFound) {
		return notFound("reject", id)
	} else if err != nil {
		return fmt.Errorf("read REJECTS: %w", err)
	}
	key := bus.ReplayKey(id)
	if _, err := s.settings.PutString(ctx, key, s.Now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("ask for replay: %w", err)
	}
	state, status := "queued", http.StatusAccepted
	if s.keyGone(ctx, key) {
		state, status = "replayed", http.StatusOK
	}
	return reply(w, status, map[string]string{"id": id, "state": state})
}

// keyGone waits for a moment until a key of the settings is deleted.
func (s *Server) keyGone(ctx context.Context, key string) bool {
	ctx, cancel := context.WithTimeout(ctx, replayWait)
	defer cancel()
	watch, err := s.settings.Watch(ctx, key)
	if err != nil {
		return false
	}
	defer func() { _ = watch.Stop() }()
	for {
		select {
		case <-ctx.Done():
			return false
		case e, ok := <-watch.Updates():
			if !ok {
				return false
			}
			if e != nil && e.Operation() != jetstream.KeyValuePut {
				return true
			}
		}
	}
}
