package devices

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

func (p *parsedType) tag(n *yaml.Node) {
	t := &Tag{}
	p.at[t] = n.Line
	p.mapping(n,
		must("id", p.id(&t.ID, eventName)),
		must("name", p.text(&t.Name)),
		may("registry", p.flag(&t.Registry)),
		may("values", func(n *yaml.Node) { t.Values, t.Names = p.tagValues(n) }),
		may("names", func(n *yaml.Node) {
			if _, t.Names = p.tagValues(n); t.Values != nil {
				p.fail(n.Line, "names are for a tag without values, which have theirs")
			}
		}))
	p.Tags = append(p.Tags, t)
}

// tagValues reads values of a tag and their names. Those of a list have none.
func (p *parsedType) tagValues(n *yaml.Node) ([]string, map[string]Text) {
	if n.Kind == yaml.SequenceNode {
		return p.unnamed(n), nil
	}
	values, texts := p.named(n, identifier)
	names := make(map[string]Text, len(values))
	for i, v := range values {
		names[v] = texts[i]
	}
	return values, names
}

// unnamed reads values without names.
func (p *parsedType) unnamed(n *yaml.Node) (values []string) {
	for _, c := range n.Content {
		var v string
		p.id(&v, identifier)(c)
		if slices.Contains(values, v) {
			p.fail(c.Line, "value %q is here twice", v)
		}
		values = append(values, v)
	}
	return values
}
