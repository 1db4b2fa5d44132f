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

type text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

type community struct {
	ID       string `json:"id"`
	Name     text   `json:"name"`
	Timezone string `json:"timezone,omitempty"`
}

func addCommunity(fs *flag.FlagSet) action {
	var c community
	fs.StringVar(&c.ID, "id", "", "`id` of the community")
	fs.StringVar(&c.Name.ZH, "name", "", "`name`")
	fs.StringVar(&c.Name.EN, "name-en", "", "English `name`, if it has another")
	fs.StringVar(&c.Timezone, "timezone", "", "IANA `name`; Asia/Shanghai when left out")
	return func(ctx context.Context, s *session, args []string) error {
		if err := errors.Join(exactly(args), required("id", c.ID, "name", c.Name.ZH)); err != nil {
			return err
		}
		if c.Name.EN == "" {
			c.Name.EN = c.Name.ZH
		}
		if err := s.Call(ctx, "POST", "/api/v1/communities", c, &c); err != nil {
			return err
		}
		return s.print(c, func(w io.Writer) { fmt.Fprintf(w, "community %s is registered\n", c.ID) })
	}
}

func listCommunities(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var list struct {
			Communities []community `json:"communities"`
		}
		if err := s.Call(ctx, "GET", "/api/v1/communities", nil, &list); err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tNAME\tENGLISH")
			for _, c := range list.Communities {
				fmt.Fprintf(w, "%s\t%s\t%s\n", c.ID, c.Name.ZH, c.Name.EN)
			}
		})
	}
}

// communityFile is communities as the API has them: import and export pass on whatever they have.
type communityFile struct {
	Communities []map[string]any `json:"communities" yaml:"communities"`
}

func importCommunities(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "FILE.yaml"); err != nil {
			return err
		}
		f, err := s.file(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		var all communityFile
		decoder := yaml.NewDecoder(f)
		decoder.KnownFields(true)
		if err := decoder.Decode(&all); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		for i, c := range all.Communities {
			id, _ := c["id"].(string)
			if id == "" {
				return fmt.Errorf("%s: community %d has no id", args[0], i+1)
			}
			if err := s.Call(ctx, "PUT", "/api/v1/communities/"+url.PathEscape(id), c, &c); err != nil {
				return fmt.Errorf("%s: community %s: %w", args[0], id, err)
			}
			fmt.Fprintf(s.env.ErrOut, "community %s is registered\n", id)
		}
		return nil
	}
}

func exportCommunities(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var all communityFile
		if err := s.Call(ctx, "GET", "/api/v1/communities", nil, &all); err != nil {
			return err
		}
		var failed error
		err := s.print(all, func(w io.Writer) { failed = yaml.NewEncoder(w).Encode(all) })
		return errors.Join(err, failed)
	}
}
