package web

import (
	"context"
	"net/http"
	"time"

	"linli/devices"
	"linli/people"
	"linli/series"
)

const (
	defaultEvents = 100
	lateAfter     = 5 * time.Minute
	maxDays       = 400
	lateDays      = 7      // of which it is asked at once whether something came late
	lateReadings  = 50_000 // of which each is asked at once when it came
)

type (
	latestValue struct {
		value
		Received *time.Time `json:"received_at,omitempty"` // of the last reading of its series
		Late     bool       `json:"late"`                  // it came long after it was measured
		Old      bool       `json:"old"`                   // nothing newer came for three times as long as is regular
	}
	latestList struct {
		Device string        `json:"device"`
		Values []latestValue `json:"values"`
	}
	eventFilter struct {
		From  string `query:"from" description:"RFC 3339, or seconds or milliseconds since 1970; 24 h before to"`
		To    string `query:"to" description:"also the cursor: next of the answer before"`
		Limit int    `query:"limit" minimum:"1" maximum:"1000"`
	}
	deviceEvent struct {
		Time   time.Time      `json:"time"`
		Device string         `json:"device"`
		Event  string         `json:"event"`
		Name   devices.Text   `json:"name,omitzero"`
		Fields map[string]any `json:"fields"`
	}
	eventList struct {
		Device string        `json:"device"`
		Events []deviceEvent `json:"events"`
		Next   string        `json:"next,omitempty"`
	}
	dayCount struct {
		Day      string  `json:"day"` // in the community's time
		Expected int     `json:"expected"`
		Received int     `json:"received"`
		Late     int     `json:"late"`  // of those received, how many came more than five minutes after they were measured
		Share    float64 `json:"share"` // received of expected, at most 1
	}
	completeness struct {
		Device string     `json:"device"`
		Period float64    `json:"period_s"` // between two readings of one series
		Days   []dayCount `json:"days"`
	}
)

// latest shows the last value of every field of every series, with how fresh it is.
func (s *Server) latest(w http.ResponseWriter, r *http.Request) error {
	d, t, err := s.findDevice(r)
	if err != nil {
		return err
	}
	g := series.Group{Measurement: t.Measurement, Split: payloadTags(t), Devices: []string{d.ID}, Fields: []string{receivedField}}
	for _, f := range t.Fields {
		g.Fields = append(g.Fields, f.ID)
	}
	last, err := s.History.Latest(r.Context(), g)
	if err != nil {
		return err
	}
	received := map[string]series.Point{} // by series
	for _, v := range last {
		if v.Field == receivedField {
			received[tagKey(v.Tags)] = v.Point
		}
	}
	body := latestList{d.ID, []latestValue{}}
	for _, v := range last {
		f := t.Field(v.Field)
		if f == nil || !s.shows(r, d, scopeOf(t, f.ID)) {
			continue
		}
		l := latestValue{value: value{f.ID, f.Name, f.Unit, point(v.Point)}}
		// When a value is the newest of its series, the receipt is that of its reading.
		if at, ok := received[tagKey(v.Tags)]; ok && at.Time.Equal(v.Time) {
			if ms, ok := at.Value.(float64); ok {
				came := time.UnixMilli(int64(ms)).UTC()
				l.Received, l.Late = &came, came.Sub(v.Time) > lateAfter
			}
		}
		l.Old = s.Now().Sub(v.Time) > 3*regular(t, f) && f.Kind != devices.State && f.Kind != devices.TextAttribute
		body.Values = append(body.Values, l)
	}
	return reply(w, http.StatusOK, body)
}

// receivedField is the field in which ingest notes when a reading came, in ms.
const receivedField = "received_at"

// deviceEvents lists what happened to a device, the newest first.
func (s *Server) deviceEvents(w http.ResponseWriter, r *http.Request) error {
	d, t, err := s.findDevice(r)
	if err != nil {
		return err
	}
	limit, err := number(r, "limit", defaultEvents, 1000)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	from, to, err := span(q, s.Now())
	if err != nil {
		return err
	}
	if !q.Has("from") {
		from = to.AddDate(-1, 0, 0)
	}
	found, err := s.History.Events(r.Context(), s.Registry.History(d.ID), from, to, limit)
	if err != nil {
		return err
	}
	body := eventList{d.ID, []deviceEvent{}, ""}
	for _, e := range found {
		known := t.Event(e.Event)
		if (known == nil || !known.Safety) && !s.shows(r, d, people.Events) {
			continue
		}
		if !s.shows(r, d, people.Location) {
			delete(e.Fields, "lat")
			delete(e.Fields, "lon")
		}
		v := deviceEvent{Time: e.Time, Device: e.Device, Event: e.Event, Fields: e.Fields}
		if known != nil {
			v.Name = known.Name
		}
		body.Events = append(body.Events, v)
	}
	if len(found) == limit {
		body.Next = found[limit-1].Time.Format(time.RFC3339Nano)
	}
	return reply(w, http.StatusOK, body)
}

