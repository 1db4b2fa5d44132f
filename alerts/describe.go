package alerts

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"linli/bus"
)

// Describe shows every rule as its file has it, in the order of device types, then of files.
func (r *Rules) Describe() []bus.RuleView {
	all := make([]bus.RuleView, 0, len(r.all))
	for _, rule := range r.all {
		all = append(all, r.describe(rule))
	}
	return all
}

// ofForms are those of settable that are a single value that people think of a rule in. Those of levels have the name of the level before.
const ofForms = "when clear for window within count per between max_age"

func (r *Rules) describe(rule *Rule) bus.RuleView {
	v := bus.RuleView{
		ID: rule.ID, Name: rule.Name, Text: rule.Text, Kind: string(rule.Kind), Severity: rule.Severity, Category: rule.Category,
		Safety: rule.Safety, Latched: rule.Latched, Types: []string{}, Origin: r.origin(rule), Where: rule.Where(),
		Basis: rule.Basis, Source: rule.Source, Note: rule.Note, Params: map[string]string{}, Settable: []string{"severity"},
	}
	for _, t := range r.cat.Types() {
		bounds := r.byType[t.ID].ofRule(rule.ID)
		if len(bounds) == 0 {
			continue
		}
		if len(v.Types) == 0 {
			v.Params = bounds[0].params()
		}
		v.Types = append(v.Types, t.ID)
	}
	if len(rule.Levels) > 0 {
		v.Settable = []string{}
		for _, at := range rule.grades() {
			v.Settable = append(v.Settable, at.prefix()+"when", at.prefix()+"clear", at.prefix()+"for")
		}
		v.Settable = append(v.Settable, "max_age", "between")
	} else {
		known := strings.FieldsFunc("between "+rule.spec.keys, func(r rune) bool { return strings.ContainsRune(" /|", r) })
		v.Settable = append(v.Settable, slices.DeleteFunc(strings.Fields(ofForms), func(key string) bool { return !slices.Contains(known, key) })...)
	}
	for _, s := range rule.signals {
		v.Signals = append(v.Signals, s.view())
	}
	return v
}

func (r *Rules) origin(rule *Rule) string {
	switch {
	case slices.ContainsFunc(r.files, func(f file) bool { return f.name == rule.File }):
		return "site"
	case rule.File == r.cat.Common().File:
		return "common"
	}
	return "type"
}

func (s *signalSource) view() bus.RuleSignal {
	v := bus.RuleSignal{Name: s.name, Field: s.field, Type: s.typ, Event: s.event, Rule: s.rule, Fn: s.fn, Same: s.same}
	if s.of != "" {
		v.Same = s.of
	}
	if s.window.fixed > 0 {
		v.Window = formatOffset(s.window.fixed)
	}
	return v
}

// Overrides shows what the site says of rules, in the order of files.
func (r *Rules) Overrides() []bus.RuleOverride {
	all := make([]bus.RuleOverride, 0, len(r.changes))
	for _, o := range r.changes {
		all = append(all, o.view())
	}
	return all
}

func (o *override) view() bus.RuleOverride {
	v := bus.RuleOverride{
		Rules: o.rules, Level: levelWords[o.level()], Device: o.device, Group: o.group, Community: o.community, Type: o.typ,
		Where: o.where(), Reason: o.reason, Disable: o.off,
	}
	v.Document, _ = strings.CutPrefix(o.file, settingsFile)
	if v.Document == o.file {
		v.Document = ""
	}
	if o.set == nil {
		return v
	}
	v.Set = map[string]string{}
	eachOf(o.set, func(key string, value *yaml.Node) {
		if key != "levels" || value.Kind != yaml.MappingNode {
			v.Set[key] = asWritten(value)
			return
		}
		eachOf(value, func(level string, said *yaml.Node) {
			eachOf(said, func(key string, value *yaml.Node) { v.Set[level+" "+key] = asWritten(value) })
		})
	})
	return v
}

// eachOf hands over the keys of a mapping.
func eachOf(n *yaml.Node, take func(key string, value *yaml.Node)) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		take(n.Content[i].Value, n.Content[i+1])
	}
}

// asWritten is a value as a file has it.
func asWritten(n *yaml.Node) string {
	if n.Kind == yaml.ScalarNode {
		return n.Value
	}
	text, _ := yaml.Marshal(n) // of what was read from YAML
	return strings.TrimSpace(string(text))
}

// Plans are those that a rule has, by id.
func (r *Rules) Plans() []*bus.Escalation {
	known := map[string]*bus.Escalation{}
	for _, p := range r.plans {
		if p != nil {
			known[p.ID] = p.freeze()
		}
	}
	return slices.SortedFunc(maps.Values(known), func(a, b *bus.Escalation) int { return strings.Compare(a.Plan, b.Plan) })
}
