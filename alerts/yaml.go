package alerts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// reader reads the nodes of one file strictly. It goes on after a mistake and keeps them all.
type reader struct {
	file string
	errs []*devices.FileError
}

func (r *reader) fail(line int, format string, args ...any) {
	r.errs = append(r.errs, &devices.FileError{File: r.file, Line: line, Reason: fmt.Sprintf(format, args...)})
}

// read takes the value of a key.
type read func(*yaml.Node)

// mapping hands every value of n to the read of its key. An unknown key, a key twice and a missing one of required are mistakes.
func (r *reader) mapping(n *yaml.Node, keys map[string]read, required ...string) {
	if n.Kind != yaml.MappingNode {
		r.fail(n.Line, "want a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		f := keys[k.Value]
		switch {
		case f == nil:
			r.fail(k.Line, "unknown key %q", k.Value)
		case seen[k.Value]:
			r.fail(k.Line, "key %q is here twice", k.Value)
		default:
			f(n.Content[i+1])
		}
		seen[k.Value] = true
	}
	for _, k := range required {
		if !seen[k] {
			r.fail(n.Line, "key %q is missing", k)
		}
	}
}

// each reads a list.
func (r *reader) each(f read) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.SequenceNode {
			r.fail(n.Line, "want a list")
			return
		}
		for _, c := range n.Content {
			f(c)
		}
	}
}

// scalar reads one value with parse, whose error says what is wrong with it.
func scalar[T any](r *reader, to *T, parse func(string) (T, error)) read {
	return func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			r.fail(n.Line, "want a single value")
			return
		}
		v, err := parse(n.Value)
		if err != nil {
			r.fail(n.Line, "%v", err)
			return
		}
		*to = v
	}
}

// str reads text that is not empty.
func (r *reader) str(to *string) read {
	return scalar(r, to, func(s string) (string, error) {
		if strings.TrimSpace(s) == "" {
			return "", fmt.Errorf("want text, got nothing")
		}
		return s, nil
	})
}

func (r *reader) strs(to *[]string) read {
	return r.each(func(n *yaml.Node) {
		var s string
		r.str(&s)(n)
		*to = append(*to, s)
	})
}

func (r *reader) names(to *devices.Text) read {
	return func(n *yaml.Node) {
		r.mapping(n, map[string]read{"zh": r.str(&to.ZH), "en": r.str(&to.EN)}, "zh", "en")
	}
}

func (r *reader) flag(to *bool) read {
	return func(n *yaml.Node) {
		if n.ShortTag() != "!!bool" || n.Decode(to) != nil {
			r.fail(n.Line, "want true or false, got %q", n.Value)
		}
	}
}

func (r *reader) number(to *float64) read {
	return func(n *yaml.Node) {
		if tag := n.ShortTag(); tag != "!!int" && tag != "!!float" || n.Decode(to) != nil {
			r.fail(n.Line, "want a number, got %q", n.Value)
		}
	}
}

func (r *reader) duration(to *time.Duration) read {
	return scalar(r, to, func(s string) (time.Duration, error) {
		d, err := devices.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("want a duration such as 30s, 10m, 24h or 1d, got %q", s)
		}
		return d, nil
	})
}

// word reads one out of a fixed list.
func word[T ~string](r *reader, to *T, words ...T) read {
	return scalar(r, to, func(s string) (T, error) {
		if !slices.Contains(words, T(s)) {
			return "", fmt.Errorf("want one of %v, got %q", words, s)
		}
		return T(s), nil
	})
}

func (r *reader) source(to *source) read {
	return func(n *yaml.Node) {
		to.line = n.Line
		r.str(&to.text)(n)
	}
}