// completeness counts the readings of every day, and what would be regular: one a period for each series that was heard that day.
func (s *Server) completeness(w http.ResponseWriter, r *http.Request) error {
	d, t, err := s.findDevice(r)
	if err != nil {
		return err
	}
	if !s.shows(r, d, scopeOf(t, "")) {
		return errNoConsent
	}
	q := r.URL.Query()
	from, to, err := span(q, s.Now())
	if err != nil {
		return err
	}
	if !q.Has("to") {
		to = s.Now()
	}
	if !q.Has("from") {
		from = to.AddDate(0, 0, -7)
	}
	if to.Sub(from) > maxDays*24*time.Hour {
		return invalid("from", "more than %d days", maxDays)
	}
	zone := s.zone(d.Community)
	ask := series.Query{
		Measurement: t.Measurement, Field: receivedField, Devices: s.Registry.History(d.ID), Split: payloadTags(t),
		From: midnight(from, zone), To: to,
	}
	counts, err := s.History.Window(r.Context(), ask, series.Window{Width: 24 * time.Hour, Fn: series.Count, Zone: zone})
	if err != nil {
		return err
	}
	received, lines := map[string]int{}, map[string]int{}
	for _, p := range counts {
		day := p.Time.In(zone).Format(time.DateOnly)
		n, _ := p.Value.(float64)
		received[day] += int(n)
		lines[day]++
	}
	late, err := s.late(r.Context(), ask, received, zone)
	if err != nil {
		return err
	}
	body := completeness{d.ID, t.Period.Seconds(), []dayCount{}}
	for day := ask.From; day.Before(to); day = day.AddDate(0, 0, 1) {
		name := day.Format(time.DateOnly)
		begin, end := latestOf(day, d.Created), earliestOf(day.AddDate(0, 0, 1), to)
		c := dayCount{Day: name, Received: received[name], Late: late[name]}
		if end.After(begin) && t.Period > 0 {
			c.Expected = int(end.Sub(begin)/t.Period) * max(lines[name], 1)
		}
		if c.Share = 1; c.Expected > 0 {
			c.Share = min(1, float64(c.Received)/float64(c.Expected))
		}
		body.Days = append(body.Days, c)
	}
	return reply(w, http.StatusOK, body)
}

// late counts the readings of each day that came long after they were measured. Single readings are looked at of those days alone of
// which some window as wide as is late has one that came after its end.
func (s *Server) late(ctx context.Context, ask series.Query, received map[string]int, zone *time.Location) (map[string]int, error) {
	days, counts := map[string]bool{}, map[string]int{}
	for from := ask.From; from.Before(ask.To); from = from.AddDate(0, 0, lateDays) {
		part := ask
		part.From, part.To = from, earliestOf(from.AddDate(0, 0, lateDays), ask.To)
		last, err := s.History.Window(ctx, part, series.Window{Width: lateAfter, Fn: series.Max, Zone: zone})
		if err != nil {
			return nil, err
		}
		for _, p := range last {
			if cameLate(p) {
				days[p.Time.In(zone).Format(time.DateOnly)] = true
			}
		}
	}
	for from := ask.From; from.Before(ask.To); from = from.AddDate(0, 0, 1) {
		day, end := from.Format(time.DateOnly), earliestOf(from.AddDate(0, 0, 1), ask.To)
		if !days[day] {
			continue
		}
		width := end.Sub(from)/time.Duration(received[day]/lateReadings+1) + time.Second
		for at := from; at.Before(end); at = at.Add(width) {
			part := ask
			part.From, part.To = at, earliestOf(at.Add(width), end)
			points, err := s.History.Raw(ctx, part, 0)
			if err != nil {
				return nil, err
			}
			for _, p := range points {
				if cameLate(p) {
					counts[day]++
				}
			}
		}
	}
	return counts, nil
}

// cameLate reports of a point of the field of receipts whether it came long after its time.
func cameLate(p series.Point) bool {
	ms, _ := p.Value.(float64)
	return ms > float64(p.Time.Add(lateAfter).UnixMilli())
}

func midnight(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, zone)
}

func latestOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earliestOf(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
