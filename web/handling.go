package web

import (
	"net/http"
	"time"

	"linli/bus"
)

// handlingRoutes are what is done about an alert besides taking it on and ending it.
var handlingRoutes = []route{
	{
		method: "POST", path: "/api/v1/alerts/{id}/assign", area: "alerts", about: "Say who is to look after an alert",
		may: desk, whose: anAlert, in: assignment{}, out: bus.Alert{}, handle: (*Server).assign,
	},
	{
		method: "POST", path: "/api/v1/alerts/{id}/comment", area: "alerts", about: "Note something about an alert",
		may: acting, whose: anAlert, in: comment{}, out: bus.Alert{}, handle: (*Server).comment,
	},
	{
		method: "POST", path: "/api/v1/alerts/{id}/snooze", area: "alerts", about: "Repeat nothing before a time; not of life-safety that nobody has taken on",
		may: desk, whose: anAlert, in: snoozing{}, out: bus.Alert{}, handle: (*Server).snooze,
	},
	{
		method: "POST", path: "/api/v1/alerts/{id}/reopen", area: "alerts", about: "Say that an alert is not over: only a person ends it then",
		may: desk, whose: anAlert, in: comment{}, out: bus.Alert{}, handle: (*Server).reopen,
	},
	{
		method: "GET", path: "/api/v1/alerts/{id}/why", area: "alerts", about: "Who was told of an alert, who was not, and why",
		may: staff, whose: anAlert, personal: true, out: whyView{}, handle: (*Server).why,
	},
}

type (
	assignment struct {
		Assignee string `json:"assignee" required:"true"` // the id of a person, or a name
		Note     string `json:"note,omitempty"`
	}
	comment struct {
		Note string `json:"note,omitempty"`
	}
	snoozing struct {
		Until time.Time `json:"until" required:"true"` // up to a week from now
		Note  string    `json:"note,omitempty"`
	}
)

const maxSnooze = 7 * 24 * time.Hour

func (s *Server) assign(w http.ResponseWriter, r *http.Request) error {
	var body assignment
	if err := read(r, &body); err != nil {
		return err
	}
	if body.Assignee == "" || len(body.Assignee) > maxNote {
		return invalid("assignee", "wanted, up to %d bytes", maxNote)
	}
	return s.act(w, r, "assign", acted{actionBody: actionBody{Note: body.Note}, assignee: body.Assignee})
}

func (s *Server) comment(w http.ResponseWriter, r *http.Request) error {
	var body comment
	if err := read(r, &body); err != nil {
		return err
	}
	if body.Note == "" {
		return invalid("note", "wanted")
	}
	return s.act(w, r, "comment", acted{actionBody: actionBody{Note: body.Note}})
}

func (s *Server) snooze(w http.ResponseWriter, r *http.Request) error {
	var body snoozing
	if err := read(r, &body); err != nil {
		return err
	}
	if length := body.Until.Sub(s.Now()); length <= 0 || length > maxSnooze {
		return invalid("until", "want a time from now to in a week")
	}
	a, err := s.findAlert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if a.Safety && a.AckedAt == nil {
		return &problem{http.StatusConflict, "unanswered", "the alert is of life-safety, and nobody has taken it on", ""}
	}
	return s.act(w, r, "snooze", acted{actionBody: actionBody{Note: body.Note}, until: body.Until.UTC()})
}

func (s *Server) reopen(w http.ResponseWriter, r *http.Request) error {
	var body comment
	if err := read(r, &body); err != nil {
		return err
	}
	a, err := s.findAlert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	if a.State != bus.Closed && a.State != bus.Cleared {
		return &problem{http.StatusConflict, "open", "the alert is open", ""}
	}
	others := s.board.list(func(x *bus.Alert) bool {
		return x.ID != a.ID && x.State != bus.Closed && x.Rule == a.Rule && x.Identity == a.Identity
	})
	if len(others) > 0 {
		return &problem{http.StatusConflict, "open", "alert " + others[0].ID + " of the same is open", ""}
	}
	return s.act(w, r, "reopen", acted{actionBody: actionBody{Note: body.Note}})
}
