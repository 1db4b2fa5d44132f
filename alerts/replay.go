package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

// Replay runs the examples of a rule through the engine, and checks that they show what they should: an opening, a case that must
// not open, and a clearing unless the rule is latched. The error joins a *devices.FileError for each that differs.
func (r *Rule) Replay() error {
	var errs []error
	fail := func(line int, format string, args ...any) {
		errs = append(errs, &devices.FileError{File: r.File, Line: line, Reason: "rule " + r.ID + ": " + fmt.Sprintf(format, args...)})
	}
	shows := map[string]bool{}
	for i := range r.Examples {
		e := &r.Examples[i]
		got, err := r.replay(e)
		if err != nil {
			fail(e.Line, "%v", err)
		} else if !slices.Equal(got, e.Expect) {
			fail(e.Line, "want %q, got %q", spellExpectations(e.Expect), spellExpectations(got))
		}
		for _, x := range e.Expect {
			shows[x.kind] = true
		}
		shows["nothing"] = shows["nothing"] || len(e.Expect) == 0
	}
	needs := []string{opened}
	if r.Kind == SequenceKind {
		needs = append(needs, "nothing")
	} else if !r.spec.byEvent {
		needs = append(needs, "nothing")
		if !r.Latched {
			needs = append(needs, cleared)
		}
		if r.confirmation != nil {
			needs = append(needs, corroborated)
		}
		if len(r.Levels) > 1 {
			needs = append(needs, raised)
			if !r.Latched {
				needs = append(needs, lowered)
			}
		}
	} else if r.when.text != "" || r.applies.text != "" || r.between != nil {
		needs = append(needs, "nothing")
	}
	for _, kind := range needs {
		if !shows[kind] {
			fail(r.Line, "no example expects %s", kind)
		}
	}
	return errors.Join(errs...)
}

func spellExpectations(all []expectation) string {
	words := make([]string, len(all))
	for i, e := range all {
		words[i] = e.String()
	}
	return strings.Join(words, " ")
}

// exampleStart is a midnight in the community of examples, and a Monday.
var exampleStart = time.Date(2026, 1, 5, 0, 0, 0, 0, time.FixedZone("", 8*3600))

// exampleLength is longer than every for.
const exampleLength = 365 * 24 * time.Hour

// replay returns the transitions of the rule that an example leads to. Every input arrives at the time it has.
func (r *Rule) replay(e *Example) (got []expectation, err error) {
	x, err := newExampleWorld(r, e)
	if err != nil {
		return nil, err
	}
	c := newCore(r.set, x)
	inputs := slices.Concat(e.Events, e.Readings)
	for _, act := range e.Acts {
		act.person = true
		inputs = append(inputs, act)
	}
	slices.SortStableFunc(inputs, func(a, b input) int { return int(a.at - b.at) })
	end := exampleLength
	if r.spec.watches && len(inputs) > 0 { // silence would break every one of them
		end = inputs[len(inputs)-1].at
	}
	if e.Until > 0 {
		end = e.Until
	}
	c.advance(exampleStart.UnixMilli())
	for _, in := range inputs {
		c.advance(exampleStart.Add(in.at).UnixMilli())
		if in.person {
			c.actAll(in.event, exampleStart.Add(in.at))
			continue
		}
		line, err := x.line(in)
		if err != nil {
			return nil, err
		}
		if in.event != "" {
			err = c.event(line)
		} else {
			_, err = c.reading(line)
		}
		if err != nil {
			return nil, err
		}
	}
	c.advance(exampleStart.Add(end).UnixMilli()) // nothing more arrives, and time goes on
	wantsClosed := slices.ContainsFunc(e.Expect, func(x expectation) bool { return x.kind == closed })
	for _, ev := range c.book.out {
		if ev.Alert.Rule == r.ID && slices.Contains(transitions, ev.Kind) && (ev.Kind != closed || wantsClosed) {
			got = append(got, expectation{ev.At.Sub(exampleStart), ev.Kind})
		}
	}
	sortExpectations(got)
	return got, nil
}

// exampleWorld is the registry of an example: one device and its person.
type exampleWorld struct {
	rule      *Rule
	typ       *devices.Type
	device    *devices.Device
	devices   map[string]*devices.Device
	inventory []*devices.Device
	away      bool
}

