package web

import (
	"net/http"
	"slices"

	"linli/bus"
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

// deliveries are in the order in which they were made.
func (s *Server) deliveries(w http.ResponseWriter, r *http.Request) error {
	a, err := s.findAlert(r.Context(), r.URL.Query().Get("alert"))
	if err != nil {
		return err
	}
	all, err := s.deliveriesOf(r.Context(), a.ID)
	if err != nil {
		return err
	}
	all = s.deliveriesFor(principal(r), a, all)
	slices.SortStableFunc(all, func(x, y bus.Delivery) int { return x.Created.Compare(y.Created) })
	return reply(w, http.StatusOK, deliveryList{list(all)})
}
