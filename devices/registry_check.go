package devices

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"linli/bus/bucket"
)

// Errors of the registry that callers tell apart.
var (
	ErrExists   = bucket.ErrExists
	ErrNotFound = errors.New("not registered")
)

// neighbours are what a device is checked against: the registry, and the other rows of an import.
type neighbours interface {
	device(id string) *Device
	children(gateway string) int // active ones
}

// checkDevice returns everything that is wrong with d, field names as in an import.
func (r *Registry) checkDevice(d *Device, with neighbours) Checks {
	var c Checks
	c.ID("id", d.ID)
	if d.ID == Probe.ID {
		c.Fail("id", d.ID, "is reserved: linli tries its own path with it")
	}
	c.Name("name", d.Name)
	community := r.Community(d.Community)
	if community == nil {
		c.Fail("community", d.Community, "is not registered")
	} else {
		c.place(d.Place, community)
	}
	if t := r.cat.Type(d.Type); t == nil {
		c.Fail("type", d.Type, "is not in the catalogue")
	} else {
		c.labels(d, t)
	}
	if d.Person != "" && !r.lives(d.Person, d.Community) {
		c.Fail("person", d.Person, "is not registered in community %q", d.Community)
	}
	if d.Gateway != "" {
		c.gateway(d, with)
	}
	return c
}

func (c *Checks) labels(d *Device, t *Type) {
	for _, id := range slices.Sorted(maps.Keys(d.Tags)) {
		value, tag := d.Tags[id], t.Tag(id)
		switch {
		case tag == nil || !tag.Registry:
			c.Fail("tags", id, "is not a registry tag of type %q", t.ID)
		case len(tag.Values) > 0 && !slices.Contains(tag.Values, value):
			c.Fail("tags", id+"="+value, "is not one of %s", strings.Join(tag.Values, ", "))
		case !ValidID(value):
			c.Fail("tags", id+"="+value, "is not an identifier")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.Attributes)) {
		if t.Attribute(id) == nil {
			c.Fail("attributes", id, "is not an attribute of type %q", t.ID)
		} else if v := d.Attributes[id]; math.IsNaN(v) || math.IsInf(v, 0) {
			c.Fail("attributes", id, "is not a finite number")
		}
	}
}

// place checks a place against the estates of its community, as far as they are listed.
func (c *Checks) place(p Place, in *Community) {
	errs := len(*c)
	for _, part := range []struct{ field, value string }{{"estate", p.Estate}, {"building", p.Building}, {"unit", p.Unit}, {"zone", p.Zone}} {
		if part.value != "" {
			c.ID(part.field, part.value)
		}
	}
	if p.Unit != "" && p.Building == "" {
		c.Fail("unit", p.Unit, "needs a building")
	}
	if len(*c) > errs || len(in.Estates) == 0 {
		return
	}
	if p.Estate == "" {
		if p.Building != "" {
			c.Fail("building", p.Building, "needs an estate: community %q has several", in.ID)
		}
		return
	}
	i := slices.IndexFunc(in.Estates, func(e Estate) bool { return e.ID == p.Estate })
	if i < 0 {
		c.Fail("estate", p.Estate, "is not in community %q", in.ID)
		return
	}
	estate := in.Estates[i]
	if p.Building == "" || len(estate.Buildings) == 0 {
		return
	}
	i = slices.IndexFunc(estate.Buildings, func(b Building) bool { return b.ID == p.Building })
	if i < 0 {
		c.Fail("building", p.Building, "is not in estate %q", estate.ID)
	} else if units := estate.Buildings[i].Units; p.Unit != "" && len(units) > 0 && !slices.Contains(units, p.Unit) {
		c.Fail("unit", p.Unit, "is not in building %q", p.Building)
	}
}

func (c *Checks) gateway(d *Device, with neighbours) {
	g := with.device(d.Gateway)
	switch {
	case g == nil:
		c.Fail("gateway", d.Gateway, "is not registered")
	case g.ID == d.ID:
		c.Fail("gateway", d.Gateway, "is the device itself")
	case g.State != Active:
		c.Fail("gateway", d.Gateway, "is %s", g.State)
	case g.Community != d.Community:
		c.Fail("gateway", d.Gateway, "is in community %q", g.Community)
	case g.Gateway != "":
		c.Fail("gateway", d.Gateway, "is behind gateway %q itself", g.Gateway)
	case with.children(g.ID) >= MaxChildren:
		c.Fail("gateway", d.Gateway, "has %d devices behind it already", MaxChildren)
	}
}

func checkCommunity(x *Community) error {
	var c Checks
	c.ID("id", x.ID)
	c.title("name", x.Name)
	if _, err := time.LoadLocation(x.Timezone); err != nil || x.Timezone == "Local" {
		c.Fail("timezone", x.Timezone, "is not known")
	}
	if !(math.Abs(x.Lat) <= 90 && math.Abs(x.Lon) <= 180) {
		c.Fail("lat, lon", fmt.Sprintf("%g, %g", x.Lat, x.Lon), "is no place on earth")
	}
	estates := map[string]bool{}
	for _, e := range x.Estates {
		c.part("estate", e.ID, estates)
		c.title("estate", e.Name)
		buildings := map[string]bool{}
		for _, b := range e.Buildings {
			c.part("building", b.ID, buildings)
			units := map[string]bool{}
			for _, u := range b.Units {
				c.part("unit", u, units)
			}
		}
	}
	if x.Plan != nil {
		c.plan(x.Plan, x)
	}
	return c.Err()
}

func (c *Checks) title(field string, t Text) {
	for _, s := range []string{t.ZH, t.EN} {
		if strings.TrimSpace(s) == "" {
			c.Fail(field, s, "is empty")
		}
		c.Name(field, s)
	}
}

func (c *Checks) part(field, id string, seen map[string]bool) {
	c.ID(field, id)
	if seen[id] {
		c.Fail(field, id, "is there twice")
	}
	seen[id] = true
}
