package simulate

import (
	"math"
	"slices"
	"sync"
	"time"

	"linli/devices"
)

// sessionPlan is how a place is used, by one user at a time: a socket, a connector, a parking bay. Every series has sessions of
// its own, and all fields and events that tell of them agree.
type sessionPlan struct {
	perDay  float64
	profile *course // of the starts
	length  lognormal
	longest float64 // hours
}

// session is one use of a place.
type session struct{ start, end moment }

const (
	sessionGap  = 10 * 60 * 1000 // ms between two sessions
	sessionRest = 20             // hours that a session may last at most, so that it ends by the evening of the next day
)

// readSessions reads the block's key sessions; nil when it is not there.
func (b *block) readSessions() *sessionPlan {
	n := b.value("sessions")
	if n == nil {
		return nil
	}
	s := b.parser.block(n)
	p := &sessionPlan{
		perDay: s.needNumber("per_day"), profile: s.shares("profile"),
		length: lognormal{s.needNumber("hours"), s.number("sigma", 0)}, longest: s.number("longest", sessionRest),
	}
	s.end()
	if p.perDay <= 0 || p.length.median <= 0 || p.longest > sessionRest {
		b.fail(n, "sessions: want per_day and hours above zero, and longest up to %d hours", sessionRest)
	}
	return p
}

// place is where the sessions of one series happen.
type place struct {
	*sessionPlan
	key     key
	stretch float64 // factor on how long a session lasts
}

func (a *actor) place(series int) place {
	stretch, own := a.Scale["session"]
	if !own {
		stretch = 1
	}
	return place{a.plan.sessions, a.series[series].key.named("session"), stretch}
}

// starts are when somebody would like to come on a local day, and until when.
func (p place) starts(day int64) []session {
	k := p.key.at(day)
	out := make([]session, k.poisson(p.perDay))
	for i := range out {
		s := k.at(int64(i))
		hours := p.length.median * math.Exp(p.length.sigma*clamp(s.named("length").normal(), -2.5, 2.5))
		start := clock(day, p.profile.hourOf(s.named("hour").uniform()))
		out[i] = session{start, start + moment(min(hours, p.longest)*p.stretch*60*60*1000)}
	}
	slices.SortFunc(out, func(a, b session) int { return int(a.start - b.start) })
	return out
}

// day are the sessions that begin on a local day. Each ends before the next one begins, or does not take place.
func (p place) day(day int64) []session {
	out := p.starts(day)
	next := append(slices.Clone(out), p.starts(day+1)...)
	for i := range out {
		if i+1 < len(next) {
			out[i].end = min(out[i].end, next[i+1].start-sessionGap)
		}
	}
	return slices.DeleteFunc(out, func(s session) bool { return s.end-s.start < sessionGap })
}

// at is the session that goes on at t, if there is one.
func (p place) at(t moment) (session, bool) {
	for day := t.day(); day >= t.day()-1; day-- {
		for _, s := range p.day(day) {
			if s.start <= t && t < s.end {
				return s, true
			}
		}
	}
	return session{}, false
}

// charge is the course of power in a session: full, and towards the end falling off over taper.
type charge struct {
	watts float64
	taper float64 // hours
}

func (c *charge) power(s session, t moment) float64 {
	return c.watts * math.Exp(-max(0, hours(t-s.start)-c.full(s))/max(c.taper, 1e-3))
}

// energy in W.h that flowed until t, which is not before the start.
func (c *charge) energy(s session, t moment) float64 {
	gone, full := hours(min(t, s.end)-s.start), c.full(s)
	if gone <= full {
		return c.watts * gone
	}
	return c.watts * (full + c.taper*(1-math.Exp(-(gone-full)/max(c.taper, 1e-3))))
}

// full is how long the full power flows, in hours.
func (c *charge) full(s session) float64 { return max(0, hours(s.end-s.start)-2*c.taper) }

func hours(d moment) float64 { return float64(d) / (60 * 60 * 1000) }

// sessionModel shows the session of a series: its power, energy, total, elapsed time, or that there is one.
type sessionModel struct {
	show  string
	unit  time.Duration // of elapsed
	done  moment        // how long before its end a session shows its third word
	rest  float64       // power between sessions
	noise float64       // part of the power
	charge
	mu      sync.Mutex // guards tallies
	tallies map[key]*tally
}

// tally is what all sessions of a series before a day came to. It only saves adding them up again.
type tally struct {
	day int64
	sum float64
}

func (m *sessionModel) value(s scene) float64 {
	p := s.actor.place(s.series)
	if m.show == "total" {
		return m.total(p, s.at)
	}
	now, busy := p.at(s.at)
	switch m.show {
	case "power":
		if !busy {
			return m.rest
		}
		return max(m.rest, m.power(now, s.at)*(1+m.noise*clamp(s.key.wave(s.at, 3*time.Minute), -2, 2)))
	case "energy":
		if !busy {
			return 0
		}
		return m.energy(now, s.at)
	case "elapsed":
		if !busy {
			return 0
		}
		return float64(s.at-now.start) / float64(m.unit.Milliseconds())
	default:
		if busy && now.end-s.at < m.done {
			return 2
		}
		return bit(busy)
	}
}

// total is the energy of all sessions since the epoch of counters.
func (m *sessionModel) total(p place, t moment) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	day := t.day() - 1 // its sessions may still go on
	at := m.tallies[p.key]
	if at == nil || at.day > day {
		at = &tally{day: min(counterEpoch, day)}
		m.tallies[p.key] = at
	}
	for ; at.day < day; at.day++ {
		for _, s := range p.day(at.day) {
			at.sum += m.energy(s, s.end)
		}
	}
	sum := at.sum
	for ; day <= t.day(); day++ {
		for _, s := range p.day(day) {
			if s.start <= t {
				sum += m.energy(s, t)
			}
		}
	}
	return sum
}

func readSession(b *block, f *fieldPlan) {
	m := &sessionModel{show: "busy", tallies: map[key]*tally{}}
	if b.plan.sessions == nil {
		b.fail(b.node, "field %q is about sessions, but the type has none", f.ID)
	}
	switch f.Type {
	case devices.Bool:
	case devices.Enum, devices.String:
		words := []string{b.text("idle"), b.text("busy")}
		if n := b.value("done"); n != nil {
			words = append(words, n.Value)
		}
		m.done = moment(b.duration("done_for", 10*time.Minute).Milliseconds()) * moment(len(words)-2)
		b.spelled(f, b.node, words)
	default:
		m.show = b.text("show")
		m.charge = charge{b.number("watts", 0), b.duration("taper", time.Millisecond).Hours()}
		m.rest, m.noise, m.unit = b.number("rest", 0), b.number("noise", 0), b.duration("unit", time.Minute)
		switch m.show {
		case "power", "energy", "total":
			if m.watts <= 0 {
				b.fail(b.node, "show %s: want watts above zero", m.show)
			}
		case "elapsed":
		default:
			b.fail(b.node, "unknown show %q, want power, energy, total or elapsed", m.show)
		}
	}
	f.model = m
}
