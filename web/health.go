package web

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"linli/bus"
)

var healthRoutes = []route{
	{
		method: "GET", path: "/healthz", area: "health", about: "Whether the process answers", public: true,
		out: alive{}, handle: (*Server).healthz,
	},
	{
		method: "GET", path: "/readyz", area: "health", about: "Whether every role keeps its promise; to who is logged in also which does not, and why",
		public: true, out: readiness{}, handle: (*Server).readyz,
	},
	{
		method: "GET", path: "/metrics", area: "health", about: "Figures in the Prometheus text format",
		may: watching, whose: installation, outType: "text/plain", freeform: true, handle: (*Server).metricsPage,
	},
	{
		method: "GET", path: "/api/v1/openapi.json", area: "health", about: "This document",
		may: everyone, whose: general, outType: "application/json", handle: (*Server).openAPIPage,
	},
}

type alive struct {
	Alive bool `json:"alive"`
}

// readiness is ready, and by role "ok" or why not.
type readiness struct {
	Ready bool              `json:"ready"`
	Roles map[string]string `json:"roles,omitempty"`
}

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, alive{true})
}

// readyz says whether every role keeps its promise; to who has the token also which does not, and why, and what else is of concern.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	roles := map[string]error{"web": s.Status()}
	if s.Config.Status != nil {
		roles = s.Config.Status()
	}
	body := readiness{Ready: true}
	reasons := map[string]string{}
	for name, err := range roles {
		reasons[name] = "ok"
		if err != nil {
			reasons[name] = err.Error()
			body.Ready = body.Ready && !bus.Broken(err)
		}
	}
	if s.access.who(r) != nil {
		body.Roles = reasons
	}
	if !body.Ready {
		return reply(w, http.StatusServiceUnavailable, body)
	}
	return reply(w, http.StatusOK, body)
}

func (s *Server) metricsPage(w http.ResponseWriter, r *http.Request) error {
	promhttp.HandlerFor(s.Gatherer, promhttp.HandlerOpts{}).ServeHTTP(w, r)
	return nil
}

func (s *Server) openAPIPage(w http.ResponseWriter, r *http.Request) error {
	return s.openAPI.reply(w, r)
}
