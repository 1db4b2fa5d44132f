package alerts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
)

// parser reads one list of rules. own is the type of the catalogue file they are in, nil for common.yaml and --rules files.
type parser struct {
	*reader
	own *devices.Type

	calendar *calendar
}

func (p *parser) rules(n *yaml.Node) (rules []*Rule) {
	p.each(func(n *yaml.Node) { rules = append(rules, p.rule(n)) })(n)
	return rules
}

func (p *parser) rule(n *yaml.Node) *Rule {
	r := &Rule{File: p.file, Line: n.Line}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "kind" { // says what the other keys may be
				r.Kind = Kind(n.Content[i+1].Value)
			}
		}
	}
	if p.own != nil {
		r.Types = []string{p.own.ID}
	}
	all := p.keys(r)
	graded := has(n, "levels")
	allowed, required := map[string]read{}, []string{"id", "name", "kind", "severity", "category", "basis"}
	for _, k := range strings.Fields("id name kind severity category basis source note action escalate safety latched identity applies text between schedule example confirmed_by") {
		allowed[k] = all[k]
	}
	if p.own == nil {
		allowed["type"], allowed["types"], allowed["except"] = all["type"], all["types"], all["except"]
	}
	must, may := "", ""
	if r.spec = kinds[r.Kind]; r.spec != nil {
		must, may, _ = strings.Cut(r.spec.keys, "|")
	}
	for _, group := range strings.Fields(must) {
		names := strings.Split(group, "/")
		for _, k := range names {
			allowed[k] = all[k]
		}
		if !slices.ContainsFunc(names, func(k string) bool { return has(n, k) }) {
			p.fail(n.Line, "rule of kind %s: key \"%s\" is missing", r.Kind, strings.Join(names, `" or "`))
		}
	}
	for _, k := range strings.Fields(may) {
		allowed[k] = all[k]
	}
	if graded {
		required = slices.DeleteFunc(required, func(k string) bool { return k == "severity" })
	}
	if r.Kind == GeofenceKind {
		defaultFence(r)
	}
	p.mapping(n, allowed, required...)
	for _, k := range strings.Fields("severity when clear for event events") {
		if graded && has(n, k) {
			p.fail(r.Line, "rule %s: %s stands in each of the levels, or there are none", r.ID, k)
		}
	}
	if has(n, "between") && has(n, "schedule") {
		p.fail(r.Line, "rule %s: want either between or schedule", r.ID)
	}
	if r.Basis == "verified" && r.Source == "" {
		p.fail(r.Line, "rule %s: a verified figure names its source", r.ID)
	}
	return r
}

func has(n *yaml.Node, key string) bool {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return true
		}
	}
	return false
}

