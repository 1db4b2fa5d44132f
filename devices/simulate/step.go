package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// step is one entry of a timeline: a reading or an event, once or again and again.
type step struct {
	At     distance         `yaml:"at"`
	Until  distance         `yaml:"until"` // with every: repeated up to here
	Every  distance         `yaml:"every"`
	Device string           `yaml:"device"`
	Event  string           `yaml:"event"`
	Set    map[string]value `yaml:"set"`
}

// value is what a field says: JSON, or a number that goes in a straight line from the first word of a step to the last.
type value struct {
	json     string
	from, to float64
	ramp     bool
}

func (v *value) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode && len(n.Content) == 2 {
		v.ramp = true
		for i, to := range []*float64{&v.from, &v.to} {
			if err := n.Content[i].Decode(to); err != nil {
				return err
			}
		}
		return nil
	}
	switch n.ShortTag() {
	case "!!str":
		v.json = strconv.Quote(n.Value)
	case "!!int", "!!float", "!!bool", "!!null":
		v.json = n.Value
	default:
		return fmt.Errorf("line %d: want a value, or a list of two numbers to go from and to", n.Line)
	}
	return nil
}

// at is the value when part of the step is over.
func (v *value) at(part float64) string {
	if !v.ramp {
		return v.json
	}
	return strconv.FormatFloat(rounded(v.from+part*(v.to-v.from), ""), 'f', -1, 64)
}

// say writes out the step. Members are in the order of their names, so that the same scenario is the same bytes.
func (s *step) say(roles map[string]int) ([]line, error) {
	device, known := roles[s.Device]
	if !known {
		return nil, fmt.Errorf("timeline at %s: unknown device %q", time.Duration(s.At), s.Device)
	}
	if s.Until != 0 && (s.Every <= 0 || s.Until < s.At) || s.Every != 0 && s.Until == 0 {
		return nil, fmt.Errorf("timeline at %s: until and every go together, and until comes later", time.Duration(s.At))
	}
	var out []line
	for at := s.At; at <= max(s.At, s.Until); at += max(1, s.Every) {
		part := 0.0
		if s.Until > s.At {
			part = float64(at-s.At) / float64(s.Until-s.At)
		}
		l := line{at: time.Duration(at), device: device, event: s.Event}
		for _, field := range slices.Sorted(maps.Keys(s.Set)) {
			if len(l.fields) > 0 {
				l.fields = append(l.fields, ',')
			}
			v := s.Set[field]
			l.fields = fmt.Appendf(l.fields, "%q:%s", field, v.at(part))
		}
		out = append(out, l)
		if s.Until == 0 {
			break
		}
	}
	return out, nil
}
