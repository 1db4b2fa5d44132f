package simulate

import (
	"context"
	"fmt"
	"time"

	"linli/devices"
)

// History takes readings and events that lie before now: line protocol, straight to the series, past all rules, so that
// yesterday's alerts are not raised as new. Write blocks until the lines are stored; an error ends the play.
type History interface {
	Write(ctx context.Context, lines []byte) error
}

const (
	historyBatch = 512 << 10 // bytes of lines written at once
	historyPause = time.Second
)

// history plays what lies between the start and now at the set speed. The cursor is left at the first message after now.
func (s *Simulator) history(ctx context.Context, c *cursor) error {
	if s.cfg.History == nil || !s.cfg.Start.Before(s.cfg.Now()) {
		return nil
	}
	p := &past{sim: s}
	began := s.cfg.Now()
	for {
		now := s.cfg.Now()
		// Time runs Speed times as fast as the clock from the start on, and has reached now when the two meet.
		reached := s.cfg.Start.Add(time.Duration(float64(now.Sub(began)) * s.cfg.Speed))
		if s.cfg.Speed <= 1 || reached.After(now) {
			reached = now
		}
		for c.peek().at < momentOf(reached) {
			if err := p.add(ctx, c.next()); err != nil {
				return err
			}
		}
		if err := p.flush(ctx); err != nil {
			return err
		}
		if reached.Equal(now) {
			if p.lines > 0 {
				s.cfg.Log.Info("history written", "lines", p.lines, "from", s.cfg.Start, "took", now.Sub(began))
			}
			return nil
		}
		if !sleep(ctx, historyPause) {
			return ctx.Err()
		}
	}
}

// past gathers lines for the history.
type past struct {
	sim     *Simulator
	decoder devices.Decoder
	payload []byte
	buf     []byte
	lines   int
}

func (p *past) add(ctx context.Context, d due) error {
	s := p.sim
	a := s.world.actors[d.actor]
	p.payload = s.world.encode(p.payload[:0], d, s.stamps[d.actor])
	if len(p.payload) == 0 {
		return nil
	}
	var out devices.Outcome
	if received := d.at.time(); d.event >= 0 {
		p.buf, out = p.decoder.Event(p.buf, a.plan.typ, &a.Device.Device, a.plan.events[d.event].ID, p.payload, received)
	} else {
		p.buf, out = p.decoder.Reading(p.buf, a.plan.typ, &a.Device.Device, p.payload, received)
	}
	p.lines += len(out.Readings)
	if len(p.buf) < historyBatch {
		return nil
	}
	return p.flush(ctx)
}

func (p *past) flush(ctx context.Context) error {
	if len(p.buf) == 0 {
		return nil
	}
	if err := p.sim.cfg.History.Write(ctx, p.buf); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	p.buf = p.buf[:0]
	return nil
}
