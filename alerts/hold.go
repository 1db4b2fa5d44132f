package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"linli/bus"
)

// reasons are what a recipient is held with, by the kind of hold.
var reasons = map[string]string{
	bus.Silence: heldSilenced, bus.Maintenance: heldMaintenance, bus.Commissioning: heldCommissioning,
}

// occurrence is the latest time, up to now, that a hold came into force, and how long it stays so.
func (b *book) occurrence(h *bus.Hold, now time.Time) (from, until time.Time) {
	from, until = h.From, h.Until
	if h.EveryDays == 0 || now.Before(from) {
		return from, until
	}
	length := until.Sub(from)
	local := from.In(b.zone(h.Match.Community))
	n := int(now.Sub(from).Hours()/24)/h.EveryDays + 1
	for ; n > 0 && local.AddDate(0, 0, n*h.EveryDays).After(now); n-- {
	}
	from = local.AddDate(0, 0, n*h.EveryDays).UTC()
	return from, from.Add(length)
}

// holding returns the hold that keeps people from being told of an alert at a moment, and its end. Of several, the one that ends
// last.
func (b *book) holding(a *bus.Alert, now time.Time) (by *bus.Hold, end time.Time) {
	for _, h := range b.holds {
		from, until := b.occurrence(h, now)
		if h.Over(now) || now.Before(from) || !now.Before(until) || !h.Match.Alert(a) || !covers(h, a) {
			continue
		}
		if c := until.Compare(end); by == nil || c > 0 || c == 0 && h.ID < by.ID {
			by, end = h, until
		}
	}
	return by, end
}

// covers reports whether a hold may keep back an alert of that kind at all: life-safety only while its device is put into service,
// or by a silence of one device or person that was confirmed; maintenance holds back what devices say of themselves.
func covers(h *bus.Hold, a *bus.Alert) bool {
	switch {
	case h.Pending():
		return false
	case h.Kind == bus.Commissioning:
		return true
	case a.Safety:
		return h.Safety
	case h.Kind == bus.Maintenance:
		return a.Category == "device"
	}
	return true
}

// hold does what a person asked for about a hold.
func (b *book) hold(x *bus.Action) error {
	if x.Hold == nil {
		return fmt.Errorf("%s: no hold", x.Kind)
	}
	known := b.holds[x.Hold.ID]
	if known != nil && known.Over(x.At) { // whether it is forgotten already is a matter of restarts
		known = nil
	}
	switch x.Kind {
	case "hold":
		if known != nil {
			return nil
		}
		h := *x.Hold
		h.By, h.ByPerson, h.ConfirmedBy, h.ConfirmedAt, h.EndedAt, h.EndedBy, h.Count = x.By, x.Person, "", nil, nil, "", 0
		h.Match.Community = x.Community
		if h.From.IsZero() {
			h.From = x.At
		}
		if field, wrong := h.Check(); field != "" {
			return fmt.Errorf("hold: %s: %s", field, wrong)
		}
		if code, wrong := h.MayBegin(maps.Values(b.commissioned)); code != "" {
			return fmt.Errorf("hold: %s", wrong)
		}
		if h.ConfirmBy = (time.Time{}); h.Safety {
			h.ConfirmBy = x.At.Add(min(bus.ConfirmWithin, h.Until.Sub(x.At)))
		}
		b.holds[h.ID] = &h
		b.noteCommissioning(&h)
		b.keepHold(&h)
		return nil
	case "confirm":
		if known == nil || known.Match.Community != x.Community {
			return fmt.Errorf("confirm: no hold %q", x.Hold.ID)
		}
		if code, wrong := known.MayConfirm(x.By, x.Person, x.At); code != "" {
			return fmt.Errorf("confirm: hold %s: %s", known.ID, wrong)
		}
		known.ConfirmedBy, known.ConfirmedAt = x.By, &x.At
		b.keepHold(known)
		return nil
	}
	if known == nil || known.Match.Community != x.Community {
		return fmt.Errorf("release: no hold %q", x.Hold.ID)
	}
	b.endHold(known, x.At, x.By)
	return nil
}

// endHold ends a hold before its time.
func (b *book) endHold(h *bus.Hold, at time.Time, by string) {
	h.EndedAt, h.EndedBy = &at, by
	b.keepHold(h)
	delete(b.holds, h.ID)
	for _, a := range b.heldBy(h.ID) {
		a.HeldUntil = at
		b.release(a, at)
	}
}

// endHolds forgets the holds whose time is long over: what comes late is judged by those of its time. What they kept back has a time
// of its own. One that nobody confirmed is noted as lapsed.
func (b *book) endHolds(now time.Time) {
	if now.Before(b.holdsLooked.Add(time.Minute)) {
		return
	}
	b.holdsLooked = now
	maps.DeleteFunc(b.commissioned, func(_ string, h *bus.Hold) bool { return h.Until.Before(now.Add(-forgetAfter)) })
	for id, h := range b.holds {
		switch {
		case h.Pending() && h.Over(now):
			lapsed := h.ConfirmBy
			h.EndedAt = &lapsed
			b.keepHold(h)
			delete(b.holds, id)
		case h.Over(now.Add(-forgetAfter)):
			delete(b.holds, id)
		}
	}
}

// heldBy are the alerts kept back by a hold or a cause, by id.
func (b *book) heldBy(id string) (all []*bus.Alert) {
	for alert := range b.held {
		if a := b.alerts[alert]; a != nil && a.HeldBy == id {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(x, y *bus.Alert) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

// countHeld counts an alert in the hold that keeps it back.
func (b *book) countHeld(a *bus.Alert) {
	if h := b.holds[a.HeldBy]; h != nil {
		h.Count++
		b.keepHold(h)
	}
}

// keepHold lets the next transaction store a hold as it is now.
func (b *book) keepHold(h *bus.Hold) {
	now := *h
	b.changed[bus.HoldSubject(h.ID)] = &now
}

// noteCommissioning remembers who put which device into service, until it is long over.
func (b *book) noteCommissioning(h *bus.Hold) {
	if h.Kind == bus.Commissioning {
		b.commissioned[h.ID] = h
	}
}

// loadHold takes a hold as CORE has it.
func (b *book) loadHold(h *bus.Hold) {
	b.noteCommissioning(h)
	if h.EndedAt == nil {
		b.holds[h.ID] = h
	}
}

// zone is the local time of a community.
func (b *book) zone(community string) *time.Location {
	name := ""
	if x := b.dir.Community(community); x != nil {
		name = x.Timezone
	}
	if z := b.zones[name]; z != nil {
		return z
	}
	z, err := time.LoadLocation(name)
	if name == "" || err != nil {
		z = time.FixedZone("Asia/Shanghai", 8*3600)
	}
	b.zones[name] = z
	return z
}
