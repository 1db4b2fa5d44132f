package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// schedule is when a rule is in force: any number of entries, in the local time of the community.
type schedule struct {
	entries  []entry
	calendar *calendar
	line     int
}

// entry is one line of a schedule. A time of day that spans midnight belongs to the day it begins on.
type entry struct {
	on     []string     // kinds of days; empty: every day
	season *season      // nil: the whole year
	at     []*timeOfDay // empty: the whole day
}

// season is a part of the year, as month times 100 plus day; it may span New Year.
type season struct{ from, to int }

const wholeDay = 24 * 60

var weekdays = strings.Fields("sun mon tue wed thu fri sat")

// parseSeason reads 11-15..03-15.
func parseSeason(s string) (*season, error) {
	day := func(s string) (int, error) {
		t, err := time.Parse("2006-01-02", "2024-"+strings.TrimSpace(s))
		return int(t.Month())*100 + t.Day(), err
	}
	first, last, ok := strings.Cut(s, "..")
	from, err := day(first)
	to, err2 := day(last)
	if !ok || err != nil || err2 != nil {
		return nil, fmt.Errorf("want a season such as 11-15..03-15, got %q", s)
	}
	return &season{from, to}, nil
}

func (s *season) contains(d date) bool {
	if s == nil {
		return true
	}
	t := d.start(time.UTC)
	day := int(t.Month())*100 + t.Day()
	if s.from <= s.to {
		return s.from <= day && day <= s.to
	}
	return day >= s.from || day <= s.to
}

// contains reports whether t, in its own location, is inside. A nil schedule contains every time.
func (s *schedule) contains(t time.Time) bool {
	if s == nil {
		return true
	}
	today, m := dateOf(t), t.Hour()*60+t.Minute()
	for i := range s.entries {
		e := &s.entries[i]
		on, before := s.covers(e, today), s.covers(e, today-1)
		if len(e.at) == 0 && on {
			return true
		}
		for _, w := range e.at {
			if w.from < w.to && on && w.from <= m && m < w.to || w.from > w.to && (on && m >= w.from || before && m < w.to) {
				return true
			}
		}
	}
	return false
}

// covers reports whether d is one of the days of an entry.
func (s *schedule) covers(e *entry, d date) bool {
	if !e.season.contains(d) {
		return false
	}
	if len(e.on) == 0 {
		return true
	}
	return slices.ContainsFunc(e.on, func(kind string) bool {
		switch kind {
		case "workday":
			return s.calendar.workday(d)
		case "holiday":
			return !s.calendar.workday(d)
		case "school":
			return s.calendar.school(d)
		}
		return weekdays[d.weekday()] == kind
	})
}

// horizon is how far a schedule is looked ahead: one that has no window by then is taken to have none.
const horizon = 400

// reach is the first moment that has d behind it within one window of the schedule, all of it after from; false if there is none.
func (s *schedule) reach(from time.Time, d time.Duration) (time.Time, bool) {
	if s == nil {
		return from.Add(d), true
	}
	var open, end time.Time
	today := dateOf(from)
	for day := today - 1; day < today+horizon; day++ {
		for _, w := range s.windows(day, from.Location()) {
			switch {
			case !w[1].After(from):
				continue
			case w[0].After(end):
				open, end = w[0], w[1]
			default: // they touch
				end = latest(end, w[1])
			}
			if t := latest(open, from).Add(d); t.Before(end) {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// windows are those that begin on a day, in order.
func (s *schedule) windows(d date, zone *time.Location) (all [][2]time.Time) {
	midnight := d.start(zone)
	moment := func(minute int) time.Time {
		return time.Date(midnight.Year(), midnight.Month(), midnight.Day(), 0, minute, 0, 0, zone)
	}
	for i := range s.entries {
		e := &s.entries[i]
		if !s.covers(e, d) {
			continue
		}
		at := e.at
		if len(at) == 0 {
			at = []*timeOfDay{{0, wholeDay}}
		}
		for _, w := range at {
			to := w.to
			if to < w.from {
				to += wholeDay
			}
			all = append(all, [2]time.Time{moment(w.from), moment(to)})
		}
	}
	slices.SortFunc(all, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
	return all
}

// longest is the length of the longest window of a day.
func (s *schedule) longest() time.Duration {
	most := 0
	for i := range s.entries {
		if len(s.entries[i].at) == 0 {
			return horizon * 24 * time.Hour
		}
		for _, w := range s.entries[i].at {
			most = max(most, (w.to-w.from+wholeDay)%wholeDay, w.to-w.from)
		}
	}
	return time.Duration(most) * time.Minute
}

// String spells a schedule as files do.
func (s *schedule) String() string {
	var all []string
	for i := range s.entries {
		e := &s.entries[i]
		words := slices.Clone(e.on)
		if e.season != nil {
			words = append(words, fmt.Sprintf("%02d-%02d..%02d-%02d", e.season.from/100, e.season.from%100, e.season.to/100, e.season.to%100))
		}
		for _, w := range e.at {
			words = append(words, fmt.Sprintf("%02d:%02d-%02d:%02d", w.from/60, w.from%60, w.to/60, w.to%60))
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, "; ")
}

// between reads one daily window or a list of them.
func (p *parser) between(to **schedule) read {
	return func(n *yaml.Node) {
		*to = &schedule{entries: make([]entry, 1), calendar: p.calendar, line: n.Line}
		p.times(&(*to).entries[0].at)(n)
	}
}

func (p *parser) times(to *[]*timeOfDay) read {
	one := func(n *yaml.Node) {
		var w *timeOfDay
		if scalar(p.reader, &w, parseTimeOfDay)(n); w != nil {
			*to = append(*to, w)
		}
	}
	return func(n *yaml.Node) {
		if n.Kind == yaml.SequenceNode {
			p.each(one)(n)
			slices.SortFunc(*to, func(a, b *timeOfDay) int { return cmp.Compare(a.from, b.from) })
			return
		}
		one(n)
	}
}

// schedule reads a list of entries.
func (p *parser) schedule(to **schedule) read {
	return func(n *yaml.Node) {
		*to = &schedule{calendar: p.calendar, line: n.Line}
		p.each(func(n *yaml.Node) {
			var e entry
			p.mapping(n, map[string]read{
				"on": func(n *yaml.Node) {
					if n.Kind == yaml.ScalarNode {
						n = &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Content: []*yaml.Node{n}}
					}
					p.each(func(n *yaml.Node) {
						var kind string
						word(p.reader, &kind, append(slices.Clone(weekdays), "workday", "holiday", "school")...)(n)
						e.on = append(e.on, kind)
					})(n)
				},
				"at":     p.times(&e.at),
				"season": scalar(p.reader, &e.season, parseSeason),
			})
			(*to).entries = append((*to).entries, e)
		})(n)
	}
}

// checkSchedule refuses what could never be.
func (b *binder) checkSchedule() {
	s := b.rule.between
	if s == nil {
		return
	}
	for i := range s.entries {
		if slices.Contains(s.entries[i].on, "school") && len(s.calendar.terms) == 0 {
			b.failAt(s.line, "schedule: no school term is known; a file of the rules directory gives them: calendar: {school_terms: [2026-03-02..2026-07-03]}")
		}
	}
}
