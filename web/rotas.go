package web

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"linli/people"
	"linli/web/account"
)

var rotaRoutes = []route{
	{
		method: "GET", path: "/api/v1/rotas", area: "people", about: "Rotas with who is on duty now, by id",
		may: staff, whose: filtered, in: personFilter{}, out: rotaList{}, handle: (*Server).rotas,
	},
	{
		method: "GET", path: "/api/v1/rotas/{id}", area: "people", about: "A rota with who is on duty now",
		may: staff, whose: aRota, out: rota{}, handle: (*Server).rota,
	},
	{
		method: "PUT", path: "/api/v1/rotas/{id}", area: "people", about: "Register a rota, or replace it",
		may: managers, whose: aRota, in: rotaBody{}, out: rota{}, handle: (*Server).putRota,
	},
	{
		method: "DELETE", path: "/api/v1/rotas/{id}", area: "people", about: "Forget a rota; refused while a step of a plan would be left with nobody, unless that is wanted",
		may: managers, whose: aRota, in: removal{}, out: removed{}, handle: (*Server).removeRota,
	},
	{
		method: "GET", path: "/api/v1/rotas/{id}/without", area: "people", about: "Which steps of which plans tell the role of a rota, and whom they would without it",
		may: staff, whose: aRota, out: withoutRota{}, handle: (*Server).withoutRota,
	},
	{
		method: "GET", path: "/api/v1/rotas/{id}/calendar", area: "people", about: "The shifts of a rota, two weeks from now on unless asked otherwise",
		may: staff, whose: aRota, in: timeSpan{}, out: calendarView{}, handle: (*Server).calendar,
	},
	{
		method: "POST", path: "/api/v1/rotas/{id}/overrides", area: "people", about: "Change who is on duty for a while",
		may: desk, whose: aRota, in: people.Override{}, out: rota{}, handle: (*Server).addOverride,
	},
	{
		method: "POST", path: "/api/v1/rotas/{id}/notes", area: "people", about: "Leave a note to the next shift",
		may: desk, whose: aRota, in: people.Note{}, out: rota{}, handle: (*Server).addNote,
	},
}

type (
	rotaList struct {
		Rotas []rota `json:"rotas"`
	}
	timeSpan struct {
		From string `query:"from" description:"RFC 3339, or seconds or milliseconds since 1970"`
		To   string `query:"to"`
	}
	calendarView struct {
		Rota   string            `json:"rota"`
		Shifts []people.Shift    `json:"shifts"`
		Names  map[string]string `json:"names"` // of the people in the shifts, by id
	}
)

// rota is a rota with who is on duty now.
type rota struct {
	people.Rota
	OnDuty  []string `json:"on_duty"`
	Version string   `json:"version"` // changes with the rota
}

type rotaBody struct {
	people.Rota
	Version string `json:"version,omitempty" description:"of the rota that is to be replaced; another one is left as it is"`
}

func (s *Server) shownRota(r *people.Rota) rota {
	return rota{*r, list(r.OnDuty(s.Now(), s.People.Zone(r.Community))), versionOf(r)}
}

