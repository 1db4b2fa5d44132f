package web

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"time"

	"linli/bus"
	"linli/web/account"
)

// route is one line of the API: what it does, who may, and what goes in and out. OpenAPI, the limits and the tests that everybody
// is kept to their reach are made from the tables of routes; one that does not say who may lets nobody in.
type route struct {
	method, path string
	area         string // of the API: what scopes of tokens and the description name
	about        string // one line

	public   bool           // needs no login; may and whose are not looked at
	may      []account.Role // who may, within their reach
	whose    whose          // what it is about, and who checks the reach
	personal bool           // shows data of persons: who looked is kept
	urgent   bool           // is shown even if that could not be kept
	secret   bool           // the answer holds a secret, so it is not compressed

	in       any    // struct: its query tags are the parameters, its json tags the body; nil: none
	inType   string // of a body that is not JSON
	out      any    // of the answer; nil: not JSON
	outType  string // of an answer that is not JSON
	status   int    // of success; 0: 200, or 202 if it goes on
	freeform bool   // has further query parameters, which the handler checks

	body    int64 // most bytes of a request; 0: defaultBody
	timeout time.Duration
	handle  func(*Server, http.ResponseWriter, *http.Request) error
}

const (
	defaultBody    = 64 << 10
	importBody     = 16 << 20
	readingsBody   = 1 << 30
	defaultTimeout = 30 * time.Second
	strangerTime   = 10 * time.Second // of who has not said yet who they are
	importTimeout  = 10 * time.Minute
	forever        = -1
	answerTime     = 10 * time.Second // for the answer to a request that took all its time
)

// routes is the whole API. Each area stands with its handlers.
var routes = slices.Concat(
	healthRoutes,
	accountRoutes, sessionRoutes,
	auditRoutes,
	registryRoutes,
	peopleRoutes,
	wellbeingRoutes,
	elderRoutes,
	rotaRoutes,
	overviewRoutes,
	placeRoutes,
	typeRoutes,
	deviceRoutes,
	commandRoutes,
	eventRoutes,
	valueRoutes,
	readingRoutes,
	alertRoutes,
	handlingRoutes,
	deliveryRoutes,
	holdRoutes,
	answerRoutes, channelRoutes,
	familyRoutes,
	rejectRoutes,
	rebuildRoutes, replayRoutes, ruleRoutes, overrideRoutes,
)

// areas are what scopes of API tokens may name.
func areas() []string {
	var all []string
	for _, r := range routes {
		if !r.public && !slices.Contains(all, r.area) {
			all = append(all, r.area)
		}
	}
	return all
}

// handler is the whole of the site: the API, and the pages below everything else.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	paths := map[string][]string{}
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, s.serve(r))
		paths[r.path] = append(paths[r.path], r.method)
	}
	known := http.NewServeMux() // of every path, to tell a wrong method from a wrong path
	for path, methods := range paths {
		known.Handle(path, allowed(methods))
	}
	mux.Handle("/", s.pages(known))
	// Requests of another site's page are refused whatever they carry.
	other := http.NewCrossOriginProtection()
	other.AddInsecureBypassPattern("POST /a/{token}") // a page of ntfy has the button; the path is the permission
	other.SetDenyHandler(http.HandlerFunc(s.refuseOtherSite))
	return s.secure(other.Handler(mux))
}

// refuseOtherSite answers before any route sets limits: the server would wait for the rest of the body for ever.
func (s *Server) refuseOtherSite(w http.ResponseWriter, r *http.Request) {
	if err := http.NewResponseController(w).SetReadDeadline(time.Now().Add(strangerTime)); err != nil {
		panic(http.ErrAbortHandler)
	}
	s.fail(&recorder{ResponseWriter: w}, r, errOtherSite)
}

// allowed are the methods of a path.
type allowed []string

func (a allowed) ServeHTTP(http.ResponseWriter, *http.Request) {}

// serve wraps a route: login, limits of size and time, and the answer to its error.
func (s *Server) serve(rt route) http.Handler {
	rt.body, rt.timeout = cmp.Or(rt.body, defaultBody), cmp.Or(rt.timeout, defaultTimeout)
	params := queryParams(rt.in)
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.Now()
		rec := &recorder{ResponseWriter: w}
		err := s.answer(rt, params, rec, r)
		if err != nil {
			s.fail(rec, r, err)
		}
		s.metrics.request(rt.path, rec.status, s.Now().Sub(began))
	})
	if rt.compressed() {
		h = compress(h)
	}
	return h
}

// answer sets the limits first, so that nobody holds a connection for longer, then asks who it is.
func (s *Server) answer(rt route, params []string, w *recorder, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, rt.body)
	limit := rt.timeout
	if limit == forever {
		limit = defaultTimeout
	}
	if rt.public {
		limit = strangerTime
	}
	began := time.Now()
	deadline := began.Add(limit)
	c := http.NewResponseController(w)
	if err := errors.Join(c.SetReadDeadline(began.Add(strangerTime)), c.SetWriteDeadline(deadline.Add(answerTime))); err != nil {
		return err
	}
	if rt.timeout != forever {
		ctx, cancel := context.WithDeadline(r.Context(), deadline)
		defer cancel()
		r = r.WithContext(ctx)
	}
	if !rt.public {
		p := s.access.who(r)
		if p == nil {
			return errUnauthorized
		}
		known := deadline
		if rt.timeout == forever {
			known = time.Time{} // a deadline of reading would end the answer with it
		}
		if err := c.SetReadDeadline(known); err != nil {
			return err
		}
		c := &caller{who: p}
		r = withCaller(r, c)
		c.entry = s.auditEntry(rt, r)
		if err := s.admit(rt, w, r, c); err != nil {
			return err
		}
	}
	if !rt.freeform && !isPage(rt) {
		if err := onlyParams(r, params...); err != nil {
			return err
		}
	}
	return rt.handle(s, w, r)
}

// admit checks that who asks may use a route and reaches what it is about, and has it kept that they did.
func (s *Server) admit(rt route, w *recorder, r *http.Request, c *caller) error {
	p, entry := c.who, c.entry
	changes := r.Method != http.MethodGet && r.Method != http.MethodHead
	if changes {
		w.before = s.recordEdit(r.Context(), entry)
	}
	if p.MustChange && rt.area != sessionArea {
		return errMustChange
	}
	if rt.whose.find == nil || !p.May(rt.may) || !p.Allows(rt.area, changes) {
		return errForbidden
	}
	o, err := rt.whose.find(s, r)
	if err != nil {
		return err
	}
	entry.Community, entry.Person = o.community, o.person
	if !changes && (o.person != "" || rt.personal) {
		w.before = s.recordView(r.Context(), rt.urgent, func() []*bus.AuditEntry { return s.lookedAt(p, entry, r.URL.Query().Get("community")) })
	}
	return nil
}

func isPage(rt route) bool { return rt.path == "/" }

// queryParams are the names of the parameters that a route knows.
func queryParams(in any) []string {
	if in == nil {
		return nil
	}
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeOf(in)) {
		if name := f.Tag.Get("query"); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// recorder remembers whether and with what status the answer began.
type recorder struct {
	http.ResponseWriter
	status int
	before func(status int) error // called once, before anything is sent; after its error nothing is
	err    error
}

func (r *recorder) WriteHeader(status int) {
	if r.status != 0 || r.err != nil {
		return
	}
	if before := r.before; before != nil {
		r.before = nil
		if r.err = before(status); r.err != nil {
			return
		}
	}
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(p []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	if r.err != nil {
		return 0, r.err
	}
	return r.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
