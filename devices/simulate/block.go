package simulate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// block reads the keys of one mapping; end refuses what nobody asked for.
type block struct {
	*parser
	node  *yaml.Node
	asked []string
}

func (p *parser) block(n *yaml.Node) *block {
	if n.Kind != yaml.MappingNode {
		p.fail(n, "want a mapping")
	}
	return &block{parser: p, node: n}
}

// value is the value of a key, or nil.
func (b *block) value(key string) *yaml.Node {
	b.asked = append(b.asked, key)
	for i := 0; b.node.Kind == yaml.MappingNode && i < len(b.node.Content); i += 2 {
		if b.node.Content[i].Value == key {
			return b.node.Content[i+1]
		}
	}
	return nil
}

func (b *block) end() {
	for i := 0; b.node.Kind == yaml.MappingNode && i < len(b.node.Content); i += 2 {
		if n := b.node.Content[i]; !slices.Contains(b.asked, n.Value) {
			b.fail(n, "unknown key %q, want one of %s", n.Value, strings.Join(b.asked, ", "))
		}
	}
}

// need is the value of a key that must be there; without it an empty scalar is returned and the mistake kept.
func (b *block) need(key string) *yaml.Node {
	if n := b.value(key); n != nil {
		return n
	}
	b.fail(b.node, "key %q is missing", key)
	return &yaml.Node{Line: b.node.Line}
}

func (b *block) text(key string) string { return b.need(key).Value }

func (b *block) flag(key string) bool {
	n := b.value(key)
	if n == nil {
		return false
	}
	var v bool
	if err := n.Decode(&v); err != nil {
		b.fail(n, "%s: want true or false, got %q", key, n.Value)
	}
	return v
}

// number is the value of a key, or otherwise when it is not there.
func (b *block) number(key string, otherwise float64) float64 {
	n := b.value(key)
	if n == nil {
		return otherwise
	}
	return b.float(n, key)
}

func (b *block) needNumber(key string) float64 { return b.float(b.need(key), key) }

func (p *parser) float(n *yaml.Node, what string) float64 {
	var v float64
	if err := n.Decode(&v); err != nil || n.Kind != yaml.ScalarNode || math.IsNaN(v) || math.IsInf(v, 0) {
		p.fail(n, "%s: want a number, got %q", what, n.Value)
		return 0
	}
	return v
}

func (b *block) duration(key string, otherwise time.Duration) time.Duration {
	n := b.value(key)
	if n == nil {
		return otherwise
	}
	d, err := devices.ParseDuration(n.Value)
	if err != nil || d <= 0 {
		b.fail(n, "%s: want a duration above zero, got %q", key, n.Value)
		return time.Hour
	}
	return d
}

// course is a list of 24 numbers that are not all zero.
func (b *block) course(key string, otherwise *course) *course {
	n := b.value(key)
	if n == nil {
		return otherwise
	}
	if n.Kind != yaml.SequenceNode || len(n.Content) != 24 {
		b.fail(n, "%s: want 24 numbers, got %d", key, len(n.Content))
		return flat
	}
	var values [24]float64
	for i, v := range n.Content {
		values[i] = b.float(v, key)
	}
	return newCourse(values)
}

// shares is a course of what may not be below zero and must be above it somewhere.
func (b *block) shares(key string) *course {
	c := b.course(key, flat)
	if slices.Min(c.values[:]) < 0 || c.sums[24] <= 0 {
		b.fail(b.node, "%s: want no number below zero and one above", key)
		return flat
	}
	return c
}

// hours is a list of times of day such as "21:30", in order.
func (b *block) hours(key string) []float64 {
	n := b.value(key)
	if n == nil {
		return nil
	}
	var out []float64
	for _, s := range b.words(n) {
		var h, m int
		if _, err := fmt.Sscanf(s, "%d:%d", &h, &m); err != nil || len(s) != 5 || h < 0 || h > 23 || m < 0 || m > 59 {
			b.fail(n, "%s: want a time of day such as \"21:30\", got %q", key, s)
		}
		out = append(out, float64(h)+float64(m)/60)
	}
	slices.Sort(out)
	return out
}

func (p *parser) words(n *yaml.Node) []string {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		p.fail(n, "want a list")
		return []string{""}
	}
	out := make([]string, 0, len(n.Content))
	for _, v := range n.Content {
		if v.Kind != yaml.ScalarNode {
			p.fail(v, "want a word")
		}
		out = append(out, v.Value)
	}
	return out
}

// each calls do with every key and value of a mapping under key.
func (b *block) each(key string, do func(id, value *yaml.Node)) {
	n := b.value(key)
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		b.fail(n, "%s: want a mapping", key)
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		do(n.Content[i], n.Content[i+1])
	}
}
