package devices

import (
	"fmt"
	"strings"
)

// unitAtoms are the UCUM atoms the catalogue may use; true for those that take a metric prefix.
var unitAtoms = map[string]bool{
	"m": true, "g": true, "s": true, "A": true, "K": true, "mol": true, "L": true, "t": true,
	"Hz": true, "N": true, "Pa": true, "J": true, "W": true, "V": true, "Ohm": true, "C": true, "F": true, "S": true, "T": true,
	"lm": true, "lx": true, "cd": true, "Bq": true, "Sv": true, "bar": true, "cal": true, "bit": true, "By": true,
	"m[Hg]": true, "m[H2O]": true, "B": true, "B[SPL]": true, "Cel": true,
	"%": false, "[ppth]": false, "[ppm]": false, "[ppb]": false, "[pH]": false, "deg": false,
	"min": false, "h": false, "d": false, "wk": false, "a": false,
}

const unitPrefixes = "YZEPTGMkhdcmunpfa"

// CheckUnit reports whether s is a unit the catalogue may use: case-sensitive UCUM of known atoms with metric prefixes,
// exponents, {annotations}, "." and "/". The error names the part that is wrong.
func CheckUnit(s string) error {
	if s == "" {
		return fmt.Errorf("no unit; write \"1\" for a dimensionless number")
	}
	for rest, more := strings.TrimPrefix(s, "/"), true; more; {
		var part string
		part, rest, more = cutUnit(rest)
		if err := checkComponent(part); err != nil {
			return fmt.Errorf("unknown unit %q: %w", s, err)
		}
	}
	return nil
}

// cutUnit splits s at the first operator outside an annotation.
func cutUnit(s string) (part, rest string, more bool) {
	inside := false
	for i := range len(s) {
		switch s[i] {
		case '{', '}':
			inside = s[i] == '{'
		case '.', '/':
			if !inside {
				return s[:i], s[i+1:], true
			}
		}
	}
	return s, "", false
}

func checkComponent(s string) error {
	unit := s
	if i := strings.IndexByte(s, '{'); i >= 0 {
		note, closed := strings.CutSuffix(s[i+1:], "}")
		if !closed || note == "" || strings.ContainsAny(note, "{} ") {
			return fmt.Errorf("%q has a broken annotation", s)
		}
		if unit = s[:i]; unit == "" {
			return nil
		}
	}
	atom := strings.TrimRight(unit, "0123456789")
	switch {
	case unit == "":
		return fmt.Errorf("a part is empty")
	case atom == "": // a plain number
		return nil
	case atom != unit: // an exponent
		atom = strings.TrimSuffix(atom, "-")
	}
	if _, ok := unitAtoms[atom]; ok {
		return nil
	}
	if atom != "" && strings.IndexByte(unitPrefixes, atom[0]) >= 0 && unitAtoms[atom[1:]] {
		return nil
	}
	return fmt.Errorf("%q is no UCUM atom of the table in unit.go", atom)
}
