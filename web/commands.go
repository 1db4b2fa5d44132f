package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"linli/bus"
	"linli/devices"
	"linli/internal/failpoint"
	"linli/web/account"
)

const (
	defaultCommands = 50
	maxCommands     = 200
	statesRead      = 1000 // of a device's commands, up to four each, to show them and to find one that is asked for again
	commandTries    = 5    // to be the next to write while others write about the same device
)

var commandRoutes = []route{
	{
		method: "GET", path: "/api/v1/devices/{id}/commands", area: "commands", about: "What a device was asked to do and what became of it, newest first",
		may: staff, whose: aDevice, in: commandFilter{}, out: commandList{}, handle: (*Server).commands,
	},
	{
		method: "POST", path: "/api/v1/devices/{id}/commands", area: "commands", about: "Ask a device to do something; it is kept until the device answers or its time is over",
		may: desk, whose: aDevice, in: newCommand{}, out: commandView{}, status: http.StatusAccepted, handle: (*Server).command,
	},
}

type (
	commandFilter struct {
		Limit int `query:"limit" minimum:"1" maximum:"200"`
	}
	newCommand struct {
		Command string         `json:"command" required:"true"`
		Params  map[string]any `json:"params,omitempty"`
		Seconds int            `json:"ttl_s,omitempty" description:"how long it is kept for a device that does not answer; the shorter the more harm it can do late"`
	}
	commandStep struct {
		State  bus.CommandState `json:"state"`
		At     time.Time        `json:"at"`
		Reason string           `json:"reason,omitempty"`
	}
	commandView struct {
		bus.Command
		History []commandStep `json:"history"`
	}
	commandList struct {
		Device   string         `json:"device"`
		Commands []*commandView `json:"commands"`
	}
)

// commands lists what a device was asked to do, as far as the last statesRead states tell.
func (s *Server) commands(w http.ResponseWriter, r *http.Request) error {
	limit, err := number(r, "limit", defaultCommands, maxCommands)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	var subjects []string
	for _, device := range s.Registry.History(id) {
		subjects = append(subjects, bus.CommandsSubject("*", "*", device))
	}
	found, err := s.states(r.Context(), subjects)
	if err != nil {
		return err
	}
	all := list(found.commands())
	return reply(w, http.StatusOK, commandList{Device: id, Commands: all[:min(limit, len(all))]})
}

// commandStates are states of commands, the newest first.
type commandStates []commandState

type commandState struct {
	seq uint64
	bus.Command
}

// last is the sequence of the newest state; 0: there is none.
func (c commandStates) last() uint64 {
	if len(c) == 0 {
		return 0
	}
	return c[0].seq
}

// commands puts the states together, the newest command first. Of one whose request is not among them there is only the end: it is
// left out.
func (c commandStates) commands() []*commandView {
	var all []*commandView
	byID := map[string]*commandView{}
	for _, x := range slices.Backward(c) {
		v := byID[x.ID]
		switch {
		case v == nil && x.State == bus.CommandQueued:
			v = &commandView{Command: x.Command}
			byID[x.ID] = v
			all = append(all, v)
		case v == nil || !v.Follows(x.State):
			continue
		}
		v.State, v.At, v.Reason = x.State, x.At, x.Reason
		v.History = append(v.History, commandStep{x.State, x.At, x.Reason})
	}
	slices.Reverse(all)
	return all
}

// states are the last statesRead under some subjects.
func (s *Server) states(ctx context.Context, subjects []string) (found commandStates, err error) {
	err = s.newest(ctx, bus.Commands, subjects, 0, statesRead, func(seq uint64, data []byte) {
		x := commandState{seq: seq}
		if err := json.Unmarshal(data, &x.Command); err != nil {
			s.Log.Error("unreadable command", "seq", seq, "err", err)
		}
		found = append(found, x)
	})
	return found, err
}

// reachesCommand reports whether who follows the stream may see a command.
func (s *Server) reachesCommand(who *account.Principal, c *bus.Command) bool {
	d := s.Registry.Device(c.Device)
	return d != nil && who.May(staff) && who.Allows("commands", false) && reaches(who, deviceOwner(d))
}

