package web

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// route is one line of the API. OpenAPI and the tests hold the same table.
type route struct {
	method, path string
	public       bool  // needs no login
	body         int64 // most bytes of a request; 0: defaultBody
	timeout      time.Duration
	handle       func(*Server, http.ResponseWriter, *http.Request) error
}

const (
	defaultBody    = 64 << 10
	importBody     = 16 << 20
	readingsBody   = 1 << 30
	defaultTimeout = 30 * time.Second
	importTimeout  = 10 * time.Minute
	forever        = -1
	answerTime     = 10 * time.Second // for the answer to a request that took all its time
)

var routes = []route{
	{method: "GET", path: "/healthz", public: true, handle: (*Server).healthz},
	{method: "GET", path: "/readyz", public: true, handle: (*Server).readyz},
	{method: "GET", path: "/metrics", handle: (*Server).metricsPage},
	{method: "GET", path: "/api/v1/openapi.json", handle: (*Server).openAPIPage},

	{method: "GET", path: "/api/v1/communities", handle: (*Server).communities},
	{method: "POST", path: "/api/v1/communities", handle: (*Server).addCommunity},
	{method: "GET", path: "/api/v1/people", handle: (*Server).people},
	{method: "POST", path: "/api/v1/people/import", body: importBody, timeout: importTimeout, handle: (*Server).importPeople},
	{method: "GET", path: "/api/v1/people/problems", handle: (*Server).peopleProblems},
	{method: "GET", path: "/api/v1/people/{id}", handle: (*Server).person},
	{method: "PUT", path: "/api/v1/people/{id}", handle: (*Server).putPerson},
	{method: "DELETE", path: "/api/v1/people/{id}", handle: (*Server).removePerson},
	{method: "POST", path: "/api/v1/people/{id}/away", handle: (*Server).setAway},
	{method: "DELETE", path: "/api/v1/people/{id}/away", handle: (*Server).endAway},

	{method: "GET", path: "/api/v1/rotas", handle: (*Server).rotas},
	{method: "GET", path: "/api/v1/rotas/{id}", handle: (*Server).rota},
	{method: "PUT", path: "/api/v1/rotas/{id}", handle: (*Server).putRota},
	{method: "DELETE", path: "/api/v1/rotas/{id}", handle: (*Server).removeRota},
	{method: "GET", path: "/api/v1/rotas/{id}/calendar", handle: (*Server).calendar},
	{method: "POST", path: "/api/v1/rotas/{id}/overrides", handle: (*Server).addOverride},
	{method: "POST", path: "/api/v1/rotas/{id}/notes", handle: (*Server).addNote},

	{method: "GET", path: "/api/v1/devices", handle: (*Server).devices},
	{method: "POST", path: "/api/v1/devices", handle: (*Server).addDevice},
	{method: "POST", path: "/api/v1/devices/import", body: importBody, timeout: importTimeout, handle: (*Server).importDevices},
	{method: "GET", path: "/api/v1/devices/{id}", handle: (*Server).device},
	{method: "GET", path: "/api/v1/devices/{id}/readings", handle: (*Server).readings},
	{method: "POST", path: "/api/v1/devices/{id}/rotate", handle: (*Server).rotateDevice},
	{method: "POST", path: "/api/v1/devices/{id}/revoke", handle: (*Server).revokeDevice},
	{method: "POST", path: "/api/v1/devices/{id}/replace", handle: (*Server).replaceDevice},
	{method: "POST", path: "/api/v1/readings/import", body: readingsBody, timeout: importTimeout, handle: (*Server).importReadings},

	{method: "GET", path: "/api/v1/alerts", handle: (*Server).alerts},
	{method: "GET", path: "/api/v1/alerts/{id}", handle: (*Server).alert},
	{method: "POST", path: "/api/v1/alerts/{id}/acknowledge", handle: (*Server).acknowledge},
	{method: "POST", path: "/api/v1/alerts/{id}/close", handle: (*Server).closeAlert},
	{method: "GET", path: "/api/v1/stream", timeout: forever, handle: (*Server).stream},

	{method: "GET", path: "/api/v1/rejects", handle: (*Server).rejects},
	{method: "POST", path: "/api/v1/rejects/{id}/replay", handle: (*Server).replayReject},
	{method: "GET", path: "/api/v1/rebuild", handle: (*Server).rebuildStatus},
	{method: "POST", path: "/api/v1/rebuild", handle: (*Server).rebuild},
}

// handler is the whole of the site: the API, and the pages below everything else.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, s.serve(r))
	}
	mux.Handle("/", s.pages())
	// Requests of another site's page are refused whatever they carry.
	return s.secure(http.NewCrossOriginProtection().Handler(mux))
}

// serve wraps a route: login, limits of size and time, and the answer to its error.
func (s *Server) serve(rt route) http.Handler {
	if rt.body == 0 {
		rt.body = defaultBody
	}
	if rt.timeout == 0 {
		rt.timeout = defaultTimeout
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		rec := &recorder{ResponseWriter: w}
		err := s.answer(rt, rec, r)
		if err != nil {
			s.fail(rec, r, err)
		}
		s.metrics.request(rt.path, rec.status, s.Now().Sub(began))
	})
}

func (s *Server) answer(rt route, w http.ResponseWriter, r *http.Request) error {
	if !rt.public && !s.access.granted(r) {
		return errUnauthorized
	}
	r.Body = http.MaxBytesReader(w, r.Body, rt.body)
	if rt.timeout != forever {
		ctx, cancel := context.WithTimeout(r.Context(), rt.timeout)
		defer cancel()
		r = r.WithContext(ctx)
		deadline := time.Now().Add(rt.timeout)
		c := http.NewResponseController(w)
		if err := errors.Join(c.SetReadDeadline(deadline), c.SetWriteDeadline(deadline.Add(answerTime))); err != nil {
			return err
		}
	}
	return rt.handle(s, w, r)
}

// recorder remembers whether and with what status the answer began.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
