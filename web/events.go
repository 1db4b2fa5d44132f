package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"linli/devices"
	"linli/people"
	"linli/series"
)

const (
	maxKinds      = 20
	usualLookBack = 7 * 24 * time.Hour
	mostLookBack  = 31 * 24 * time.Hour
)

var eventRoutes = []route{{
	method: "GET", path: "/api/v1/events", area: "devices", about: "What happened to the devices of whole communities, by kind, the newest first",
	may: staff, whose: filtered, personal: true, in: happeningFilter{}, out: happeningList{}, handle: (*Server).happenings,
}}

type (
	happeningFilter struct {
		Community string `query:"community"`
		Kinds     string `query:"kinds" required:"true" description:"type.event, up to 20 with commas between them: ev_charger.session_end,ev_charger.session_start"`
		From      string `query:"from" description:"RFC 3339, or seconds or milliseconds since 1970; 7 days before to, at most 31"`
		To        string `query:"to" description:"also the cursor: next of the answer before"`
		Limit     int    `query:"limit" minimum:"1" maximum:"1000"`
	}
	happening struct {
		Time       time.Time      `json:"time"`
		Community  string         `json:"community"`
		Type       string         `json:"type"`
		Device     string         `json:"device"`
		DeviceName string         `json:"device_name,omitempty"`
		Place      devices.Place  `json:"place,omitzero"`
		Event      string         `json:"event"`
		Fields     map[string]any `json:"fields"`
	}
	happeningList struct {
		Events []happening `json:"events"`
		Next   string      `json:"next,omitempty"`
	}
)

// hidden are payload fields that a list of a community does not show: how devices were told and the legible part of number plates. A
// plate is known here by its keyed hash alone.
var hidden = []string{receivedField, "time_source", "plate_masked", "image_ref"}

// happenings lists events of some kinds in the communities within reach.
func (s *Server) happenings(w http.ResponseWriter, r *http.Request) error {
	limit, err := number(r, "limit", defaultEvents, 1000)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	ask := series.EventQuery{}
	if ask.From, ask.To, err = span(q, s.Now()); err != nil {
		return err
	}
	if !q.Has("from") {
		ask.From = ask.To.Add(-usualLookBack)
	}
	if ask.To.Sub(ask.From) > mostLookBack {
		return invalid("from", "more than %d days before to", int(mostLookBack.Hours()/24))
	}
	if ask.Kinds, err = s.kinds(q.Get("kinds")); err != nil {
		return err
	}
	reached, all := communitiesOf(r)
	body := happeningList{Events: []happening{}}
	if !all && len(reached) == 0 {
		return reply(w, http.StatusOK, body)
	}
	ask.Communities = reached
	found, err := s.History.EventsOf(r.Context(), ask, limit)
	if err != nil {
		return err
	}
	found, next := page(found, limit)
	personal := false
	for _, e := range found {
		h := happening{Time: e.Time, Community: e.Community, Type: e.Type, Device: e.Device, Event: e.Event, Fields: e.Fields}
		if d := s.Registry.Device(e.Device); d != nil {
			h.DeviceName, h.Place = d.Name, d.Place
			personal = personal || d.Person != ""
		}
		for _, f := range hidden {
			delete(h.Fields, f)
		}
		body.Events = append(body.Events, h)
	}
	if personal {
		showed(r, people.Events)
	}
	if !next.IsZero() {
		body.Next = next.Format(time.RFC3339Nano)
	}
	return reply(w, http.StatusOK, body)
}

// kinds reads type.event,type.event.
func (s *Server) kinds(text string) ([]series.EventKind, error) {
	parts := strings.Split(text, ",")
	if len(parts) > maxKinds {
		return nil, invalid("kinds", "more than %d", maxKinds)
	}
	var kinds []series.EventKind
	for _, p := range parts {
		kind, event, _ := strings.Cut(p, ".")
		t := s.Catalogue.Type(kind)
		if t == nil || t.Event(event) == nil {
			return nil, invalid("kinds", "%q is no event of a type", p)
		}
		kinds = append(kinds, series.EventKind{Type: kind, Event: event})
	}
	return kinds, nil
}

// communitiesOf are those within reach that a request is about; none and all: the whole installation.
func communitiesOf(r *http.Request) (ids []string, all bool) {
	p, c := principal(r), r.URL.Query().Get("community")
	switch {
	case c != "" && !p.Community(c):
		return nil, false
	case c != "":
		return []string{c}, false
	case p.Everywhere():
		return nil, true
	}
	return p.Communities, false
}

// page cuts a full page between two milliseconds, so that the next one, of what is before next, leaves nothing out: the series know
// time no finer here.
func page(found []series.Event, limit int) (shown []series.Event, next time.Time) {
	if len(found) < limit {
		return found, time.Time{}
	}
	last := found[len(found)-1].Time
	whole := slices.IndexFunc(found, func(e series.Event) bool { return e.Time.Equal(last) })
	if whole == 0 { // all of one moment: no cut keeps them together
		return found, last
	}
	return found[:whole], last.Add(time.Millisecond)
}
