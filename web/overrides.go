package web

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"linli/bus"
	"linli/devices"
)

// overrideRoutes change one rule for some devices, as a form has it. Each override is a document of the settings of its own, so that
// it can be taken back alone.
var overrideRoutes = []route{
	{
		method: "POST", path: "/api/v1/rules/overrides", area: "rules",
		about: "Change one rule for a device, a group or a community, in force at once; in the place of an earlier one for the same",
		may:   managers, whose: inBody, in: overrideBody{}, out: overrideMade{}, handle: (*Server).addOverrideOfRule,
	},
	{
		method: "DELETE", path: "/api/v1/rules/overrides/{id}", area: "rules", about: "Take such a change back",
		may: managers, whose: anOverride, out: ruleDocument{}, handle: (*Server).removeOverrideOfRule,
	},
}

type (
	overrideBody struct {
		Rule      string            `json:"rule" required:"true"`
		Device    string            `json:"device,omitempty"`
		Community string            `json:"community,omitempty"`
		Type      string            `json:"type,omitempty"`
		Group     map[string]string `json:"group,omitempty" description:"registry tags and places"`
		Reason    string            `json:"reason" required:"true"`
		Disable   bool              `json:"disable,omitempty"`
		Set       map[string]string `json:"set,omitempty" description:"parameters as rule files have them: when, clear, for, severity and so on; of a level with its name before: crit when"`
	}
	overrideMade struct {
		ID string `json:"id"` // the name of the document
	}
)

// overridePrefix begins the names of documents that hold one override made here.
const overridePrefix = "page-"

var anOverride = whose{"override", (*Server).overrideOwner}

func (s *Server) addOverrideOfRule(w http.ResponseWriter, r *http.Request) error {
	var o overrideBody
	if err := read(r, &o); err != nil {
		return err
	}
	if err := s.checkOverride(r, &o); err != nil {
		return err
	}
	about(r, o.Rule, "")
	said, err := s.withOverrides(r, []overrideBody{o})
	if err != nil {
		return err
	}
	if err := s.keepDocument(r.Context(), o.name(), said[o.name()]); err != nil {
		return err
	}
	return reply(w, http.StatusOK, overrideMade{o.name()})
}

func (s *Server) removeOverrideOfRule(w http.ResponseWriter, r *http.Request) error {
	return s.dropDocument(w, r, r.PathValue("id"))
}

// overrideOwner is the community that an override is for, of those made here.
func (s *Server) overrideOwner(r *http.Request) (owner, error) {
	id := r.PathValue("id")
	if s.Rules == nil {
		return owner{}, errNoRules
	}
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return owner{}, err
	}
	_, all, err := s.Rules.List(said)
	if err != nil {
		return owner{}, err
	}
	for _, o := range all {
		if o.Document != id || !strings.HasPrefix(id, overridePrefix) {
			continue
		}
		of := owner{community: s.overriddenIn(&o)}
		if of.community == "" && principal(r).Everywhere() {
			return of, nil
		}
		return of, within(r, "override", id, of)
	}
	return owner{}, notFound("override", id)
}

// overriddenIn is the community that an override is for; empty: it is for devices of several.
func (s *Server) overriddenIn(o *bus.RuleOverride) string {
	if d := s.Registry.Device(o.Device); d != nil {
		return d.Community
	}
	return o.Community
}

// checkOverride refuses an override of what is out of reach, and what the registry does not know.
func (s *Server) checkOverride(r *http.Request, o *overrideBody) error {
	community := o.Community
	if o.Device != "" {
		d := s.Registry.Device(o.Device)
		if d == nil || !reaches(principal(r), deviceOwner(d)) {
			return invalid("device", "there is no device %q", o.Device)
		}
		community = d.Community
	}
	switch {
	case community == "" && !principal(r).Everywhere():
		return &problem{http.StatusForbidden, "forbidden", "name a community or a device of yours", "community"}
	case community != "":
		if err := withinCommunity(r, "community", community); err != nil {
			return err
		}
		if s.Registry.Community(community) == nil {
			return invalid("community", "there is no community %q", community)
		}
	}
	switch {
	case strings.TrimSpace(o.Reason) == "":
		return invalid("reason", "say why, for who looks at it later")
	case len(o.Reason) > maxNote:
		return invalid("reason", "longer than %d bytes", maxNote)
	case !o.Disable && len(o.Set) == 0:
		return invalid("set", "want something that differs, or disable")
	}
	return nil
}

