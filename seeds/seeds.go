// Package seeds holds the ten demo communities: their places, fleets, climates and invented people. One YAML file is one
// community; what the published case texts fix is in there as written, what they leave open is chosen and said so.
//
// It is data: it must not know how devices are registered, played or judged.
package seeds

import (
	"bytes"
	"embed"
	"fmt"
	"math"
	"slices"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

//go:embed *.yaml
var files embed.FS

// IDs are the demo communities, in the order of the case collection.
var IDs = []string{"tianjin", "xingtai", "hegang", "nantong", "ningbo", "nanchang", "zhuhai", "xingyi", "kaiyuan", "jinchang"}

// Community is one demo community.
type Community struct {
	devices.Community
	Climate Climate
	groups  []group
	names   names
}

// Climate is what the weather of a community is drawn from.
type Climate struct {
	Temperature [12]float64 `yaml:"temperature_c"` // mean of each month
	Swing       float64     `yaml:"swing_c"`       // between night and afternoon
	Humidity    float64     `yaml:"humidity_pct"`  // mean
	Wind        float64     `yaml:"wind_ms"`       // mean
	RainDays    [12]float64 `yaml:"rain_days"`     // of each month
	PM25        float64     `yaml:"pm25_ugm3"`     // median
}

// group is a part of a fleet that is repeated: a single device, or a kit that stays whole (a home, a shed, an entrance).
type group struct {
	ID      string   `yaml:"group"`
	Name    string   `yaml:"name"`
	Count   int      `yaml:"count"`   // repeats at scale 1
	At      string   `yaml:"at"`      // estate, building or unit: the repeats are spread evenly over these; empty: the community
	In      string   `yaml:"in"`      // only this estate
	Zone    string   `yaml:"zone"`    // empty: one zone a repeat
	Home    string   `yaml:"home"`    // elder or family: its devices share who is at home
	Gateway string   `yaml:"gateway"` // the group whose only device publishes for this one; repeats are spread evenly over its
	Devices []member `yaml:"devices"`
}

// member is one device of a group.
type member struct {
	ID         string              `yaml:"id"` // empty in a group of one
	Name       string              `yaml:"name"`
	Type       string              `yaml:"type"`
	Unit       int                 `yaml:"unit"`    // which unit of the building, from 1
	Gateway    string              `yaml:"gateway"` // the member that publishes for this one
	Tags       map[string][]string `yaml:"tags"`    // the repeats take the values in turn
	Attributes map[string]float64  `yaml:"attributes"`
	Series     map[string][]string `yaml:"series"`
	Scale      map[string]float64  `yaml:"scale"`
}

type names struct {
	Surnames []string `yaml:"surnames"`
	Women    []string `yaml:"women"`
	Men      []string `yaml:"men"`
	Staff    []string `yaml:"staff"`
}

func (n *names) women() []string { return n.Women }
func (n *names) men() []string   { return n.Men }
func (n *names) given() []string { return slices.Concat(n.Women, n.Men) }

type file struct {
	ID      string       `yaml:"id"`
	Name    devices.Text `yaml:"name"`
	Lat     float64      `yaml:"lat"`
	Lon     float64      `yaml:"lon"`
	Estates []struct {
		ID        string       `yaml:"id"`
		Name      devices.Text `yaml:"name"`
		Buildings []struct {
			Count int `yaml:"count"`
			Units int `yaml:"units"`
		} `yaml:"buildings"`
	} `yaml:"estates"`
	Plan    *devices.Plan `yaml:"plan"`
	Climate Climate       `yaml:"climate"`
	Fleet   []group       `yaml:"fleet"`
}

// Load reads the embedded communities, in the order of IDs.
func Load() ([]*Community, error) {
	out := make([]*Community, 0, len(IDs))
	for _, id := range IDs {
		data, err := files.ReadFile(id + ".yaml")
		if err != nil {
			return nil, err
		}
		c, err := Parse("seeds/"+id+".yaml", data)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Parse reads one community from YAML. The name is what errors call it.
func Parse(name string, data []byte) (*Community, error) {
	var f file
	if err := decode(data, &f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	c := f.community()
	people, err := files.ReadFile("names.yaml")
	if err != nil {
		return nil, err
	}
	if err := decode(people, &c.names); err != nil {
		return nil, fmt.Errorf("seeds/names.yaml: %w", err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return c, nil
}

func decode(data []byte, to any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	return d.Decode(to)
}

func (f *file) community() *Community {
	c := &Community{
		Community: devices.Community{ID: f.ID, Name: f.Name, Timezone: "Asia/Shanghai", Lat: f.Lat, Lon: f.Lon, Plan: f.Plan},
		Climate:   f.Climate,
		groups:    f.Fleet,
	}
	for _, e := range f.Estates {
		estate := devices.Estate{ID: e.ID, Name: e.Name}
		for _, block := range e.Buildings {
			for range block.Count {
				b := devices.Building{ID: fmt.Sprintf("b%02d", len(estate.Buildings)+1)}
				for u := range block.Units {
					b.Units = append(b.Units, fmt.Sprintf("u%d", u+1))
				}
				estate.Buildings = append(estate.Buildings, b)
			}
		}
		c.Estates = append(c.Estates, estate)
	}
	return c
}

// check finds what the decoder cannot: broken references and identifiers.
func (c *Community) check() error {
	seen := map[string]group{}
	for _, g := range c.groups {
		if !devices.ValidID(g.ID) || g.Count < 1 || len(g.Devices) == 0 {
			return fmt.Errorf("group %q: want an identifier, a count and devices", g.ID)
		}
		if _, twice := seen[g.ID]; twice {
			return fmt.Errorf("group %q is there twice", g.ID)
		}
		if g.Gateway != "" && len(seen[g.Gateway].Devices) != 1 {
			return fmt.Errorf("group %q: gateway %q is no earlier group of one device", g.ID, g.Gateway)
		}
		if places, err := c.places(g); err != nil || len(places) == 0 {
			return fmt.Errorf("group %q: no place at %q in %q", g.ID, g.At, g.In)
		}
		members := map[string]bool{}
		for _, m := range g.Devices {
			if members[m.ID] || (m.ID == "") != (len(g.Devices) == 1) {
				return fmt.Errorf("group %q: devices of a kit need distinct ids, a single device none: %q", g.ID, m.ID)
			}
			if m.Gateway != "" && !members[m.Gateway] {
				return fmt.Errorf("group %q: gateway %q of %q is no earlier device", g.ID, m.Gateway, m.ID)
			}
			members[m.ID] = true
		}
		seen[g.ID] = g
	}
	return nil
}

// scaled is how many repeats of n there are at a scale: rounded up, so at least one.
func scaled(n int, scale float64) int {
	return max(1, min(n, int(math.Ceil(float64(n)*scale-1e-9))))
}
