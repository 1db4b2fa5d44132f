package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strings"
)

type user struct {
	Name        string   `json:"name"`
	Display     string   `json:"display,omitempty"`
	Role        string   `json:"role"`
	Communities []string `json:"communities,omitempty"`
	Elders      []string `json:"elders,omitempty"`
	Person      string   `json:"person,omitempty"`
	Disabled    bool     `json:"disabled,omitempty"`
}

type userList struct {
	Users []user `json:"users"`
}

// issued is a password, shown this once.
type issued struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

func (p issued) print(s *session) error {
	return s.print(p, func(w io.Writer) {
		fmt.Fprintf(w, "user\t%s\npassword\t%s\t(shown this once, to be changed at the first login)\n", p.User, p.Password)
	})
}

func addUser(fs *flag.FlagSet) action {
	var u user
	fs.StringVar(&u.Name, "name", "", "login `name`")
	fs.StringVar(&u.Display, "display", "", "`name` as shown")
	fs.StringVar(&u.Role, "role", "", "`role`: admin, manager, duty, caretaker, family or auditor")
	communities := fs.String("communities", "", "comma `list` of the communities they reach, or *")
	elders := fs.String("elders", "", "comma `list` of the elders they look after, by person id")
	fs.StringVar(&u.Person, "person", "", "`id` of who they are among the people")
	return func(ctx context.Context, s *session, args []string) error {
		if err := errors.Join(exactly(args), required("name", u.Name, "role", u.Role)); err != nil {
			return err
		}
		u.Communities, u.Elders = split(*communities), split(*elders)
		var p issued
		if err := s.Call(ctx, "POST", "/api/v1/users", u, &p); err != nil {
			return err
		}
		return p.print(s)
	}
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' })
}

func (s *session) users(ctx context.Context) (all userList, err error) {
	err = s.Call(ctx, "GET", "/api/v1/users", nil, &all)
	return all, err
}

func listUsers(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		all, err := s.users(ctx)
		if err != nil {
			return err
		}
		return s.print(all, func(w io.Writer) {
			fmt.Fprintln(w, "NAME\tROLE\tCOMMUNITIES\tELDERS\tSTATE")
			for _, u := range all.Users {
				state := "active"
				if u.Disabled {
					state = "disabled"
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", u.Name, u.Role, strings.Join(u.Communities, ","), strings.Join(u.Elders, ","), state)
			}
		})
	}
}

func disableUser(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "NAME"); err != nil {
			return err
		}
		all, err := s.users(ctx)
		if err != nil {
			return err
		}
		for _, u := range all.Users {
			if u.Name != args[0] {
				continue
			}
			u.Disabled = true
			if err := s.Call(ctx, "PUT", "/api/v1/users/"+url.PathEscape(u.Name), u, &u); err != nil {
				return err
			}
			return s.print(u, func(w io.Writer) { fmt.Fprintf(w, "user %s is disabled, and their sessions have ended\n", u.Name) })
		}
		return fmt.Errorf("user %q does not exist", args[0])
	}
}

func resetPassword(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "NAME"); err != nil {
			return err
		}
		var p issued
		if err := s.Call(ctx, "POST", "/api/v1/users/"+url.PathEscape(args[0])+"/reset-password", nil, &p); err != nil {
			return err
		}
		return p.print(s)
	}
}
