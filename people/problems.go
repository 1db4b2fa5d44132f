package people

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
)

// Problem is something about a person or a rota that will hurt when it matters.
type Problem struct {
	Community string       `json:"community"`
	Person    string       `json:"person,omitempty"`
	Rota      string       `json:"rota,omitempty"`
	Code      string       `json:"code"`
	Text      devices.Text `json:"text"`
}

// Codes of problems.
const (
	FewContacts    = "few_contacts"    // of an elder with a life-safety device: fewer than two can be told
	OneKind        = "one_kind"        // all of them over one kind of channel
	NoHome         = "no_home"         // the script for 120 has no address
	NoAddress      = "no_address"      // in a circle or a rota, and cannot be told
	UnknownChannel = "unknown_channel" // an address names a channel that is not configured
	NoConsent      = "no_consent"      // nobody of an elder's circle may be told but of life-safety
	Uncovered      = "uncovered"       // a rota has hours ahead in which nobody on shift can be told
)

// uncoveredAhead is how far rotas are looked ahead.
const uncoveredAhead = 7 * 24 * time.Hour

// Survey is what problems are looked for with.
type Survey struct {
	Elders   []string          // who has a life-safety device
	Channels map[string]string // kinds of the configured channels by name; nil: not known here
	Now      time.Time
}

// Wearers are those who have a life-safety device.
func Wearers(all []*devices.Device, cat *devices.Catalogue) (ids []string) {
	for _, d := range all {
		if t := cat.Type(d.Type); d.Person != "" && d.State == devices.Active && t != nil && t.Safety {
			ids = append(ids, d.Person)
		}
	}
	return ids
}

// Problems lists what is wrong, people before rotas, each in the order of ids.
func (d *Directory) Problems(s Survey) []Problem {
	w := &survey{Survey: s, d: d}
	needed := map[string]bool{}
	rotas := d.Rotas()
	for _, r := range rotas {
		for _, id := range r.members() {
			needed[id] = true
		}
	}
	all := d.People()
	for _, p := range all {
		for _, m := range p.Circle {
			needed[m.Person] = true
		}
	}
	for _, p := range all {
		if needed[p.ID] && len(p.Reach) == 0 {
			w.add(p, NoAddress, "没有联系方式，通知不到", "has no address and cannot be told")
		}
		for _, a := range p.Reach {
			if s.Channels != nil && s.Channels[a.Channel] == "" {
				w.add(p, UnknownChannel, fmt.Sprintf("渠道 %q 未配置", a.Channel), fmt.Sprintf("channel %q is not configured", a.Channel))
			}
		}
		if slices.Contains(s.Elders, p.ID) {
			w.elder(p)
		}
	}
	for _, r := range rotas {
		w.rota(r)
	}
	return w.found
}

type survey struct {
	Survey
	d     *Directory
	found []Problem
}

func (w *survey) add(p *Person, code, zh, en string) {
	w.found = append(w.found, Problem{Community: p.Community, Person: p.ID, Code: code, Text: devices.Text{ZH: p.Name + "：" + zh, EN: p.Name + ": " + en}})
}

// elder looks at who can be told of an SOS.
func (w *survey) elder(p *Person) {
	reachable, kinds := 0, map[string]bool{}
	for _, m := range p.Circle {
		c := w.d.Person(m.Person)
		if c == nil || !w.reachable(c) {
			continue
		}
		reachable++
		for _, a := range c.Reach {
			if kind := w.kind(a); kind != "" {
				kinds[kind] = true
			}
		}
	}
	switch {
	case reachable < 2:
		w.add(p, FewContacts, fmt.Sprintf("佩戴报警设备，可通知的联系人只有 %d 位，至少需要 2 位", reachable),
			fmt.Sprintf("has a life-safety device and %d contacts who can be told, want at least 2", reachable))
	case len(kinds) < 2:
		w.add(p, OneKind, "联系人都只能通过同一种渠道通知", "all contacts are told over one kind of channel, want at least 2")
	}
	if len(p.Circle) > 0 && !slices.ContainsFunc(p.Circle, func(m Member) bool { return m.Agreed(Events, w.Now) }) {
		w.add(p, NoConsent, "没有联系人获得告警授权，普通告警不会通知任何人", "nobody of the circle has consent to events, so they are told of life-safety only")
	}
	if strings.TrimSpace(p.Home) == "" {
		w.add(p, NoHome, "没有住址，无法告知120", "has no home address to tell an ambulance")
	}
}

// kind is that of an address's channel; empty if it leads nowhere.
func (w *survey) kind(a bus.Address) string {
	if w.Channels == nil {
		return a.Channel
	}
	return w.Channels[a.Channel]
}

func (w *survey) reachable(p *Person) bool {
	return slices.ContainsFunc(p.Reach, func(a bus.Address) bool { return w.kind(a) != "" })
}

// rota looks for hours ahead that the fallback, all of the role, will have to cover.
func (w *survey) rota(r *Rota) {
	zone := w.d.Zone(r.Community)
	for _, shift := range r.Calendar(w.Now, w.Now.Add(uncoveredAhead), zone) {
		if slices.ContainsFunc(shift.People, func(id string) bool { p := w.d.Person(id); return p != nil && w.reachable(p) }) {
			continue
		}
		from, to := shift.From.Format("01-02 15:04"), shift.To.Format("01-02 15:04")
		w.found = append(w.found, Problem{Community: r.Community, Rota: r.ID, Code: Uncovered, Text: devices.Text{
			ZH: fmt.Sprintf("%s 至 %s 无人可通知，将通知该岗位全部人员", from, to),
			EN: fmt.Sprintf("from %s to %s nobody on shift can be told; all of the role would be", from, to),
		}})
		return // the first stretch is enough to act on
	}
}