// keys is every key of the language.
func (p *parser) keys(r *Rule) map[string]read {
	one := func(to *[]string) read {
		return scalar(p.reader, to, func(s string) ([]string, error) { return []string{s}, nil })
	}
	return map[string]read{
		"id": scalar(p.reader, &r.ID, identifier), "name": p.names(&r.Name), "text": p.names(&r.Text),
		"kind": word(p.reader, &r.Kind, EventKind, ThresholdKind, StateKind, AbsenceKind, RateKind, WindowKind, CountKind,
			SequenceKind, DerivedKind, CompoundKind, GeofenceKind),
		"severity": p.severity(&r.Severity), "levels": p.levels(r),
		"category": word(p.reader, &r.Category, strings.Fields("fire health security environment energy waste traffic water device service")...),
		"basis":    word(p.reader, &r.Basis, "verified", "known", "judgement"),
		"source":   p.str(&r.Source), "note": p.str(&r.Note), "action": p.str(&r.Action), "escalate": p.str(&r.Escalate),
		"safety": p.flag(&r.Safety), "latched": p.flag(&r.Latched),
		"identity": p.strs(&r.Identity),
		"type":     one(&r.Types), "types": p.strs(&r.Types), "except": p.strs(&r.Except),
		"field": one(&r.Fields), "fields": p.strs(&r.Fields),
		"event": one(&r.Events), "events": p.strs(&r.Events),
		"applies": p.source(&r.applies), "when": p.source(&r.when), "clear": p.source(&r.clear),
		"for": p.duration(&r.For), "max_age": p.duration(&r.MaxAge),
		"between": p.between(&r.between), "schedule": p.schedule(&r.between),
		"cleared_by":   p.str(&r.clearedBy),
		"confirmed_by": p.confirmation(&r.confirmation),
		"signals":      p.signals(r),
		"first":        p.step(&r.first), "then": p.step(&r.then), "without": p.step(&r.without),
		"window": scalar(p.reader, &r.own.window, parseSpan), "bucket": scalar(p.reader, &r.own.bucket, parseSpan),
		"fn": word(p.reader, &r.own.fn, functions...), "min_coverage": p.share(&r.own.coverage),
		"min": p.duration(&r.silence.min), "battery_window": scalar(p.reader, &r.silence.battery, parseSpan),
		"will": scalar(p.reader, &r.silence.will, parseSpan), "also": p.also(&r.silence.also),
		"per": p.duration(&r.per), "within": p.duration(&r.within),
		"count": p.number(&r.count),
		"zone":  p.zones(&r.fence.zones), "night": scalar(p.reader, &r.fence.night, parseTimeOfDay), "max_speed_kmh": p.number(&r.fence.speed),
		"fixes":   scalar(p.reader, &r.fence.fixes, strconv.Atoi),
		"example": p.each(func(n *yaml.Node) { r.Examples = append(r.Examples, p.example(n)) }),
	}
}

func (p *parser) severity(to *bus.Severity) read { return word(p.reader, to, bus.Severities...) }

func identifier(s string) (string, error) {
	if !devices.ValidID(s) {
		return "", fmt.Errorf("%q is not an identifier", s)
	}
	return s, nil
}

// parseSpan reads a duration, or a number of reporting periods.
func parseSpan(s string) (span, error) {
	if n, ok := strings.CutSuffix(s, " periods"); ok {
		if v, err := strconv.ParseFloat(n, 64); err == nil && v > 0 && v <= 1e6 {
			return span{periods: v}, nil
		}
	}
	d, err := devices.ParseDuration(s)
	if err != nil || d < time.Millisecond {
		return span{}, fmt.Errorf("want a duration or a number of periods, got %q", s)
	}
	return span{fixed: d}, nil
}

// share reads a number from 0 to 1.
func (p *parser) share(to *float64) read {
	return func(n *yaml.Node) {
		p.number(to)(n)
		if *to < 0 || *to > 1 {
			p.fail(n.Line, "want a share from 0 to 1, got %q", n.Value)
		}
	}
}

func (p *parser) signals(r *Rule) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			p.fail(n.Line, "want a mapping of names to signals")
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			s := signalSource{name: n.Content[i].Value, line: n.Content[i].Line, fn: "last"}
			p.mapping(n.Content[i+1], map[string]read{
				"field": p.str(&s.field), "type": p.str(&s.typ), "event": p.str(&s.event), "rule": p.str(&s.rule),
				"fn":     word(p.reader, &s.fn, append(slices.Clone(functions), "any", "all")...),
				"window": scalar(p.reader, &s.window, parseSpan), "bucket": scalar(p.reader, &s.bucket, parseSpan),
				"max_age": p.duration(&s.maxAge), "min_coverage": p.share(&s.coverage),
				"at": scalar(p.reader, &s.at, parseTimeOfDay), "of": p.str(&s.of), "same": p.str(&s.same), "by": p.str(&s.by), "when": p.source(&s.when),
				"else": func(n *yaml.Node) {
					s.otherwise = new(float64)
					p.number(s.otherwise)(n)
				},
			})
			r.signals = append(r.signals, s)
		}
	}
}
