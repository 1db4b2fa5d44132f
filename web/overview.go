package web

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"linli/bus"
	"linli/devices"
	"linli/people"
	"linli/series"
	"linli/web/account"
)

const (
	figuresFor  = 10 * time.Second // for how long figures of the series are shown again
	recently    = 24 * time.Hour   // a bin or charger that said nothing for longer is not counted
	fullPercent = 95
	rateSpan    = 5 * time.Second // of the rate of readings, at least
)

var overviewRoutes = []route{{
	method: "GET", path: "/api/v1/overview", area: "devices", about: "Figures of a community, or of all within reach",
	may: staff, whose: filtered, in: inCommunity{}, out: overview{}, handle: (*Server).overview,
}}

type (
	overview struct {
		Devices  deviceFigures        `json:"devices"`
		Rate     *float64             `json:"readings_per_second,omitempty"` // of the installation, where this process reads them
		Energy   *float64             `json:"energy_today_kwh,omitempty"`    // drawn from the grid since midnight; of all meters where there is none for it
		Bins     *int                 `json:"bins_full,omitempty"`
		Chargers *int                 `json:"chargers_busy,omitempty"`
		Elders   int                  `json:"elders_quiet"`
		Alerts   map[bus.Severity]int `json:"alerts"`   // not closed
		Warnings []string             `json:"warnings"` // of the installation: disk, backlog, roles in trouble
	}
	deviceFigures struct {
		Online int `json:"online"` // no alert says that they are silent
		Total  int `json:"total"`  // active
	}
	// figures are those of the series of one community.
	figures struct {
		energy         float64
		bins, chargers int
	}
)

// overview counts. Devices and elders are quiet when an alert says so: the figures and the board never disagree.
func (s *Server) overview(w http.ResponseWriter, r *http.Request) error {
	p, community := principal(r), r.URL.Query().Get("community")
	within := func(c string) bool { return (community == "" || c == community) && p.Community(c) }
	body := overview{Alerts: map[bus.Severity]int{}, Warnings: []string{}}
	active := map[string]bool{}
	for _, d := range s.Registry.Devices() {
		if d.State == devices.Active && within(d.Community) {
			active[d.ID] = true
		}
	}
	body.Devices = deviceFigures{len(active), len(active)}
	quiet := map[string]bool{}
	for _, a := range s.board.list(func(a *bus.Alert) bool { return a.State != bus.Closed && within(a.Community) }) {
		body.Alerts[a.Severity]++
		switch {
		case a.State == bus.Cleared:
		case strings.HasPrefix(a.Rule, "dev_offline") && active[a.Device]:
			delete(active, a.Device)
			body.Devices.Online--
		case a.Person != "" && s.isElder(a.Person) && saysQuiet(a):
			quiet[a.Person] = true
		}
	}
	body.Elders = len(quiet)
	if err := s.addFigures(r.Context(), &body, within); err != nil {
		// The counts above are right; a database that does not answer leaves out the others.
		s.Log.Warn("figures left out", "err", err)
	}
	if p.Everywhere() {
		body.Rate = s.rate.now(s)
	}
	body.Warnings = s.warnings(p)
	return reply(w, http.StatusOK, body)
}

func (s *Server) isElder(id string) bool {
	p := s.People.Person(id)
	return p != nil && slices.Contains(p.Roles, people.Elder)
}

// warnings are the troubles of the roles of this process, for who runs communities or looks after them.
func (s *Server) warnings(p *account.Principal) []string {
	all := []string{}
	if s.Config.Status == nil || !p.May(desk) {
		return all
	}
	roles := s.Config.Status()
	for _, name := range slices.Sorted(maps.Keys(roles)) {
		if err := roles[name]; err != nil {
			all = append(all, name+": "+err.Error())
		}
	}
	return all
}

func (s *Server) addFigures(ctx context.Context, body *overview, within func(string) bool) error {
	var sum figures
	for _, c := range s.Registry.Communities() {
		if !within(c.ID) {
			continue
		}
		f, err := s.figures.of(ctx, s, c.ID)
		if err != nil {
			return err
		}
		sum.energy += f.energy
		sum.bins += f.bins
		sum.chargers += f.chargers
	}
	body.Energy, body.Bins, body.Chargers = &sum.energy, &sum.bins, &sum.chargers
	return nil
}

