package simulate

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
	"linli/people"
)

//go:embed scenarios/*.yaml
var scenarioFiles embed.FS

// Scenario is a script of what a few devices say, with ground truth: the alerts it must open and those it must not. Its devices
// are its own, so that it disturbs no fleet and no fleet disturbs it.
type Scenario struct {
	ID        string
	Name      devices.Text
	Story     devices.Text
	Community string           // where its devices are to be registered
	Devices   []devices.Device // without secrets
	People    []people.Person
	Length    time.Duration // from the first to the last word
	Expect    Expect
	lines     []line
}

// Expect is the ground truth of a scenario.
type Expect struct {
	Opened []Truth // alerts that must be opened, each once
	Never  []Truth // alerts that must not be opened at all
}

// Truth is one alert. Times are distances from the start; an empty device stands for every device of the scenario.
type Truth struct {
	Rule    string
	Device  string
	At      time.Duration // of its opening
	Within  time.Duration // how far off both may be
	Cleared time.Duration // 0: it is not cleared
}

// line is one thing a device says.
type line struct {
	at     time.Duration
	device int
	event  string // empty: a reading
	fields []byte // JSON members, without braces
}

// Scenarios returns the built-in scenarios in the order of their ids.
func Scenarios() ([]*Scenario, error) {
	var out []*Scenario
	err := fs.WalkDir(scenarioFiles, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := scenarioFiles.ReadFile(path)
		if err != nil {
			return err
		}
		s, err := ParseScenario(path, data)
		if err != nil {
			return err
		}
		out = append(out, s)
		return nil
	})
	return out, err
}

// ScenarioByID finds a built-in scenario; the error lists those there are.
func ScenarioByID(id string) (*Scenario, error) {
	all, err := Scenarios()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(all))
	for i, s := range all {
		if s.ID == id {
			return s, nil
		}
		names[i] = s.ID
	}
	return nil, fmt.Errorf("unknown scenario %q, want one of %s", id, strings.Join(names, ", "))
}

// Play publishes the whole scenario at once, as if it had begun at start: each device replays what it has kept, a run of readings
// as one backlog message. For every alert to be delivered, its opening must be less than an hour ago; for none to be taken for the
// future, start + Length must not lie ahead. It ends with the first error of publish.
func (s *Scenario) Play(ctx context.Context, cat *devices.Catalogue, root string, publish func(topic string, payload []byte) error, start time.Time) error {
	backlog := make([][]byte, len(s.Devices))
	send := func(device int, lane devices.Lane, event string, payload []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := &s.Devices[device]
		return publish(devices.Topic{Lane: lane, Community: d.Community, Type: d.Type, Device: d.ID, Name: event}.String(root), payload)
	}
	flush := func(device int) error {
		if len(backlog[device]) == 0 {
			return nil
		}
		payload := append(backlog[device], ']')
		backlog[device] = nil
		lane := devices.Telemetry
		if t := cat.Type(s.Devices[device].Type); t != nil && t.Safety {
			lane = devices.Safety
		}
		return send(device, lane, "", payload)
	}
	for _, l := range s.lines {
		object := fmt.Appendf(nil, `{"ts":%d`, start.Add(l.at).UnixMilli())
		if len(l.fields) > 0 {
			object = append(append(object, ','), l.fields...)
		}
		object = append(object, '}')
		if l.event == "" {
			separator := byte(',')
			if len(backlog[l.device]) == 0 {
				separator = '['
			}
			backlog[l.device] = append(append(backlog[l.device], separator), object...)
			if len(backlog[l.device]) < maxBacklog {
				continue
			}
		}
		if err := flush(l.device); err != nil {
			return err
		}
		if l.event != "" {
			if err := send(l.device, devices.EventLane, l.event, object); err != nil {
				return err
			}
		}
	}
	for device := range s.Devices {
		if err := flush(device); err != nil {
			return err
		}
	}
	return nil
}

// maxBacklog is when a run of readings is cut, in bytes; a payload may have 64 KiB.
const maxBacklog = 48 << 10

// Raised is an alert that was opened while a scenario was played.
type Raised struct {
	Rule, Device    string
	Opened, Cleared time.Time // Cleared is zero while it is open
}

// Judge compares what was raised with the ground truth of a play that began at start. It returns one sentence for each
// difference.
func (s *Scenario) Judge(start time.Time, raised []Raised) []string {
	var out []string
	for _, t := range s.Expect.Opened {
		var hits []Raised
		for _, r := range raised {
			if t.is(r) {
				hits = append(hits, r)
			}
		}
		if len(hits) != 1 {
			out = append(out, fmt.Sprintf("%s of %s was opened %d times, want once at %s", t.Rule, t.Device, len(hits), t.At))
			continue
		}
		if off := hits[0].Opened.Sub(start) - t.At; off.Abs() > t.Within {
			out = append(out, fmt.Sprintf("%s of %s was opened at %s, want %s", t.Rule, t.Device, hits[0].Opened.Sub(start), t.At))
		}
		switch cleared := hits[0].Cleared; {
		case t.Cleared == 0 && !cleared.IsZero():
			out = append(out, fmt.Sprintf("%s of %s was cleared", t.Rule, t.Device))
		case t.Cleared != 0 && cleared.IsZero():
			out = append(out, fmt.Sprintf("%s of %s was not cleared, want it at %s", t.Rule, t.Device, t.Cleared))
		case t.Cleared != 0 && (cleared.Sub(start)-t.Cleared).Abs() > t.Within:
			out = append(out, fmt.Sprintf("%s of %s was cleared at %s, want %s", t.Rule, t.Device, cleared.Sub(start), t.Cleared))
		}
	}
	for _, t := range s.Expect.Never {
		for _, r := range raised {
			if t.is(r) {
				out = append(out, fmt.Sprintf("%s of %s was opened at %s, want never", r.Rule, r.Device, r.Opened.Sub(start)))
			}
		}
	}
	return out
}

