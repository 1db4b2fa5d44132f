package alerts

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

const (
	// More than stormAlerts ordinary alerts to one recipient within stormWindow are a storm: the rest of them is told by a digest.
	stormAlerts = 10
	stormWindow = 10 * time.Minute
	// firstDigest is how long after the first alert that is kept back its digest comes; the next ones come every stormWindow.
	firstDigest = 2 * time.Minute
	// digestTop is how many alerts a digest spells out, digestList how many it names.
	digestTop  = 5
	digestList = 500
)

// digest is the rule of the alerts that stand for others.
var digest = &Rule{
	ID: "alert_digest", Kind: EventKind, Name: devices.Text{ZH: "告警汇总", EN: "Digest of alerts"},
	Severity: bus.Informational, Category: "service", Basis: "judgement",
}

// throttle keeps an ordinary alert back from a recipient who has been told of many, and notes who rests. Both hear of it by a
// digest, see digests.
func (b *book) throttle(a *bus.Alert, r *bus.Recipient, now time.Time) {
	switch {
	case a.Safety || a.Rule == digest.ID:
		return
	case r.Held != "":
		if r.Held == heldTogether {
			r.Until = latest(r.Until, b.loadOf(a.Community, r.Who()).Done.Add(stormWindow))
		}
		if !r.Until.IsZero() {
			b.postpone(a, r)
		}
		return
	}
	l := b.loadOf(a.Community, r.Who())
	if n := len(l.Recent); n > 0 { // what comes late is told now
		now = latest(now, l.Recent[n-1])
	}
	recent := slices.DeleteFunc(slices.Clone(l.Recent), func(t time.Time) bool { return !t.After(now.Add(-stormWindow)) })
	if len(recent) < stormAlerts {
		l.Recent = append(recent, now)
		b.keepLoad(l)
		return
	}
	r.Held, r.Until = heldStorm, l.Due
	if !r.Until.After(now) {
		r.Until = latest(now.Add(firstDigest), l.Done.Add(stormWindow))
	}
	b.postpone(a, r)
}

// postpone lets a recipient hear of an alert by the digest of r.Until.
func (b *book) postpone(a *bus.Alert, r *bus.Recipient) {
	l := b.loadOf(a.Community, r.Who())
	if l.Due.IsZero() || r.Until.Before(l.Due) {
		l.Due = r.Until
	}
	b.keepLoad(l)
	i := slices.IndexFunc(a.Deferred, func(d bus.Deferral) bool { return d.Who == r.Who() && d.Until.Equal(r.Until) })
	switch {
	case i >= 0 && r.Held == heldStorm: // what a storm kept back is told even if it is over
		a.Deferred = slices.Clone(a.Deferred)
		a.Deferred[i].Why = r.Held
	case i < 0:
		past := func(d bus.Deferral) bool { return d.Who == r.Who() && !d.Until.After(l.Done) }
		a.Deferred = append(slices.DeleteFunc(slices.Clone(a.Deferred), past), bus.Deferral{Who: r.Who(), Why: r.Held, Until: r.Until})
		b.expect(a, r.Who())
	}
}

// expect notes that an alert is in a digest to come.
func (b *book) expect(a *bus.Alert, who string) {
	key := bus.LoadSubject(a.Community, who)
	b.deferred[key] = append(b.deferred[key], a.ID)
}

func (b *book) loadOf(community, who string) *bus.Load {
	key := bus.LoadSubject(community, who)
	l := b.loads[key]
	if l == nil {
		l = &bus.Load{Community: community, Who: who}
		b.loads[key] = l
	}
	return l
}

func (b *book) keepLoad(l *bus.Load) {
	now := *l
	b.changed[bus.LoadSubject(l.Community, l.Who)] = &now
	if l.Due.IsZero() {
		delete(b.waiting, bus.LoadSubject(l.Community, l.Who))
	} else {
		b.waiting[bus.LoadSubject(l.Community, l.Who)] = l
	}
}

// loadLoad takes a load as CORE has it.
func (b *book) loadLoad(l *bus.Load) {
	b.loads[bus.LoadSubject(l.Community, l.Who)] = l
	if !l.Due.IsZero() {
		b.waiting[bus.LoadSubject(l.Community, l.Who)] = l
	}
}

// recallDigests has the digests told that alerts wait for, whatever the loads say: a storm is stored in parts, and an engine may end
// between an alert that is put off and the load that says when.
func (b *book) recallDigests() {
	for _, key := range slices.Sorted(maps.Keys(b.deferred)) {
		for _, id := range b.deferred[key] {
			a := b.alerts[id]
			for _, d := range a.Deferred {
				l := b.loadOf(a.Community, d.Who)
				if d.Until.After(l.Done) && (l.Due.IsZero() || d.Until.Before(l.Due)) {
					l.Due = d.Until
					b.keepLoad(l)
				}
			}
		}
	}
}

