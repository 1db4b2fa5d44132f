package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// plan is how devices of one type are played: the parsed simulation block.
type plan struct {
	typ    *devices.Type
	period time.Duration
	tags   []tagPlan // in the order of their ids
	fields []*fieldPlan
	events []*eventPlan

	effects  map[string]*effect // of commands, by id
	sessions *sessionPlan       // nil: nobody uses it
}

type tagPlan struct {
	id     string
	values []string
}

// fieldPlan is how one field of a reading or an event is played.
type fieldPlan struct {
	*devices.Field
	key    key
	beat   key // fields of one beat and period are sent together
	model  model
	words  []string            // what the numbers of a text model stand for
	series map[string][]string // only series with these tags, of the payload or of the device
}

// eventPlan is how often an event happens, when, and with what.
type eventPlan struct {
	*devices.Event
	key       key
	perDay    float64
	weekend   float64 // factor on days that are no workdays
	profile   *course
	occupancy bool      // only while somebody is at home and up
	at        []float64 // at these hours instead
	session   string    // at each start or end of a session instead
	fields    []*fieldPlan
}

// newPlan parses the simulation block of a type. The error joins a *devices.FileError for every mistake.
func newPlan(t *devices.Type) (*plan, error) {
	p := &parser{plan: &plan{typ: t, period: t.Period}}
	if t.Simulation.Kind == 0 {
		return nil, fmt.Errorf("type %s has no simulation", t.ID)
	}
	b := p.block(&t.Simulation)
	p.plan.period = b.duration("period", t.Period)
	p.plan.sessions = b.readSessions()
	b.each("tags", func(id, n *yaml.Node) {
		if tag := t.Tag(id.Value); tag == nil || tag.Registry {
			p.fail(id, "tag %q is no payload tag of %s", id.Value, t.ID)
		}
		p.plan.tags = append(p.plan.tags, tagPlan{id.Value, p.words(n)})
	})
	b.each("fields", func(id, n *yaml.Node) {
		if f := t.Field(id.Value); f == nil {
			p.fail(id, "field %q is not one of %s", id.Value, t.ID)
		} else if fp := p.field(f, n); fp != nil {
			p.plan.fields = append(p.plan.fields, fp)
		}
	})
	b.each("events", func(id, n *yaml.Node) {
		if e := t.Event(id.Value); e == nil {
			p.fail(id, "event %q is not one of %s", id.Value, t.ID)
		} else {
			p.event(e, n)
		}
	})
	p.commands(b)
	b.end()
	if p.plan.period <= 0 {
		p.fail(&t.Simulation, "no period: the type has none either")
	}
	p.resolve()
	slices.SortFunc(p.plan.tags, func(a, b tagPlan) int { return cmp.Compare(a.id, b.id) })
	if t.Battery && t.Field("battery_pct") != nil && p.plan.field("battery_pct") == nil {
		p.plan.fields = append(p.plan.fields, &fieldPlan{Field: t.Field("battery_pct"), key: key(0).named("battery_pct"), beat: key(0).named("battery_pct"), model: battery{}})
	}
	if fall := t.Event("fall"); fall != nil && !slices.ContainsFunc(p.plan.events, func(e *eventPlan) bool { return e.ID == fall.ID }) {
		p.plan.events = append(p.plan.events, &eventPlan{Event: fall, key: key(0).named(fall.ID), weekend: 1, profile: flat})
	}
	return p.plan, errors.Join(p.errs...)
}

func (p *plan) field(id string) *fieldPlan {
	for _, f := range p.fields {
		if f.ID == id {
			return f
		}
	}
	return nil
}

// parser reads one simulation block and keeps every mistake.
type parser struct {
	plan *plan
	refs []reference
	errs []error
}

// reference is a field named by a model before all fields are known.
type reference struct {
	node *yaml.Node
	from *fieldPlan
	id   string
	to   **fieldPlan
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	p.errs = append(p.errs, &devices.FileError{File: p.plan.typ.File, Line: n.Line, Reason: "simulation: " + fmt.Sprintf(format, args...)})
}

func (p *parser) field(f *devices.Field, n *yaml.Node) *fieldPlan {
	b := p.block(n)
	fp := &fieldPlan{Field: f, key: key(0).named(f.ID), beat: key(0).named(f.ID)}
	name := b.text("model")
	b.each("series", func(id, n *yaml.Node) {
		if p.plan.typ.Tag(id.Value) == nil {
			p.fail(id, "tag %q is not one of %s", id.Value, p.plan.typ.ID)
		}
		if fp.series == nil {
			fp.series = map[string][]string{}
		}
		fp.series[id.Value] = p.words(n)
	})
	read, known := models[name]
	if !known {
		p.fail(n, "unknown model %q of field %q", name, f.ID)
		return nil
	}
	read(b, fp)
	b.end()
	return fp
}

func (p *parser) event(e *devices.Event, n *yaml.Node) {
	b := p.block(n)
	ep := &eventPlan{
		Event: e, key: key(0).named(e.ID),
		perDay: b.number("per_day", 0), weekend: b.number("weekend", 1), profile: b.shares("profile"),
		occupancy: b.flag("occupancy"), at: b.hours("at"),
	}
	if n := b.value("session"); n != nil {
		if ep.session = n.Value; ep.session != "start" && ep.session != "end" || p.plan.sessions == nil {
			p.fail(n, "session: want start or end, of a type that has sessions")
		}
	}
	b.each("fields", func(id, n *yaml.Node) {
		if f := e.Field(id.Value); f == nil {
			p.fail(id, "field %q is not one of event %s", id.Value, e.ID)
		} else if fp := p.field(f, n); fp != nil {
			ep.fields = append(ep.fields, fp)
		}
	})
	b.end()
	if ep.perDay < 0 {
		p.fail(n, "per_day %g is below zero", ep.perDay)
	}
	p.plan.events = append(p.plan.events, ep)
}

// resolve ties the fields that models name to their plans and refuses circles.
func (p *parser) resolve() {
	uses := map[*fieldPlan][]*fieldPlan{}
	for _, r := range p.refs {
		if *r.to = p.plan.field(r.id); *r.to == nil {
			p.fail(r.node, "field %q is not played", r.id)
			continue
		}
		uses[r.from] = append(uses[r.from], *r.to)
	}
	for i, r := range p.refs {
		if i > 0 && p.refs[i-1].from == r.from {
			continue // the references of a field follow each other
		}
		if reaches(uses, r.from, r.from, map[*fieldPlan]bool{}) {
			p.fail(r.node, "field %q is made of itself", r.from.ID)
		}
	}
}

func reaches(uses map[*fieldPlan][]*fieldPlan, from, to *fieldPlan, seen map[*fieldPlan]bool) bool {
	for _, f := range uses[from] {
		if f == to {
			return true
		}
		if !seen[f] {
			seen[f] = true
			if reaches(uses, f, to, seen) {
				return true
			}
		}
	}
	return false
}
