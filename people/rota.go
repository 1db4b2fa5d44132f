package people

import (
	"slices"
	"time"
)

// Rota says who of a role is on shift in a community. Its layers run beside each other: whoever one of them names is on shift, the
// first layer's first. Overrides then change that, in their order.
type Rota struct {
	ID        string     `json:"id" yaml:"id"`
	Community string     `json:"community" yaml:"community"`
	Role      Role       `json:"role" yaml:"role"`
	Name      string     `json:"name,omitempty" yaml:"name,omitempty"`
	Layers    []Layer    `json:"layers" yaml:"layers"`
	Overrides []Override `json:"overrides,omitempty" yaml:"overrides,omitempty"`
	Notes     []Note     `json:"notes,omitempty" yaml:"notes,omitempty"` // the newest last, at most maxNotes
}

// Layer is people who take turns. All its times are local to the community. A duty day lasts from one hand-over to the next and
// has the date it begins on.
//
//	Since ──turn 0──┬──turn 1──┬──turn 2──┬─…    each Every days or weeks long, People in turn
type Layer struct {
	Name     string   `json:"name,omitempty" yaml:"name,omitempty"`
	People   []string `json:"people" yaml:"people"`
	Turn     Turn     `json:"turn" yaml:"turn"`
	Every    int      `json:"every,omitempty" yaml:"every,omitempty"`         // so many days or weeks are a turn; 0: one
	Since    string   `json:"since" yaml:"since"`                             // date of the first duty day, 2026-01-05
	Until    string   `json:"until,omitempty" yaml:"until,omitempty"`         // date of the last one
	HandOver string   `json:"hand_over,omitempty" yaml:"hand_over,omitempty"` // 08:00 when left out
	Days     []string `json:"days,omitempty" yaml:"days,omitempty"`           // only on these duty days: mon, tue, …
	From     string   `json:"from,omitempty" yaml:"from,omitempty"`           // only from this time of day
	To       string   `json:"to,omitempty" yaml:"to,omitempty"`               // to before that one; may span midnight
}

// Turn is what the length of turns is counted in.
type Turn string

const (
	Daily  Turn = "daily"
	Weekly Turn = "weekly"
)

// Override changes who is on shift from one moment to before another.
type Override struct {
	From time.Time `json:"from" yaml:"from"`
	To   time.Time `json:"to" yaml:"to"`
	Off  string    `json:"off,omitempty" yaml:"off,omitempty"`   // who is relieved; empty: everybody on shift
	On   string    `json:"on,omitempty" yaml:"on,omitempty"`     // who stands in; empty: nobody
	Swap bool      `json:"swap,omitempty" yaml:"swap,omitempty"` // and Off takes the shifts of On
	Note string    `json:"note,omitempty" yaml:"note,omitempty"`
}

// Note is what a shift leaves to the next one.
type Note struct {
	At   time.Time `json:"at" yaml:"at"`
	By   string    `json:"by" yaml:"by"`
	Text string    `json:"text" yaml:"text"`
}

const defaultHandOver = 8 * 60

// OnDuty returns the ids of those on shift at a moment, in the order they are to be told in, none twice.
func (r *Rota) OnDuty(at time.Time, zone *time.Location) []string {
	local := at.In(zone)
	var on []string
	for i := range r.Layers {
		if who := r.Layers[i].at(local); who != "" && !slices.Contains(on, who) {
			on = append(on, who)
		}
	}
	for i := range r.Overrides {
		if o := &r.Overrides[i]; !at.Before(o.From) && at.Before(o.To) {
			on = o.apply(on)
		}
	}
	return on
}

// at is who of a layer is on shift; empty if nobody is.
func (l *Layer) at(local time.Time) string {
	minute := local.Hour()*60 + local.Minute()
	day := dayOf(local)
	if minute < l.handOver() {
		day--
	}
	first, ok := parseDay(l.Since)
	if !ok || day < first || len(l.People) == 0 || !l.covers(day, minute) {
		return ""
	}
	return l.People[(day-first)/l.days()%len(l.People)]
}

// covers reports whether anybody is on shift on that duty day at that minute of the day.
func (l *Layer) covers(day, minute int) bool {
	if last, ok := parseDay(l.Until); ok && day > last {
		return false
	}
	if len(l.Days) > 0 && !slices.Contains(l.Days, weekdays[(day+4)%7]) { // day 0, 1 January 1970, was a Thursday
		return false
	}
	from, limited := parseClock(l.From)
	to, _ := parseClock(l.To)
	return !limited || within(from, to, minute)
}

func (l *Layer) handOver() int {
	if m, ok := parseClock(l.HandOver); ok {
		return m
	}
	return defaultHandOver
}

// days is how long a turn is.
func (l *Layer) days() int {
	n := max(l.Every, 1)
	if l.Turn == Weekly {
		n *= 7
	}
	return n
}

// apply is who is on shift instead.
func (o *Override) apply(on []string) []string {
	if o.Off == "" {
		on = nil
		if o.On != "" {
			on = []string{o.On}
		}
		return on
	}
	var out []string
	for _, who := range on {
		switch {
		case who == o.Off:
			who = o.On
		case o.Swap && who == o.On:
			who = o.Off
		}
		if who != "" && !slices.Contains(out, who) {
			out = append(out, who)
		}
	}
	return out
}

// Shift is a stretch of time with the same people on shift; a gap has none.
type Shift struct {
	From   time.Time `json:"from"`
	To     time.Time `json:"to"`
	People []string  `json:"people"`
}

// Calendar returns the shifts from one moment to another, without holes between them.
func (r *Rota) Calendar(from, to time.Time, zone *time.Location) []Shift {
	var out []Shift
	edges := r.edges(from, to, zone)
	for i, begin := range edges {
		end := to
		if i+1 < len(edges) {
			end = edges[i+1]
		}
		on := r.OnDuty(begin, zone)
		if last := len(out) - 1; last >= 0 && slices.Equal(out[last].People, on) {
			out[last].To = end
			continue
		}
		out = append(out, Shift{begin.In(zone), end.In(zone), append([]string{}, on...)})
	}
	return out
}

// edges are the moments in [from, to) at which somebody may come on or go off, and from, in order.
func (r *Rota) edges(from, to time.Time, zone *time.Location) []time.Time {
	edges := []time.Time{from}
	add := func(t time.Time) {
		if t.After(from) && t.Before(to) {
			edges = append(edges, t)
		}
	}
	for _, o := range r.Overrides {
		add(o.From)
		add(o.To)
	}
	y, m, d := from.In(zone).Date()
	for midnight := time.Date(y, m, d, 0, 0, 0, 0, zone); midnight.Before(to); midnight = midnight.AddDate(0, 0, 1) {
		y, m, d := midnight.Date()
		for i := range r.Layers {
			l := &r.Layers[i]
			minutes := []int{l.handOver()}
			for _, s := range []string{l.From, l.To} {
				if at, ok := parseClock(s); ok {
					minutes = append(minutes, at)
				}
			}
			for _, at := range minutes {
				add(time.Date(y, m, d, at/60, at%60, 0, 0, zone))
			}
		}
	}
	slices.SortFunc(edges, time.Time.Compare)
	return slices.CompactFunc(edges, time.Time.Equal)
}
