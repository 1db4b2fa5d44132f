package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"linli/devices"
	"linli/series"
)

const (
	maxValueDevices = 2000
	valueAge        = 7 * 24 * time.Hour // older values are history
)

var valueRoutes = []route{{
	method: "GET", path: "/api/v1/values", area: "devices", about: "The last values of all devices of a type, by device and field",
	may: everyone, whose: filtered, personal: true, in: valueFilter{}, out: valueList{}, handle: (*Server).values,
}}

type (
	valueFilter struct {
		Community string `query:"community"`
		Type      string `query:"type" required:"true"`
		Fields    string `query:"fields" required:"true" description:"ids, with commas between them"`
	}
	deviceValue struct {
		Device string `json:"device"`
		Field  string `json:"field"`
		point
	}
	valueList struct {
		Devices []devices.Device `json:"devices"`
		Values  []deviceValue    `json:"values"` // no older than a week
		More    bool             `json:"more"`   // there are more devices than these
	}
)

// values shows what a whole kind of device says at present, for a page that shows them beside each other.
func (s *Server) values(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	t := s.Catalogue.Type(q.Get("type"))
	if t == nil {
		return invalid("type", "there is no type %q", q.Get("type"))
	}
	fields := strings.Split(q.Get("fields"), ",")
	for _, f := range fields {
		if t.Field(f) == nil {
			return invalid("fields", "type %s has no field %q", t.ID, f)
		}
	}
	body := valueList{Devices: []devices.Device{}, Values: []deviceValue{}}
	var ids []string
	byID := map[string]*devices.Device{}
	for _, d := range s.Registry.Devices() {
		if d.Type != t.ID || d.State != devices.Active || q.Get("community") != "" && d.Community != q.Get("community") || !s.seesDevice(principal(r), d) {
			continue
		}
		if body.More = len(ids) == maxValueDevices; body.More {
			break
		}
		ids, byID[d.ID] = append(ids, d.ID), d
		body.Devices = append(body.Devices, shown(d))
	}
	if slices.ContainsFunc(body.Devices, func(d devices.Device) bool { return d.Person != "" }) {
		for _, f := range fields {
			showed(r, scopeOf(t, f))
		}
	}
	for part := range slices.Chunk(ids, series.MaxDevices) {
		g := series.Group{Measurement: t.Measurement, Fields: fields, Split: payloadTags(t), Devices: part, Since: s.Now().Add(-valueAge)}
		found, err := s.History.Latest(r.Context(), g)
		if err != nil {
			return err
		}
		for _, v := range found {
			if s.shows(r, byID[v.Device], scopeOf(t, v.Field)) {
				body.Values = append(body.Values, deviceValue{v.Device, v.Field, point(v.Point)})
			}
		}
	}
	return reply(w, http.StatusOK, body)
}
