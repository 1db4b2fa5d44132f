package devices

import (
	"fmt"
	"math"
	"slices"
)

// Plan is a community drawn from above, in place of a map: what the page of places shows. North is up, lengths are metres.
type Plan struct {
	Width  float64 `json:"width_m" yaml:"width_m"`   // from west to east
	Height float64 `json:"height_m" yaml:"height_m"` // from north to south
	Shapes []Shape `json:"shapes" yaml:"shapes"`     // a later one lies on an earlier one
}

// ShapeKind is what a shape on a plan stands for.
type ShapeKind string

const (
	PlaceShape ShapeKind = "place" // an estate, a building or a zone of the community
	Road       ShapeKind = "road"
	Water      ShapeKind = "water"
	Green      ShapeKind = "green"
	Square     ShapeKind = "square" // paved: a car park, a market
)

var shapeKinds = []ShapeKind{PlaceShape, Road, Water, Green, Square}

// Shape is one thing on a plan. Buildings that have no shape of their own are put in rows on that of their estate.
type Shape struct {
	Kind     ShapeKind    `json:"kind" yaml:"kind"`
	Estate   string       `json:"estate,omitempty" yaml:"estate,omitempty"`
	Building string       `json:"building,omitempty" yaml:"building,omitempty"`
	Zone     string       `json:"zone,omitempty" yaml:"zone,omitempty"`
	Name     Text         `json:"name,omitzero" yaml:"name,omitempty"`        // written on it; an estate has a name already
	Points   [][2]float64 `json:"points" yaml:"points,flow"`                  // [east, south] of the upper left corner; two are opposite corners of a rectangle; of a road its middle line
	Width    float64      `json:"width_m,omitempty" yaml:"width_m,omitempty"` // of a road
}

const (
	maxPlanSide = 20_000 // m
	maxShapes   = 2000
	maxPoints   = 200
)

// plan checks a plan against the estates and buildings of its community.
func (c *Checks) plan(p *Plan, in *Community) {
	if !(p.Width > 0 && p.Width <= maxPlanSide && p.Height > 0 && p.Height <= maxPlanSide) {
		c.Fail("plan", fmt.Sprintf("%g m × %g m", p.Width, p.Height), "has a side that is not within 0 to %d m", maxPlanSide)
		return
	}
	if len(p.Shapes) > maxShapes {
		c.Fail("plan", fmt.Sprintf("%d shapes", len(p.Shapes)), "are more than %d", maxShapes)
		return
	}
	for i, s := range p.Shapes {
		c.shape(fmt.Sprintf("plan shape %d", i+1), s, p, in)
	}
}

func (c *Checks) shape(field string, s Shape, on *Plan, in *Community) {
	if !slices.Contains(shapeKinds, s.Kind) {
		c.Fail(field, string(s.Kind), "is not one of %v", shapeKinds)
	}
	at := Place{Estate: s.Estate, Building: s.Building, Zone: s.Zone}
	if (s.Kind == PlaceShape) != (at != Place{}) {
		c.Fail(field, string(s.Kind), "names an estate, a building or a zone if and only if it is a place")
	}
	c.place(at, in)
	for _, name := range []string{s.Name.ZH, s.Name.EN} {
		c.Name(field, name)
	}
	if len(s.Points) < 2 || len(s.Points) > maxPoints {
		c.Fail(field, fmt.Sprintf("%d points", len(s.Points)), "are not 2 to %d", maxPoints)
	}
	for _, p := range s.Points {
		if !(p[0] >= 0 && p[0] <= on.Width && p[1] >= 0 && p[1] <= on.Height) {
			c.Fail(field, fmt.Sprintf("[%g, %g]", p[0], p[1]), "is not on the plan of %g m × %g m", on.Width, on.Height)
		}
	}
	if !(s.Width >= 0 && s.Width <= math.Min(on.Width, on.Height)) || (s.Kind == Road) != (s.Width > 0) {
		c.Fail(field, fmt.Sprintf("%g m wide", s.Width), "a road has a width, and nothing else has")
	}
}
