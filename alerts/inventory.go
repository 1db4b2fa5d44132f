package alerts

import (
	"maps"
	"slices"

	"linli/devices"
)

func newVigil() vigil {
	v := vigil{watches: map[string]*watch{}, byDevice: map[string][]*watch{}, enrolled: map[string]*devices.Device{}}
	for i := range v.byShard {
		v.byShard[i] = map[string]*watch{}
	}
	return v
}

// sorted are the watches in the order of their keys.
func (v *vigil) sorted() (all []*watch) {
	for _, key := range slices.Sorted(maps.Keys(v.watches)) {
		all = append(all, v.watches[key])
	}
	return all
}

// enrol follows the inventory: devices that are new are watched, those that are gone or revoked are not.
func (c *core) enrol() {
	v := &c.vigil
	all := c.dir.Devices()
	if len(all) == len(v.inventory) && (len(all) == 0 || &all[0] == &v.inventory[0]) {
		return
	}
	v.inventory = all
	v.generation++
	present := 0
	for _, d := range all {
		if _, known := v.enrolled[d.ID]; known {
			present++
		}
		if v.enrolled[d.ID] != d {
			c.assign(d.ID, d)
			if v.enrolled[d.ID] == nil {
				present++
			}
			v.enrolled[d.ID] = d
		}
	}
	if present == len(v.enrolled) {
		return
	}
	here := make(map[string]bool, len(all))
	for _, d := range all {
		here[d.ID] = true
	}
	for _, id := range slices.Sorted(maps.Keys(v.enrolled)) {
		if !here[id] {
			c.assign(id, nil)
			delete(v.enrolled, id)
		}
	}
}

// assign makes a device a member of the watches that it belongs to now, and of no others.
func (c *core) assign(id string, d *devices.Device) {
	v := &c.vigil
	var now []*watch
	for _, b := range c.absences(d) {
		w := &watch{bound: b, who: identity(b.Rule, subject{device: id, dev: d})}
		if known := v.watches[w.key()]; known != nil {
			w = known
			if len(w.members) > 0 && id <= w.members[0] {
				w.bound = b
			}
		} else {
			w.shard = shardOf(w.key())
			v.watches[w.key()], v.byShard[w.shard][w.key()] = w, w
			v.unstarted = append(v.unstarted, w)
		}
		if !slices.Contains(w.members, id) {
			w.members = append(w.members, id)
			slices.Sort(w.members)
		}
		now = append(now, w)
	}
	for _, w := range v.byDevice[id] {
		if !slices.Contains(now, w) {
			w.members = slices.DeleteFunc(w.members, func(m string) bool { return m == id })
		}
	}
	for _, w := range append(now, v.byDevice[id]...) {
		c.represent(w)
	}
	if v.byDevice[id] = now; len(now) == 0 {
		delete(v.byDevice, id)
	}
}

// represent chooses the device that stands for a watch; one without members ends, and with it what it reported.
func (c *core) represent(w *watch) {
	if len(w.members) > 0 {
		w.dev = c.dir.Device(w.members[0])
		if w.dev.Type != w.bound.typ.ID {
			for _, b := range c.absences(w.dev) {
				if b.name == w.bound.name {
					w.bound = b
				}
			}
		}
		return
	}
	if w.retired {
		return
	}
	w.retired = true
	if w.firing {
		c.relent(w, c.clock)
	}
	delete(c.vigil.watches, w.key())
	delete(c.vigil.byShard[w.shard], w.key())
	c.dirty[w.shard] = true
}

// absences are the absence rules that apply to a device.
func (c *core) absences(d *devices.Device) (all []*bound) {
	if d == nil || d.State != devices.Active {
		return nil
	}
	p := c.rules.byType[d.Type]
	if p == nil {
		return nil
	}
	for _, b := range p.absences {
		if b, _ = b.forDevice(d); b == nil {
			continue
		}
		c.scope = scope{core: c, bound: b, dev: d}
		if b.applies == nil || b.applies.eval(&c.scope) == yes {
			all = append(all, b)
		}
	}
	return all
}
