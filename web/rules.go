package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
)

// Rules is what the process knows of rules; web shows it and keeps what a site changes of them. Settings are documents by name, as
// in a rules directory.
type Rules interface {
	// Why says of every rule of a device's type whether it is in force for the device, the settings being what they are.
	Why(d *devices.Device, settings map[string][]byte) ([]bus.RuleInForce, error)
	// Check returns what is wrong with the settings.
	Check(settings map[string][]byte) error
}

var ruleRoutes = []route{
	{
		method: "GET", path: "/api/v1/devices/{id}/rules", area: "rules",
		about: "Every rule of the device's type: whether it is in force, with what parameters and from where, and why not",
		may:   staff, whose: aDevice, out: rulesInForce{}, handle: (*Server).rulesOfDevice,
	},
	{
		method: "GET", path: "/api/v1/rules/settings", area: "rules", about: "What is changed of rules at run time, by name",
		may: staff, whose: installation, out: ruleSettings{}, handle: (*Server).ruleSettings,
	},
	{
		method: "PUT", path: "/api/v1/rules/settings/{name}", area: "rules",
		about: "Change rules: a document of overrides as in a rules directory, in force at once",
		may:   admins, whose: installation, in: ruleDocument{}, out: ruleDocument{}, handle: (*Server).putRuleSettings,
	},
	{
		method: "DELETE", path: "/api/v1/rules/settings/{name}", area: "rules", about: "Take such a change back",
		may: admins, whose: installation, out: ruleDocument{}, handle: (*Server).deleteRuleSettings,
	},
}

type (
	rulesInForce struct {
		Rules []bus.RuleInForce `json:"rules"`
	}
	ruleSettings struct {
		Documents map[string]string `json:"documents"`
	}
	ruleDocument struct {
		Document string `json:"document" required:"true"` // YAML
	}
)

var errNoRules = &problem{http.StatusServiceUnavailable, "unavailable", "this process does not know the rules", ""}

func (s *Server) rulesOfDevice(w http.ResponseWriter, r *http.Request) error {
	d := s.Registry.Device(r.PathValue("id"))
	switch {
	case d == nil:
		return notFound("device", r.PathValue("id"))
	case s.Rules == nil:
		return errNoRules
	}
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return err
	}
	all, err := s.Rules.Why(d, said)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, rulesInForce{all})
}

func (s *Server) ruleSettings(w http.ResponseWriter, r *http.Request) error {
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return err
	}
	all := ruleSettings{Documents: map[string]string{}}
	for name, data := range said {
		all.Documents[name] = string(data)
	}
	return reply(w, http.StatusOK, all)
}

func (s *Server) putRuleSettings(w http.ResponseWriter, r *http.Request) error {
	var body ruleDocument
	if err := read(r, &body); err != nil {
		return err
	}
	name := r.PathValue("name")
	switch {
	case !devices.ValidID(name):
		return invalid("name", "%q is not an identifier", name)
	case s.Rules == nil:
		return errNoRules
	}
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return err
	}
	said[name] = []byte(body.Document)
	if err := s.Rules.Check(said); err != nil {
		return invalid("document", "%v", err)
	}
	key := bus.RulesPrefix + name
	e, err := s.settings.Get(r.Context(), key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		_, err = s.settings.Create(r.Context(), key, said[name])
	case err == nil:
		_, err = s.settings.Update(r.Context(), key, said[name], e.Revision())
	}
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, body)
}

func (s *Server) deleteRuleSettings(w http.ResponseWriter, r *http.Request) error {
	key := bus.RulesPrefix + r.PathValue("name")
	e, err := s.settings.Get(r.Context(), key)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return notFound("document", r.PathValue("name"))
	}
	if err != nil {
		return err
	}
	if err := s.settings.Delete(r.Context(), key, jetstream.LastRevision(e.Revision())); err != nil {
		return err
	}
	return reply(w, http.StatusOK, ruleDocument{string(e.Value())})
}

// ruleDocuments reads what the settings say of rules, by name.
func (s *Server) ruleDocuments(ctx context.Context) (map[string][]byte, error) {
	all := map[string][]byte{}
	keys, err := s.settings.ListKeysFiltered(ctx, bus.RulesPrefix+"*")
	if err != nil {
		return nil, err
	}
	defer func() { _ = keys.Stop() }()
	for key := range keys.Keys() {
		e, err := s.settings.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all[strings.TrimPrefix(key, bus.RulesPrefix)] = e.Value()
	}
	return all, nil
}
