package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"linli/devices"
	"linli/web/account"
)

const (
	defaultDevices = 1000
	maxListed      = 20_000
)

type (
	deviceFilter struct {
		Q         string `query:"q" description:"words that id, name, place, type or tags contain, all of them"`
		Community string `query:"community"`
		Type      string `query:"type"`
		State     string `query:"state" enum:"active,revoked,replaced"`
		Estate    string `query:"estate"`
		Building  string `query:"building"`
		Unit      string `query:"unit"`
		Gateway   string `query:"gateway" description:"that publishes for them"`
		Person    string `query:"person" description:"that they belong to"`
		Limit     int    `query:"limit" minimum:"1" maximum:"20000"`
		Cursor    string `query:"cursor" description:"next of the answer before"`
	}
	deviceList struct {
		Devices []devices.Device `json:"devices"`
		Total   int              `json:"total"` // that match, on all pages
		Next    string           `json:"next,omitempty"`
	}
)

// devices lists devices in the order of their ids.
func (s *Server) devices(w http.ResponseWriter, r *http.Request) error {
	limit, err := number(r, "limit", defaultDevices, maxListed)
	if err != nil {
		return err
	}
	found, err := s.find(r)
	if err != nil {
		return err
	}
	after := r.URL.Query().Get("cursor")
	body := deviceList{Devices: []devices.Device{}, Total: len(found)}
	for _, d := range found {
		if d.ID <= after {
			continue
		}
		if len(body.Devices) == limit {
			body.Next = body.Devices[limit-1].ID
			break
		}
		body.Devices = append(body.Devices, shown(d))
	}
	return reply(w, http.StatusOK, body)
}

// find returns the devices within reach that a request asks for, in the order of their ids.
func (s *Server) find(r *http.Request) ([]*devices.Device, error) {
	q := r.URL.Query()
	if len(strings.Fields(q.Get("q"))) > maxWords {
		return nil, invalid("q", "more than %d words", maxWords)
	}
	all := s.Registry.Devices()
	who := principal(r)
	found := matching(all, s.search.texts(all, s.Catalogue), q, who)
	if who.Kin() {
		found = slices.DeleteFunc(found, func(d *devices.Device) bool { return !s.seesDevice(who, d) })
	}
	return found, nil
}

const maxWords = 10

// matching are those of all devices that fulfil every condition of q and are within the reach of who asks.
func matching(all []*devices.Device, texts []string, q url.Values, who *account.Principal) (found []*devices.Device) {
	words := strings.Fields(strings.ToLower(q.Get("q")))
	wanted := map[string]string{}
	for name := range q {
		wanted[name] = q.Get(name)
	}
	is := func(name, value string) bool { want := wanted[name]; return want == "" || want == value }
	for i, d := range all {
		if is("community", d.Community) && is("type", d.Type) && is("state", string(d.State)) && is("estate", d.Place.Estate) &&
			is("building", d.Place.Building) && is("unit", d.Place.Unit) && is("gateway", d.Gateway) && is("person", d.Person) &&
			containsAll(texts[i], words) && reaches(who, deviceOwner(d)) {
			found = append(found, d)
		}
	}
	return found
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}

// search has what is searched of every device, made anew when the registry has changed.
type search struct {
	mu   sync.Mutex // guards the two
	of   []*devices.Device
	text []string
}

// texts returns the text of each device, in lower case.
func (x *search) texts(all []*devices.Device, cat *devices.Catalogue) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(all) == len(x.of) && (len(all) == 0 || &all[0] == &x.of[0]) {
		return x.text
	}
	x.of, x.text = all, make([]string, len(all))
	for i, d := range all {
		parts := []string{d.ID, d.Name, d.Place.Estate, d.Place.Building, d.Place.Unit, d.Place.Zone, d.Type}
		if t := cat.Type(d.Type); t != nil {
			parts = append(parts, t.Name.ZH, t.Name.EN)
		}
		for tag, value := range d.Tags {
			parts = append(parts, tag+"="+value)
		}
		x.text[i] = strings.ToLower(strings.Join(parts, "\n"))
	}
	return x.text
}
