package alerts

import (
	"cmp"
	"slices"

	"linli/bus"
)

// work is a time in which a device is being worked on: what arrives after from, and until to, is judged so. It goes by the time of
// receipt, and a book remembers some that are over: a replay judges as it was judged then.
type work struct {
	alert    string
	from, to int64 // ms; to is 0 while it lasts
}

// worksKept is how many a book remembers of a device.
const worksKept = 4

// maintain follows which devices are being worked on. A start that came too late is only recorded.
func (b *book) maintain(a *bus.Alert) {
	if a.Rule != maintenance.ID {
		return
	}
	all := slices.Clone(b.works[a.Device])
	last := -1
	for i := range all {
		if all[i].alert == a.ID {
			last = i
		}
	}
	switch open := !a.Late && (a.State == bus.Opened || a.State == bus.Acknowledged); {
	case open && (last < 0 || all[last].to != 0):
		all = append(all, work{alert: a.ID, from: a.Received.UnixMilli()})
	case a.Late:
	case !open && last < 0:
		all = append(all, work{a.ID, a.Received.UnixMilli(), over(a)})
	case !open && all[last].to == 0:
		all[last].to = over(a)
	}
	slices.SortStableFunc(all, func(x, y work) int { return cmp.Compare(x.from, y.from) })
	b.works[a.Device] = all[max(0, len(all)-worksKept):]
}

// over is when an alert ended, ms.
func over(a *bus.Alert) int64 {
	if a.ClearedAt != nil {
		return a.ClearedAt.UnixMilli()
	}
	return a.ClosedAt.UnixMilli()
}

// maintained reports whether a device was being worked on when something arrived.
func (b *book) maintained(device string, received int64) bool {
	return slices.ContainsFunc(b.works[device], func(w work) bool {
		return w.from < received && (w.to == 0 || received <= w.to)
	})
}
