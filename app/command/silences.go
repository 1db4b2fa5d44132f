package command

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

const silencesPath = "/api/v1/silences"

// silence keeps people from being told of the alerts that match.
type silence struct {
	ID          string     `json:"id"`
	Match       match      `json:"match"`
	Reason      string     `json:"reason"`
	By          string     `json:"by"`
	Until       time.Time  `json:"until"`
	Safety      bool       `json:"safety,omitempty"`
	ConfirmBy   time.Time  `json:"confirm_by,omitzero"`
	ConfirmedBy string     `json:"confirmed_by,omitempty"`
	EndedAt     *time.Time `json:"ended_at,omitempty"`
}

type match struct {
	Community string `json:"community"`
	Device    string `json:"device,omitempty"`
	Person    string `json:"person,omitempty"`
	Rule      string `json:"rule,omitempty"`
	Category  string `json:"category,omitempty"`
	Severity  string `json:"severity,omitempty"`
}

func (m match) String() string {
	return strings.Join(strings.Fields(strings.Join([]string{m.Device, m.Person, m.Rule, m.Category, m.Severity}, " ")), " ")
}

func addSilence(fs *flag.FlagSet) action {
	var m match
	fs.StringVar(&m.Community, "community", "", "`id` of the community")
	fs.StringVar(&m.Device, "device", "", "only of this device (`id`)")
	fs.StringVar(&m.Person, "person", "", "only of this person (`id`)")
	fs.StringVar(&m.Rule, "rule", "", "only of this rule (`id`)")
	fs.StringVar(&m.Category, "category", "", "only of this `category` of rules")
	fs.StringVar(&m.Severity, "severity", "", "only of this `severity`")
	reason := fs.String("reason", "", "why; everybody sees it")
	length := fs.Duration("for", 30*time.Minute, "how long, up to 24h")
	safety := fs.Bool("safety", false, "life-safety as well, of one device or person; has no effect until somebody else confirms it")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		if err := required("community", m.Community, "reason", *reason); err != nil {
			return err
		}
		body := map[string]any{"match": m, "reason": *reason, "until": time.Now().Add(*length), "safety": *safety}
		var h silence
		if err := s.Call(ctx, "POST", silencesPath, body, &h); err != nil {
			return err
		}
		return s.print(h, func(w io.Writer) { fmt.Fprintf(w, "silence %s %s\n", h.ID, h.state()) })
	}
}

func listSilences(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var all struct {
			Holds []silence `json:"holds"`
		}
		if err := s.Call(ctx, "GET", silencesPath+query("community", *community), nil, &all); err != nil {
			return err
		}
		return s.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tCOMMUNITY\tOF\tBY\tREASON\tSTATE")
			for _, h := range all.Holds {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", h.ID, h.Match.Community, h.Match, h.By, h.Reason, h.state())
			}
		})
	}
}

func confirmSilence(*flag.FlagSet) action { return changeSilence("POST", "/confirm") }

func endSilence(*flag.FlagSet) action { return changeSilence("DELETE", "") }

func changeSilence(method, tail string) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		var h silence
		if err := s.Call(ctx, method, silencesPath+"/"+url.PathEscape(args[0])+tail, nil, &h); err != nil {
			return err
		}
		return s.print(h, func(w io.Writer) { fmt.Fprintf(w, "silence %s %s\n", h.ID, h.state()) })
	}
}

// state is how far it has come, in words.
func (h *silence) state() string {
	switch {
	case h.EndedAt != nil:
		return "ended " + h.EndedAt.Local().Format(time.RFC3339)
	case h.Safety && h.ConfirmedBy == "":
		return "has no effect: somebody else is to confirm it by " + h.ConfirmBy.Local().Format(time.RFC3339)
	case h.Safety:
		return fmt.Sprintf("of life-safety too, confirmed by %s, until %s", h.ConfirmedBy, h.Until.Local().Format(time.RFC3339))
	}
	return "until " + h.Until.Local().Format(time.RFC3339)
}
