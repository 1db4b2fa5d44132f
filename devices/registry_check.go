package devices

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Errors of the registry that callers tell apart.
var (
	ErrExists   = errors.New("exists already")
	ErrNotFound = errors.New("not registered")
)

// InvalidError says which field of a record cannot be accepted, and why.
type InvalidError struct {
	Field, Value, Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s %q %s", e.Field, e.Value, e.Reason) }

// maxName bounds names, in runes.
const maxName = 128

// checks gathers what is wrong with one record.
type checks []*InvalidError

func (c *checks) fail(field, value, reason string, args ...any) {
	*c = append(*c, &InvalidError{field, value, fmt.Sprintf(reason, args...)})
}

func (c checks) err() error {
	errs := make([]error, len(c))
	for i, e := range c {
		errs[i] = e
	}
	return errors.Join(errs...)
}

func (c *checks) id(field, value string) {
	if !ValidID(value) {
		c.fail(field, value, "is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit")
	}
}

func (c *checks) name(field, value string) {
	switch {
	case !utf8.ValidString(value):
		c.fail(field, value, "is not UTF-8 text")
	case utf8.RuneCountInString(value) > maxName:
		c.fail(field, value, "is longer than %d characters", maxName)
	case strings.ContainsFunc(value, unprintable):
		c.fail(field, value, "has a control character")
	case isFormula(value):
		c.fail(field, value, "begins like a spreadsheet formula")
	}
}

// unprintable covers control characters and the marks that reorder text on screen.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// isFormula reports whether a spreadsheet would run s from an export. A basement such as "-1层" is a name.
func isFormula(s string) bool {
	return s != "" && (strings.ContainsRune("=+@", rune(s[0])) || s[0] == '-' && strings.ContainsAny(s, "(|!"))
}

// neighbours are what a device is checked against: the registry, and the other rows of an import.
type neighbours interface {
	device(id string) *Device
	children(gateway string) int // active ones
}

// checkDevice returns everything that is wrong with d, field names as in an import.
func (r *Registry) checkDevice(d *Device, with neighbours) checks {
	var c checks
	c.id("id", d.ID)
	c.name("name", d.Name)
	community := r.Community(d.Community)
	if community == nil {
		c.fail("community", d.Community, "is not registered")
	} else {
		c.place(d.Place, community)
	}
	if t := r.cat.Type(d.Type); t == nil {
		c.fail("type", d.Type, "is not in the catalogue")
	} else {
		c.labels(d, t)
	}
	if p := r.Person(d.Person); d.Person != "" && (p == nil || p.Community != d.Community) {
		c.fail("person", d.Person, "is not registered in community %q", d.Community)
	}
	if d.Gateway != "" {
		c.gateway(d, with)
	}
	return c
}

func (c *checks) labels(d *Device, t *Type) {
	for _, id := range slices.Sorted(maps.Keys(d.Tags)) {
		value, tag := d.Tags[id], t.Tag(id)
		switch {
		case tag == nil || !tag.Registry:
			c.fail("tags", id, "is not a registry tag of type %q", t.ID)
		case len(tag.Values) > 0 && !slices.Contains(tag.Values, value):
			c.fail("tags", id+"="+value, "is not one of %s", strings.Join(tag.Values, ", "))
		case !ValidID(value):
			c.fail("tags", id+"="+value, "is not an identifier")
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.Attributes)) {
		if t.Attribute(id) == nil {
			c.fail("attributes", id, "is not an attribute of type %q", t.ID)
		} else if v := d.Attributes[id]; math.IsNaN(v) || math.IsInf(v, 0) {
			c.fail("attributes", id, "is not a finite number")
		}
	}
}

// place checks a place against the estates of its community, as far as they are listed.
func (c *checks) place(p Place, in *Community) {
	errs := len(*c)
	for _, part := range []struct{ field, value string }{{"estate", p.Estate}, {"building", p.Building}, {"unit", p.Unit}, {"zone", p.Zone}} {
		if part.value != "" {
			c.id(part.field, part.value)
		}
	}
	if p.Unit != "" && p.Building == "" {
		c.fail("unit", p.Unit, "needs a building")
	}
	if len(*c) > errs || len(in.Estates) == 0 {
		return
	}
	if p.Estate == "" {
		if p.Building != "" {
			c.fail("building", p.Building, "needs an estate: community %q has several", in.ID)
		}
		return
	}
	i := slices.IndexFunc(in.Estates, func(e Estate) bool { return e.ID == p.Estate })
	if i < 0 {
		c.fail("estate", p.Estate, "is not in community %q", in.ID)
		return
	}
	estate := in.Estates[i]
	if p.Building == "" || len(estate.Buildings) == 0 {
		return
	}
	i = slices.IndexFunc(estate.Buildings, func(b Building) bool { return b.ID == p.Building })
	if i < 0 {
		c.fail("building", p.Building, "is not in estate %q", estate.ID)
	} else if units := estate.Buildings[i].Units; p.Unit != "" && len(units) > 0 && !slices.Contains(units, p.Unit) {
		c.fail("unit", p.Unit, "is not in building %q", p.Building)
	}
}

func (c *checks) gateway(d *Device, with neighbours) {
	g := with.device(d.Gateway)
	switch {
	case g == nil:
		c.fail("gateway", d.Gateway, "is not registered")
	case g.ID == d.ID:
		c.fail("gateway", d.Gateway, "is the device itself")
	case g.State != Active:
		c.fail("gateway", d.Gateway, "is %s", g.State)
	case g.Community != d.Community:
		c.fail("gateway", d.Gateway, "is in community %q", g.Community)
	case g.Gateway != "":
		c.fail("gateway", d.Gateway, "is behind gateway %q itself", g.Gateway)
	case with.children(g.ID) >= MaxChildren:
		c.fail("gateway", d.Gateway, "has %d devices behind it already", MaxChildren)
	}
}

func checkCommunity(x *Community) error {
	var c checks
	c.id("id", x.ID)
	c.title("name", x.Name)
	if _, err := time.LoadLocation(x.Timezone); err != nil || x.Timezone == "Local" {
		c.fail("timezone", x.Timezone, "is not known")
	}
	if !(math.Abs(x.Lat) <= 90 && math.Abs(x.Lon) <= 180) {
		c.fail("lat, lon", fmt.Sprintf("%g, %g", x.Lat, x.Lon), "is no place on earth")
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
	return c.err()
}

func (c *checks) title(field string, t Text) {
	for _, s := range []string{t.ZH, t.EN} {
		if strings.TrimSpace(s) == "" {
			c.fail(field, s, "is empty")
		}
		c.name(field, s)
	}
}

func (c *checks) part(field, id string, seen map[string]bool) {
	c.id(field, id)
	if seen[id] {
		c.fail(field, id, "is there twice")
	}
	seen[id] = true
}

func (r *Registry) checkPerson(p *Person) error {
	var c checks
	c.id("id", p.ID)
	if strings.TrimSpace(p.Name) == "" {
		c.fail("name", p.Name, "is empty")
	}
	c.name("name", p.Name)
	if r.Community(p.Community) == nil {
		c.fail("community", p.Community, "is not registered")
	}
	return c.err()
}
