package command

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// whyAlert lists who was told of an alert, who was not, and why.
func whyAlert(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		var v struct {
			Alert string `json:"alert"`
			Rule  string `json:"rule"`
			Plan  string `json:"plan"`
			Why   []struct {
				N          int       `json:"n"`
				Event      string    `json:"event"`
				At         time.Time `json:"at"`
				Who        string    `json:"who"`
				Name       string    `json:"name"`
				Target     string    `json:"target"`
				Held       string    `json:"held"`
				Until      time.Time `json:"until,omitzero"`
				Deliveries []struct {
					Channel string `json:"channel"`
					State   string `json:"state"`
					Error   string `json:"error,omitempty"`
				} `json:"deliveries"`
			} `json:"why"`
		}
		if err := s.Call(ctx, "GET", "/api/v1/alerts/"+args[0]+"/why", nil, &v); err != nil {
			return err
		}
		return s.print(v, func(w io.Writer) {
			for _, e := range v.Why {
				answer := "told"
				if e.Held != "" {
					answer = "not told: " + e.Held
				}
				if !e.Until.IsZero() {
					answer += " until " + e.Until.Format(time.RFC3339)
				}
				for _, d := range e.Deliveries {
					answer += strings.TrimRight(fmt.Sprintf("; %s %s %s", d.Channel, d.State, d.Error), " ")
				}
				fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\n", e.At.Format(time.RFC3339), e.Event, e.Who, e.Name, e.Target, answer)
			}
		})
	}
}
