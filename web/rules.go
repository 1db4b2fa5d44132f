package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
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
	// Check returns what is wrong with the settings: a *devices.FileError for each mistake, joined.
	Check(settings map[string][]byte) error
	// List shows every rule, and what is said of rules, the settings included.
	List(settings map[string][]byte) ([]bus.RuleView, []bus.RuleOverride, error)
	// Plans are the ladders of escalation that rules have, by id.
	Plans() []*bus.Escalation
}

var ruleRoutes = []route{
	{
		method: "GET", path: "/api/v1/rules", area: "rules",
		about: "Every rule as its file has it, what overrides say of them, and how many devices there are of each type",
		may:   staff, whose: filtered, in: inCommunity{}, out: ruleList{}, handle: (*Server).rules,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/rules", area: "rules",
		about: "Every rule of the device's type: whether it is in force, with what parameters and from where, and why not",
		may:   staff, whose: aDevice, out: rulesInForce{}, handle: (*Server).rulesOfDevice,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}/limits", area: "rules",
		about: "What the readings of the device are compared with: of every rule in force for it what it asks for, and nothing of who changed it or why",
		may:   caring, whose: aDevice, out: limitList{}, handle: (*Server).limits,
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
	ruleList struct {
		Rules     []bus.RuleView     `json:"rules"`
		Overrides []bus.RuleOverride `json:"overrides"`
		Devices   map[string]int     `json:"devices"` // in use, by type
	}
	rulesInForce struct {
		Rules []bus.RuleInForce `json:"rules"`
	}
	limitList struct {
		Rules []limits `json:"rules"`
	}
	// limits are the conditions of one rule, with what their names stand for.
	limits struct {
		ID       string            `json:"id"`
		Name     devices.Text      `json:"name"`
		Kind     string            `json:"kind"`
		Severity bus.Severity      `json:"severity"`
		Params   map[string]string `json:"params"`
		Signals  []bus.RuleSignal  `json:"signals,omitempty"`
	}
	ruleSettings struct {
		Documents map[string]string `json:"documents"`
	}
	ruleDocument struct {
		Document string `json:"document" required:"true"` // YAML
	}
)

var errNoRules = &problem{http.StatusServiceUnavailable, "unavailable", "this process does not know the rules", ""}

// rules shows every rule, and of overrides and devices what is within reach.
func (s *Server) rules(w http.ResponseWriter, r *http.Request) error {
	if s.Rules == nil {
		return errNoRules
	}
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return err
	}
	rules, overrides, err := s.Rules.List(said)
	if err != nil {
		return err
	}
	who, community := principal(r), r.URL.Query().Get("community")
	body := ruleList{Rules: rules, Overrides: []bus.RuleOverride{}, Devices: map[string]int{}}
	for _, o := range overrides {
		if in := s.overriddenIn(&o); in == "" || (community == "" || in == community) && who.Community(in) {
			body.Overrides = append(body.Overrides, o)
		}
	}
	for _, d := range s.Registry.Devices() {
		if d.State == devices.Active && (community == "" || d.Community == community) && reaches(who, deviceOwner(d)) {
			body.Devices[d.Type]++
		}
	}
	return reply(w, http.StatusOK, body)
}

func (s *Server) rulesOfDevice(w http.ResponseWriter, r *http.Request) error {
	all, _, err := s.rulesFor(r)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, rulesInForce{all})
}

func (s *Server) limits(w http.ResponseWriter, r *http.Request) error {
	all, said, err := s.rulesFor(r)
	if err != nil {
		return err
	}
	rules, _, err := s.Rules.List(said)
	if err != nil {
		return err
	}
	body := limitList{Rules: []limits{}}
	for _, is := range all {
		if i := slices.IndexFunc(rules, func(v bus.RuleView) bool { return v.ID == is.Rule }); i >= 0 && is.InForce {
			body.Rules = append(body.Rules, limits{is.Rule, is.Name, is.Kind, is.Severity, is.Params, rules[i].Signals})
		}
	}
	return reply(w, http.StatusOK, body)
}

// rulesFor are the rules of the type of the device that is asked for, and what is changed of rules.
func (s *Server) rulesFor(r *http.Request) ([]bus.RuleInForce, map[string][]byte, error) {
	d := s.Registry.Device(r.PathValue("id"))
	switch {
	case d == nil:
		return nil, nil, notFound("device", r.PathValue("id"))
	case s.Rules == nil:
		return nil, nil, errNoRules
	}
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return nil, nil, err
	}
	all, err := s.Rules.Why(d, said)
	return all, said, err
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
	if !devices.ValidID(name) {
		return invalid("name", "%q is not an identifier", name)
	}
	if s.Rules == nil {
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
	if err := s.keepDocument(r.Context(), name, said[name]); err != nil {
		return err
	}
	return reply(w, http.StatusOK, body)
}

// keepDocument writes a document into the settings. Who is overtaken by another is told so.
func (s *Server) keepDocument(ctx context.Context, name string, text []byte) error {
	key := bus.RulesPrefix + name
	e, err := s.settings.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
		_, err = s.settings.Create(ctx, key, text)
	case err == nil:
		_, err = s.settings.Update(ctx, key, text, e.Revision())
	}
	return err
}

func (s *Server) deleteRuleSettings(w http.ResponseWriter, r *http.Request) error {
	return s.dropDocument(w, r, r.PathValue("name"))
}

func (s *Server) dropDocument(w http.ResponseWriter, r *http.Request, name string) error {
	key := bus.RulesPrefix + name
	e, err := s.settings.Get(r.Context(), key)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return notFound("document", name)
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
