package web

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"linli/bus"
)

// healthz says that the process answers.
func (s *Server) healthz(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, http.StatusOK, map[string]bool{"alive": true})
}

// readyz says whether every role keeps its promise; to who has the token also which does not, and why, and what else is of concern.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) error {
	roles := map[string]error{"web": s.Status()}
	if s.Config.Status != nil {
		roles = s.Config.Status()
	}
	var body struct {
		Ready bool              `json:"ready"`
		Roles map[string]string `json:"roles,omitempty"`
	}
	body.Ready = true
	reasons := map[string]string{}
	for name, err := range roles {
		reasons[name] = "ok"
		if err != nil {
			reasons[name] = err.Error()
			body.Ready = body.Ready && !bus.Broken(err)
		}
	}
	if s.access.granted(r) {
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

func (s *Server) openAPIPage(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(s.openAPI)
	return err
}
