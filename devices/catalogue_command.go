package devices

import (
	"math"

	"go.yaml.in/yaml/v3"
)

// command reads a command. Unlike the fields of events, all its parameters have names and ranges: people fill them in.
func (p *parsedType) command(enums map[string]*enum) read {
	return func(n *yaml.Node) {
		c := &Command{}
		p.at[c] = n.Line
		p.mapping(n,
			must("id", p.id(&c.ID, identifier)),
			must("name", p.text(&c.Name)),
			may("danger", p.flag(&c.Danger)),
			may("managers", p.flag(&c.Managers)),
			may("params", p.list(p.param(enums, paramName, &c.Params))))
		for _, f := range c.Params {
			switch {
			case f.Name == (Text{}):
				p.fail(p.at[f], "parameter %q has no name", f.ID)
			case f.Type.Numeric() && math.IsInf(f.Min, -1):
				p.fail(p.at[f], "parameter %q has no range", f.ID)
			}
		}
		p.Commands = append(p.Commands, c)
	}
}
