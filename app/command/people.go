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

	"go.yaml.in/yaml/v3"

	"linli/people"
)

func importPeople(fs *flag.FlagSet) action {
	dryRun := fs.Bool("dry-run", false, "only list the mistakes and what would change")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "FILE.yaml"); err != nil {
			return err
		}
		f, err := s.file(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		path := "/api/v1/people/import"
		if *dryRun {
			path += "?dry_run=1"
		}
		var r people.Report
		failed := s.Send(ctx, "POST", path, "application/yaml", f, &r)
		var errs []error
		for _, b := range r.Bad {
			errs = append(errs, fmt.Errorf("%s:%s", args[0], b))
		}
		errs = append(errs, failed)
		fmt.Fprintf(s.env.ErrOut, "%d changed, %d unchanged, %d mistakes\n", len(r.Changes), r.Unchanged, r.BadFields)
		return errors.Join(append(errs, s.print(r, func(w io.Writer) {
			for _, c := range r.Changes {
				what := strings.Join(c.Fields, ", ")
				if c.Added {
					what = "new"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.Kind, c.ID, what)
			}
		}))...)
	}
}

func exportPeople(fs *flag.FlagSet) action { return export(fs, "/api/v1/people") }

func exportRotas(fs *flag.FlagSet) action { return export(fs, "/api/v1/rotas") }

// export prints a list of the API as import reads it.
func export(fs *flag.FlagSet, path string) action {
	community := fs.String("community", "", "only of this community (`id`)")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var all people.File
		if err := s.Call(ctx, "GET", path+query("community", *community), nil, &all); err != nil {
			return err
		}
		var failed error
		err := s.print(all, func(w io.Writer) { failed = yaml.NewEncoder(w).Encode(all) })
		return errors.Join(err, failed)
	}
}

func checkPeople(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var all struct {
			Problems []people.Problem `json:"problems"`
		}
		if err := s.Call(ctx, "GET", "/api/v1/people/problems"+query("community", *community), nil, &all); err != nil {
			return err
		}
		return s.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "COMMUNITY\tWHO\tPROBLEM\tWHAT")
			for _, p := range all.Problems {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Community, p.Person+p.Rota, p.Code, p.Text.EN)
			}
		})
	}
}

func setAway(fs *flag.FlagSet) action {
	until := fs.String("until", "", "`date` (2026-02-01: its first minute here) or RFC 3339; until ended when left out")
	end := fs.Bool("end", false, "back again")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		method, body := "POST", map[string]any{}
		if *end {
			method = "DELETE"
		}
		if *until != "" {
			at, err := moment(*until)
			if err != nil || *end {
				return usage("--until: %q is not a date, or not to be given with --end", *until)
			}
			body["until"] = at
		}
		var p people.Entry
		if err := s.Call(ctx, method, "/api/v1/people/"+url.PathEscape(args[0])+"/away", body, &p); err != nil {
			return err
		}
		return s.print(p, func(w io.Writer) {
			switch {
			case !p.Away:
				fmt.Fprintf(w, "%s is not away\n", p.ID)
			case p.AwayUntil == nil:
				fmt.Fprintf(w, "%s is away\n", p.ID)
			default:
				fmt.Fprintf(w, "%s is away until %s\n", p.ID, p.AwayUntil.Format(time.RFC3339))
			}
		})
	}
}
