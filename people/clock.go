package people

import "time"

var weekdays = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseClock reads a time of day such as 08:30 as minutes since midnight.
func parseClock(s string) (minute int, ok bool) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") {
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}

// parseDay reads a date such as 2026-01-05 as days since 1 January 1970.
func parseDay(s string) (day int, ok bool) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, false
	}
	return dayOf(t), true
}

// dayOf is the date of t, in its own zone, as days since 1 January 1970.
func dayOf(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / (24 * 3600))
}

// within reports whether a minute of the day is in [from, to), which may span midnight. From and to alike are the whole day.
func within(from, to, minute int) bool {
	switch {
	case from == to:
		return true
	case from < to:
		return from <= minute && minute < to
	}
	return minute >= from || minute < to
}

// Quiet reports whether the hours hold something back at a moment, and if so until when.
func (q *QuietHours) Quiet(at time.Time, zone *time.Location) (until time.Time, quiet bool) {
	if q == nil {
		return time.Time{}, false
	}
	from, ok := parseClock(q.From)
	to, too := parseClock(q.To)
	local := at.In(zone)
	minute := local.Hour()*60 + local.Minute()
	if !ok || !too || from == to || !within(from, to, minute) {
		return time.Time{}, false
	}
	y, m, d := local.Date()
	if minute >= to { // they end tomorrow
		d++
	}
	return time.Date(y, m, d, to/60, to%60, 0, 0, zone), true
}

// On is the moment at which all is well or not is decided on the day of now; ok is false without an hour.
func (a *AllIsWell) On(now time.Time, zone *time.Location) (at time.Time, ok bool) {
	if a == nil {
		return at, false
	}
	minute, ok := parseClock(a.At)
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d, minute/60, minute%60, 0, 0, zone), ok
}
