package bus

import "time"

// ListeningKey is the settings key under which ingest says when it listens.
const ListeningKey = "ingest.listening"

// Listening says when devices could be heard: until Until, except in the gaps. What a device did not say in a gap is no silence of
// the device. Ingest writes it every few seconds while the broker keeps messages for it.
type Listening struct {
	Until time.Time `json:"until"`
	Gaps  []Gap     `json:"gaps,omitempty"` // in order; the latest of them
}

// Gap is a time in which devices could not be heard, and what they need afterwards to find their way back.
type Gap struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

const (
	// ListeningEvery is how often ingest says that it listens.
	ListeningEvery = 2 * time.Second
	// ListeningGrace is how long after Until it is still believed to.
	ListeningGrace = 5 * time.Second
	// Settle is how long devices take to connect again, where nobody says otherwise.
	Settle = 2 * time.Minute
	// gapsKept is more than the restarts within the longest silence that rules ask for.
	gapsKept = 100
)

// Hear notes that ingest listens at now. Anew says that it did not just before, however short that was; devices then get settle to
// connect again.
func (l *Listening) Hear(now time.Time, anew bool, settle time.Duration) {
	if !l.Until.IsZero() && (anew || now.Sub(l.Until) > ListeningGrace) {
		g := Gap{From: l.Until, To: now.Add(settle)}
		if n := len(l.Gaps); n > 0 && !g.From.After(l.Gaps[n-1].To) { // it went away before all were back
			g.From = l.Gaps[n-1].From
			l.Gaps = l.Gaps[:n-1]
		}
		l.Gaps = append(l.Gaps, g)
		if excess := len(l.Gaps) - gapsKept; excess > 0 {
			l.Gaps = append([]Gap(nil), l.Gaps[excess:]...)
		}
	}
	l.Until = now
}

// After is the moment when somebody has listened for d since from.
func (l *Listening) After(from time.Time, d time.Duration) time.Time {
	for _, g := range l.Gaps {
		switch {
		case !g.To.After(from):
			continue
		case g.From.Before(from):
			from = g.To
		case !from.Add(d).After(g.From):
			return from.Add(d)
		default:
			d -= g.From.Sub(from)
			from = g.To
		}
	}
	return from.Add(d)
}

// Since is when the gap ended that t lies in or before, the first of several; t when there is none before end.
func (l *Listening) Since(t, end time.Time) time.Time {
	for _, g := range l.Gaps {
		if g.To.After(t) && g.From.Before(end) {
			return g.To
		}
	}
	return t
}
