package command

import (
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
)

type place struct {
	Estate   string `json:"estate,omitempty"`
	Building string `json:"building,omitempty"`
	Unit     string `json:"unit,omitempty"`
	Zone     string `json:"zone,omitempty"`
}

func (p place) String() string {
	return strings.Trim(strings.Join([]string{p.Estate, p.Building, p.Unit, p.Zone}, "/"), "/")
}

type device struct {
	ID         string             `json:"id"`
	Community  string             `json:"community"`
	Type       string             `json:"type"`
	Name       string             `json:"name,omitempty"`
	Place      place              `json:"place,omitzero"`
	Tags       map[string]string  `json:"tags,omitempty"`
	Attributes map[string]float64 `json:"attributes,omitempty"`
	Gateway    string             `json:"gateway,omitempty"`
	Person     string             `json:"person,omitempty"`
	State      string             `json:"state,omitempty"`
}

// credentials are what is typed into a device.
type credentials struct {
	ID       string `json:"id"`
	Username string `json:"username"`
	Secret   string `json:"secret"`
	Topic    string `json:"topic"`
}

func (c credentials) print(s *session) error {
	return s.print(c, func(w io.Writer) {
		secret := c.Secret
		if secret == "" {
			secret = "(it has one already; linli devices rotate gives it another)"
		}
		fmt.Fprintf(w, "id\t%s\nusername\t%s\nsecret\t%s\ntopic\t%s\n", c.ID, c.Username, secret, c.Topic)
	})
}

func addDevice(fs *flag.FlagSet) action {
	d := device{Tags: map[string]string{}, Attributes: map[string]float64{}}
	fs.StringVar(&d.ID, "id", "", "`id` of the device, unique in the installation")
	fs.StringVar(&d.Community, "community", "", "`id` of its community")
	fs.StringVar(&d.Type, "type", "", "`id` of its type")
	fs.StringVar(&d.Name, "name", "", "`name`")
	fs.StringVar(&d.Place.Estate, "estate", "", "`id` of the estate it is in")
	fs.StringVar(&d.Place.Building, "building", "", "`id` of the building")
	fs.StringVar(&d.Place.Unit, "unit", "", "`id` of the unit")
	fs.StringVar(&d.Place.Zone, "zone", "", "`id` of the zone")
	fs.StringVar(&d.Gateway, "gateway", "", "`id` of the device that publishes for it")
	fs.StringVar(&d.Person, "person", "", "`id` of the person it belongs to")
	fs.Func("tag", "registry tag `NAME=VALUE`; can be repeated", func(v string) error {
		name, value, ok := strings.Cut(v, "=")
		if !ok {
			return errors.New("want NAME=VALUE")
		}
		d.Tags[name] = value
		return nil
	})
	fs.Func("attribute", "attribute `NAME=NUMBER`; can be repeated", func(v string) (err error) {
		name, value, _ := strings.Cut(v, "=")
		d.Attributes[name], err = strconv.ParseFloat(value, 64)
		return err
	})
	return func(ctx context.Context, s *session, args []string) error {
		if err := errors.Join(exactly(args), required("community", d.Community, "type", d.Type, "id", d.ID)); err != nil {
			return err
		}
		var c credentials
		if err := s.Call(ctx, "POST", "/api/v1/devices", d, &c); err != nil {
			return err
		}
		return c.print(s)
	}
}

func listDevices(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	kind := fs.String("type", "", "only of this type (`id`)")
	state := fs.String("state", "", "only in this `state`: active, revoked, replaced")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		all := struct {
			Devices []device `json:"devices"`
		}{[]device{}}
		for cursor := ""; ; {
			var page struct {
				Devices []device
				Next    string
			}
			path := "/api/v1/devices" + query("community", *community, "type", *kind, "state", *state, "limit", "5000", "cursor", cursor)
			if err := s.Call(ctx, "GET", path, nil, &page); err != nil {
				return err
			}
			all.Devices = append(all.Devices, page.Devices...)
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		return s.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tCOMMUNITY\tTYPE\tSTATE\tPLACE\tNAME")
			for _, d := range all.Devices {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", d.ID, d.Community, d.Type, d.State, d.Place, d.Name)
			}
		})
	}
}

func rotateDevice(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		var c credentials
		if err := s.Call(ctx, "POST", devicePath(args[0], "rotate"), nil, &c); err != nil {
			return err
		}
		return c.print(s)
	}
}

func revokeDevice(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "ID"); err != nil {
			return err
		}
		var d device
		if err := s.Call(ctx, "POST", devicePath(args[0], "revoke"), nil, &d); err != nil {
			return err
		}
		return s.print(d, func(w io.Writer) { fmt.Fprintf(w, "device %s is %s\n", d.ID, d.State) })
	}
}

func replaceDevice(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "OLD", "NEW"); err != nil {
			return err
		}
		var c credentials
		if err := s.Call(ctx, "POST", devicePath(args[0], "replace"), map[string]string{"with": args[1]}, &c); err != nil {
			return err
		}
		return c.print(s)
	}
}

func devicePath(id, action string) string {
	return "/api/v1/devices/" + url.PathEscape(id) + "/" + action
}

// importReport is the answer to an import of devices.
type importReport struct {
	DryRun    bool `json:"dry_run"`
	Rows      int  `json:"rows"`
	Added     int  `json:"added"`
	Unchanged int  `json:"unchanged"`
	BadCells  int  `json:"bad_cells"`
	Bad       []struct {
		Line   int    `json:"line"`
		Column string `json:"column,omitempty"`
		Value  string `json:"value,omitempty"`
		Reason string `json:"reason"`
	} `json:"bad,omitempty"`
	Issued []credentials `json:"issued,omitempty"`
}

func importDevices(fs *flag.FlagSet) action {
	dryRun := fs.Bool("dry-run", false, "only list the bad rows")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "FILE.csv"); err != nil {
			return err
		}
		f, err := s.file(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		path := "/api/v1/devices/import"
		if *dryRun {
			path += "?dry_run=1"
		}
		var r importReport
		failed := s.Send(ctx, "POST", path, "text/csv", f, &r)
		for _, b := range r.Bad {
			fmt.Fprintf(s.env.ErrOut, "%s:%d: %s\n", args[0], b.Line, strings.TrimSpace(b.Column+" "+quoted(b.Value)+" "+b.Reason))
		}
		fmt.Fprintf(s.env.ErrOut, "%d rows: %d added, %d unchanged, %d mistakes\n", r.Rows, r.Added, r.Unchanged, r.BadCells)
		return errors.Join(failed, r.print(s))
	}
}

// print prints the secrets as CSV: this is the only time they are shown.
func (r importReport) print(s *session) error {
	if s.json {
		return s.print(r, nil)
	}
	if len(r.Issued) == 0 {
		return nil
	}
	w := csv.NewWriter(s.env.Out)
	rows := [][]string{{"id", "username", "secret", "topic"}}
	for _, c := range r.Issued {
		rows = append(rows, []string{c.ID, c.Username, c.Secret, c.Topic})
	}
	return w.WriteAll(rows)
}

func quoted(v string) string {
	if v == "" {
		return ""
	}
	return strconv.Quote(v)
}