// versionOf tells one state of a record from another.
func versionOf(record any) string {
	b, _ := json.Marshal(record) // of what was read from JSON
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// errChanged tells who edits something that somebody else has changed since they looked.
var errChanged = &problem{http.StatusConflict, "changed", account.ErrChanged.Error(), ""}

func (s *Server) rotas(w http.ResponseWriter, r *http.Request) error {
	community, role := r.URL.Query().Get("community"), people.Role(r.URL.Query().Get("role"))
	who, found := principal(r), []rota{}
	for _, x := range s.People.Rotas() {
		if (community == "" || x.Community == community) && (role == "" || x.Role == role) && who.Community(x.Community) {
			found = append(found, s.shownRota(x))
		}
	}
	return reply(w, http.StatusOK, rotaList{found})
}

func (s *Server) rota(w http.ResponseWriter, r *http.Request) error {
	x, err := s.findRota(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.shownRota(x))
}

func (s *Server) findRota(r *http.Request) (*people.Rota, error) {
	id := r.PathValue("id")
	x := s.People.Rota(id)
	if x == nil {
		return nil, notFound("rota", id)
	}
	return x, nil
}

func (s *Server) putRota(w http.ResponseWriter, r *http.Request) error {
	var x rotaBody
	if err := read(r, &x); err != nil {
		return err
	}
	if err := asInPath(r, "id", &x.ID); err != nil {
		return err
	}
	if err := withinCommunity(r, "community", x.Community); err != nil {
		return err
	}
	var err error
	if x.Version == "" {
		err = s.People.PutRota(r.Context(), x.Rota)
	} else {
		err = s.People.EditRota(r.Context(), x.ID, func(now *people.Rota) error {
			if versionOf(now) != x.Version {
				return errChanged
			}
			*now = x.Rota
			return nil
		})
	}
	if err != nil {
		return err
	}
	s.Log.Info("rota set", "rota", x.ID)
	return s.rota(w, r)
}

// addOverride changes who is on duty for a while; what is over for a month is forgotten.
func (s *Server) addOverride(w http.ResponseWriter, r *http.Request) error {
	var o people.Override
	if err := read(r, &o); err != nil {
		return err
	}
	over := s.Now().AddDate(0, -1, 0)
	return s.editRota(w, r, func(x *people.Rota) {
		x.Overrides = slices.DeleteFunc(x.Overrides, func(old people.Override) bool { return old.To.Before(over) })
		x.Overrides = append(x.Overrides, o)
	})
}

// addNote leaves a note to the next shift.
func (s *Server) addNote(w http.ResponseWriter, r *http.Request) error {
	var n people.Note
	if err := read(r, &n); err != nil {
		return err
	}
	if n.Text == "" {
		return invalid("text", "is empty")
	}
	if who := principal(r); n.By == "" || who.Via != account.ByAdminToken {
		n.By = who.Name
	}
	n.At = s.Now().UTC().Truncate(time.Second)
	return s.editRota(w, r, func(x *people.Rota) { x.Notes = append(x.Notes, n) })
}

func (s *Server) editRota(w http.ResponseWriter, r *http.Request, change func(*people.Rota)) error {
	id := r.PathValue("id")
	err := s.People.EditRota(r.Context(), id, func(x *people.Rota) error {
		change(x)
		return nil
	})
	if err != nil {
		return err
	}
	s.Log.Info("rota changed", "rota", id)
	return s.rota(w, r)
}

const (
	defaultCalendar = 14 * 24 * time.Hour
	maxCalendar     = 400 * 24 * time.Hour
)

// calendar is the shifts of a rota, from now on unless asked otherwise.
func (s *Server) calendar(w http.ResponseWriter, r *http.Request) error {
	x, err := s.findRota(r)
	if err != nil {
		return err
	}
	from, err := timeParam(r, "from", s.Now())
	if err != nil {
		return err
	}
	to, err := timeParam(r, "to", from.Add(defaultCalendar))
	if err != nil {
		return err
	}
	if !to.After(from) || to.Sub(from) > maxCalendar {
		return invalid("to", "want a time after from, at most 400 days")
	}
	names := map[string]string{}
	shifts := x.Calendar(from, to, s.People.Zone(x.Community))
	for _, shift := range shifts {
		for _, id := range shift.People {
			if p := s.People.Person(id); p != nil {
				names[id] = p.Name
			}
		}
	}
	return reply(w, http.StatusOK, calendarView{x.ID, shifts, names})
}

func timeParam(r *http.Request, name string, otherwise time.Time) (time.Time, error) {
	if q := r.URL.Query(); q.Has(name) {
		return parseTime(name, q.Get(name))
	}
	return otherwise, nil
}
