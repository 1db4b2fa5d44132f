package devices

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// FileError is one mistake in a settings file.
type FileError struct {
	File   string
	Line   int
	Reason string
}

func (e *FileError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// reader reads the nodes of one YAML file strictly. It goes on after a mistake and keeps them all.
type reader struct {
	file string
	errs []*FileError
}

func (r *reader) fail(line int, format string, args ...any) {
	r.errs = append(r.errs, &FileError{r.file, line, fmt.Sprintf(format, args...)})
}

// read is what takes the value of a key.
type read func(*yaml.Node)

// key is one key a mapping may have.
type key struct {
	name     string
	read     read
	optional bool
}

func must(name string, f read) key { return key{name: name, read: f} }
func may(name string, f read) key  { return key{name: name, read: f, optional: true} }

// document parses data into its one root node, or returns nil. Duplicate keys and aliases anywhere in it are mistakes.
func (r *reader) document(data []byte) *yaml.Node {
	var doc, next yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		r.fail(1, "the file is empty")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	if err := d.Decode(&next); err == nil {
		r.fail(next.Line, "a second document in one file")
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
	}
	if len(doc.Content) != 1 || doc.Content[0].Tag == "!!null" {
		r.fail(1, "the file is empty")
		return nil
	}
	r.plain(doc.Content[0])
	return doc.Content[0]
}

func (r *reader) syntax(err error) {
	reason, line := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if at, ok := strings.CutPrefix(reason, "line "); ok {
		number, rest, _ := strings.Cut(at, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, reason = n, rest
		}
	}
	r.fail(line, "%s", reason)
}

// plain checks what holds for every node: no aliases, no key twice.
func (r *reader) plain(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		r.fail(n.Line, "aliases are not supported")
		return
	}
	if n.Kind == yaml.MappingNode {
		seen := make(map[string]int, len(n.Content)/2)
		for i := 0; i < len(n.Content); i += 2 {
			k := n.Content[i]
			if first, twice := seen[k.Value]; twice {
				r.fail(k.Line, "key %q is here twice, first in line %d", k.Value, first)
			}
			seen[k.Value] = k.Line
		}
	}
	for _, c := range n.Content {
		r.plain(c)
	}
}

// mapping reads n with the given keys, in their order. Any other key is a mistake, and so is a missing one that is not optional.
func (r *reader) mapping(n *yaml.Node, keys ...key) {
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "want a mapping, got %s", describe(n))
		return
	}
	for _, k := range keys {
		if v := value(n, k.name); v != nil {
			k.read(v)
		} else if !k.optional {
			r.fail(n.Line, "key %q is missing", k.name)
		}
	}
	for i := 0; i < len(n.Content); i += 2 {
		name := n.Content[i].Value
		if !slices.ContainsFunc(keys, func(k key) bool { return k.name == name }) {
			r.fail(n.Content[i].Line, "unknown key %q", name)
		}
	}
}

// value returns the value of a key of a mapping, or nil.
func value(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

func (r *reader) list(each read) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.fail(n.Line, "want a list, got %s", describe(n))
			return
		}
		for _, c := range n.Content {
			each(c)
		}
	}
}

// str reads text. Numbers and booleans are refused: they would change their spelling.
func (r *reader) str(to *string) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" || strings.TrimSpace(n.Value) == "" {
			r.fail(n.Line, "want text (quote it if it looks like a number), got %s", describe(n))
			return
		}
		*to = n.Value
	}
}

func (r *reader) strs(to *[]string) read {
	return r.list(func(n *yaml.Node) {
		var s string
		r.str(&s)(n)
		*to = append(*to, s)
	})
}

// id reads text of a certain form; wrong says what is wrong with it, or nothing.
func (r *reader) id(to *string, wrong func(string) string) read {
	return func(n *yaml.Node) {
		errs := len(r.errs)
		r.str(to)(n)
		if reason := wrong(*to); len(r.errs) == errs && reason != "" {
			r.fail(n.Line, "%q %s", *to, reason)
		}
	}
}

func (r *reader) text(to *Text) read {
	return func(n *yaml.Node) { r.mapping(n, must("zh", r.str(&to.ZH)), must("en", r.str(&to.EN))) }
}

func (r *reader) flag(to *bool) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" || n.Style != 0 {
			r.fail(n.Line, "want true or false, got %s", describe(n))
			return
		}
		*to = n.Value == "true"
	}
}

func (r *reader) number(to *float64) read {
	return func(n *yaml.Node) {
		if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" {
			r.fail(n.Line, "want a number, got %s", describe(n))
		} else if err := n.Decode(to); err != nil || math.IsNaN(*to) || math.IsInf(*to, 0) {
			r.fail(n.Line, "want a finite number, got %s", describe(n))
		}
	}
}

func (r *reader) duration(to *time.Duration) read {
	return func(n *yaml.Node) {
		d, err := ParseDuration(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil || d <= 0 {
			r.fail(n.Line, "want a duration above zero such as 30s, 10m, 24h or 1d, got %s", describe(n))
			return
		}
		*to = d
	}
}

// word reads one word out of a fixed list.
func word[T any](r *reader, to *T, words map[string]T) read {
	return func(n *yaml.Node) {
		v, ok := words[n.Value]
		if n.Kind != yaml.ScalarNode || !ok {
			r.fail(n.Line, "want one of %s, got %s", strings.Join(slices.Sorted(maps.Keys(words)), ", "), describe(n))
			return
		}
		*to = v
	}
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	default:
		return strconv.Quote(n.Value)
	}
}

// ParseDuration reads a Go duration; a leading part in days is allowed: 90s, 36h, 1d, 1d12h.
func ParseDuration(s string) (time.Duration, error) {
	days, rest, ok := strings.Cut(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("days of %q: %w", s, err)
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 {
		return 0, fmt.Errorf("not a duration: %q", s)
	}
	return d + more, nil
}