// figureCache keeps the figures of communities for a moment, however many people look at them. One is made at a time.
type figureCache struct {
	mu   sync.Mutex // guards the two
	at   map[string]time.Time
	last map[string]figures
}

func (c *figureCache) of(ctx context.Context, s *Server, community string) (figures, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := s.Now()
	if at, ok := c.at[community]; ok && now.Sub(at) < figuresFor {
		return c.last[community], nil
	}
	f, err := s.measure(ctx, community, now)
	if err != nil {
		return f, err
	}
	if c.at == nil {
		c.at, c.last = map[string]time.Time{}, map[string]figures{}
	}
	c.at[community], c.last[community] = now, f
	return f, nil
}

// measure asks the series.
func (s *Server) measure(ctx context.Context, community string, now time.Time) (f figures, err error) {
	var groups []series.Group
	ask := func(kind, field string) {
		if t := s.Catalogue.Type(kind); t != nil && t.Field(field) != nil {
			groups = append(groups, series.Group{
				Measurement: t.Measurement, Fields: []string{field}, Split: payloadTags(t), Community: community, Since: now.Add(-recently),
			})
		}
	}
	for _, kind := range []string{"waste_station", "waste_container"} {
		ask(kind, "fill_level_pct")
	}
	for _, kind := range []string{"ev_charger", "ebike_charger"} {
		ask(kind, "status")
	}
	last, err := s.History.Latest(ctx, groups...)
	if err != nil {
		return f, err
	}
	for _, v := range last {
		switch fill, _ := v.Value.(float64); {
		case v.Field == "fill_level_pct" && fill >= fullPercent:
			f.bins++
		case v.Value == "Charging", v.Value == "charging":
			f.chargers++
		}
	}
	f.energy, err = s.energy(ctx, community, midnight(now, s.zone(community)))
	return f, err
}

// energy is what came from the grid since a moment, in kWh; without a meter for it what all other meters counted.
func (s *Server) energy(ctx context.Context, community string, since time.Time) (kWh float64, err error) {
	t := s.Catalogue.Type("electricity_meter")
	if t == nil || t.Field("energy_import_kwh") == nil {
		return 0, nil
	}
	spreads, err := s.History.Spread(ctx, series.Group{
		Measurement: t.Measurement, Fields: []string{"energy_import_kwh"}, Split: []string{"circuit", "tariff"}, Community: community, Since: since,
	})
	if err != nil {
		return 0, err
	}
	var grid, others float64
	found := false
	for _, v := range spreads {
		n, _ := v.Value.(float64)
		switch tariff := v.Tags["tariff"]; {
		case tariff != "" && tariff != "total":
		case v.Tags["circuit"] == "grid":
			grid, found = grid+n, true
		default:
			others += n
		}
	}
	if found {
		return grid, nil
	}
	return others, nil
}

// rate is how many readings a second ingest has accepted lately, if it runs in this process.
type rate struct {
	mu    sync.Mutex // guards everything below
	at    time.Time
	count float64
	value *float64
}

func (x *rate) now(s *Server) *float64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := s.Now()
	passed := now.Sub(x.at)
	if passed < rateSpan {
		return x.value
	}
	count, ok := s.counted("linli_ingest_readings_total", "stored")
	if !ok {
		return nil
	}
	if !x.at.IsZero() && count >= x.count {
		v := (count - x.count) / passed.Seconds()
		x.value = &v
	}
	x.at, x.count = now, count
	return x.value
}

// counted is the value of a counter with a label of that value.
func (s *Server) counted(name, label string) (sum float64, found bool) {
	families, err := s.Gatherer.Gather()
	if err != nil {
		s.Log.Warn("metrics not gathered", "err", err)
		return 0, false
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				if l.GetValue() == label {
					sum, found = sum+m.GetCounter().GetValue(), true
				}
			}
		}
	}
	return sum, found
}