func (t *Truth) is(r Raised) bool {
	return t.Rule == r.Rule && (t.Device == "" || t.Device == r.Device)
}

// script is the file of a scenario.
type script struct {
	Name      devices.Text      `yaml:"name"`
	Story     devices.Text      `yaml:"story"`
	Community string            `yaml:"community"`
	People    map[string]string `yaml:"people"` // role: invented name
	Away      []string          `yaml:"away"`   // roles of those who are away all the time
	Devices   []struct {
		Role       string             `yaml:"role"`
		Type       string             `yaml:"type"`
		Person     string             `yaml:"person"`
		Gateway    string             `yaml:"gateway"` // the role, listed before, that publishes for it
		Zone       string             `yaml:"zone"`
		Tags       map[string]string  `yaml:"tags"`
		Attributes map[string]float64 `yaml:"attributes"`
	} `yaml:"devices"`
	Timeline []step `yaml:"timeline"`
	Expect   struct {
		Opened []truth `yaml:"opened"`
		Never  []truth `yaml:"never"`
	} `yaml:"expect"`
}

type truth struct {
	Rule    string   `yaml:"rule"`
	Device  string   `yaml:"device"`
	At      distance `yaml:"at"`
	Within  distance `yaml:"within"`
	Cleared distance `yaml:"cleared"`
}

type distance time.Duration

func (d *distance) UnmarshalYAML(n *yaml.Node) error {
	v, err := devices.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("line %d: want a distance from the start such as 90s, got %q", n.Line, n.Value)
	}
	*d = distance(v)
	return nil
}

// ParseScenario reads a scenario from its file, whose name is its id.
func ParseScenario(path string, data []byte) (*Scenario, error) {
	var f script
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	id := strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".yaml")
	s := &Scenario{ID: id, Name: f.Name, Story: f.Story, Community: f.Community}
	if err := s.read(&f, strings.ReplaceAll(id, "_", "-")+"-"); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// longGone is since when those are away who are.
var longGone = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func (s *Scenario) read(f *script, prefix string) error {
	for role, name := range f.People {
		p := people.Person{ID: prefix + role, Community: s.Community, Name: name}
		if slices.Contains(f.Away, role) {
			p.AwaySince = &longGone
		}
		s.People = append(s.People, p)
	}
	for _, role := range f.Away {
		if f.People[role] == "" {
			return fmt.Errorf("away: unknown person %q", role)
		}
	}
	slices.SortFunc(s.People, func(a, b people.Person) int { return cmp.Compare(a.ID, b.ID) })
	roles := map[string]int{}
	for i, d := range f.Devices {
		if _, twice := roles[d.Role]; twice || !devices.ValidID(prefix+d.Role) {
			return fmt.Errorf("device %q: twice or no identifier", d.Role)
		}
		roles[d.Role] = i
		device := devices.Device{
			ID: prefix + d.Role, Community: s.Community, Type: d.Type, Name: s.Name.ZH + " " + d.Role, Place: devices.Place{Zone: d.Zone},
			Tags: d.Tags, Attributes: d.Attributes, State: devices.Active,
		}
		if d.Person != "" {
			if f.People[d.Person] == "" {
				return fmt.Errorf("device %q: unknown person %q", d.Role, d.Person)
			}
			device.Person = prefix + d.Person
		}
		if d.Gateway != "" {
			if _, known := roles[d.Gateway]; !known || d.Gateway == d.Role {
				return fmt.Errorf("device %q: gateway %q is no earlier device", d.Role, d.Gateway)
			}
			device.Gateway = prefix + d.Gateway
		}
		s.Devices = append(s.Devices, device)
	}
	for i := range f.Timeline {
		lines, err := f.Timeline[i].say(roles)
		if err != nil {
			return err
		}
		s.lines = append(s.lines, lines...)
	}
	slices.SortStableFunc(s.lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	if len(s.lines) == 0 {
		return fmt.Errorf("nobody says anything")
	}
	s.Length = s.lines[len(s.lines)-1].at
	var err error
	if s.Expect.Opened, err = truths(f.Expect.Opened, roles, prefix); err != nil {
		return err
	}
	s.Expect.Never, err = truths(f.Expect.Never, roles, prefix)
	return err
}

func truths(in []truth, roles map[string]int, prefix string) ([]Truth, error) {
	var out []Truth
	for _, t := range in {
		truth := Truth{Rule: t.Rule, At: time.Duration(t.At), Within: time.Duration(t.Within), Cleared: time.Duration(t.Cleared)}
		if t.Device != "" {
			if _, known := roles[t.Device]; !known {
				return nil, fmt.Errorf("expected %s: unknown device %q", t.Rule, t.Device)
			}
			truth.Device = prefix + t.Device
		}
		out = append(out, truth)
	}
	return out, nil
}
