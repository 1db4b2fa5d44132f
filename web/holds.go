package web

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/web/account"
)

// holdRoutes keep people from being told: silences, maintenance windows, and the commissioning of a device. The records belong to
// alerts; here they are asked for and shown.
var holdRoutes = slices.Concat(
	holdsOf("silences", bus.Silence, desk, "Silences: nobody is told of the alerts that match, for up to 24 h"),
	holdsOf("maintenance", bus.Maintenance, managers, "Maintenance windows: nobody is told of what devices say of themselves"),
	holdsOf("commissioning", bus.Commissioning, desk, "Devices being put into service: nobody is told of their alerts, for up to 30 min"),
	[]route{{
		method: "POST", path: "/api/v1/silences/{id}/confirm", area: "alerts", about: "The word of a second person, without which a silence of life-safety has no effect and lapses after 15 min",
		may: desk, whose: aHold, in: struct{}{}, out: bus.Hold{}, handle: (*Server).confirmHold,
	}},
)

func holdsOf(name, kind string, may []account.Role, about string) []route {
	path := "/api/v1/" + name
	return []route{
		{
			method: "GET", path: path, area: "alerts", about: about,
			may: staff, whose: filtered, in: holdFilter{}, out: holdList{},
			handle: func(s *Server, w http.ResponseWriter, r *http.Request) error { return s.listHolds(w, r, kind) },
		},
		{
			method: "POST", path: path, area: "alerts", about: "Begin one: " + kind,
			may: may, whose: inBody, in: holdBody{}, out: bus.Hold{},
			handle: func(s *Server, w http.ResponseWriter, r *http.Request) error { return s.addHold(w, r, kind) },
		},
		{
			method: "DELETE", path: path + "/{id}", area: "alerts", about: "End one before its time: " + kind,
			may: may, whose: aHold, out: bus.Hold{}, handle: (*Server).releaseHold,
		},
	}
}

type (
	holdFilter struct {
		Community string `query:"community"`
		Over      bool   `query:"over" description:"true: those too that are over"`
	}
	holdList struct {
		Holds []*bus.Hold `json:"holds"`
	}
	holdBody struct {
		Match     bus.Match `json:"match" required:"true"`
		Reason    string    `json:"reason" required:"true"`
		From      time.Time `json:"from,omitzero"` // left out: now
		Until     time.Time `json:"until" required:"true"`
		EveryDays int       `json:"every_days,omitempty"` // of a maintenance window: again after so many days
		Safety    bool      `json:"safety,omitempty"`     // of life-safety too, once it is confirmed
	}
)

func (s *Server) listHolds(w http.ResponseWriter, r *http.Request, kind string) error {
	q, who, now := r.URL.Query(), principal(r), s.Now()
	all, err := s.holds(r.Context())
	if err != nil {
		return err
	}
	found := []*bus.Hold{}
	for _, h := range all {
		if h.Kind == kind && reaches(who, holdOwner(h)) && (q.Get("community") == "" || q.Get("community") == h.Match.Community) &&
			(!h.Over(now) || q.Get("over") == "true") {
			found = append(found, h)
		}
	}
	slices.SortFunc(found, func(x, y *bus.Hold) int { return cmp.Or(y.From.Compare(x.From), strings.Compare(x.ID, y.ID)) })
	return reply(w, http.StatusOK, holdList{found})
}

// holds are all there were, of every kind.
func (s *Server) holds(ctx context.Context) (all []*bus.Hold, err error) {
	err = s.Bus.ReadAll(ctx, bus.Core, bus.HoldsFilter, func(m jetstream.Msg) error {
		h := new(bus.Hold)
		if err := json.Unmarshal(m.Data(), h); err != nil {
			return fmt.Errorf("read %s: %w", m.Subject(), err)
		}
		all = append(all, h)
		return nil
	})
	return all, err
}

func (s *Server) addHold(w http.ResponseWriter, r *http.Request, kind string) error {
	var body holdBody
	if err := read(r, &body); err != nil {
		return err
	}
	if err := withinCommunity(r, "match.community", body.Match.Community); err != nil {
		return err
	}
	if body.From.IsZero() {
		body.From = s.Now()
	}
	h := bus.Hold{
		ID: holdID(r, kind), Kind: kind, Match: body.Match, Reason: body.Reason, From: body.From.UTC(), Until: body.Until.UTC(),
		EveryDays: body.EveryDays, Safety: body.Safety,
	}
	if field, wrong := h.Check(); field != "" {
		return invalid(field, "%s", wrong)
	}
	if len(h.Reason) > maxNote {
		return invalid("reason", "longer than %d bytes", maxNote)
	}
	if d := h.Match.Device; d != "" && (s.Registry.Device(d) == nil || s.Registry.Device(d).Community != h.Match.Community) {
		return invalid("match.device", "community %q has no device %q", h.Match.Community, d)
	}
	if err := s.mayBegin(r, &h); err != nil {
		return err
	}
	return s.changeHold(w, r, "hold", &h, func(now *bus.Hold) bool { return true })
}

