package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
)

type (
	// whyView answers why somebody was told of an alert or was not, in the order in which that was decided.
	whyView struct {
		Alert string     `json:"alert"`
		Rule  string     `json:"rule"`
		Plan  string     `json:"plan,omitempty"`
		Why   []whyEntry `json:"why"`
	}
	// whyEntry is one recipient of one thing that happened.
	whyEntry struct {
		N          int           `json:"n"`
		Event      string        `json:"event"`
		At         time.Time     `json:"at"`
		Who        string        `json:"who"` // person:ID, or duty
		Name       string        `json:"name,omitempty"`
		Target     string        `json:"target"` // of the plan
		Round      int           `json:"round"`
		Step       int           `json:"step"`
		Told       bool          `json:"told"`
		Held       string        `json:"held,omitempty"` // why not
		Until      *time.Time    `json:"until,omitempty"`
		Deliveries []whyDelivery `json:"deliveries"`
	}
	whyDelivery struct {
		ID       string            `json:"id"`
		Channel  string            `json:"channel"`
		To       string            `json:"to,omitempty"`
		State    bus.DeliveryState `json:"state"`
		Attempts int               `json:"attempts"`
		Error    string            `json:"error,omitempty"`
		Within   *bus.DeliveryRef  `json:"within,omitempty"`   // the delivery in whose message it was told
		Contains []bus.DeliveryRef `json:"contains,omitempty"` // those that were told in its message
		Updated  time.Time         `json:"updated"`
	}
)

func (s *Server) why(w http.ResponseWriter, r *http.Request) error {
	a, err := s.findAlert(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	deliveries, err := s.deliveriesOf(r.Context(), a.ID)
	if err != nil {
		return err
	}
	view := whyView{Alert: a.ID, Rule: a.Rule, Why: []whyEntry{}}
	if a.Escalation != nil {
		view.Plan = a.Escalation.Plan
	}
	for n := max(1, a.Events-maxEvents+1); n <= a.Events; n++ {
		e, err := s.alertEvent(r.Context(), a.ID, n)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		for i := range e.Tell {
			view.Why = append(view.Why, explain(e, &e.Tell[i], deliveries))
		}
	}
	return reply(w, http.StatusOK, view)
}

func explain(e *bus.AlertEvent, r *bus.Recipient, deliveries []bus.Delivery) whyEntry {
	x := whyEntry{
		N: e.N, Event: e.Kind, At: e.At, Who: r.Who(), Name: r.Name, Target: r.Target, Round: r.Round, Step: r.Step,
		Told: r.Held == "", Held: r.Held, Deliveries: []whyDelivery{},
	}
	if !r.Until.IsZero() {
		x.Until = &r.Until
	}
	for _, d := range deliveries {
		if d.N == e.N && d.Recipient.Who() == r.Who() {
			x.Deliveries = append(x.Deliveries, whyDelivery{d.ID, d.Channel, d.To, d.State, d.Attempts, d.Error, d.Within, d.Contains, d.Updated})
		}
	}
	return x
}

func (s *Server) deliveriesOf(ctx context.Context, alert string) (all []bus.Delivery, err error) {
	err = s.Bus.ReadAll(ctx, bus.Core, bus.AlertDeliveriesFilter(alert), func(m jetstream.Msg) error {
		var d bus.Delivery
		if err := json.Unmarshal(m.Data(), &d); err != nil {
			return fmt.Errorf("read %s: %w", m.Subject(), err)
		}
		all = append(all, d)
		return nil
	})
	return all, err
}
