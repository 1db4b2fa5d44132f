package web

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"linli/bus"
	"linli/people"
)

const (
	shownViews  = 30   // who looked last
	lookedViews = 5000 // entries that are looked through for those
)

type (
	familyLog struct {
		Entries []familyLook `json:"entries"` // the newest first
	}
	// familyLook is one time that somebody looked at data of an elder, or changed something.
	familyLook struct {
		At      time.Time `json:"at"`
		By      string    `json:"by"`
		Role    string    `json:"role"` // family, or of the staff
		What    []string  `json:"what"` // kinds of data; else page, readings or record; of a change: away, order, well, calls, answer, record
		Changed bool      `json:"changed"`
	}
)

// familyLog shows family what staff find in the audit log: who looked at data of the elder, alone or in a list of the community, or
// changed something. Of one who looked at the same again on one day the last time is shown.
func (s *Server) familyLog(w http.ResponseWriter, r *http.Request, k *relative) error {
	if k.elder == nil {
		return errNoConsent
	}
	body := familyLog{Entries: []familyLook{}}
	subjects := []string{bus.AuditSubject(k.elder.Community), bus.AuditSubject("")}
	zone, shown := s.zone(k.elder.Community), map[string]bool{}
	err := s.newest(r.Context(), bus.Audit, subjects, 0, lookedViews, func(_ uint64, data []byte) {
		e := new(bus.AuditEntry)
		if json.Unmarshal(data, e) != nil {
			return
		}
		list := e.Person == "" && e.Target == "" && e.Method == http.MethodGet
		if e.Person != k.elder.ID && !list || e.Status >= http.StatusBadRequest || len(body.Entries) >= shownViews {
			return
		}
		look := s.familyLook(e)
		key := strings.Join(append([]string{look.By, look.Role, look.At.In(zone).Format(time.DateOnly)}, look.What...), "\x00")
		if len(look.What) == 0 || !look.Changed && shown[key] {
			return
		}
		shown[key] = shown[key] || !look.Changed
		body.Entries = append(body.Entries, look)
	})
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, body)
}

// familyLook is an entry as family reads it; What is empty of such as say nothing, of the log itself for instance.
func (s *Server) familyLook(e *bus.AuditEntry) familyLook {
	f := familyLook{At: e.At, By: s.called(e.By, ""), Role: e.Role, What: e.Scopes, Changed: e.Method != http.MethodGet}
	end := e.Route[strings.LastIndex(e.Route, "/")+1:]
	var what string
	switch {
	case len(f.What) > 0:
		return f
	case f.Changed && slices.Contains([]string{"away", "order", "well", "calls", "answer"}, end):
		what = end
	case f.Changed && end == "{token}":
		what = "answer"
	case strings.Contains(e.Route, "/alerts"), end == "stream":
		what = string(people.Events)
	case f.Changed, e.Route == "/api/v1/people/{id}", e.Route == "/api/v1/people":
		what = "record"
	case strings.Contains(e.Route, "/devices/"):
		what = "readings"
	case end == "wellbeing":
		what = end
	case end == "family", end == "{token}":
		what = "page"
	default:
		return f
	}
	f.What = []string{what}
	return f
}
