package web

import (
	"net/http"
	"slices"

	"linli/bus"
	"linli/web/account"
)

var deliveryRoutes = []route{{
	method: "GET", path: "/api/v1/deliveries", area: "alerts", about: "Who was told of an alert, over which channel, and what became of it",
	may: everyone, whose: alertOfQuery, in: deliveryFilter{}, out: deliveryList{}, handle: (*Server).deliveries,
}}

type (
	deliveryFilter struct {
		Alert string `query:"alert" required:"true"`
	}
	deliveryList struct {
		Deliveries []bus.Delivery `json:"deliveries"`
	}
)

// alertOfQuery is the alert that a parameter names.
var alertOfQuery = whose{"alert", func(s *Server, r *http.Request) (owner, error) {
	id := r.URL.Query().Get("alert")
	a, err := s.findAlert(r.Context(), id)
	if err != nil {
		return owner{}, err
	}
	return s.ownerOfAlert(r, id, a)
}}

// deliveries are in the order in which they were made, without the bytes that were sent.
func (s *Server) deliveries(w http.ResponseWriter, r *http.Request) error {
	all, err := s.deliveriesOf(r.Context(), r.URL.Query().Get("alert"))
	if err != nil {
		return err
	}
	for i := range all {
		d := &all[i]
		d.Body = nil
		if !principal(r).Community(d.Community) {
			d.To, d.Recipient.Reach, d.Contains, d.Within = "", nil, nil, nil
		}
	}
	slices.SortStableFunc(all, func(x, y bus.Delivery) int { return x.Created.Compare(y.Created) })
	return reply(w, http.StatusOK, deliveryList{list(all)})
}

// discreet leaves out how others are reached for who looks after somebody, but not after the community.
func discreet(p *account.Principal, e *bus.AlertEvent) *bus.AlertEvent {
	if p.Community(e.Alert.Community) {
		return e
	}
	c := *e
	c.Tell = slices.Clone(e.Tell)
	for i := range c.Tell {
		c.Tell[i].Reach = nil
	}
	return &c
}
