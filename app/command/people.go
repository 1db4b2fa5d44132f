package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"

	"go.yaml.in/yaml/v3"
)

type person struct {
	ID        string `json:"id" yaml:"id"`
	Community string `json:"community" yaml:"community"`
	Name      string `json:"name" yaml:"name"`
	Away      bool   `json:"away,omitempty" yaml:"away,omitempty"`
}

// people is a file of people.
type people struct {
	People []person `json:"people" yaml:"people"`
}

func importPeople(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "FILE.yaml"); err != nil {
			return err
		}
		f, err := s.file(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		var all people
		d := yaml.NewDecoder(f)
		d.KnownFields(true)
		if err := d.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		for i, p := range all.People {
			if err := s.Call(ctx, "PUT", "/api/v1/people/"+url.PathEscape(p.ID), p, &p); err != nil {
				return fmt.Errorf("%s: person %d, %q: %w; the %[2]d before are imported", args[0], i, p.ID, err)
			}
		}
		return s.print(all, func(w io.Writer) { fmt.Fprintf(w, "%d people imported\n", len(all.People)) })
	}
}

func exportPeople(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var all people
		if err := s.Call(ctx, "GET", "/api/v1/people"+query("community", *community), nil, &all); err != nil {
			return err
		}
		var failed error
		err := s.print(all, func(w io.Writer) { failed = yaml.NewEncoder(w).Encode(all) })
		return errors.Join(err, failed)
	}
}
