package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"linli/people"
)

// shownRota is a rota with who is on duty now.
type shownRota struct {
	people.Rota
	OnDuty []string `json:"on_duty"`
}

func rotaPath(id, what string) string { return "/api/v1/rotas/" + url.PathEscape(id) + what }

func overrideRota(fs *flag.FlagSet) action {
	off := fs.String("off", "", "who is relieved (`id`); everybody on shift when left out")
	on := fs.String("on", "", "who stands in (`id`); nobody when left out")
	return changeShifts(fs, func() (people.Override, error) {
		if *off == "" && *on == "" {
			return people.Override{}, usage("--off or --on is missing")
		}
		return people.Override{Off: *off, On: *on}, nil
	})
}

func swapRota(fs *flag.FlagSet) action {
	pair := fs.String("people", "", "the two who swap (`ID,ID`)")
	return changeShifts(fs, func() (people.Override, error) {
		two := split(*pair)
		if len(two) != 2 {
			return people.Override{}, usage("--people: %q is not two people", *pair)
		}
		return people.Override{Off: two[0], On: two[1], Swap: true}, nil
	})
}

// changeShifts changes who is on duty from one moment to another.
func changeShifts(fs *flag.FlagSet, change func() (people.Override, error)) action {
	from := fs.String("from", "", "`time`: 2026-02-01, 2026-02-01T08:00 (both of the clock here) or RFC 3339; now when left out")
	to := fs.String("to", "", "`time` of its end, in the same way")
	note := fs.String("note", "", "why")
	return func(ctx context.Context, s *session, args []string) error {
		if err := errors.Join(exactly(args, "ID"), required("to", *to)); err != nil {
			return err
		}
		o, err := change()
		if err != nil {
			return err
		}
		o.Note = *note
		if o.From, err = moment(*from); err != nil {
			return usage("--from: %v", err)
		}
		if o.To, err = moment(*to); err != nil {
			return usage("--to: %v", err)
		}
		var r shownRota
		if err := s.Call(ctx, "POST", rotaPath(args[0], "/overrides"), o, &r); err != nil {
			return err
		}
		return s.print(r, func(w io.Writer) { fmt.Fprintf(w, "on duty now: %s\n", strings.Join(r.OnDuty, ", ")) })
	}
}

// noteRota leaves a note to the next shift, or prints those that were left.
func noteRota(fs *flag.FlagSet) action {
	text := fs.String("text", "", "what the next shift is to know; when left out, the notes are printed")
	by := fs.String("by", "", "`name` of who leaves it; a user's token says so itself")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		method, path, body := "GET", rotaPath(args[0], ""), any(nil)
		if *text != "" {
			method, path, body = "POST", rotaPath(args[0], "/notes"), map[string]string{"text": *text, "by": *by}
		}
		var r shownRota
		if err := s.Call(ctx, method, path, body, &r); err != nil {
			return err
		}
		return s.print(r, func(w io.Writer) {
			for _, n := range r.Notes {
				fmt.Fprintf(w, "%s\t%s\t%s\n", n.At.Local().Format(time.RFC3339), n.By, n.Text)
			}
		})
	}
}

func rotaCalendar(fs *flag.FlagSet) action {
	from := fs.String("from", "", "`time`; now when left out")
	to := fs.String("to", "", "`time`; two weeks later when left out")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		span := []string{"from", *from, "to", *to}
		for i := 1; i < len(span); i += 2 {
			if span[i] == "" {
				continue
			}
			at, err := moment(span[i])
			if err != nil {
				return usage("--%s: %v", span[i-1], err)
			}
			span[i] = at.Format(time.RFC3339)
		}
		var v struct {
			Shifts []people.Shift    `json:"shifts"`
			Names  map[string]string `json:"names"`
		}
		if err := s.Call(ctx, "GET", rotaPath(args[0], "/calendar")+query(span...), nil, &v); err != nil {
			return err
		}
		return s.print(v, func(w io.Writer) {
			for _, shift := range v.Shifts {
				who := "nobody"
				if len(shift.People) > 0 {
					who = strings.Join(shift.People, ", ")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", shift.From.Format(time.RFC3339), shift.To.Format(time.RFC3339), who)
			}
		})
	}
}

func listRotas(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var all struct {
			Rotas []shownRota `json:"rotas"`
		}
		if err := s.Call(ctx, "GET", "/api/v1/rotas"+query("community", *community), nil, &all); err != nil {
			return err
		}
		return s.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tCOMMUNITY\tROLE\tON DUTY")
			for _, r := range all.Rotas {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.ID, r.Community, r.Role, strings.Join(r.OnDuty, ", "))
			}
		})
	}
}
