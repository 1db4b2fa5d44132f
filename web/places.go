package web

import (
	"net/http"

	"linli/bus"
	"linli/devices"
)

var placeRoutes = []route{{
	method: "GET", path: "/api/v1/communities/{id}/tree", area: "registry", about: "A community with its estates, buildings and units, and what is in each",
	may: staff, whose: aCommunity, out: communityTree{}, handle: (*Server).tree,
}}

type (
	// contents counts what is in a place and below it.
	contents struct {
		Devices int `json:"devices"` // active
		Alerts  int `json:"alerts"`  // not closed
	}
	communityTree struct {
		ID   string       `json:"id"`
		Name devices.Text `json:"name"`
		contents
		Estates []estateTree `json:"estates"`
	}
	estateTree struct {
		ID   string       `json:"id"`
		Name devices.Text `json:"name"`
		contents
		Buildings []buildingTree `json:"buildings"`
	}
	buildingTree struct {
		ID string `json:"id"`
		contents
		Units []unitTree `json:"units"`
	}
	unitTree struct {
		ID string `json:"id"`
		contents
	}
)

// tree counts by place. The devices of a place are those that /api/v1/devices lists for it.
func (s *Server) tree(w http.ResponseWriter, r *http.Request) error {
	c := s.Registry.Community(r.PathValue("id"))
	in := map[devices.Place]contents{}
	count := func(p devices.Place, device, alert int) {
		p.Zone = ""
		for _, at := range levels(p) {
			n := in[at]
			in[at] = contents{n.Devices + device, n.Alerts + alert}
		}
	}
	for _, d := range s.Registry.Devices() {
		if d.Community == c.ID && d.State == devices.Active {
			count(d.Place, 1, 0)
		}
	}
	for _, a := range s.board.list(func(a *bus.Alert) bool { return a.Community == c.ID && a.State != bus.Closed }) {
		count(a.Place, 0, 1)
	}
	body := communityTree{ID: c.ID, Name: c.Name, contents: in[devices.Place{}], Estates: []estateTree{}}
	for _, e := range c.Estates {
		estate := estateTree{ID: e.ID, Name: e.Name, contents: in[devices.Place{Estate: e.ID}], Buildings: []buildingTree{}}
		for _, b := range e.Buildings {
			building := buildingTree{ID: b.ID, contents: in[devices.Place{Estate: e.ID, Building: b.ID}], Units: []unitTree{}}
			for _, u := range b.Units {
				building.Units = append(building.Units, unitTree{u, in[devices.Place{Estate: e.ID, Building: b.ID, Unit: u}]})
			}
			estate.Buildings = append(estate.Buildings, building)
		}
		body.Estates = append(body.Estates, estate)
	}
	return reply(w, http.StatusOK, body)
}

// levels are a place and those around it, up to the community.
func levels(p devices.Place) []devices.Place {
	all := []devices.Place{{}}
	for _, at := range []devices.Place{{Estate: p.Estate}, {Estate: p.Estate, Building: p.Building}, p} {
		if at != all[len(all)-1] {
			all = append(all, at)
		}
	}
	return all
}
