package command

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// whyRules lists the rules of a device: whether each is in force, with what parameters, from where, and why not.
func whyRules(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "DEVICE"); err != nil {
			return err
		}
		var v struct {
			Rules []struct {
				Rule      string            `json:"rule"`
				Severity  string            `json:"severity"`
				InForce   bool              `json:"in_force"`
				Why       string            `json:"why,omitempty"`
				Params    map[string]string `json:"params"`
				Where     string            `json:"where"`
				Overrides []struct {
					Level   string `json:"level"`
					Where   string `json:"where"`
					Reason  string `json:"reason"`
					Disable bool   `json:"disable,omitempty"`
					Holds   bool   `json:"holds"`
				} `json:"overrides,omitempty"`
			} `json:"rules"`
		}
		if err := s.Call(ctx, "GET", "/api/v1/devices/"+args[0]+"/rules", nil, &v); err != nil {
			return err
		}
		return s.print(v, func(w io.Writer) {
			for _, r := range v.Rules {
				state := "in force"
				if !r.InForce {
					state = "no: " + r.Why
				}
				var params []string
				for _, key := range slices.Sorted(maps.Keys(r.Params)) {
					params = append(params, key+": "+r.Params[key])
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.Rule, r.Severity, r.Where, state, strings.Join(params, "; "))
				for _, o := range r.Overrides {
					holds := "overruled"
					if o.Holds {
						holds = "holds"
					}
					fmt.Fprintf(w, "\t%s\t%s\t%s\t%s\n", o.Level, o.Where, holds, o.Reason)
				}
			}
		})
	}
}
