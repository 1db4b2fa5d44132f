package command

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// deviceCommand is what a device was asked to do.
type deviceCommand struct {
	ID      string         `json:"id"`
	Command string         `json:"command"`
	Params  map[string]any `json:"params,omitempty"`
	By      string         `json:"by"`
	Asked   time.Time      `json:"asked_at"`
	Expires time.Time      `json:"expires_at"`
	State   string         `json:"state"`
	At      time.Time      `json:"at"`
	Reason  string         `json:"reason,omitempty"`
}

func (c *deviceCommand) settled() bool { return c.State != "queued" && c.State != "sent" }

const orderPause = 500 * time.Millisecond // between two looks at what became of it

// orderDevice asks a device to do something and waits until it is over.
func orderDevice(fs *flag.FlagSet) action {
	ttl := fs.Duration("ttl", 0, "how long it is kept for a device that does not answer; the usual `time` of the command when left out")
	key := fs.String("key", "", "the same `key` again is the same command")
	wait := fs.Bool("wait", true, "wait until it is done, failed or expired")
	return func(ctx context.Context, s *session, args []string) error {
		if len(args) < 2 {
			return exactly(args, "DEVICE", "COMMAND")
		}
		body := struct {
			Command string         `json:"command"`
			Params  map[string]any `json:"params,omitempty"`
			Seconds int            `json:"ttl_s,omitempty"`
		}{args[1], map[string]any{}, int(ttl.Seconds())}
		for _, pair := range args[2:] {
			name, value, ok := strings.Cut(pair, "=")
			if !ok {
				return usage("parameter %q: want NAME=VALUE", pair)
			}
			body.Params[name] = parameter(value)
		}
		var c deviceCommand
		s.Key = *key
		if err := s.Call(ctx, "POST", devicePath(args[0], "commands"), body, &c); err != nil {
			return err
		}
		for *wait && !c.settled() {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(orderPause):
			}
			if err := s.look(ctx, args[0], &c); err != nil {
				return err
			}
		}
		if err := s.print(c, func(w io.Writer) { fmt.Fprintln(w, strings.TrimSpace(c.ID+"\t"+c.State+"\t"+c.Reason)) }); err != nil {
			return err
		}
		if c.State == "failed" || c.State == "expired" {
			return fmt.Errorf("the command %s: %s", c.State, c.Reason)
		}
		return nil
	}
}

// parameter is a number, true, false or a text in quotes if it can be read so as JSON, else text.
func parameter(value string) any {
	var v any
	if err := json.Unmarshal([]byte(value), &v); err == nil {
		switch v.(type) {
		case float64, bool, string:
			return v
		}
	}
	return value
}

// look asks what has become of a command.
func (s *session) look(ctx context.Context, device string, c *deviceCommand) error {
	var list struct{ Commands []deviceCommand }
	if err := s.Call(ctx, "GET", devicePath(device, "commands"), nil, &list); err != nil {
		return err
	}
	for _, x := range list.Commands {
		if x.ID == c.ID {
			*c = x
		}
	}
	return nil
}

func listOrders(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "DEVICE"); err != nil {
			return err
		}
		var list struct {
			Commands []deviceCommand `json:"commands"`
		}
		if err := s.Call(ctx, "GET", devicePath(args[0], "commands"), nil, &list); err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) {
			fmt.Fprintln(w, "ASKED\tCOMMAND\tBY\tSTATE\tREASON\tID")
			for _, c := range list.Commands {
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", c.Asked.Format(time.RFC3339), c.Command, c.By, c.State, c.Reason, c.ID)
			}
		})
	}
}
