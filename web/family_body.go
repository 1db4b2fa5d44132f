package web

import (
	"math"
	"net/http"
	"slices"
	"time"

	"linli/devices"
	"linli/people"
	"linli/series"
)

type (
	familyBody struct {
		Vitals []familyVital `json:"vitals"`          // only with consent
		Worn   *familyWorn   `json:"worn,omitempty"`  // of the band; only with consent to vitals
		Place  *familyPlace  `json:"place,omitempty"` // the last position; only with consent
	}
	familyVital struct {
		value
		Old bool `json:"old"` // nothing newer came for three times as long as is regular
	}
	familyWorn struct {
		State string    `json:"state"` // worn, not_worn or charging
		Since time.Time `json:"time"`
	}
	// familyPlace is where an elder is, seen from home.
	familyPlace struct {
		Time     time.Time `json:"time"`
		Accuracy *float64  `json:"accuracy_m,omitempty"`
		Home     string    `json:"home"`                 // inside, outside, or unknown where no home is registered
		Distance float64   `json:"distance_m,omitempty"` // from home
		Bearing  float64   `json:"bearing_deg"`          // from home, clockwise from north
		Radius   float64   `json:"radius_m,omitempty"`   // of home
	}
)

// vitalFields are what families are shown of health devices, in this order. The others are for staff.
var vitalFields = []string{"heart_rate_bpm", "spo2_pct", "sbp_mmhg", "dbp_mmhg", "body_temp_c", "resp_rate_pm", "steps_total", "sleep_min"}

// familyBody shows what the devices of an elder say of them at present.
func (s *Server) familyBody(w http.ResponseWriter, r *http.Request, k *relative) error {
	body := familyBody{Vitals: []familyVital{}}
	if k.elder == nil {
		return errNoConsent
	}
	now := s.Now()
	vitals, place := k.agreed(people.Vitals, now), k.agreed(people.Location, now)
	if !vitals && !place {
		return reply(w, http.StatusOK, body)
	}
	for _, d := range s.Registry.Devices() {
		t := s.Catalogue.Type(d.Type)
		if d.Person != k.elder.ID || d.State != devices.Active || t == nil || !t.Health {
			continue
		}
		last, err := s.lastValues(r, d, t)
		if err != nil {
			return err
		}
		if vitals {
			body.addVitals(t, last, now)
		}
		if p := placeOf(last, homeOf(d, t)); place && p != nil && (body.Place == nil || p.Time.After(body.Place.Time)) {
			body.Place = p
		}
	}
	slices.SortStableFunc(body.Vitals, func(x, y familyVital) int {
		return slices.Index(vitalFields, x.Field) - slices.Index(vitalFields, y.Field)
	})
	return reply(w, http.StatusOK, body)
}

// lastValues are the newest values of a device by field, none older than a week.
func (s *Server) lastValues(r *http.Request, d *devices.Device, t *devices.Type) (map[string]series.Point, error) {
	g := series.Group{Measurement: t.Measurement, Devices: []string{d.ID}, Since: s.Now().Add(-valueAge)}
	for _, f := range t.Fields {
		if slices.Contains(vitalFields, f.ID) || slices.Contains([]string{"wear_state", "lat", "lon", "accuracy_m"}, f.ID) {
			g.Fields = append(g.Fields, f.ID)
		}
	}
	found, err := s.History.Latest(r.Context(), g)
	if err != nil {
		return nil, err
	}
	last := map[string]series.Point{}
	for _, v := range found {
		last[v.Field] = v.Point
	}
	return last, nil
}

// addVitals adds what a device measured. Of two devices that measure the same the newer value is shown.
func (b *familyBody) addVitals(t *devices.Type, last map[string]series.Point, now time.Time) {
	for _, id := range vitalFields {
		p, ok := last[id]
		f := t.Field(id)
		if !ok || f == nil {
			continue
		}
		v := familyVital{value{id, f.Name, f.Unit, point(p)}, now.Sub(p.Time) > 3*regular(t, f)}
		switch i := slices.IndexFunc(b.Vitals, func(x familyVital) bool { return x.Field == id }); {
		case i < 0:
			b.Vitals = append(b.Vitals, v)
		case p.Time.After(b.Vitals[i].Time):
			b.Vitals[i] = v
		}
	}
	if p, ok := last["wear_state"]; ok && (b.Worn == nil || p.Time.After(b.Worn.Since)) {
		state, _ := p.Value.(string)
		b.Worn = &familyWorn{state, p.Time}
	}
}

// homeZone is where the wearer of a band lives, in degrees and m.
type homeZone struct{ lat, lon, radius float64 }

// homeOf is the home that the registry has for a band, the same that rules of geofences look at; nil if it has none.
func homeOf(d *devices.Device, t *devices.Type) *homeZone {
	lat, ok := d.Attributes["home_lat"]
	lon, too := d.Attributes["home_lon"]
	radius, set := d.Attributes["home_radius_m"]
	if a := t.Attribute("home_radius_m"); !set && a != nil {
		radius = a.Default
	}
	if !ok || !too {
		return nil
	}
	return &homeZone{lat, lon, radius}
}

// placeOf is the last position that a device knew, seen from home; nil if it knew none.
func placeOf(last map[string]series.Point, home *homeZone) *familyPlace {
	lat, lon := last["lat"], last["lon"]
	y, ok := lat.Value.(float64)
	x, too := lon.Value.(float64)
	if !ok || !too || !lat.Time.Equal(lon.Time) {
		return nil
	}
	p := &familyPlace{Time: lat.Time, Home: "unknown"}
	if a, ok := last["accuracy_m"].Value.(float64); ok && last["accuracy_m"].Time.Equal(lat.Time) {
		p.Accuracy = &a
	}
	if home == nil {
		return p
	}
	// On the few kilometres that matter the earth is flat.
	const degree = 111_195.0 // m
	north, east := (y-home.lat)*degree, (x-home.lon)*degree*math.Cos(home.lat*math.Pi/180)
	p.Distance, p.Radius = math.Round(math.Hypot(north, east)), home.radius
	p.Bearing = math.Round(math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360))
	if p.Home = "outside"; p.Distance <= home.radius {
		p.Home = "inside"
	}
	return p
}
