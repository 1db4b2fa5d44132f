package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// effect is what a command does to what a device shows.
type effect struct {
	param   string // names the series by the payload tag of the same id; empty: all of them
	set     map[*fieldPlan]float64
	hold    []*fieldPlan // counters that stand still
	release bool         // takes back what commands have done
}

// commands reads the block's key commands: of each command that changes something, what.
func (p *parser) commands(b *block) {
	p.plan.effects = map[string]*effect{}
	b.each("commands", func(id, n *yaml.Node) {
		c := p.plan.typ.Command(id.Value)
		if c == nil {
			p.fail(id, "command %q is not one of %s", id.Value, p.plan.typ.ID)
			return
		}
		e := &effect{set: map[*fieldPlan]float64{}}
		eb := p.block(n)
		e.release = eb.flag("release")
		if s := eb.value("series"); s != nil {
			e.param = s.Value
			if tag := p.plan.typ.Tag(s.Value); tag == nil || !slices.ContainsFunc(c.Params, func(f *devices.Field) bool { return f.ID == s.Value }) {
				p.fail(s, "series: %q is not both a tag and a parameter", s.Value)
			}
		}
		eb.each("set", func(id, n *yaml.Node) {
			if f := p.played(id); f != nil {
				e.set[f] = p.spell(f, n)
			}
		})
		if n := eb.value("hold"); n != nil {
			for _, id := range n.Content {
				if f := p.played(id); f != nil {
					e.hold = append(e.hold, f)
				}
			}
		}
		eb.end()
		p.plan.effects[c.ID] = e
	})
}

func (p *parser) played(id *yaml.Node) *fieldPlan {
	f := p.plan.field(id.Value)
	if f == nil {
		p.fail(id, "field %q is not played", id.Value)
	}
	return f
}

// spell is the number that stands for a value of a field.
func (p *parser) spell(f *fieldPlan, n *yaml.Node) float64 {
	switch f.Type {
	case devices.Bool:
		var v bool
		if err := n.Decode(&v); err != nil {
			p.fail(n, "want true or false, got %q", n.Value)
		}
		return bit(v)
	case devices.Enum, devices.String:
		if f.Type == devices.Enum && !slices.Contains(f.Enum, n.Value) {
			p.fail(n, "%q is no value of %s", n.Value, f.ID)
		}
		if !slices.Contains(f.words, n.Value) {
			f.words = append(f.words, n.Value)
		}
		return float64(slices.Index(f.words, n.Value))
	default:
		return p.float(n, f.ID)
	}
}

// orders are what commands have made of a device. They are replaced, never changed.
type orders struct {
	fixed  map[spot]float64
	behind map[spot]float64 // how much a counter missed while it stood still
}

type spot struct {
	field  *fieldPlan
	series int
}

// value is what a field shows instead of v, which its model says.
func (o *orders) value(f *fieldPlan, series int, v float64) float64 {
	at := spot{f, series}
	if x, ok := o.fixed[at]; ok {
		return x
	}
	return v - o.behind[at]
}

// obey changes what the device shows by a command, from t on.
func (a *actor) obey(e *effect, params map[string]any, t moment) error {
	next := &orders{map[spot]float64{}, map[spot]float64{}}
	if old := a.orders.Load(); old != nil {
		maps.Copy(next.fixed, old.fixed)
		maps.Copy(next.behind, old.behind)
	}
	found := false
	for i := range a.series {
		if e.param != "" && a.series[i].tags[e.param] != text(params[e.param]) {
			continue
		}
		found = true
		for f, v := range e.set {
			next.fixed[spot{f, i}] = v
		}
		for _, f := range e.hold {
			next.fixed[spot{f, i}] = a.value(f, i, t)
		}
		if e.release {
			a.release(next, i, t)
		}
	}
	if !found {
		return fmt.Errorf("there is no %s %s", e.param, text(params[e.param]))
	}
	a.orders.Store(next)
	return nil
}

// release takes back what commands have done to a series; its counters go on where they stood.
func (a *actor) release(o *orders, series int, t moment) {
	for at, x := range o.fixed {
		if at.series != series {
			continue
		}
		delete(o.fixed, at)
		if at.field.Kind == devices.Counter {
			o.behind[at] = a.modelled(at.field, series, t) - x
		}
	}
}

// text is a parameter as a tag spells it.
func text(v any) string {
	if n, ok := v.(float64); ok {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
