package alerts

import (
	"fmt"
	"strings"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

// peopleProblems is the rule of the alert, one a community, that tells the desk in the morning who could not be told of an alert, and
// which shifts nobody covers. It clears when there is nothing to mend, and comes again when there is something else.
var peopleProblems = &Rule{
	ID: "people_problems", Kind: StateKind, Name: devices.Text{ZH: "联系人与排班待完善", EN: "Contacts and rotas to mend"},
	Severity: bus.Low, Category: "service", Basis: "judgement",
}

const (
	// summaryHour is when the desk is told, in the community's time.
	summaryHour = 8
	// summaryTop is how many problems are spelled out.
	summaryTop = 5
)

// summary is what was told in the morning.
type summary struct {
	looked time.Time         // when it was last looked
	days   map[string]string // for which it is decided, by community: 2026-01-05
}

// sumUp tells the desks what is wrong with people and rotas, once a day. After a start it looks again: what is told already is known by
// the id of its alert.
func (c *core) sumUp(problems func(time.Time) []people.Problem, now time.Time) {
	s := &c.summary
	if now.Truncate(time.Hour).Equal(s.looked) {
		return
	}
	s.looked = now.Truncate(time.Hour)
	if s.days == nil {
		s.days = map[string]string{}
	}
	found := map[string][]people.Problem{}
	for _, a := range c.book.alerts {
		if a.Rule == peopleProblems.ID && a.State != bus.Closed {
			found[a.Community] = nil
		}
	}
	for _, p := range problems(now) {
		found[p.Community] = append(found[p.Community], p)
	}
	for community, all := range found {
		y, m, d := now.In(c.zone(community)).Date()
		at := time.Date(y, m, d, summaryHour, 0, 0, 0, c.zone(community))
		day := at.Format(time.DateOnly)
		if now.Before(at) || s.days[community] == day {
			continue
		}
		s.days[community] = day
		c.summarise(community, all, at.UTC(), now)
	}
}

// summarise opens the alert of a community, or clears it when there are no problems.
func (c *core) summarise(community string, all []people.Problem, at, now time.Time) {
	b, r, who := c.book, peopleProblems, "community="+community
	open := b.episode(episodeKey(r.ID, who)).alert
	if len(all) == 0 {
		if open != nil {
			b.clear(open, latest(at, open.OpenedAt))
		}
		return
	}
	text := problemsText(all)
	if open != nil && open.State != bus.Cleared && open.Text == text {
		return
	}
	if open != nil {
		b.close(open, at, "", "something else now")
	}
	b.open(&bus.Alert{
		ID: alertID(r.ID, who, at), Rule: r.ID, Kind: string(r.Kind), Name: r.Name, Severity: r.Severity, Category: r.Category,
		State: bus.Opened, Community: community, Identity: who, Value: float64(len(all)),
		OpenedAt: at, EventTime: at, LastEvent: at, Received: now, Count: 1, Text: text,
	})
}

// problemsText counts problems and spells out the first.
func problemsText(all []people.Problem) devices.Text {
	var zh, en []string
	for _, p := range all[:min(len(all), summaryTop)] {
		zh, en = append(zh, p.Rota+p.Text.ZH), append(en, strings.TrimSpace(p.Rota+" "+p.Text.EN))
	}
	return devices.Text{
		ZH: fmt.Sprintf("%d 个问题：%s", len(all), strings.Join(zh, "；")),
		EN: fmt.Sprintf("%d problems: %s", len(all), strings.Join(en, "; ")),
	}
}
