package web

import (
	"net/http"
	"slices"
	"time"

	"linli/people"
)

// rota is a rota with who is on duty now.
type rota struct {
	people.Rota
	OnDuty []string `json:"on_duty"`
}

func (s *Server) shownRota(r *people.Rota) rota {
	return rota{*r, list(r.OnDuty(s.Now(), s.People.Zone(r.Community)))}
}

func (s *Server) rotas(w http.ResponseWriter, r *http.Request) error {
	if err := onlyParams(r, "community", "role"); err != nil {
		return err
	}
	community, role := r.URL.Query().Get("community"), people.Role(r.URL.Query().Get("role"))
	found := []rota{}
	for _, x := range s.People.Rotas() {
		if (community == "" || x.Community == community) && (role == "" || x.Role == role) {
			found = append(found, s.shownRota(x))
		}
	}
	return reply(w, http.StatusOK, map[string]any{"rotas": found})
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
	var x people.Rota
	if err := read(r, &x); err != nil {
		return err
	}
	if id := r.PathValue("id"); x.ID == "" {
		x.ID = id
	} else if x.ID != id {
		return invalid("id", "%q is not the %q of the path", x.ID, id)
	}
	if err := s.People.PutRota(r.Context(), x); err != nil {
		return err
	}
	s.Log.Info("rota set", "rota", x.ID)
	return s.rota(w, r)
}

func (s *Server) removeRota(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := s.People.RemoveRota(r.Context(), id); err != nil {
		return err
	}
	s.Log.Info("rota removed", "rota", id)
	return reply(w, http.StatusOK, map[string]string{"id": id})
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
	if n.By == "" {
		n.By = defaultPerson
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
	if err := onlyParams(r, "from", "to"); err != nil {
		return err
	}
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
	return reply(w, http.StatusOK, map[string]any{"rota": x.ID, "shifts": shifts, "names": names})
}

func timeParam(r *http.Request, name string, otherwise time.Time) (time.Time, error) {
	if q := r.URL.Query(); q.Has(name) {
		return parseTime(name, q.Get(name))
	}
	return otherwise, nil
}