// digests tells those whose time has come of what was kept back from them.
func (b *book) digests(now time.Time) {
	for _, key := range slices.Sorted(maps.Keys(b.waiting)) {
		l := b.waiting[key]
		if l.Due.After(now) {
			continue
		}
		at := l.Due
		all, later, next := b.collect(key, l)
		b.deferred[key] = later
		if len(later) == 0 {
			delete(b.deferred, key)
		}
		l.Done, l.Due = at, next
		b.keepLoad(l)
		if len(all) > 0 {
			b.sum(l, all, at, now)
		}
	}
}

// collect finds the alerts that the digest due of a load is to tell of, those that come later, and when.
func (b *book) collect(key string, l *bus.Load) (all []*bus.Alert, later []string, next time.Time) {
	for _, id := range b.deferred[key] {
		a := b.alerts[id]
		if a == nil {
			continue
		}
		for _, d := range a.Deferred {
			switch {
			case d.Who != l.Who || !d.Until.After(l.Done):
			case d.Until.After(l.Due):
				later = append(later, id)
				if next.IsZero() || d.Until.Before(next) {
					next = d.Until
				}
			case b.unagreed(a, l.Who, l.Due):
			case d.Why == heldStorm || a.State == bus.Opened || d.Why != heldTogether && slices.Contains(a.Told, l.Who) || a.Rule == contactOrder.ID || a.Rule == allIsWell.ID:
				all = append(all, a) // what else rest kept back and is over is nobody's business in the morning
			}
		}
	}
	return all, later, next
}

// sum opens the digest of some alerts for one recipient, and closes it: it is to be read, not to be looked after. Its end is told when
// all of them are over.
func (b *book) sum(l *bus.Load, all []*bus.Alert, at, now time.Time) {
	slices.SortFunc(all, func(x, y *bus.Alert) int {
		return cmp.Or(cmp.Compare(x.Severity.Rank(), y.Severity.Rank()), x.OpenedAt.Compare(y.OpenedAt), cmp.Compare(x.ID, y.ID))
	})
	all = slices.Compact(all)
	who := "recipient=" + l.Who
	a := &bus.Alert{
		ID: alertID(digest.ID, l.Community+" "+who, at), Rule: digest.ID, Kind: string(digest.Kind), Name: digest.Name,
		Severity: all[0].Severity, Category: digest.Category, State: bus.Opened, Community: l.Community, Identity: who,
		OpenedAt: at, EventTime: at, LastEvent: at, Received: at, Count: len(all), Text: digestText(all),
	}
	if b.alerts[a.ID] != nil {
		return
	}
	list(a, all)
	b.alerts[a.ID] = a
	to := []bus.Recipient{{Target: l.Who}}
	if l.Who != duty {
		to = b.resolve(a, []string{l.Who}, now)
	}
	for i := range to {
		if to[i].Held != people.HeldNoAddress { // asked for at this hour
			to[i].Held, to[i].Until = "", time.Time{}
		}
	}
	b.record(a, bus.AlertEvent{Kind: opened, At: at, Tell: b.address(a, to, now)})
	if a.Owed = len(a.Told) > 0 && slices.ContainsFunc(all, func(x *bus.Alert) bool { return b.onlyBy(a, x, l.Who) }); a.Owed {
		b.await(a)
	}
	b.close(a, at, "", "a digest is for reading")
}

// digestText counts alerts by what they are, and spells out the first.
func digestText(all []*bus.Alert) devices.Text {
	type group struct {
		name devices.Text
		n    int
	}
	var groups []*group
	at := map[string]*group{}
	over, ignored := 0, 0
	for _, a := range all {
		g := at[a.Rule]
		if g == nil {
			g = &group{name: a.Name}
			at[a.Rule] = g
			groups = append(groups, g)
		}
		g.n++
		if !going(a) {
			over++
		}
		if a.State == bus.Opened && a.Escalation != nil && a.Escalation.NoAnswer {
			ignored++
		}
	}
	slices.SortStableFunc(groups, func(x, y *group) int { return cmp.Compare(y.n, x.n) })
	var zh, en, topZH, topEN []string
	for _, g := range groups {
		zh, en = append(zh, fmt.Sprintf("%s %d", g.name.ZH, g.n)), append(en, fmt.Sprintf("%s %d", g.name.EN, g.n))
	}
	for _, a := range all[:min(len(all), digestTop)] {
		topZH, topEN = append(topZH, a.Text.ZH), append(topEN, a.Text.EN)
	}
	of := devices.Text{ZH: fmt.Sprintf("%d 条已解除", over), EN: fmt.Sprintf("%d over", over)}
	if ignored > 0 {
		of.ZH, of.EN = of.ZH+fmt.Sprintf("，%d 条无人响应", ignored), of.EN+fmt.Sprintf(", %d that nobody answered", ignored)
	}
	return devices.Text{
		ZH: fmt.Sprintf("%d 条告警（%s）：%s。%s", len(all), of.ZH, strings.Join(zh, "、"), strings.Join(topZH, "；")),
		EN: fmt.Sprintf("%d alerts (%s): %s. %s", len(all), of.EN, strings.Join(en, ", "), strings.Join(topEN, "; ")),
	}
}