// withOverrides are the documents of the settings with overrides put in, checked as a whole. The error names the part of the
// override that is wrong.
func (s *Server) withOverrides(r *http.Request, all []overrideBody) (map[string][]byte, error) {
	if s.Rules == nil {
		return nil, errNoRules
	}
	said, err := s.ruleDocuments(r.Context())
	if err != nil {
		return nil, err
	}
	for i := range all {
		text, fields := all[i].document()
		said[all[i].name()] = []byte(text)
		if err := s.Rules.Check(said); err != nil {
			return nil, mistakeIn(all[i].name(), fields, err)
		}
	}
	return said, nil
}

// name is that of the document of an override: the same rule for the same devices has the same one.
func (o *overrideBody) name() string {
	whom, _ := json.Marshal([]any{o.Rule, o.Device, o.Community, o.Type, o.Group}) // of text alone
	sum := sha256.Sum256(whom)
	return overridePrefix + hex.EncodeToString(sum[:6])
}

// document is an override as in a rules directory, and which part of it stands in each line, from 1.
func (o *overrideBody) document() (text string, fields []string) {
	var b strings.Builder
	line := func(field, text string) {
		b.WriteString(text + "\n")
		fields = append(fields, field)
	}
	line("", "overrides:")
	line("rule", "- rule: "+strconv.Quote(o.Rule))
	for _, p := range [][2]string{{"device", o.Device}, {"community", o.Community}, {"type", o.Type}, {"reason", o.Reason}} {
		if p[1] != "" {
			line(p[0], "  "+p[0]+": "+strconv.Quote(p[1]))
		}
	}
	nest := func(name string, values map[string]string) {
		if len(values) == 0 {
			return
		}
		line(name, "  "+name+":")
		in := ""
		for _, key := range inOrder(values) {
			level, of, graded := strings.Cut(key, " ")
			switch {
			case !graded:
				line(name+"."+key, "    "+strconv.Quote(key)+": "+written(key, values[key]))
				continue
			case in == "":
				line(name, "    levels:")
			}
			if level != in {
				in = level
				line(name, "      "+strconv.Quote(level)+":")
			}
			line(name+"."+key, "        "+strconv.Quote(of)+": "+written(of, values[key]))
		}
	}
	nest("group", o.Group)
	if o.Disable {
		line("disable", "  disable: true")
	}
	nest("set", o.Set)
	return b.String(), fields
}

// inOrder are keys with those of levels last, each level together.
func inOrder(values map[string]string) []string {
	return slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		graded := func(key string) int { return min(strings.Count(key, " "), 1) }
		return cmp.Or(graded(a)-graded(b), strings.Compare(a, b))
	})
}

// written is a value as YAML: what Go quotes, YAML reads. The one parameter that is a number is not text.
func written(key, value string) string {
	if _, err := strconv.ParseFloat(value, 64); err == nil && key == "count" {
		return value
	}
	return strconv.Quote(value)
}

// mistakeIn says which part of an override is wrong.
func mistakeIn(name string, fields []string, err error) error {
	var mistake *devices.FileError
	if !errors.As(err, &mistake) || !strings.HasSuffix(mistake.File, " "+name) || mistake.Line < 1 || mistake.Line > len(fields) {
		return invalid("rule", "%v", err)
	}
	return invalid(fields[mistake.Line-1], "%s", mistake.Reason)
}
