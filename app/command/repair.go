package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

type reject struct {
	ID       string    `json:"id"`
	Received time.Time `json:"received_at"`
	Source   string    `json:"source"`
	Topic    string    `json:"topic"`
	Device   string    `json:"device"`
	Code     string    `json:"code"`
	Reason   string    `json:"reason"`
	Raw      []byte    `json:"raw_base64"`
}

type rejects struct {
	Rejects []reject `json:"rejects"`
	Next    string   `json:"next,omitempty"`
}

func listRejects(fs *flag.FlagSet) action {
	community := fs.String("community", "", "only of this community (`id`)")
	limit := fs.Int("limit", 100, "at most this `many`, up to 1000")
	before := fs.String("before", "", "only those before this `id`")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		var list rejects
		path := "/api/v1/rejects" + query("community", *community, "limit", strconv.Itoa(*limit), "before", *before)
		if err := s.Call(ctx, "GET", path, nil, &list); err != nil {
			return err
		}
		return s.print(list, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tRECEIVED\tTOPIC\tREASON")
			for _, r := range list.Rejects {
				fmt.Fprintf(w, "%s\t%s\t%q\t%s\n", r.ID, r.Received.Local().Format(time.DateTime), r.Topic, r.Reason)
			}
		})
	}
}

func replayRejects(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if len(args) == 0 {
			return usage("ID is missing")
		}
		type request struct {
			ID    string `json:"id"`
			State string `json:"state"`
		}
		done := struct {
			Rejects []request `json:"rejects"`
		}{[]request{}}
		var errs []error
		for _, id := range args {
			var r request
			if err := s.Call(ctx, "POST", "/api/v1/rejects/"+url.PathEscape(id)+"/replay", nil, &r); err != nil {
				errs = append(errs, err)
				continue
			}
			done.Rejects = append(done.Rejects, r)
		}
		err := s.print(done, func(w io.Writer) {
			for _, r := range done.Rejects {
				fmt.Fprintf(w, "reject %s is %s\n", r.ID, r.State)
			}
		})
		return errors.Join(append(errs, err)...)
	}
}

func importReadings(*flag.FlagSet) action {
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args, "FILE"); err != nil {
			return err
		}
		f, err := s.file(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		var stored struct {
			Lines int `json:"lines"`
		}
		if err := s.Send(ctx, "POST", "/api/v1/readings/import", "text/plain; charset=utf-8", f, &stored); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
		return s.print(stored, func(w io.Writer) { fmt.Fprintf(w, "%d lines stored\n", stored.Lines) })
	}
}

// rebuildStatus is what store says of a rebuild.
type rebuildStatus struct {
	ID       string `json:"id"`
	State    string `json:"state"` // queued, running or done
	Messages int    `json:"messages"`
	Bytes    int64  `json:"bytes"`
}

// rebuildPause is how often the state of a rebuild is asked for.
const rebuildPause = 500 * time.Millisecond

func rebuild(fs *flag.FlagSet) action {
	wait := fs.Bool("wait", true, "return when it is done")
	return func(ctx context.Context, s *session, args []string) error {
		if err := exactly(args); err != nil {
			return err
		}
		status := rebuildStatus{State: "queued"}
		if err := s.Call(ctx, "POST", "/api/v1/rebuild", nil, &status); err != nil {
			return err
		}
		if *wait {
			if err := status.follow(ctx, s); err != nil {
				return err
			}
		}
		return s.print(status, func(w io.Writer) {
			fmt.Fprintf(w, "rebuild %s is %s: %d messages, %d bytes\n", status.ID, status.State, status.Messages, status.Bytes)
		})
	}
}

// follow waits until the rebuild is done. One that store cannot do now goes on when store can.
func (r *rebuildStatus) follow(ctx context.Context, s *session) error {
	tick := time.NewTicker(rebuildPause)
	defer tick.Stop()
	for {
		var now rebuildStatus
		err := s.Call(ctx, "GET", "/api/v1/rebuild", nil, &now)
		var missing *ServerError
		if err != nil && !(errors.As(err, &missing) && missing.Code == "not_found") {
			return err
		}
		if now.ID == r.ID && now.State == "done" {
			*r = now
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
