package web

import (
	"math"
	"net/http"

	"linli/devices"
)

var typeRoutes = []route{{
	method: "GET", path: "/api/v1/types", area: "devices", about: "Device types: names, fields, events and commands",
	may: everyone, whose: general, out: typeList{}, handle: (*Server).typesPage,
}}

type (
	typeList struct {
		Types []typeView `json:"types"`
	}
	typeView struct {
		ID         string                             `json:"id"`
		Name       devices.Text                       `json:"name"`
		Safety     bool                               `json:"safety,omitempty"`
		Health     bool                               `json:"health,omitempty"`
		Battery    bool                               `json:"battery,omitempty"`
		Period     string                             `json:"period"` // between two messages, such as 1m0s
		Tags       []tagView                          `json:"tags"`
		Fields     []fieldView                        `json:"fields"`
		Events     []eventView                        `json:"events"`
		Commands   []declaredCommand                  `json:"commands"`
		Enums      map[string]map[string]devices.Text `json:"enums"` // names of the values of enum fields, by field
		Attributes []attributeView                    `json:"attributes"`
	}
	tagView struct {
		ID       string       `json:"id"`
		Name     devices.Text `json:"name"`
		Registry bool         `json:"registry"` // kept with the device; else it splits its readings into series
		Values   []string     `json:"values,omitempty"`
		// Names of values; where there are no values those of the usual ones.
		Names map[string]devices.Text `json:"names,omitempty"`
	}
	attributeView struct {
		ID      string       `json:"id"`
		Name    devices.Text `json:"name"`
		Unit    string       `json:"unit"`
		Default float64      `json:"default"`
	}
	fieldView struct {
		ID     string       `json:"id"`
		Name   devices.Text `json:"name,omitzero"`
		Unit   string       `json:"unit,omitempty"`
		Type   string       `json:"type"`
		Kind   string       `json:"kind,omitempty"`
		Period string       `json:"period,omitempty"`
		Common bool         `json:"common,omitempty"`
		Values []string     `json:"values,omitempty"` // of an enum
		Min    *float64     `json:"min,omitempty"`
		Max    *float64     `json:"max,omitempty"`

		Optional bool `json:"optional,omitempty"`
	}
	eventView struct {
		ID     string       `json:"id"`
		Name   devices.Text `json:"name"`
		Safety bool         `json:"safety,omitempty"`
		Fields []fieldView  `json:"fields"`
	}
	declaredCommand struct {
		ID     string       `json:"id"`
		Name   devices.Text `json:"name"`
		Params []fieldView  `json:"params"`

		Danger   bool `json:"danger,omitempty"`   // done late or by mistake it does harm
		Managers bool `json:"managers,omitempty"` // not for the desk
		Seconds  int  `json:"ttl_s"`              // how long it is kept if nobody says otherwise
		Most     int  `json:"ttl_most_s"`
	}
)

// typesPage shows the catalogue, which stays the same while the server runs.
func (s *Server) typesPage(w http.ResponseWriter, r *http.Request) error { return s.types.reply(w, r) }

func showTypes(cat *devices.Catalogue) typeList {
	body := typeList{Types: []typeView{}}
	for _, t := range cat.Types() {
		body.Types = append(body.Types, showType(t))
	}
	return body
}

func showType(t *devices.Type) typeView {
	v := typeView{
		ID: t.ID, Name: t.Name, Safety: t.Safety, Health: t.Health, Battery: t.Battery, Period: t.Period.String(), Tags: []tagView{},
		Fields: showFields(t.Fields), Events: []eventView{}, Commands: []declaredCommand{}, Enums: map[string]map[string]devices.Text{},
		Attributes: []attributeView{},
	}
	for _, tag := range t.Tags {
		v.Tags = append(v.Tags, tagView{tag.ID, tag.Name, tag.Registry, tag.Values, tag.Names})
	}
	for _, a := range t.Attributes {
		v.Attributes = append(v.Attributes, attributeView{a.ID, a.Name, a.Unit, a.Default})
	}
	for _, e := range t.Events {
		v.Events = append(v.Events, eventView{e.ID, e.Name, e.Safety, showFields(e.Fields)})
		nameEnums(v.Enums, e.Fields)
	}
	for _, c := range t.Commands {
		usual, most := c.Life()
		v.Commands = append(v.Commands, declaredCommand{
			c.ID, c.Name, showFields(c.Params), c.Danger, c.Managers, int(usual.Seconds()), int(most.Seconds()),
		})
		nameEnums(v.Enums, c.Params)
	}
	nameEnums(v.Enums, t.Fields)
	return v
}

func showFields(fields []*devices.Field) []fieldView {
	all := []fieldView{}
	for _, f := range fields {
		v := fieldView{ID: f.ID, Name: f.Name, Unit: f.Unit, Type: f.Type.String(), Kind: f.Kind.String(), Common: f.Common, Values: f.Enum, Optional: f.Optional}
		if !math.IsInf(f.Min, -1) {
			v.Min, v.Max = &f.Min, &f.Max
		}
		if f.Period > 0 {
			v.Period = f.Period.String()
		}
		all = append(all, v)
	}
	return all
}

func nameEnums(enums map[string]map[string]devices.Text, fields []*devices.Field) {
	for _, f := range fields {
		if len(f.Labels) == 0 || len(f.Labels) != len(f.Enum) {
			continue
		}
		names := map[string]devices.Text{}
		for i, value := range f.Enum {
			names[value] = f.Labels[i]
		}
		enums[f.ID] = names
	}
}
