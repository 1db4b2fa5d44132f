package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"linli/devices"
	"linli/people"
	"linli/series"
	"linli/web/account"
)

// problem is an error with a status of its own.
type problem struct {
	status int
	code   string
	text   string
	field  string
}

func (p *problem) Error() string { return p.text }

var (
	errUnauthorized = &problem{http.StatusUnauthorized, "unauthorized", "a login or a bearer token is wanted", ""}
	errForbidden    = &problem{http.StatusForbidden, "forbidden", "this is not for your role, your reach or your token", ""}
	errMustChange   = &problem{http.StatusForbidden, "must_change_password", "the password is to be changed first", "password"}
	errOtherSite    = &problem{http.StatusForbidden, "other_site", "requests of other sites' pages are refused", ""}
	errMethod       = &problem{http.StatusMethodNotAllowed, "method", "this path does not have that method", ""}
	errNoPage       = &problem{http.StatusNotFound, "not_found", "there is nothing here", ""}
)

// invalid says which part of a request cannot be accepted, and why.
func invalid(field, format string, a ...any) error {
	return &problem{http.StatusBadRequest, "invalid", field + ": " + fmt.Sprintf(format, a...), field}
}

func notFound(what, id string) error {
	return &problem{http.StatusNotFound, "not_found", fmt.Sprintf("%s %q does not exist", what, id), ""}
}

// toProblem maps every error to what the client is told. What went wrong inside is logged, not told.
func toProblem(err error) *problem {
	var (
		p       *problem
		input   *devices.InvalidError
		file    *devices.FileError
		refused *series.RefusedError
		tooBig  *http.MaxBytesError
		query   *series.QueryError
		write   *series.WriteError
		limited *account.LimitedError
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &input):
		return &problem{http.StatusBadRequest, "invalid", err.Error(), input.Field}
	case errors.As(err, &file):
		return &problem{http.StatusBadRequest, "invalid", err.Error(), "rules"}
	case errors.As(err, &refused):
		return &problem{http.StatusBadRequest, "invalid", refused.Error(), refused.Part}
	case errors.Is(err, devices.ErrBadRows), errors.Is(err, people.ErrBadImport):
		return &problem{http.StatusUnprocessableEntity, "bad_rows", err.Error(), ""}
	case errors.Is(err, devices.ErrExists):
		return &problem{http.StatusConflict, "exists", err.Error(), ""}
	case errors.Is(err, devices.ErrNotFound):
		return &problem{http.StatusNotFound, "not_found", err.Error(), ""}
	case errors.As(err, &limited):
		return &problem{http.StatusTooManyRequests, "too_many_tries", err.Error(), ""}
	case errors.Is(err, account.ErrWrong):
		return &problem{http.StatusUnauthorized, "wrong_password", err.Error(), ""}
	case errors.Is(err, account.ErrChanged):
		return errChanged
	case errors.Is(err, account.ErrBusy):
		return &problem{http.StatusServiceUnavailable, "busy", err.Error(), ""}
	case errors.As(err, &tooBig):
		return &problem{http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("the body is larger than %d bytes", tooBig.Limit), ""}
	case errors.Is(err, context.DeadlineExceeded):
		return &problem{http.StatusGatewayTimeout, "timeout", "it took too long", ""}
	case errors.As(err, &query), errors.As(err, &write):
		return &problem{http.StatusServiceUnavailable, "series_unavailable", "the time series do not answer", ""}
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse), errors.Is(err, nats.ErrConnectionClosed):
		return &problem{http.StatusServiceUnavailable, "bus_unavailable", "the bus does not answer", ""}
	}
	return &problem{http.StatusInternalServerError, "internal", "something went wrong inside; the log says what", ""}
}

// problem is toProblem, and logs what is ours to look at.
func (s *Server) problem(r *http.Request, err error) *problem {
	p := toProblem(err)
	if p.status >= http.StatusInternalServerError {
		s.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	return p
}

// detail is an error as the client sees it: a problem of RFC 9457 with the fixed word Code, and Field where a part of the request
// is at fault.
type detail struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
}

func (p *problem) detail(r *http.Request) detail {
	return detail{"about:blank", http.StatusText(p.status), p.status, p.said(r), p.code, p.field}
}

// said is what a problem says to who asks, in their language.
func (p *problem) said(r *http.Request) string {
	if inChinese(r) {
		return chinese().problem(p.text)
	}
	return p.text
}

const problemType = "application/problem+json"

// fail answers a request with its error.
func (s *Server) fail(w *recorder, r *http.Request, err error) {
	if r.Context().Err() != nil { // the client has gone
		return
	}
	p := s.problem(r, err)
	if w.err != nil { // nothing was sent because of it
		w.err = nil
	}
	if w.status != 0 { // cut off, so that the client does not take a part for the whole
		panic(http.ErrAbortHandler)
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="linli"`)
	}
	var limited *account.LimitedError
	if errors.As(err, &limited) {
		w.Header().Set("Retry-After", strconv.Itoa(int(limited.Retry.Seconds())+1))
	}
	_ = answer(w, p.status, problemType, p.detail(r))
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, body any) error {
	return answer(w, status, "application/json", body)
}

func answer(w http.ResponseWriter, status int, contentType string, body any) error {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(true)
	return e.Encode(body)
}

// read decodes a JSON body strictly. An empty body leaves v as it is.
func read(r *http.Request, v any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil && d.More() {
		err = errors.New("there is more than one value")
	}
	var tooBig *http.MaxBytesError
	if err != nil && !errors.As(err, &tooBig) {
		return invalid("body", "%v", err)
	}
	return err
}

// asInPath lets a body leave out the id that the path has, and refuses another one.
func asInPath(r *http.Request, field string, id *string) error {
	in := r.PathValue("id")
	if *id != "" && *id != in {
		return invalid(field, "%q is not the %q of the path", *id, in)
	}
	*id = in
	return nil
}

// number reads a query parameter between 1 and most.
func number(r *http.Request, name string, otherwise, most int) (int, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		return 0, invalid(name, "%q is not a number from 1 to %d", v, most)
	}
	return n, nil
}

// onlyParams refuses query parameters that a route does not know: a misspelt filter would show too much.
func onlyParams(r *http.Request, known ...string) error {
	for name, values := range r.URL.Query() {
		found := false
		for _, k := range known {
			found = found || k == name
		}
		if !found {
			return invalid(name, "unknown parameter")
		}
		if len(values) > 1 {
			return invalid(name, "given more than once")
		}
	}
	return nil
}
