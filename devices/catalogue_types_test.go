package devices

import (
	"math"
	"slices"
	"testing"
	"time"
)

// builtinTypes is how many device types come with the binary.
const builtinTypes = 34

// What the loader holds every file to is tested on an example; this is what the built-in ones promise beyond that.
func TestEveryType(t *testing.T) {
	c, err := LoadCatalogue()
	if err != nil {
		t.Fatalf("\n%v", err)
	}
	if n := len(c.Types()); n != builtinTypes {
		t.Errorf("%d types, want %d", n, builtinTypes)
	}
	for _, e := range c.Common().Events {
		if e.Safety {
			t.Errorf("common event %s is life-safety for every type", e.ID)
		}
	}
	for _, ty := range c.Types() {
		t.Run(ty.ID, func(t *testing.T) {
			if ty.Period < time.Second || ty.Period > 24*time.Hour {
				t.Errorf("period is %v", ty.Period)
			}
			if len(ty.Standards) == 0 {
				t.Error("no standard is named")
			}
			if len(ty.Rules.Content) == 0 || len(ty.Simulation.Content) == 0 {
				t.Errorf("%d rules, %d lines of simulation", len(ty.Rules.Content), len(ty.Simulation.Content)/2)
			}
			own := slices.DeleteFunc(slices.Clone(ty.Fields), func(f *Field) bool { return f.Common })
			if len(own) == 0 {
				t.Error("no field of its own")
			}
			for _, f := range own {
				checkBuiltinField(t, ty, f)
			}
			for _, a := range ty.Attributes {
				if CheckUnit(a.Unit) != nil || math.IsNaN(a.Default) {
					t.Errorf("attribute %s is %+v", a.ID, a)
				}
			}
		})
	}
}

func checkBuiltinField(t *testing.T, ty *Type, f *Field) {
	t.Helper()
	if ty.Field(f.ID) != f || f.Name.ZH == "" || f.Name.EN == "" {
		t.Errorf("field %s is %+v", f.ID, f)
	}
	if f.Type.Numeric() {
		if CheckUnit(f.Unit) != nil || !(f.Min < f.Max) || math.IsInf(f.Min, 0) || math.IsInf(f.Max, 0) {
			t.Errorf("field %s has unit %q and range [%g, %g]", f.ID, f.Unit, f.Min, f.Max)
		}
		// JSON readers and InfluxDB hold numbers as float64.
		if math.Abs(f.Max) > 1<<53 {
			t.Errorf("field %s goes beyond what a float64 counts exactly", f.ID)
		}
	}
	if (f.Type == Enum) != (len(f.Enum) > 0) || len(f.Enum) != len(f.Labels) {
		t.Errorf("field %s has %d values and %d names", f.ID, len(f.Enum), len(f.Labels))
	}
}
