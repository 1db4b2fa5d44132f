package command

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const alertsPath = "/api/v1/alerts"

type alert struct {
	ID        string    `json:"id"`
	Rule      string    `json:"rule"`
	Severity  string    `json:"severity"`
	State     string    `json:"state"`
	Community string    `json:"community"`
	Device    string    `json:"device"`
	OpenedAt  time.Time `json:"opened_at"`
	AckedBy   string    `json:"acked_by,omitempty"`
	Text      struct {
		ZH string `json:"zh"`
		EN string `json:"en"`
	} `json:"text"`
}

func listAlerts(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	device := fs.String("device", "", "only of this device (`id`)")
	state := fs.String("state", "", "only in this `state`: opened, acknowledged, cleared or closed; empty: all that are not closed")
	limit := fs.Int("limit", 1000, "at most `so many` of each state")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		states := []string{"opened", "acknowledged", "cleared"}
		if *state != "" {
			states = []string{*state}
		}
		var all struct {
			Alerts []alert `json:"alerts"`
		}
		for _, state := range states { // all at once would be cut off by those that are closed
			var some struct {
				Alerts []alert `json:"alerts"`
			}
			q := query("community", *community, "device", *device, "state", state, "limit", strconv.Itoa(*limit))
			if err := s.Call(ctx, "GET", alertsPath+q, nil, &some); err != nil {
				return err
			}
			all.Alerts = append(all.Alerts, some.Alerts...)
		}
		slices.SortStableFunc(all.Alerts, func(a, b alert) int { return b.OpenedAt.Compare(a.OpenedAt) })
		return s.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tSINCE\tSEVERITY\tSTATE\tBY\tCOMMUNITY\tDEVICE\tWHAT")
			for _, a := range all.Alerts {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
					a.ID, a.OpenedAt.Local().Format(time.DateTime), a.Severity, a.State, a.AckedBy, a.Community, a.Device, s.inWords(a.Text.ZH, a.Text.EN))
			}
		})
	}
}

func acknowledgeAlert(fs *flag.FlagSet) action {
	note := fs.String("note", "", "`text` that everybody sees")
	return func(ctx context.Context, s *session, args []string) error {
		return s.actOn(ctx, args, "acknowledge", map[string]any{"note": *note})
	}
}

func closeAlert(fs *flag.FlagSet) action {
	note := fs.String("note", "", "`text` that everybody sees")
	disposition := fs.String("disposition", "", "how it `ended`, which an emergency must say: helped, false_press, test, false_detection, no_access_escalated_120 or duplicate")
	return func(ctx context.Context, s *session, args []string) error {
		return s.actOn(ctx, args, "close", map[string]any{"note": *note, "disposition": *disposition})
	}
}

// actOn does something to an alert and prints what it is then.
func (s *session) actOn(ctx context.Context, args []string, kind string, body map[string]any) error {
	if err := exactly(args, "ID"); err != nil {
		return err
	}
	var a alert
	if err := s.Call(ctx, "POST", alertsPath+"/"+url.PathEscape(args[0])+"/"+kind, body, &a); err != nil {
		return err
	}
	return s.print(a, func(w io.Writer) {
		fmt.Fprintf(w, "%s is %s: %s\n", a.ID, a.State, s.inWords(a.Text.ZH, a.Text.EN))
	})
}

// inWords is a text in the language of the terminal.
func (s *session) inWords(zh, en string) string {
	if lang, _ := s.env.Lookup("LANG"); strings.HasPrefix(lang, "zh") {
		return zh
	}
	return en
}

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
		if err := s.Call(ctx, "GET", alertsPath+"/"+url.PathEscape(args[0])+"/why", nil, &v); err != nil {
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
