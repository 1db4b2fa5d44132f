package devices

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// A command that nobody answers is given up after its time to live. Done late, a dangerous one is done to a world that has changed.
	usualLife, mostLife             = 10 * time.Minute, 24 * time.Hour
	usualDangerLife, mostDangerLife = time.Minute, 5 * time.Minute

	maxParamBytes = 4 << 10
)

// ParamError says what is wrong with a parameter of a command.
type ParamError struct{ Param, Reason string }

func (e *ParamError) Error() string { return "parameter " + e.Param + ": " + e.Reason }

// Life is how long the command is kept for a device that does not answer: usually, and at most.
func (c *Command) Life() (usual, most time.Duration) {
	if c.Danger {
		return usualDangerLife, mostDangerLife
	}
	return usualLife, mostLife
}

// Check compares parameters, decoded from JSON, with the declaration. The error is a *ParamError.
func (c *Command) Check(params map[string]any) error {
	for _, f := range c.Params {
		v, given := params[f.ID]
		switch {
		case !given && !f.Optional:
			return &ParamError{f.ID, "is missing"}
		case given:
			if wrong := f.wrong(v); wrong != "" {
				return &ParamError{f.ID, wrong}
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(params)) {
		if find(c.Params, id, func(f *Field) string { return f.ID }) == nil {
			return &ParamError{id, "is no parameter of " + c.ID}
		}
	}
	return nil
}

// wrong says why v is no value of a parameter; empty if it is one.
func (f *Field) wrong(v any) string {
	switch f.Type {
	case Float, Int:
		n, ok := v.(float64)
		switch {
		case !ok || math.IsNaN(n):
			return fmt.Sprintf("want a number, got %.60v", v)
		case f.Type == Int && n != math.Trunc(n):
			return fmt.Sprintf("want a whole number, got %v", n)
		case n < f.Min || n > f.Max:
			return strings.TrimSpace(fmt.Sprintf("%v is not between %v and %v %s", n, f.Min, f.Max, f.Unit))
		}
	case Bool:
		if _, ok := v.(bool); !ok {
			return fmt.Sprintf("want true or false, got %.60v", v)
		}
	case Enum:
		if s, ok := v.(string); !ok || !slices.Contains(f.Enum, s) {
			return fmt.Sprintf("%.60v is none of %s", v, strings.Join(f.Enum, ", "))
		}
	case String:
		s, ok := v.(string)
		switch {
		case !ok:
			return fmt.Sprintf("want a text, got %.60v", v)
		case s == "" || len(s) > maxParamBytes || !utf8.ValidString(s):
			return fmt.Sprintf("want a text of 1 to %d bytes", maxParamBytes)
		}
	}
	return ""
}