// command stores what a device is asked to do, for ingest to send. The answer is 202 with the command as it is then: the same again
// with the same Idempotency-Key is the same command, and its present state.
func (s *Server) command(w http.ResponseWriter, r *http.Request) error {
	d, t, err := s.findDevice(r)
	if err != nil {
		return err
	}
	var body newCommand
	if err := read(r, &body); err != nil {
		return err
	}
	key, err := idempotencyKey(r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	c := t.Command(body.Command)
	who := callerOf(r)
	who.entry.Note = body.Command
	switch {
	case c == nil:
		return unusable("command", "a "+t.ID+" has no command "+strconv.Quote(body.Command))
	case c.Managers && !who.who.May(managers):
		return &problem{http.StatusForbidden, "forbidden", body.Command + " is for managers", "command"}
	case d.State != devices.Active:
		return &problem{http.StatusConflict, "not_active", "the device is " + string(d.State), ""}
	}
	if err := c.Check(body.Params); err != nil {
		var wrong *devices.ParamError
		if errors.As(err, &wrong) {
			return unusable(wrong.Param, err.Error())
		}
		return err
	}
	usual, most := c.Life()
	life := cmp.Or(time.Duration(body.Seconds)*time.Second, usual)
	if body.Seconds < 0 || life > most {
		return unusable("ttl_s", "want 1 to "+strconv.Itoa(int(most.Seconds()))+" seconds")
	}
	now := s.Now().UTC()
	asked, err := s.ask(r.Context(), &bus.Command{
		ID: commandID(who.who.Name, d.ID, key), Name: c.ID, Params: body.Params, Community: d.Community, Type: d.Type, Device: d.ID,
		By: who.who.Name, Asked: now, Expires: now.Add(life), State: bus.CommandQueued, At: now,
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusAccepted, asked)
}

// unusable says which part of a command the device's type does not allow.
func unusable(field, text string) error {
	return &problem{http.StatusUnprocessableEntity, "unusable", text, field}
}

// commandID is the same for the same key of the same user and device.
func commandID(by, device, key string) string {
	sum := sha256.Sum256([]byte(by + "\n" + device + "\n" + key))
	return hex.EncodeToString(sum[:12])
}

// ask stores a request unless it is there already, as the next of what is said about the device: nobody writes between the look and
// the writing.
func (s *Server) ask(ctx context.Context, c *bus.Command) (*commandView, error) {
	subject := bus.CommandsSubject(c.Community, c.Type, c.Device)
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	for range commandTries {
		found, err := s.states(ctx, []string{subject})
		if err != nil {
			return nil, err
		}
		open := 0
		for _, old := range found.commands() {
			if old.ID == c.ID {
				return old, same(&old.Command, c)
			}
			if !old.Settled() && old.Expires.After(c.At) {
				open++
			}
		}
		if open >= bus.MaxOpenCommands {
			return nil, &problem{http.StatusTooManyRequests, "too_many", "too many commands wait for this device", ""}
		}
		m := bus.Msg(subject, data)
		bus.ExpectLast(m, found.last())
		if _, err := s.Bus.Commit(ctx, bus.Commands, []*nats.Msg{m}); err == nil {
			failpoint.Hit("web after asking")
			return &commandView{*c, []commandStep{{c.State, c.At, ""}}}, nil
		} else if !errors.Is(err, bus.ErrConflict) && !errors.Is(err, bus.ErrUnknown) {
			return nil, err
		}
	}
	return nil, &problem{http.StatusServiceUnavailable, "busy", "too much goes on with this device; try again", ""}
}

// same refuses one key for two requests.
func same(old, c *bus.Command) error {
	if old.Name != c.Name || len(old.Params)+len(c.Params) > 0 && !reflect.DeepEqual(old.Params, c.Params) {
		return &problem{http.StatusConflict, "key_used", "this Idempotency-Key was used for another command", "Idempotency-Key"}
	}
	return nil
}
