package alerts

import (
	_ "embed"
	"fmt"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

//go:embed calendar.yaml
var builtinCalendar []byte

// calendar knows which days are not what their place in the week says. Days are those of the community's own time.
type calendar struct {
	holidays map[date]devices.Text // days off, with their names
	workdays map[date]bool         // weekends at work, to make up for a holiday
	terms    []days                // of school
}

// date is a day of the calendar, as days since 1970.
type date int

func dateOf(t time.Time) date {
	return date(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// start is the midnight that a date begins with.
func (d date) start(zone *time.Location) time.Time {
	t := time.Unix(int64(d)*86400, 0).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
}

func (d date) weekday() time.Weekday { return time.Unix(int64(d)*86400, 0).UTC().Weekday() }

// days are a number of days, the last included.
type days struct{ from, to date }

// workday reports whether people work on d. A year that nobody has described has the plain five days.
func (c *calendar) workday(d date) bool {
	if _, off := c.holidays[d]; off {
		return false
	}
	w := d.weekday()
	return c.workdays[d] || w != time.Saturday && w != time.Sunday
}

// school reports whether there is school on d: a working day within a term.
func (c *calendar) school(d date) bool {
	for _, t := range c.terms {
		if t.from <= d && d <= t.to {
			return c.workday(d)
		}
	}
	return false
}

// parseDate reads 2026-05-01.
func parseDate(s string) (date, error) {
	t, err := time.Parse(time.DateOnly, strings.TrimSpace(s))
	if err != nil {
		return 0, fmt.Errorf("want a day such as 2026-05-01, got %q", s)
	}
	return dateOf(t), nil
}

// parseDays reads 2026-05-01 or 2026-05-01..2026-05-05.
func parseDays(s string) (days, error) {
	first, last, several := strings.Cut(s, "..")
	from, err := parseDate(first)
	if err != nil || !several {
		return days{from, from}, err
	}
	to, err := parseDate(last)
	if err == nil && (to < from || to-from > 366) {
		err = fmt.Errorf("want days in order and within a year, got %q", s)
	}
	return days{from, to}, err
}

// read adds what one file says. What a later file says of a day holds.
func (c *calendar) read(r *reader) read {
	return func(n *yaml.Node) {
		r.mapping(n, map[string]read{
			"holidays": func(n *yaml.Node) {
				if n.Kind != yaml.MappingNode {
					r.fail(n.Line, "want days and their names")
					return
				}
				for i := 0; i+1 < len(n.Content); i += 2 {
					off, err := parseDays(n.Content[i].Value)
					if err != nil {
						r.fail(n.Content[i].Line, "%v", err)
						continue
					}
					var name devices.Text
					r.names(&name)(n.Content[i+1])
					for d := off.from; d <= off.to; d++ {
						c.holidays[d] = name
						delete(c.workdays, d)
					}
				}
			},
			"workdays": r.each(func(n *yaml.Node) {
				var off days
				scalar(r, &off, parseDays)(n)
				for d := off.from; d <= off.to && off.from != 0; d++ {
					c.workdays[d] = true
					delete(c.holidays, d)
				}
			}),
			"school_terms": r.each(func(n *yaml.Node) {
				var term days
				scalar(r, &term, parseDays)(n)
				c.terms = append(c.terms, term)
			}),
		})
	}
}
