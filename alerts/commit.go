package alerts

import (
	"context"
	"maps"
	"slices"
	"time"

	"linli/bus"
)

// commit stores what happened since the last one, with a checkpoint if asked for or needed.
func (e *Engine) commit(ctx context.Context, checkpoint bool) error {
	began := time.Now()
	for len(e.core.book.out) > commitEvents { // the offsets count with the last part only
		if err := e.write(ctx, transaction{events: e.core.book.out[:commitEvents], offset: e.journal.stored}); err != nil {
			return err
		}
		e.announce(commitEvents)
	}
	if err := e.commitRecords(ctx); err != nil {
		return err
	}
	t := transaction{events: e.core.book.out, records: maps.Clone(e.core.book.changed), sequences: e.packSteps(), offset: e.done}
	if t.offset.Unfollowed = e.core.unfollowedNews(); !e.core.quiet {
		maps.Copy(t.records, e.core.lookoutRecords())
	}
	if (checkpoint || e.anew) && !e.core.quiet {
		t.shards = e.pack()
		t.offset.Replay, t.offset.ReplayEvents = e.done.Readings, e.done.Events
	}
	if err := e.write(ctx, t); err != nil {
		return err
	}
	if !e.core.quiet {
		e.setStatus(nil)
	}
	e.metrics.commits.Observe(time.Since(began).Seconds())
	e.announce(len(e.core.book.out))
	e.announceHolds(e.core.book.changed)
	clear(e.core.book.changed)
	e.consumed, e.urgent, e.core.stepped = 0, false, [shards]bool{}
	if t.shards != nil {
		e.checkpointed, e.done, e.anew = e.Now(), t.offset, false
		e.core.dirty = [shards]bool{}
		e.core.book.forget()
		e.measure()
	}
	return nil
}

// commitRecords stores holds and loads until those left fit into the last part.
func (e *Engine) commitRecords(ctx context.Context) error {
	changed := e.core.book.changed
	for len(changed) > commitRecords {
		part := map[string]any{}
		for subject, v := range changed {
			if part[subject] = v; len(part) == commitRecords {
				break
			}
		}
		if err := e.write(ctx, transaction{records: part, offset: e.journal.stored}); err != nil {
			return err
		}
		e.announceHolds(part)
		maps.DeleteFunc(changed, func(subject string, _ any) bool { return part[subject] != nil })
	}
	return nil
}

// announce counts and logs the first n things that happened, and forgets them: they are stored.
func (e *Engine) announce(n int) {
	for i := range e.core.book.out[:n] {
		ev := &e.core.book.out[i]
		if ev.Alert.Synthetic { // in no figure
			continue
		}
		if ev.Kind == escalated || ev.Kind == unanswered {
			e.metrics.steps.Observe(e.Now().Sub(ev.At).Seconds())
		}
		e.metrics.transitions.WithLabelValues(ev.Kind, string(ev.Alert.Severity)).Inc()
		e.Log.Info("alert "+ev.Kind, "alert", ev.Alert.ID, "rule", ev.Alert.Rule, "severity", ev.Alert.Severity,
			"community", ev.Alert.Community, "device", ev.Alert.Device, "late", ev.Alert.Late)
	}
	e.core.book.out = slices.Delete(e.core.book.out, 0, n)
}

// announceHolds logs what became of holds. How much they keep back is in their records.
func (e *Engine) announceHolds(changed map[string]any) {
	for _, v := range changed {
		h, ok := v.(*bus.Hold)
		if !ok || h.Count > 0 && h.EndedAt == nil {
			continue
		}
		what := "begun"
		switch {
		case h.Pending() && h.EndedAt != nil && h.EndedBy == "":
			what = "lapsed: nobody confirmed it"
		case h.EndedAt != nil:
			what = "ended"
		case h.Pending():
			what = "asked for: a second person is to confirm it"
		case h.Safety:
			what = "confirmed: life-safety is silenced"
		}
		e.Log.Info(h.Kind+" "+what, "hold", h.ID, "community", h.Match.Community, "device", h.Match.Device, "person", h.Match.Person,
			"until", h.Until, "by", h.By, "confirmed_by", h.ConfirmedBy, "ended_by", h.EndedBy, "reason", h.Reason)
	}
}

// pack writes the shards that changed. A series is forgotten when its device is gone and nothing of it can still arrive.
func (e *Engine) pack() map[uint8][]byte {
	all := map[uint8][]byte{}
	oldest := e.Now().Add(-forgetAfter).UnixMilli()
	size := 0
	for i, dirty := range e.core.dirty {
		if !dirty {
			continue
		}
		all[uint8(i)] = e.core.pack(uint8(i), func(s *series) bool {
			return s.received > oldest || e.Directory.Device(s.device) != nil
		})
		size += len(all[uint8(i)])
	}
	e.metrics.checkpoint.Set(float64(size))
	return all
}

// packSteps writes the sequences of the shards in which they changed.
func (e *Engine) packSteps() map[uint8][]byte {
	all := map[uint8][]byte{}
	for i, stepped := range e.core.stepped {
		if stepped {
			all[uint8(i)] = e.core.packSteps(uint8(i))
		}
	}
	return all
}

// measure sets the figures that need counting.
func (e *Engine) measure() {
	e.metrics.cells.Set(float64(len(e.core.series)))
	count := map[bus.AlertState]int{bus.Opened: 0, bus.Acknowledged: 0, bus.Cleared: 0}
	for _, a := range e.core.book.alerts {
		count[a.State]++
	}
	for _, state := range []bus.AlertState{bus.Opened, bus.Acknowledged, bus.Cleared} {
		e.metrics.alerts.WithLabelValues(string(state)).Set(float64(count[state]))
	}
}
