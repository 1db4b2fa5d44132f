package web

import (
	"net/http"

	"linli/devices"
	"linli/series"
)

var deviceRoutes = []route{
	{
		method: "GET", path: "/api/v1/devices", area: "devices", about: "Devices, in the order of ids",
		may: everyone, whose: filtered, in: deviceFilter{}, out: deviceList{}, handle: (*Server).devices,
	},
	{
		method: "GET", path: "/api/v1/devices.csv", area: "devices", about: "The same as a file for spreadsheets",
		may: everyone, whose: filtered, in: deviceFilter{}, outType: "text/csv", handle: (*Server).devicesCSV,
	},
	{
		method: "POST", path: "/api/v1/devices", area: "devices", about: "Register a device; its secret is shown this once",
		may: managers, whose: inBody, in: newDevice{}, out: credentials{}, handle: (*Server).addDevice,
	},
	{
		method: "POST", path: "/api/v1/devices/import", area: "devices", about: "Register the rows of a CSV file, all or none",
		may: admins, whose: installation, in: importOptions{}, inType: "text/csv", out: importReport{},
		body: importBody, timeout: importTimeout, handle: (*Server).importDevices,
	},
	{
		method: "GET", path: "/api/v1/devices/{id}", area: "devices", about: "A device with the last value of every field",
		may: everyone, whose: aDevice, out: deviceView{}, handle: (*Server).device,
	},
	{
		method: "POST", path: "/api/v1/devices/{id}/rotate", area: "devices", about: "Give a device a new secret",
		may: managers, whose: aDevice, out: credentials{}, handle: (*Server).rotateDevice,
	},
	{
		method: "POST", path: "/api/v1/devices/{id}/revoke", area: "devices", about: "Shut a device out for good",
		may: managers, whose: aDevice, out: devices.Device{}, handle: (*Server).revokeDevice,
	},
	{
		method: "POST", path: "/api/v1/devices/{id}/replace", area: "devices", about: "Put a new device in the place of another; it continues its history",
		may: managers, whose: aDevice, in: replacement{}, out: credentials{}, handle: (*Server).replaceDevice,
	},
}

type (
	// value is the last value of a field of one series of a device.
	value struct {
		Field string       `json:"field"`
		Name  devices.Text `json:"name"`
		Unit  string       `json:"unit"`
		point
	}
	deviceView struct {
		devices.Device
		TypeName devices.Text `json:"type_name"`
		Topic    string       `json:"topic"`
		Values   []value      `json:"values"`
	}
	replacement struct {
		With string `json:"with"` // id of the new device
	}
	importOptions struct {
		DryRun string `query:"dry_run" enum:"1" description:"only say what is wrong"`
	}
	issued struct {
		credentials
		Community string `json:"community"`
		Type      string `json:"type"`
	}
	importReport struct {
		devices.Report
		Issued []issued `json:"issued,omitempty"`
		Error  *detail  `json:"error,omitempty"`
	}
)

// shown is what others may see of a device: all but the hash of its secret.
func shown(d *devices.Device) devices.Device {
	c := *d
	c.SecretHash = ""
	return c
}

// device shows a device with the last value of every field of every series.
func (s *Server) device(w http.ResponseWriter, r *http.Request) error {
	d, t, err := s.findDevice(r)
	if err != nil {
		return err
	}
	body := deviceView{shown(d), t.Name, s.topic(d), []value{}}
	g := series.Group{Measurement: t.Measurement, Split: payloadTags(t), Devices: []string{d.ID}}
	for _, f := range t.Fields {
		g.Fields = append(g.Fields, f.ID)
	}
	last, err := s.History.Latest(r.Context(), g)
	if err != nil {
		return err
	}
	for _, v := range last {
		f := t.Field(v.Field)
		if !s.shows(r, d, scopeOf(t, f.ID)) {
			continue
		}
		body.Values = append(body.Values, value{f.ID, f.Name, f.Unit, point(v.Point)})
	}
	return reply(w, http.StatusOK, body)
}

