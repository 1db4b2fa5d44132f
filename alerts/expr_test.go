package alerts

import (
	"strings"
	"testing"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"pgregory.net/rapid"
)

// someValues are signals and attributes, each known or not.
type someValues struct {
	signals    []float64
	known      []bool
	attributes map[string]float64
	kinds      []*cel.Type
	words      []string
}

func (v *someValues) number(i int) (float64, bool) { return v.signals[i], v.known[i] }

func (v *someValues) attribute(key string, _ float64) (float64, bool) {
	x, ok := v.attributes[key]
	return x, ok
}

func (v *someValues) value(x *variable) ref.Val {
	if x.origin == fromAttribute {
		if a, ok := v.attributes[x.key]; ok {
			return types.Double(a)
		}
		return nil
	}
	n, ok := v.number(x.index)
	if !ok {
		return nil
	}
	switch v.kinds[x.index] {
	case cel.BoolType:
		return types.Bool(n != 0)
	case cel.StringType:
		return types.String(v.words[int(n)])
	}
	return types.Double(n)
}

var (
	doorWords  = []string{"closed", "open", "jammed"}
	testSchema = schema{
		"value":   {origin: fromSignal, typ: cel.DoubleType, index: 0},
		"other":   {origin: fromSignal, typ: cel.DoubleType, index: 1},
		"on":      {origin: fromSignal, typ: cel.BoolType, index: 2},
		"door":    {origin: fromSignal, typ: cel.StringType, index: 3, values: doorWords},
		"attr.a":  {origin: fromAttribute, typ: cel.DoubleType, key: "a"},
		"care":    {origin: fromRegistry, typ: cel.StringType, key: "care"},
		"event.x": {origin: fromEvent, typ: cel.DoubleType, key: "x"},
	}
)

// TestQuickEqualsCEL draws expressions and values and evaluates them both ways.
func TestQuickEqualsCEL(t *testing.T) {
	numbers := []string{"value", "other", "attr.a", "1.0", "2.5", "0.0", "(value + attr.a)", "(other * 2.0)", "(value - other)", "(value / other)"}
	var condition func(t *rapid.T, depth int) string
	condition = func(t *rapid.T, depth int) string {
		pick := func(from ...string) string { return rapid.SampledFrom(from).Draw(t, "pick") }
		kind := rapid.IntRange(0, 7).Draw(t, "kind")
		if depth == 0 {
			kind = min(kind, 4)
		}
		switch kind {
		case 0:
			return pick("on", "on == true", "on != true", "on == false")
		case 1:
			return "door " + pick("==", "!=") + ` "` + pick(doorWords...) + `"`
		case 2:
			return pick(`door in ["open", "jammed"]`, `door in ["closed"]`)
		case 3, 4:
			return pick(numbers...) + pick(" < ", " <= ", " > ", " >= ", " == ", " != ") + pick(numbers...)
		case 5:
			return "!(" + condition(t, depth-1) + ")"
		case 6:
			return "(" + condition(t, depth-1) + " && " + condition(t, depth-1) + ")"
		}
		return "(" + condition(t, depth-1) + " || " + condition(t, depth-1) + ")"
	}
	rapid.Check(t, func(t *rapid.T) {
		text := condition(t, 3)
		c, err := compile(text, testSchema)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if c.quick == nil {
			t.Fatalf("%s: not compiled without CEL", text)
		}
		slow := &condition_{*c}
		number := rapid.SampledFrom([]float64{0, 1, 2.5, -1, 2, 3.5})
		v := &someValues{
			signals: []float64{number.Draw(t, "value"), number.Draw(t, "other"), float64(rapid.IntRange(0, 1).Draw(t, "on")), float64(rapid.IntRange(0, 2).Draw(t, "door"))},
			known:   []bool{rapid.Bool().Draw(t, "k0"), rapid.Bool().Draw(t, "k1"), rapid.Bool().Draw(t, "k2"), rapid.Bool().Draw(t, "k3")},
			kinds:   []*cel.Type{cel.DoubleType, cel.DoubleType, cel.BoolType, cel.StringType}, words: doorWords,
			attributes: map[string]float64{},
		}
		if rapid.Bool().Draw(t, "has a") {
			v.attributes["a"] = number.Draw(t, "a")
		}
		if quick, cel := c.eval(v), slow.eval(v); quick != cel {
			t.Fatalf("%s with %+v: quick says %v, CEL %v", text, v, quick, cel)
		}
	})
}

// condition_ is a condition that always goes through CEL.
type condition_ struct{ condition }

func (c *condition_) eval(v values) truth {
	c.quick = nil
	return c.condition.eval(v)
}

func TestUnknownMovesThroughExpressions(t *testing.T) {
	v := &someValues{signals: []float64{5, 0, 0, 0}, known: []bool{true, false, false, false}, kinds: []*cel.Type{cel.DoubleType, cel.DoubleType, cel.BoolType, cel.StringType}}
	for text, want := range map[string]truth{
		"value > 4.0":                          yes,
		"value > 4.0 && on":                    unknown,
		"value < 4.0 && on":                    no,
		"value > 4.0 || on":                    yes,
		"value < 4.0 || on":                    unknown,
		"other > 4.0":                          unknown,
		"!on":                                  unknown,
		"other == other":                       unknown,
		"on ? value > 4.0 : value < 4.0":       unknown,
		"value > 4.0 ? value > 3.0 : on":       yes,
		"abs(-value) > 4.0":                    yes,
		`door == "open" || value in [4.0,5.0]`: yes,
	} {
		c, err := compile(text, testSchema)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got := c.eval(v); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}

func TestExpressionsAreChecked(t *testing.T) {
	for text, want := range map[string]string{
		"value >= 95":                         "95.0",
		"valeu >= 95.0":                       "valeu",
		"attr.b > 1.0":                        "attr",
		`door == "opne"`:                      `door is never "opne", only closed, open, jammed`,
		`door in ["open", "shut"]`:            `never "shut"`,
		"value":                               "want a condition, this is a double",
		"[1.0, 2.0].exists(x, x > value)":     "exists",
		`door.matches("a+")`:                  "matches",
		"value > 1.0 &&":                      "Syntax error",
		strings.Repeat("value > 1.0 && ", 90): "",
	} {
		if _, err := compile(text, testSchema); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v, want an error with %q", text, err, want)
		}
	}
}
