package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// input is one entry of an example's readings or events, at a time after its start.
type input struct {
	at     time.Duration
	person bool   // an act of a person, of the kind in event
	device string // name of another device; empty: the device of the example
	event  string // of an event
	values []pair // fields; the name is empty for the field of the rule
	tags   []pair // payload tags
}

type pair struct{ name, value string }

// transitions are what an example can expect. That an alert closes need not be said.
var transitions = []string{opened, raised, lowered, corroborated, cleared, closed}

// expectation is a transition that must come.
type expectation struct {
	at   time.Duration
	kind string
}

func (e expectation) String() string { return formatOffset(e.at) + ":" + e.kind }

func formatOffset(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if cut, ok := strings.CutSuffix(s, zero); ok {
			s = cut + zero[:1]
		}
	}
	return s
}

// example reads one case. The notation: readings "0s:90 60s:96@inlet=2 12m:bpm=132,activity=still", with one every 5 min
// "0s..24h/5m:21" and along a line "0s..24h/5m:volume_m3=10~10.48", events "5s:sos 30s:fall{confidence=0.8}", expect "11m:opened 13m:cleared". 0s is a midnight in the community; after the last input
// nothing more arrives, but the clock goes on.
func (p *parser) example(n *yaml.Node) Example {
	e := Example{Line: n.Line}
	entries := func(to *[]input, parse func(string) (input, error)) read {
		return scalar(p.reader, to, func(s string) (all []input, err error) {
			for _, word := range strings.Fields(s) {
				device, rest, elsewhere := strings.Cut(word, ">")
				if !elsewhere {
					device, rest = "", word
				}
				more, err := parseRange(rest, parse)
				if err != nil {
					return nil, fmt.Errorf("%q: %w", word, err)
				}
				for i := range more {
					more[i].device = device
				}
				all = append(all, more...)
			}
			return all, nil
		})
	}
	p.mapping(n, map[string]read{
		"readings": entries(&e.Readings, parseReading),
		"events":   entries(&e.Events, parseEvent),
		"expect":   scalar(p.reader, &e.Expect, parseExpect),
		"attr": func(n *yaml.Node) {
			if err := n.Decode(&e.Attributes); err != nil {
				p.fail(n.Line, "want attributes and their numbers")
			}
		},
		"tags": func(n *yaml.Node) {
			if err := n.Decode(&e.Tags); err != nil {
				p.fail(n.Line, "want tags and their values")
			}
		},
		"person": func(n *yaml.Node) { p.mapping(n, map[string]read{"away": p.flag(&e.Away)}) },
		"acts":   entries(&e.Acts, parseEvent),
		"others": func(n *yaml.Node) { e.Others = p.others(n) },
		"type":   p.str(&e.Type),
		"until":  p.duration(&e.Until),
		"note":   p.str(new(string)),
	}, "expect")
	return e
}

// maxRepeats bounds what one word of an example stands for.
const maxRepeats = 10_000

// parseRange reads one input, or from..to/step before the colon: one every step, from and to among them.
func parseRange(word string, parse func(string) (input, error)) (all []input, err error) {
	head, rest, _ := strings.Cut(word, ":")
	from, more, repeated := strings.Cut(head, "..")
	if !repeated {
		in, err := parse(word)
		return []input{in}, err
	}
	to, every, _ := strings.Cut(more, "/")
	var times [3]time.Duration
	for i, s := range []string{from, to, every} {
		if times[i], err = devices.ParseDuration(s); err != nil {
			return nil, err
		}
	}
	first, last, step := times[0], times[1], times[2]
	if step <= 0 || last < first || (last-first)/step >= maxRepeats {
		return nil, fmt.Errorf("want from..to/step with at most %d steps", maxRepeats)
	}
	in, err := parse(from + ":" + rest)
	for at := first; at <= last && err == nil; at += step {
		next := in
		next.at = at
		if next.values, err = along(in.values, float64(at-first)/float64(max(last-first, 1))); err == nil {
			all = append(all, next)
		}
	}
	return all, err
}

// along puts the point at a share of the way in the place of every line such as 10~12.
func along(values []pair, share float64) ([]pair, error) {
	out := slices.Clone(values)
	for i, v := range values {
		a, b, line := strings.Cut(v.value, "~")
		if !line {
			continue
		}
		from, err := strconv.ParseFloat(a, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", a)
		}
		to, err := strconv.ParseFloat(b, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no number", b)
		}
		out[i].value = strconv.FormatFloat(tidy(from+(to-from)*share), 'f', -1, 64)
	}
	return out, nil
}

// others reads further devices: a type, or a mapping of what differs.
func (p *parser) others(n *yaml.Node) map[string]other {
	all := map[string]other{}
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		var o other
		if v := n.Content[i+1]; v.Kind == yaml.ScalarNode {
			o.typ = v.Value
		} else {
			p.mapping(v, map[string]read{
				"type": p.str(&o.typ), "building": p.str(&o.building), "person": p.str(&o.person),
				"tags": func(n *yaml.Node) {
					if err := n.Decode(&o.tags); err != nil {
						p.fail(n.Line, "want tags and their values")
					}
				},
			}, "type")
		}
		all[n.Content[i].Value] = o
	}
	return all
}

func parseReading(word string) (in input, err error) {
	rest, err := in.offset(word)
	if err != nil {
		return in, err
	}
	fields, tags, _ := strings.Cut(rest, "@")
	if in.tags, err = parsePairs(tags, false); err != nil {
		return in, err
	}
	in.values, err = parsePairs(fields, true)
	if len(in.values) == 0 && err == nil {
		err = fmt.Errorf("want a value")
	}
	return in, err
}

func parseEvent(word string) (in input, err error) {
	rest, err := in.offset(word)
	if err != nil {
		return in, err
	}
	rest, tags, _ := strings.Cut(rest, "@")
	if in.tags, err = parsePairs(tags, false); err != nil {
		return in, err
	}
	name, fields, braced := strings.Cut(rest, "{")
	if in.event = name; !devices.ValidID(name) {
		return in, fmt.Errorf("%q is not an event", name)
	}
	if !braced {
		return in, nil
	}
	fields, closed := strings.CutSuffix(fields, "}")
	if !closed {
		return in, fmt.Errorf("want {…}")
	}
	in.values, err = parsePairs(fields, false)
	return in, err
}

// offset reads the time before the first colon.
func (in *input) offset(word string) (rest string, err error) {
	at, rest, ok := strings.Cut(word, ":")
	if !ok {
		return "", fmt.Errorf("want time:value")
	}
	in.at, err = devices.ParseDuration(at)
	return rest, err
}

// parsePairs reads a=1,b=2; bare allows a value without a name.
func parsePairs(s string, bare bool) (all []pair, err error) {
	if s == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		name, value, named := strings.Cut(part, "=")
		switch {
		case named && name != "" && value != "":
			all = append(all, pair{name, value})
		case !named && bare && name != "":
			all = append(all, pair{"", name})
		default:
			return nil, fmt.Errorf("want name=value, got %q", part)
		}
	}
	return all, nil
}

func parseExpect(s string) (all []expectation, err error) {
	for _, word := range strings.Fields(s) {
		at, kind, _ := strings.Cut(word, ":")
		d, err := devices.ParseDuration(at)
		if err != nil || !slices.Contains(transitions, kind) {
			return nil, fmt.Errorf("want time:WORD, one of %s, got %q", strings.Join(transitions, ", "), word)
		}
		all = append(all, expectation{d, kind})
	}
	sortExpectations(all)
	return all, nil
}

func sortExpectations(all []expectation) {
	slices.SortFunc(all, func(a, b expectation) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind)) })
}
