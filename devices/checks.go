package devices

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// InvalidError says which field of a record cannot be accepted, and why.
type InvalidError struct {
	Field, Value, Reason string
}

func (e *InvalidError) Error() string { return fmt.Sprintf("%s %q %s", e.Field, e.Value, e.Reason) }

// maxName bounds names, in runes.
const maxName = 128

// Checks gathers what is wrong with one record.
type Checks []*InvalidError

// Fail adds a mistake.
func (c *Checks) Fail(field, value, reason string, args ...any) {
	*c = append(*c, &InvalidError{field, value, fmt.Sprintf(reason, args...)})
}

// Err is nil when nothing is wrong, else all mistakes; each is an *InvalidError.
func (c Checks) Err() error {
	errs := make([]error, len(c))
	for i, e := range c {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// ID checks an identifier.
func (c *Checks) ID(field, value string) {
	if !ValidID(value) {
		c.Fail(field, value, "is not an identifier: a-z, 0-9, _ and -, at most 63, the first a letter or digit")
	}
}

// Name checks text of one line that people read: printable, of bounded length, and not what a spreadsheet would run. It may be empty.
func (c *Checks) Name(field, value string) {
	switch {
	case !utf8.ValidString(value):
		c.Fail(field, value, "is not UTF-8 text")
	case utf8.RuneCountInString(value) > maxName:
		c.Fail(field, value, "is longer than %d characters", maxName)
	case strings.ContainsFunc(value, unprintable):
		c.Fail(field, value, "has a control character")
	case isFormula(value):
		c.Fail(field, value, "begins like a spreadsheet formula")
	}
}

// unprintable covers control characters and the marks that reorder text on screen.
func unprintable(r rune) bool {
	return unicode.IsControl(r) || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// isFormula reports whether a spreadsheet would run s from an export. A basement such as "-1层" is a name.
func isFormula(s string) bool {
	return s != "" && (strings.ContainsRune("=+@", rune(s[0])) || s[0] == '-' && strings.ContainsAny(s, "(|!"))
}
