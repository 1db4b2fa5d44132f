package seeds

import (
	"fmt"
	"time"

	"linli/devices"
)

// Device is a device of a demo fleet and what the registry does not keep about it.
type Device struct {
	devices.Device
	Series map[string][]string // values of the payload tags it plays, all combinations; nil: its type's own
	Scale  map[string]float64  // factors on numeric fields, and on session, the length of sessions, where it differs from what is usual of its type
	Home   string              // devices of one home share who is at home; empty: not in a home
	Elder  bool                // an elder lives in that home
}

// created is when the demo fleet was installed: fixed, so that the same fleet is the same bytes.
var created = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Fleet is the community's devices at a scale in (0, 1]: the same scale gives the same devices. A smaller one has fewer repeats
// of each group, at least one; kits stay whole. Gateways come before the devices they publish for.
func (c *Community) Fleet(scale float64) []Device {
	var out []Device
	for _, g := range c.groups {
		places, _ := c.places(g) // checked by Load
		n := scaled(g.Count, scale)
		for i := range n {
			r := c.repeat(g, i)
			r.place = spread(places, i, n)
			if g.Zone != "" {
				r.place.Zone = g.Zone
			} else {
				r.place.Zone = r.zone
			}
			if gw := c.group(g.Gateway); gw != nil {
				r.gateway = c.repeat(*gw, i*scaled(gw.Count, scale)/n).id("")
			}
			for _, m := range g.Devices {
				d := r.device(m, i)
				c.settle(&d)
				out = append(out, d)
			}
		}
	}
	return out
}

// repeat is the i-th repeat of a group.
type repeat struct {
	community string
	group     group
	zone      string // group and number: "shed-03"
	place     devices.Place
	gateway   string
}

func (c *Community) repeat(g group, i int) repeat {
	width := len(fmt.Sprint(g.Count))
	return repeat{community: c.ID, group: g, zone: fmt.Sprintf("%s-%0*d", g.ID, max(width, 2), i+1)}
}

func (r repeat) id(member string) string {
	id := r.community + "-" + r.zone
	if member != "" {
		id += "-" + member
	}
	return id
}

func (r repeat) person() string { return r.id("elder") }

func (r repeat) device(m member, i int) Device {
	d := Device{
		Device: devices.Device{
			ID: r.id(m.ID), Community: r.community, Type: m.Type, Name: r.name(m, i), Place: r.place,
			Attributes: m.Attributes, Gateway: r.gateway, State: devices.Active, Created: created,
		},
		Series: m.Series,
		Scale:  m.Scale,
	}
	if m.Unit > 0 {
		d.Place.Unit = fmt.Sprintf("u%d", m.Unit)
	}
	if m.Gateway != "" {
		d.Gateway = r.id(m.Gateway)
	}
	if len(m.Tags) > 0 {
		d.Tags = make(map[string]string, len(m.Tags))
		for tag, values := range m.Tags {
			d.Tags[tag] = values[i%len(values)]
		}
	}
	switch r.group.Home {
	case "elder":
		d.Home, d.Elder, d.Person = r.id(""), true, r.person()
	case "family":
		d.Home = r.id("")
	}
	return d
}

func (r repeat) name(m member, i int) string {
	name := r.group.Name
	if r.group.Count > 1 {
		name = fmt.Sprintf("%s%d号", name, i+1)
	}
	if m.Name != "" {
		name += " " + m.Name
	}
	return name
}

func (c *Community) group(id string) *group {
	for i := range c.groups {
		if c.groups[i].ID == id {
			return &c.groups[i]
		}
	}
	return nil
}

// spread is the place of the i-th of n repeats.
func spread(places []devices.Place, i, n int) devices.Place { return places[i*len(places)/n] }

// places are what the repeats of a group are spread over.
func (c *Community) places(g group) ([]devices.Place, error) {
	if g.At == "" {
		return []devices.Place{{Estate: g.In}}, nil
	}
	var out []devices.Place
	for _, e := range c.Estates {
		if g.In != "" && e.ID != g.In {
			continue
		}
		if g.At == "estate" {
			out = append(out, devices.Place{Estate: e.ID})
			continue
		}
		for _, b := range e.Buildings {
			switch g.At {
			case "building":
				out = append(out, devices.Place{Estate: e.ID, Building: b.ID})
			case "unit":
				for _, u := range b.Units {
					out = append(out, devices.Place{Estate: e.ID, Building: b.ID, Unit: u})
				}
			default:
				return nil, fmt.Errorf("at %q: want estate, building or unit", g.At)
			}
		}
	}
	return out, nil
}
