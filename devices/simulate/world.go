package simulate

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"linli/devices"
	"linli/seeds"
)

// World is the fleets of some communities and all they would ever report: every message is a pure function of the seed, the device
// and the time, and of the commands that the device was given, if there were any.
type World struct {
	actors []*actor
	root   string
	faults Faults
}

// Message is what a device publishes at a moment.
type Message struct {
	Device  *devices.Device
	Topic   string
	Payload []byte
	Time    time.Time
}

// actor is one device being played.
type actor struct {
	*seeds.Device
	plan   *plan
	site   *site
	home   *home
	key    key
	phase  moment // when in its period it reports
	series []series
	orders atomic.Pointer[orders] // nil: no command has changed anything
}

// series is one combination of payload tags.
type series struct {
	key  key
	json string // `"inlet":"1",`, or empty
	tags map[string]string
}

// NewWorld prepares fleets, given by the ids of their communities, for play. The error joins what is wrong with the simulation
// blocks of the types and with the fleets.
func NewWorld(cat *devices.Catalogue, communities []*seeds.Community, scale float64, seed uint64, faults Faults, root string) (*World, error) {
	w := &World{root: root, faults: faults}
	plans := map[string]*plan{}
	var errs []error
	for _, c := range communities {
		k := key(mix(seed)).named(c.ID)
		s := &site{key: k, lat: c.Lat, lon: c.Lon, climate: c.Climate, ground: c.Ground()}
		homes := map[string]*home{"": {kind: public, key: k}}
		fleet := c.Fleet(scale)
		for i := range fleet {
			d := &fleet[i]
			p, err := planOf(cat, plans, d.Type)
			if err != nil {
				errs = append(errs, err)
			}
			if p == nil {
				continue
			}
			a, err := newActor(d, p, s, homes, k.named(d.ID), faults.Falls)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			w.actors = append(w.actors, a)
		}
	}
	return w, errors.Join(errs...)
}

// planOf is the plan of a type, or nil: its error is told once.
func planOf(cat *devices.Catalogue, plans map[string]*plan, id string) (*plan, error) {
	if p, known := plans[id]; known {
		return p, nil
	}
	plans[id] = nil
	t := cat.Type(id)
	if t == nil {
		return nil, fmt.Errorf("device type %q is not in the catalogue", id)
	}
	p, err := newPlan(t)
	if err != nil {
		return nil, err
	}
	plans[id] = p
	return p, nil
}

func newActor(d *seeds.Device, p *plan, s *site, homes map[string]*home, k key, falls float64) (*actor, error) {
	h := homes[d.Home]
	if h == nil {
		h = &home{key: s.key.named(d.Home), kind: family}
		if d.Elder {
			h.kind, h.falls = elder, falls
		}
		homes[d.Home] = h
	}
	a := &actor{Device: d, plan: p, site: s, home: h, key: k}
	a.phase = moment(k.named("phase").uniform() * float64(p.period.Milliseconds()))
	a.series = []series{{key: k}}
	for _, tag := range p.tags {
		values := tag.values
		if own := d.Series[tag.id]; own != nil {
			values = own
		}
		a.split(tag.id, values)
	}
	for tag := range d.Series {
		if t := p.typ.Tag(tag); t == nil || t.Registry {
			return nil, fmt.Errorf("device %s: %q is no payload tag of %s", d.ID, tag, d.Type)
		} else if a.series[0].tags[tag] == "" {
			a.split(tag, d.Series[tag])
		}
	}
	return a, nil
}

// split divides every series by the values of one more tag.
func (a *actor) split(tag string, values []string) {
	var out []series
	for _, s := range a.series {
		for _, v := range values {
			next := series{key: s.key.named(tag + "=" + v), json: s.json + fmt.Sprintf("%q:%q,", tag, v), tags: map[string]string{tag: v}}
			for t, v := range s.tags {
				next.tags[t] = v
			}
			out = append(out, next)
		}
	}
	a.series = out
}

// plays reports whether a series has the field.
func (a *actor) plays(f *fieldPlan, series int) bool {
	for tag, values := range f.series {
		v, own := a.series[series].tags[tag]
		if !own {
			v = a.Tags[tag]
		}
		if !slices.Contains(values, v) {
			return false
		}
	}
	return true
}

// value is what a field of a series shows at a moment.
func (a *actor) value(f *fieldPlan, series int, t moment) float64 {
	v := a.modelled(f, series, t)
	if o := a.orders.Load(); o != nil {
		return o.value(f, series, v)
	}
	return v
}

// modelled is what a field of a series would show without any command.
func (a *actor) modelled(f *fieldPlan, series int, t moment) float64 {
	v := f.model.value(scene{at: t, key: key(mix(uint64(a.series[series].key ^ f.key))), actor: a, series: series})
	if !f.Type.Numeric() {
		return v
	}
	if scale, own := a.Scale[f.ID]; own {
		v *= scale
	}
	return clamp(v, f.Min, f.Max)
}

// Day yields every message of one local day (UTC+8) in the order of time. Payloads are valid until the next one.
func (w *World) Day(date time.Time) iter.Seq[Message] {
	return func(yield func(Message) bool) {
		from := midnight(momentOf(date).day())
		c := w.from(from)
		var buf []byte
		for d := c.next(); d.at < from+dayLength; d = c.next() {
			buf = w.encode(buf[:0], d, stamp{})
			if len(buf) == 0 {
				continue
			}
			if !yield(Message{&w.actors[d.actor].Device.Device, w.topic(d), buf, d.at.time()}) {
				return
			}
		}
	}
}

// topic is where a message goes: safety types take the fast lane.
func (w *World) topic(d due) string {
	a := w.actors[d.actor]
	t := devices.Topic{Lane: devices.Telemetry, Community: a.Community, Type: a.Type, Device: a.ID}
	switch {
	case d.event >= 0:
		t.Lane, t.Name = devices.EventLane, a.plan.events[d.event].ID
	case a.plan.typ.Safety:
		t.Lane = devices.Safety
	}
	return t.String(w.root)
}
