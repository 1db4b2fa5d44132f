package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/web/account"
)

const (
	defaultRejects = 100
	maxRejects     = 1000
)

var rejectRoutes = []route{
	{
		method: "GET", path: "/api/v1/rejects", area: "rejects", about: "What could not be stored, newest first",
		may: staff, whose: filtered, personal: true, in: rejectFilter{}, out: rejectList{}, handle: (*Server).rejects,
	},
	{
		method: "POST", path: "/api/v1/rejects/{id}/replay", area: "rejects", about: "Try to store a reject again",
		may: managers, whose: aReject, out: replayed{}, handle: (*Server).replayReject,
	},
}

type (
	rejectFilter struct {
		Community string `query:"community"`
		Limit     int    `query:"limit" minimum:"1" maximum:"1000"`
		Before    string `query:"before" description:"next of the answer before"`
	}
	rejectEntry struct {
		bus.Reject
		DeviceName string                  `json:"device_name,omitempty"` // of the registry
		FieldNames map[string]devices.Text `json:"field_names,omitempty"` // of the catalogue, of the fields that the reason says were left out
	}
	rejectList struct {
		Rejects []rejectEntry `json:"rejects"`
		Next    string        `json:"next,omitempty"`
	}
	replayed struct {
		ID    string `json:"id"`
		State string `json:"state"` // replayed, or queued
	}
)

// rejects lists what could not be stored, newest first. before is a cursor: the id that the list goes on after.
func (s *Server) rejects(w http.ResponseWriter, r *http.Request) error {
	limit, err := number(r, "limit", defaultRejects, maxRejects)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	filter, err := withinReach(r, bus.RejectsSubject, "rejects.>")
	if err != nil {
		return err
	}
	var before uint64
	if q.Has("before") {
		if before, err = strconv.ParseUint(q.Get("before"), 10, 64); err != nil {
			return invalid("before", "%q is not the id of a reject", q.Get("before"))
		}
	}
	body := rejectList{Rejects: []rejectEntry{}}
	who, zh := principal(r), inChinese(r)
	err = s.newest(r.Context(), bus.Rejects, filter, before, limit, func(seq uint64, data []byte) {
		x := rejectEntry{Reject: *readReject(seq, data)}
		s.nameReject(who, &x)
		if zh {
			x.Reason = rejections().reject(x.Reason)
		}
		body.Rejects = append(body.Rejects, x)
	})
	if err != nil {
		return err
	}
	if len(body.Rejects) == limit {
		body.Next = body.Rejects[limit-1].ID
	}
	return reply(w, http.StatusOK, body)
}

func readReject(seq uint64, data []byte) *bus.Reject {
	r := new(bus.Reject)
	if err := json.Unmarshal(data, r); err != nil {
		r = &bus.Reject{Code: "unreadable", Reason: "the entry itself cannot be read", Raw: data}
	}
	r.ID = strconv.FormatUint(seq, 10)
	return r
}

// nameReject adds what the device and the fields of a reject are called, if who asks may see that device. A device may have sent on
// the topic of another community.
func (s *Server) nameReject(who *account.Principal, x *rejectEntry) {
	d := s.Registry.Device(x.Device)
	if d == nil || !reaches(who, owner{d.Community, d.Person}) {
		return
	}
	x.DeviceName = d.Name
	t := s.Catalogue.Type(d.Type)
	if t == nil {
		return
	}
	for _, reason := range faults(x.Reason) {
		m := fault.FindStringSubmatch(reason)
		if m == nil || m[2] == "" {
			continue
		}
		if f := t.Field(m[2]); f != nil {
			if x.FieldNames == nil {
				x.FieldNames = map[string]devices.Text{}
			}
			x.FieldNames[f.ID] = f.Name
		}
	}
}

// replayReject asks the role that rejected a message to try again, and waits for a moment: 200 when it has, 202 when it has not
// got to it yet. What is rejected again is a new reject.
func (s *Server) replayReject(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	ctx := r.Context()
	key := bus.ReplayKey(id)
	if _, err := s.settings.PutString(ctx, key, s.Now().UTC().Format(time.RFC3339)); err != nil {
		return fmt.Errorf("ask for replay: %w", err)
	}
	state, status := "queued", http.StatusAccepted
	if s.keyGone(ctx, key) {
		state, status = "replayed", http.StatusOK
	}
	return reply(w, status, replayed{id, state})
}

// rejectCommunity is the community of a reject, "unknown" if its topic names none.
func (s *Server) rejectCommunity(ctx context.Context, id string) (string, error) {
	seq, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return "", notFound("reject", id)
	}
	stream, err := s.Bus.JS.Stream(ctx, bus.Rejects)
	if err != nil {
		return "", fmt.Errorf("open REJECTS: %w", err)
	}
	m, err := stream.GetMsg(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return "", notFound("reject", id)
	}
	if err != nil {
		return "", fmt.Errorf("read REJECTS: %w", err)
	}
	return strings.TrimPrefix(m.Subject, bus.RejectsSubject("")), nil
}

// keyGone waits for a moment until a key of the settings is deleted.
func (s *Server) keyGone(ctx context.Context, key string) bool {
	ctx, cancel := context.WithTimeout(ctx, s.ActionWait)
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