func newExampleWorld(r *Rule, e *Example) (*exampleWorld, error) {
	typ := r.set.cat.Types()[0]
	switch {
	case e.Type != "":
		if typ = r.set.cat.Type(e.Type); typ == nil {
			return nil, fmt.Errorf("unknown device type %q", e.Type)
		}
	case len(r.Types) > 0:
		typ = r.set.cat.Type(r.Types[0])
	}
	x := &exampleWorld{rule: r, typ: typ, device: &devices.Device{
		ID: "example", Community: "example", Type: typ.ID, State: devices.Active, Person: "somebody",
		Place: devices.Place{Estate: "e1", Building: "b1", Unit: "u1", Zone: "z1"}, Attributes: e.Attributes, Tags: e.Tags,
	}, away: e.Away}
	x.devices = map[string]*devices.Device{x.device.ID: x.device}
	x.inventory = []*devices.Device{x.device}
	for _, name := range slices.Sorted(maps.Keys(e.Others)) {
		o, d := e.Others[name], *x.device
		if r.set.cat.Type(o.typ) == nil {
			return nil, fmt.Errorf("%s: unknown device type %q", name, o.typ)
		}
		d.ID, d.Type, d.Attributes, d.Tags = name, o.typ, nil, o.tags
		d.Place.Building, d.Person = cmp.Or(o.building, d.Place.Building), cmp.Or(o.person, d.Person)
		x.devices[name] = &d
		x.inventory = append(x.inventory, &d)
	}
	return x, x.checkNames()
}

// actAll does the same with every open alert.
func (c *core) actAll(kind string, at time.Time) {
	for _, id := range slices.Sorted(maps.Keys(c.book.alerts)) {
		if a := c.book.alerts[id]; a.State != bus.Closed {
			_ = c.book.act(&bus.Action{Key: kind + id, Kind: kind, Alert: id, Community: a.Community, By: "example", At: at})
		}
	}
	c.settle()
}

func (x *exampleWorld) Device(id string) *devices.Device    { return x.devices[id] }
func (x *exampleWorld) Devices() []*devices.Device          { return x.inventory }
func (x *exampleWorld) Community(string) *devices.Community { return nil }

func (x *exampleWorld) Person(id string) *people.Person {
	if id == "" {
		return nil
	}
	p := &people.Person{ID: id, Community: "example"}
	if x.away {
		p.AwaySince = &exampleStart
	}
	return p
}

func (x *exampleWorld) checkNames() error {
	for id := range x.device.Attributes {
		if x.typ.Attribute(id) == nil {
			return fmt.Errorf("%s has no attribute %q", x.typ.ID, id)
		}
	}
	for id, value := range x.device.Tags {
		t := x.typ.Tag(id)
		if t == nil || !t.Registry {
			return fmt.Errorf("%s has no registry tag %q", x.typ.ID, id)
		}
		if len(t.Values) > 0 && !slices.Contains(t.Values, value) {
			return fmt.Errorf("tag %s is never %q", id, value)
		}
	}
	return nil
}

// line writes an input as it would be on the bus.
func (x *exampleWorld) line(in input) ([]byte, error) {
	device := cmp.Or(in.device, x.device.ID)
	d := x.devices[device]
	if d == nil {
		return nil, fmt.Errorf("there is no device %q", device)
	}
	typ := x.rule.set.cat.Type(d.Type)
	fieldOf, head := typ.Field, typ.Measurement+",community=example,device="+device
	if in.event != "" {
		ev := typ.Event(in.event)
		if ev == nil {
			return nil, fmt.Errorf("%s has no event %q", typ.ID, in.event)
		}
		fieldOf = ev.Field
		head = "event,community=example,device=" + device + ",type=" + typ.ID + ",event=" + in.event
	}
	tags := "" // of an event, see seriesTag
	for _, t := range in.tags {
		if tag := typ.Tag(t.name); tag == nil || tag.Registry {
			return nil, fmt.Errorf("%s has no payload tag %q", typ.ID, t.name)
		}
		if in.event != "" {
			tags += "," + t.name + "=" + strconv.Quote(t.value)
		} else {
			head += "," + t.name + "=" + t.value
		}
	}
	at := exampleStart.Add(in.at)
	fields := "received_at=" + strconv.FormatInt(at.UnixMilli(), 10) + "i" + tags
	for _, v := range in.values {
		name := v.name
		if name == "" {
			if len(x.rule.Fields) == 0 {
				return nil, fmt.Errorf("value %q: the rule has no field of its own", v.value)
			}
			name = x.rule.Fields[0]
		}
		f := fieldOf(name)
		if f == nil {
			return nil, fmt.Errorf("%s has no field %q", typ.ID, name)
		}
		value, err := literal(f, v.value)
		if err != nil {
			return nil, err
		}
		fields += "," + name + "=" + value
	}
	return fmt.Appendf(nil, "%s %s %d\n", head, fields, at.UnixNano()), nil
}

// literal is a value of a field as line protocol has it.
func literal(f *devices.Field, s string) (string, error) {
	switch f.Type {
	case devices.Float, devices.Int:
		if v, err := strconv.ParseFloat(s, 64); err != nil || v < f.Min || v > f.Max {
			return "", fmt.Errorf("field %s is never %q", f.ID, s)
		}
		return s, nil
	case devices.Bool:
		if s != "true" && s != "false" {
			return "", fmt.Errorf("field %s is true or false, not %q", f.ID, s)
		}
		return s, nil
	case devices.Enum:
		if !slices.Contains(f.Enum, s) {
			return "", fmt.Errorf("field %s is never %q", f.ID, s)
		}
	}
	return strconv.Quote(s), nil
}
