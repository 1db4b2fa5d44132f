package alerts

import (
	"math"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

// Whether all is well with an elder is decided once a day, at an hour of their own. Somebody who was active lately is well, and the
// circle is told so; so is who becomes active in the hour after. Else there is an alert: the absence of the line alarms.
//
//	active since the hour − 6 h ───────────────► line
//	away at the hour ──────────────────────────► neither
//	not yet: active before the hour + 1 h ─────► line
//	         else, watched for 24 h at least ──► alert, which the next sign of life clears
const (
	activeBefore = 6 * time.Hour
	waitAfter    = time.Hour
	watchedFor   = 24 * time.Hour
	// settleFor is how long after a start nobody's silence counts: devices send what they kept first.
	settleFor = 10 * time.Minute
	// lookEvery is how often elders are looked after, keepEvery how much newer a sign of life must be to be written down.
	lookEvery = time.Second
	keepEvery = 5 * time.Minute
	// keepAtOnce is how many records one look writes: with what was decided they go into one transaction. The others wait.
	keepAtOnce = 20
)

// Rules of wellbeing, beside those of the catalogue.
var (
	allIsWell = &Rule{
		ID: bus.AllIsWellRule, Kind: EventKind, Name: devices.Text{ZH: "每日平安", EN: "All is well"},
		Severity: bus.Informational, Category: "health", Basis: "judgement",
	}
	noSignOfLife = &Rule{
		ID: "no_sign_of_life", Kind: StateKind, Name: devices.Text{ZH: "今日未见活动", EN: "No sign of life today"},
		Severity: bus.High, Category: "health", Basis: "judgement",
	}
)

// life is when people were last active.
type life struct {
	known  map[string]*bus.Wellbeing // by person
	stored map[string]time.Time      // Active as it is written down
	looked time.Time                 // when it was last decided
	noted  time.Time                 // when signs were last written down
}

func newLife() *life {
	return &life{known: map[string]*bus.Wellbeing{}, stored: map[string]time.Time{}}
}

// load takes a record as CORE has it.
func (l *life) load(w *bus.Wellbeing) { l.known[w.Person], l.stored[w.Person] = w, w.Active }

// of is what is known of a person, from now on if nothing was.
func (l *life) of(person string, now time.Time) *bus.Wellbeing {
	w := l.known[person]
	if w == nil {
		w = &bus.Wellbeing{Person: person, Since: now}
		l.known[person] = w
	}
	return w
}

// notice looks for signs of life in a reading of somebody's device.
func (l *life) notice(s *series, line *devices.Line, at int64) {
	if s.dev == nil || s.dev.Person == "" {
		return
	}
	if s.grown == nil {
		s.grown = make([]float64, len(s.prog.activity))
		for i := range s.grown {
			s.grown[i] = math.NaN()
		}
	}
	for i, f := range s.prog.activity {
		if x, ok := number(f, line.Field(f.ID)); ok && s.active(i, f, x) {
			l.seen(s.dev, moment(at))
		}
	}
}

// active reports whether the value of a field is a sign of life.
func (s *series) active(i int, f *devices.Field, x float64) bool {
	if f.Kind != devices.Counter {
		return x > *f.Activity
	}
	before := s.grown[i]
	s.grown[i] = x
	return x-before > *f.Activity // never of the first one, nor of one that began again
}

func (l *life) seen(dev *devices.Device, at time.Time) {
	if w := l.of(dev.Person, at); at.After(w.Active) {
		w.Active, w.Device = at, dev.ID
	}
}

// lookAfter decides for everybody whose hour has come.
func (c *core) lookAfter(elders func() []*people.Person, now time.Time) {
	if now.Sub(c.life.looked) < lookEvery {
		return
	}
	c.life.looked = now
	for _, p := range elders() {
		if len(c.book.changed) < keepAtOnce {
			c.decide(p, c.life.of(p.ID, now), now)
		}
	}
}

// noteSigns ends the alerts of those who are active again, and has new signs of life written down.
func (c *core) noteSigns(now time.Time) {
	if now.Sub(c.life.noted) < lookEvery {
		return
	}
	c.life.noted = now
	for id, w := range c.life.known {
		if len(c.book.changed) >= keepAtOnce {
			return
		}
		if e := c.book.episodes[episodeKey(noSignOfLife.ID, "person="+id)]; e != nil && e.alert != nil && w.Active.After(e.alert.OpenedAt) {
			c.book.clear(e.alert, w.Active)
		}
		if stored, known := c.life.stored[id]; !known || w.Active.Sub(stored) >= keepEvery {
			c.keep(w)
		}
	}
}

// keep has what is known of a person written down.
func (c *core) keep(w *bus.Wellbeing) {
	now := *w
	c.book.changed[bus.WellbeingSubject(w.Person)] = &now
	c.life.stored[w.Person] = w.Active
}

// decide says whether all is well with an elder today, once it is time to.
func (c *core) decide(p *people.Person, w *bus.Wellbeing, now time.Time) {
	hour, ok := p.AllIsWell.On(now, c.zone(p.Community))
	day := hour.Format(time.DateOnly)
	switch {
	case !ok, now.Before(hour), w.Day == day:
		return
	case p.Away(hour):
	case !w.Active.Before(hour.Add(-activeBefore)):
		c.tellAllIsWell(p, w, latest(hour, w.Active).UTC(), now)
	case now.Before(hour.Add(waitAfter)), !c.listened(now):
		return
	case !w.Since.After(hour.Add(-watchedFor)):
		c.missSign(p, w, hour.Add(waitAfter).UTC(), now)
	}
	w.Day = day
	c.keep(w)
}

// listened reports whether devices could be heard lately, as far as that is known.
func (c *core) listened(now time.Time) bool {
	l := &c.vigil.listening
	if n := len(l.Gaps); n > 0 && now.Sub(l.Gaps[n-1].To) < settleFor {
		return false
	}
	return l.Until.IsZero() || now.Sub(l.Until) <= bus.ListeningGrace
}

// tellAllIsWell tells those of the circle who may know; who rests at that hour, when their rest is over.
func (c *core) tellAllIsWell(p *people.Person, w *bus.Wellbeing, at, now time.Time) {
	active := w.Active.In(c.zone(p.Community)).Format("15:04")
	a := c.aboutPerson(allIsWell, p, at, now, devices.Text{
		ZH: p.Name + "一切安好，最近一次活动 " + active, EN: "All is well with " + p.Name + ", last active at " + active,
	})
	b := c.book
	if b.alerts[a.ID] != nil || b.resolver == nil {
		return
	}
	b.alerts[a.ID] = a
	all := b.resolver.Resolve(people.Question{
		Targets: []string{"circle"}, Community: p.Community, Person: p.ID, Scope: people.Wellbeing, At: now,
	})
	for i := range all {
		if !all[i].Until.IsZero() { // who rests hears of it after that
			b.postpone(a, &all[i])
		}
	}
	b.record(a, bus.AlertEvent{Kind: opened, At: at, Tell: all})
	b.close(a, at, "", "to be read, not to be looked after")
}

// missSign opens the alert that somebody has given no sign of life.
func (c *core) missSign(p *people.Person, w *bus.Wellbeing, at, now time.Time) {
	last, lastEN := "，尚无活动记录", ", none is known"
	if !w.Active.IsZero() {
		t := w.Active.In(c.zone(p.Community)).Format("01-02 15:04")
		last, lastEN = "，最近一次活动 "+t, ", last active "+t
	}
	a := c.aboutPerson(noSignOfLife, p, at, now, devices.Text{ZH: p.Name + "今日未见活动" + last, EN: "No sign of life of " + p.Name + " today" + lastEN})
	if e := c.book.episodes[episodeKey(a.Rule, a.Identity)]; e == nil || e.alert == nil {
		c.book.open(a)
	}
}

// aboutPerson is a new alert that no device is behind.
func (c *core) aboutPerson(r *Rule, p *people.Person, at, now time.Time, text devices.Text) *bus.Alert {
	who := "person=" + p.ID
	return &bus.Alert{
		ID: alertID(r.ID, who, at), Rule: r.ID, Kind: string(r.Kind), Name: r.Name, Severity: r.Severity, Category: r.Category,
		State: bus.Opened, Community: p.Community, Person: p.ID, Identity: who,
		OpenedAt: at, EventTime: at, LastEvent: at, Received: now, Count: 1, Text: text,
	}
}
