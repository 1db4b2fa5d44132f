package web

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
	"linli/web/account"
)

const maxElders = 1000

var elderRoutes = []route{{
	method: "GET", path: "/api/v1/elders", area: "people", about: "How the day of each elder is: last sign of life, worn, heart rate, movement, door, water",
	may: tending, whose: filtered, personal: true, in: elderFilter{}, out: elderList{}, handle: (*Server).elders,
}}

// tending are those who look after elders; family have a page of their own, by consent.
var tending = []account.Role{account.Admin, account.Manager, account.Duty, account.Caretaker}

// signFields are shown of an elder: the newest of their devices. Those that read health data or tell of activity are marked in the
// catalogue; these are the ones that one line has room for.
var signFields = []string{"wear_state", "heart_rate_bpm", "spo2_pct", "presence", "motion_level", "open"}

type (
	elderFilter struct {
		Community string `query:"community"`
	}
	sign struct {
		Device string       `json:"device"`
		Type   string       `json:"type"`
		Name   devices.Text `json:"name"`
		Unit   string       `json:"unit,omitempty"`
		Value  any          `json:"value"`
		Time   time.Time    `json:"time"`
		Old    bool         `json:"old,omitempty"` // nothing newer came for three times as long as is regular
	}
	elderDay struct {
		Person    string          `json:"person"`
		Name      string          `json:"name"`
		Community string          `json:"community"`
		Home      string          `json:"home,omitempty"`
		Away      bool            `json:"away"`
		Watched   *time.Time      `json:"watched_since,omitempty"`  // signs of life are counted since
		Active    *time.Time      `json:"active_at,omitempty"`      // the last sign of life: quiet since then
		By        string          `json:"active_device,omitempty"`  // that showed it
		Alerts    []string        `json:"alerts,omitempty"`         // ids of those that are not closed, the newest first
		Quiet     bool            `json:"quiet"`                    // an alert says so
		Water     *float64        `json:"water_today_m3,omitempty"` // since midnight; nil: no meter, or it said nothing
		Signs     map[string]sign `json:"signs"`                    // by field
	}
	elderList struct {
		Elders []*elderDay `json:"elders"`
		More   bool        `json:"more"`
	}
)

// elders shows the elders within reach, in the order of names.
func (s *Server) elders(w http.ResponseWriter, r *http.Request) error {
	who, community := principal(r), r.URL.Query().Get("community")
	body := elderList{Elders: []*elderDay{}}
	days := map[string]*elderDay{}
	for _, p := range s.People.People() {
		if !slices.Contains(p.Roles, people.Elder) || community != "" && p.Community != community || !reaches(who, owner{p.Community, p.ID}) {
			continue
		}
		if body.More = len(days) == maxElders; body.More {
			break
		}
		days[p.ID] = &elderDay{Person: p.ID, Name: p.Name, Community: p.Community, Home: p.Home, Away: p.Away(s.Now()), Signs: map[string]sign{}}
		body.Elders = append(body.Elders, days[p.ID])
	}
	for _, a := range s.board.list(func(a *bus.Alert) bool { return a.State != bus.Closed && days[a.Person] != nil }) {
		day := days[a.Person]
		day.Alerts = append(day.Alerts, a.ID)
		day.Quiet = day.Quiet || saysQuiet(a)
	}
	if err := s.addActivity(r.Context(), days); err != nil {
		return err
	}
	if err := s.addSigns(r.Context(), days); err != nil {
		return err
	}
	showed(r, people.Wellbeing, people.Vitals)
	slices.SortFunc(body.Elders, func(x, y *elderDay) int { return cmp.Or(cmp.Compare(x.Name, y.Name), cmp.Compare(x.Person, y.Person)) })
	return reply(w, http.StatusOK, body)
}

// saysQuiet reports whether an alert says that nothing is seen of an elder.
func saysQuiet(a *bus.Alert) bool {
	return a.State != bus.Cleared && a.Category == "health" && (a.Kind == "absence" || a.Kind == "window")
}

// addActivity adds what alerts knows of each one's activity.
func (s *Server) addActivity(ctx context.Context, days map[string]*elderDay) error {
	if len(days) == 0 {
		return nil
	}
	return s.Bus.ReadAll(ctx, bus.Core, bus.WellbeingFilter, func(m jetstream.Msg) error {
		var x bus.Wellbeing
		if err := json.Unmarshal(m.Data(), &x); err != nil {
			s.Log.Error("unreadable record", "subject", m.Subject(), "err", err)
			return nil
		}
		day := days[x.Person]
		if day == nil {
			return nil
		}
		if !x.Since.IsZero() {
			day.Watched = &x.Since
		}
		if !x.Active.IsZero() {
			day.Active, day.By = &x.Active, x.Device
		}
		return nil
	})
}

// addSigns adds the newest values of each one's devices, and the water used today.
func (s *Server) addSigns(ctx context.Context, days map[string]*elderDay) error {
	byType := map[string][]*devices.Device{}
	for _, d := range s.Registry.Devices() {
		if d.State == devices.Active && days[d.Person] != nil {
			byType[d.Type] = append(byType[d.Type], d)
		}
	}
	for id, all := range byType {
		t := s.Catalogue.Type(id)
		if t == nil {
			continue
		}
		for part := range slices.Chunk(all, series.MaxDevices) {
			if err := s.signsOf(ctx, t, part, days); err != nil {
				return err
			}
		}
	}
	return nil
}

// signsOf adds what some devices of one type say.
func (s *Server) signsOf(ctx context.Context, t *devices.Type, part []*devices.Device, days map[string]*elderDay) error {
	now := s.Now()
	of := map[string]*elderDay{}
	g := series.Group{Measurement: t.Measurement, Since: now.Add(-valueAge)}
	for _, d := range part {
		of[d.ID] = days[d.Person]
		g.Devices = append(g.Devices, d.ID)
	}
	for _, f := range signFields {
		if t.Field(f) != nil {
			g.Fields = append(g.Fields, f)
		}
	}
	if len(g.Fields) > 0 {
		found, err := s.History.Latest(ctx, g)
		if err != nil {
			return err
		}
		for _, v := range found {
			f, day := t.Field(v.Field), of[v.Device]
			if have, ok := day.Signs[v.Field]; ok && !v.Time.After(have.Time) {
				continue
			}
			old := f.Kind != devices.State && now.Sub(v.Time) > 3*regular(t, f)
			day.Signs[v.Field] = sign{v.Device, t.ID, f.Name, f.Unit, v.Value, v.Time, old}
		}
	}
	if t.ID != "water_meter" {
		return nil
	}
	zone := s.zone(part[0].Community)
	g.Fields, g.Since = []string{"volume_m3"}, midnight(now, zone)
	used, err := s.History.Spread(ctx, g)
	for _, v := range used {
		if n, ok := v.Value.(float64); ok {
			day := of[v.Device]
			if day.Water == nil {
				day.Water = new(float64)
			}
			*day.Water += n
		}
	}
	return err
}