// mayBegin refuses a hold that the same person has begun too often.
func (s *Server) mayBegin(r *http.Request, h *bus.Hold) error {
	if h.Kind != bus.Commissioning {
		return nil
	}
	all, err := s.holds(r.Context())
	if err != nil {
		return err
	}
	who := principal(r)
	h.By, h.ByPerson = who.Name, who.Person
	if code, wrong := h.MayBegin(slices.Values(all)); code != "" {
		return &problem{http.StatusConflict, code, wrong, ""}
	}
	return nil
}

// holdID is the same for the same Idempotency-Key of the same user.
func holdID(r *http.Request, kind string) string {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return strings.ToLower(rand.Text())
	}
	sum := sha256.Sum256([]byte(principal(r).Name + "\x00" + kind + "\x00" + key))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26])
}

func (s *Server) confirmHold(w http.ResponseWriter, r *http.Request) error {
	h, err := s.findHold(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	who := principal(r)
	if who.Via == account.ByAdminToken {
		return &problem{http.StatusConflict, "not_a_person", "the administrator's token is nobody's: a second person confirms with an account of their own, or with a token of it", ""}
	}
	if h.ConfirmedBy == who.Name {
		return reply(w, http.StatusOK, h)
	}
	if code, wrong := h.MayConfirm(who.Name, who.Person, s.Now()); code != "" {
		return &problem{http.StatusConflict, code, wrong, ""}
	}
	return s.changeHold(w, r, "confirm", h, func(now *bus.Hold) bool { return now.ConfirmedBy != "" })
}

func (s *Server) releaseHold(w http.ResponseWriter, r *http.Request) error {
	h, err := s.findHold(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.changeHold(w, r, "release", h, func(now *bus.Hold) bool { return now.EndedAt != nil })
}

// holdLook is how often a hold is looked for that alerts is about to write.
const holdLook = 20 * time.Millisecond

// changeHold hands what is asked of a hold on to alerts, and waits for a moment to show what came of it: 200 with the hold as it is
// then, or 202 with it as it was asked for if alerts has not got to it yet.
func (s *Server) changeHold(w http.ResponseWriter, r *http.Request, kind string, h *bus.Hold, done func(*bus.Hold) bool) error {
	key, err := actionKey(h.ID, kind, r.Header.Get("Idempotency-Key"))
	if err != nil {
		return err
	}
	about(r, h.ID, h.Reason)
	who := principal(r)
	data, err := json.Marshal(bus.Action{
		Key: key, Kind: kind, Community: h.Match.Community, By: who.Name, Person: who.Person, At: s.Now().UTC(), Hold: h,
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.ActionWait)
	defer cancel()
	if _, _, err := s.Bus.Publish(ctx, bus.ActionsSubject(h.Match.Community), key, data); err != nil {
		return err
	}
	look := time.NewTicker(holdLook)
	defer look.Stop()
	for {
		var now bus.Hold
		if found, err := s.lastOf(ctx, bus.HoldSubject(h.ID), &now); err == nil && found && done(&now) {
			return reply(w, http.StatusOK, now)
		}
		select {
		case <-ctx.Done():
			if err := r.Context().Err(); err != nil {
				return err
			}
			return reply(w, http.StatusAccepted, h)
		case <-look.C:
		}
	}
}

func (s *Server) findHold(ctx context.Context, id string) (*bus.Hold, error) {
	if !isToken(id) {
		return nil, notFound("hold", id)
	}
	h := new(bus.Hold)
	switch found, err := s.lastOf(ctx, bus.HoldSubject(id), h); {
	case err != nil:
		return nil, err
	case !found:
		return nil, notFound("hold", id)
	}
	return h, nil
}

func holdOwner(h *bus.Hold) owner { return owner{h.Match.Community, h.Match.Person} }

func (s *Server) holdOwner(r *http.Request) (owner, error) {
	h, err := s.findHold(r.Context(), r.PathValue("id"))
	if err != nil {
		return owner{}, err
	}
	return holdOwner(h), within(r, "hold", h.ID, holdOwner(h))
}