// findDevice returns the device of the path and its type.
func (s *Server) findDevice(r *http.Request) (*devices.Device, *devices.Type, error) {
	id := r.PathValue("id")
	d := s.Registry.Device(id)
	if d == nil {
		return nil, nil, notFound("device", id)
	}
	t := s.Catalogue.Type(d.Type)
	if t == nil {
		return nil, nil, &problem{http.StatusConflict, "no_type", "the catalogue has no type " + d.Type, ""}
	}
	return d, t, nil
}

// payloadTags are the tags that split the readings of a type into series.
func payloadTags(t *devices.Type) []string {
	var tags []string
	for _, tag := range t.Tags {
		if !tag.Registry {
			tags = append(tags, tag.ID)
		}
	}
	return tags
}

// topic is where a device publishes readings.
func (s *Server) topic(d *devices.Device) string {
	return devices.Topic{Lane: devices.Telemetry, Community: d.Community, Type: d.Type, Device: d.ID}.String(s.Root)
}

// credentials are what an installer types into a device. The secret is shown this once; it is empty when the device had one
// already.
type credentials struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Secret   string `json:"secret"`
	Topic    string `json:"topic"`
}

func (s *Server) credentials(id string, secret devices.Secret) credentials {
	return credentials{ID: id, Username: id, Secret: secret.Reveal(), Topic: s.topic(s.Registry.Device(id))}
}

// newDevice is what may be said of a device when it is added; the rest of a devices.Device is ours.
type newDevice struct {
	ID         string             `json:"id"`
	Community  string             `json:"community"`
	Type       string             `json:"type"`
	Name       string             `json:"name"`
	Place      devices.Place      `json:"place"`
	Tags       map[string]string  `json:"tags"`
	Attributes map[string]float64 `json:"attributes"`
	Gateway    string             `json:"gateway"`
	Person     string             `json:"person"`
}

func (s *Server) addDevice(w http.ResponseWriter, r *http.Request) error {
	var n newDevice
	if err := read(r, &n); err != nil {
		return err
	}
	if err := withinCommunity(r, "community", n.Community); err != nil {
		return err
	}
	secret, err := s.Registry.AddDevice(r.Context(), devices.Device{
		ID: n.ID, Community: n.Community, Type: n.Type, Name: n.Name, Place: n.Place, Tags: n.Tags, Attributes: n.Attributes,
		Gateway: n.Gateway, Person: n.Person,
	})
	if err != nil {
		return err
	}
	about(r, n.ID, "")
	return reply(w, http.StatusOK, s.credentials(n.ID, secret))
}

func (s *Server) rotateDevice(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	secret, err := s.Registry.Rotate(r.Context(), id)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.credentials(id, secret))
}

func (s *Server) revokeDevice(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := s.Registry.Revoke(r.Context(), id); err != nil {
		return err
	}
	return reply(w, http.StatusOK, shown(s.Registry.Device(id)))
}

func (s *Server) replaceDevice(w http.ResponseWriter, r *http.Request) error {
	var body replacement
	if err := read(r, &body); err != nil {
		return err
	}
	secret, err := s.Registry.Replace(r.Context(), r.PathValue("id"), body.With)
	if err != nil {
		return err
	}
	return reply(w, http.StatusOK, s.credentials(body.With, secret))
}

// importDevices registers the rows of a CSV file, or with dry_run only says what is wrong with them. The report is in every
// answer: after a failure half way it has the secrets of what was added until then.
func (s *Server) importDevices(w http.ResponseWriter, r *http.Request) error {
	report, err := s.Registry.ImportDevices(r.Context(), r.Body, r.URL.Query().Get("dry_run") == "1")
	body := importReport{Report: report}
	for _, i := range report.Issued {
		if d := s.Registry.Device(i.ID); d != nil {
			body.Issued = append(body.Issued, issued{s.credentials(i.ID, i.Secret), d.Community, d.Type})
		}
	}
	if err == nil {
		return reply(w, http.StatusOK, body)
	}
	p := s.problem(r, err)
	d := p.detail(r)
	body.Error = &d
	return reply(w, p.status, body)
}
