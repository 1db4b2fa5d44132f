package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// override is what a site says of a rule for some devices: that it is off, or what is different. Of those that name a device the
// most specific holds alone: one for the device, then for a group of registry tags or places, then for the community, then for the
// type; of two alike the later one. It changes parameters of the rule, never its identity, so an alert stays the same alert.
type override struct {
	rules     []string
	device    string
	group     map[string]string // registry tags, words of places, and type
	community string
	typ       string
	off       bool
	set       *yaml.Node
	reason    string
	file      string
	line      int
}

// Levels of overrides, the most specific last.
const (
	typeLevel = iota + 1
	communityLevel
	groupLevel
	deviceLevel
)

// variant is a bound as an override has it.
type variant struct {
	*override
	bound *bound // nil: off
}

// settable are the keys of a rule that an override may set.
const settable = "severity levels escalate when clear for max_age between schedule window battery_window min will within count per text zone fixes night max_speed_kmh"

func (o *override) level() int {
	switch {
	case o.device != "":
		return deviceLevel
	case len(o.group) > 0:
		return groupLevel
	case o.community != "":
		return communityLevel
	}
	return typeLevel
}

// where is the place of an override, file:line.
func (o *override) where() string { return fmt.Sprintf("%s:%d", o.file, o.line) }

// matches reports whether an override is for a device.
func (o *override) matches(d *devices.Device) bool {
	if d == nil || o.device != "" && o.device != d.ID || o.community != "" && o.community != d.Community || o.typ != "" && o.typ != d.Type {
		return false
	}
	for key, want := range o.group {
		if attribute(d, key) != want {
			return false
		}
	}
	return true
}

// attribute is what the registry says of a device under one word.
func attribute(d *devices.Device, key string) string {
	switch key {
	case "type":
		return d.Type
	case "estate":
		return d.Place.Estate
	case "building":
		return d.Place.Building
	case "unit":
		return d.Place.Unit
	case "zone":
		return d.Place.Zone
	case "gateway":
		return d.Gateway
	case "person":
		return d.Person
	}
	return d.Tags[key]
}

// overrides reads a list of them.
func (p *parser) overrides(to *[]*override) read {
	return p.each(func(n *yaml.Node) {
		o := &override{file: p.file, line: n.Line}
		one := func(to *[]string) read {
			return scalar(p.reader, to, func(s string) ([]string, error) { return []string{s}, nil })
		}
		p.mapping(n, map[string]read{
			"rule": one(&o.rules), "rules": p.strs(&o.rules), "reason": p.str(&o.reason),
			"device": p.str(&o.device), "community": p.str(&o.community), "type": p.str(&o.typ),
			"group": func(n *yaml.Node) {
				if err := n.Decode(&o.group); err != nil || len(o.group) == 0 {
					p.fail(n.Line, "want registry tags and places with their values")
				}
			},
			"disable": p.flag(&o.off),
			"set":     func(n *yaml.Node) { o.set = n },
		}, "reason")
		switch {
		case len(o.rules) == 0:
			p.fail(n.Line, "want rule or rules")
		case o.device == "" && len(o.group) == 0 && o.community == "" && o.typ == "":
			p.fail(n.Line, "want whom it is for: device, group, community or type")
		case o.off == (o.set != nil):
			p.fail(n.Line, "want either disable: true or set")
		}
		*to = append(*to, o)
	})
}

// override makes the variants of the rules for what a site says.
func (l *loader) override(rules *Rules) {
	for _, o := range l.overrides {
		for _, id := range o.rules {
			base := l.ids[id]
			switch {
			case base == nil:
				l.fail(o.file, o.line, "override: unknown rule %q", id)
			case o.off && base.Safety && o.level() != deviceLevel:
				l.fail(o.file, o.line, "override: life-safety rule %s can be put out of force for one device at a time only", id)
			default:
				l.vary(rules, base, o)
			}
		}
	}
}

// vary adds what an override makes of one rule to the bounds of that rule.
func (l *loader) vary(rules *Rules, base *Rule, o *override) {
	r := *base
	if o.set != nil {
		p := &parser{&reader{file: o.file}, nil, l.calendar()}
		all, allowed := p.keys(&r), map[string]read{}
		for _, key := range strings.Fields(settable) {
			allowed[key] = all[key]
		}
		p.mapping(o.set, allowed)
		for _, key := range strings.Fields("severity when clear for levels") {
			if has(o.set, key) && (len(base.Levels) > 0) != (key == "levels") {
				p.fail(o.line, "override: rule %s has %s", base.ID, map[bool]string{true: "levels, each with its own " + key, false: "no levels"}[key != "levels"])
			}
		}
		l.errs = append(l.errs, p.errs...)
		r.File, r.Line = o.file, o.line
	}
	kept := l.sequels
	l.sequels = map[string][]stepUse{} // the steps of the rule as it is lead to its variants
	defer func() { l.sequels = kept }()
	for _, t := range l.typesOf(base) {
		if o.typ != "" && o.typ != t.ID {
			continue
		}
		p := rules.byType[t.ID]
		var bounds []*bound
		if !o.off {
			b := binder{l, &r, t}
			bounds = b.bind()
		}
		for i, known := range p.ofRule(base.ID) {
			v := variant{override: o}
			if i < len(bounds) {
				v.bound = bounds[i]
				if at, ok := p.index[known.name]; ok {
					p.place(v.bound, at)
				}
				rules.link(v.bound)
			}
			known.variants = append(known.variants, v)
		}
	}
}

// ofRule are the bounds of a rule for a type, in the order of its fields.
func (p *program) ofRule(id string) (all []*bound) {
	seen := map[*bound]bool{}
	lists := [][]*bound{p.bounds, p.absences, p.sequences}
	for _, event := range slices.Sorted(maps.Keys(p.onEvent)) {
		lists = append(lists, p.onEvent[event])
	}
	for _, list := range lists {
		for _, b := range list {
			if b.ID == id && !seen[b] {
				seen[b] = true
				all = append(all, b)
			}
		}
	}
	return all
}

// for a device, a bound is what the override that holds makes of it; nil: it is off. The override is nil when there is none.
func (b *bound) forDevice(d *devices.Device) (*bound, *override) {
	i := b.choose(d)
	if i == 0 {
		return b, nil
	}
	v := b.variants[i-1]
	return v.bound, v.override
}

// choose is the number of the variant for a device, from 1; 0: the rule as it is.
func (b *bound) choose(d *devices.Device) (chosen uint16) {
	level := 0
	for i, v := range b.variants {
		if v.level() >= level && v.matches(d) {
			chosen, level = uint16(i+1), v.level()
		}
	}
	return chosen
}
