package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"linli/app/command"
	"linli/bus"
	"linli/devices"
	"linli/devices/simulate"
	"linli/people"
	"linli/seeds"
)

const (
	alertLimit = 30 * time.Second // how long the alerts of a scenario may take
	alertCalm  = 2 * time.Second  // how long nothing may change before that is the verdict
	alertPause = 100 * time.Millisecond
)

func listScenarios(out io.Writer) error {
	all, err := simulate.Scenarios()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, s := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.ID, s.Length, s.Name.ZH, s.Name.EN)
	}
	return t.Flush()
}

// stage is a running server on which a scenario is performed.
type stage struct {
	*command.Client
	*simulate.Scenario
	secrets map[string]string // by device
}

// performScenario plays a scenario as if it ended now, waits for its alerts and prints them. The error says how they differ from
// those that must come.
func performScenario(ctx context.Context, id string, client *command.Client, cfg simulate.Config, out io.Writer) error {
	scenario, err := simulate.ScenarioByID(id)
	if err != nil {
		return err
	}
	if err := client.Open(os.LookupEnv); err != nil {
		return err
	}
	s := &stage{client, scenario, map[string]string{}}
	if err := s.register(ctx); err != nil {
		return fmt.Errorf("register the devices of %s: %w", id, err)
	}
	cfg.Credentials = func(device string) string { return s.secrets[device] }
	start := time.Now().Add(-s.Length).Truncate(time.Millisecond)
	fmt.Fprintf(out, "%s %s\n%s\nas if it had begun at %s\n\n", s.Name.ZH, s.Name.EN, s.Story.EN, start.Format(time.RFC3339Nano))
	if err := s.Perform(ctx, cfg, start); err != nil {
		return err
	}
	raised, err := s.await(ctx, start)
	if err != nil {
		return err
	}
	printRaised(out, start, raised)
	if wrong := s.Judge(start, raised); len(wrong) > 0 {
		errs := []error{fmt.Errorf("scenario %s did not come out as it must", id)}
		for _, w := range wrong {
			errs = append(errs, errors.New(w))
		}
		return errors.Join(errs...)
	}
	fmt.Fprintf(out, "\nas it must be: %d alerts that must come, none of %d that must not\n", len(s.Expect.Opened), len(s.Expect.Never))
	return nil
}

// register makes sure that the server knows the community, the people and the devices. Who is known already stays as they are
// there, with their circle. What an earlier play has left open is closed, so that this one is an episode of its own.
func (s *stage) register(ctx context.Context) error {
	if err := s.addCommunity(ctx); err != nil {
		return err
	}
	var known people.File
	if err := s.Call(ctx, "GET", "/api/v1/people?community="+url.QueryEscape(s.Community), nil, &known); err != nil {
		return err
	}
	for _, p := range s.People {
		if slices.ContainsFunc(known.People, func(e people.Entry) bool { return e.ID == p.ID }) {
			continue
		}
		if err := s.Call(ctx, "PUT", "/api/v1/people/"+url.PathEscape(p.ID), p, &p); err != nil {
			return err
		}
	}
	for _, d := range s.Devices {
		var c struct{ Secret string }
		if err := s.Call(ctx, "POST", "/api/v1/devices", addition(d), &c); err != nil {
			return err
		}
		if c.Secret == "" { // it has been here before
			if err := s.silent(ctx, d.ID); err != nil {
				return err
			}
			if err := s.Call(ctx, "POST", "/api/v1/devices/"+url.PathEscape(d.ID)+"/rotate", nil, &c); err != nil {
				return err
			}
		}
		s.secrets[d.ID] = c.Secret
	}
	return s.closeOpen(ctx)
}

func (s *stage) addCommunity(ctx context.Context) error {
	var known struct{ Communities []devices.Community }
	if err := s.Call(ctx, "GET", "/api/v1/communities", nil, &known); err != nil {
		return err
	}
	if slices.ContainsFunc(known.Communities, func(c devices.Community) bool { return c.ID == s.Community }) {
		return nil
	}
	all, err := seeds.Load()
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.ID == s.Community {
			return s.Call(ctx, "POST", "/api/v1/communities", c.Community, &c.Community)
		}
	}
	return fmt.Errorf("community %q is not registered", s.Community)
}

// addition is what the API wants to know of a new device.
func addition(d devices.Device) any {
	return map[string]any{
		"id": d.ID, "community": d.Community, "type": d.Type, "name": d.Name, "place": d.Place, "tags": d.Tags,
		"attributes": d.Attributes, "gateway": d.Gateway, "person": d.Person,
	}
}

// silent refuses a play that would begin before the end of the last one: readings would be older than those that were judged.
func (s *stage) silent(ctx context.Context, device string) error {
	var d struct{ Values []struct{ Time time.Time } }
	if err := s.Call(ctx, "GET", "/api/v1/devices/"+url.PathEscape(device), nil, &d); err != nil {
		return err
	}
	for _, v := range d.Values {
		if again := v.Time.Add(s.Length); again.After(time.Now()) {
			return fmt.Errorf("%s was played up to %s; it is %s long and can be played again from %s on",
				s.ID, v.Time.Local().Format(time.TimeOnly), s.Length, again.Local().Format(time.TimeOnly))
		}
	}
	return nil
}

func (s *stage) closeOpen(ctx context.Context) error {
	all, err := s.alerts(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if a.State == bus.Closed {
			continue
		}
		how := map[string]string{"by": "simulate", "disposition": "test"}
		if err := s.Call(ctx, "POST", "/api/v1/alerts/"+url.PathEscape(a.ID)+"/close", how, a); err != nil {
			return err
		}
	}
	return nil
}

// alerts returns those of the scenario's devices.
func (s *stage) alerts(ctx context.Context) ([]*bus.Alert, error) {
	var list struct{ Alerts []*bus.Alert }
	if err := s.Call(ctx, "GET", "/api/v1/alerts?community="+url.QueryEscape(s.Community), nil, &list); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Alerts, func(a *bus.Alert) bool {
		return s.secrets[a.Device] == ""
	}), nil
}

// await returns the alerts of a play once they are what they must be and stay so for a moment, or when time is up.
func (s *stage) await(ctx context.Context, start time.Time) ([]simulate.Raised, error) {
	tick := time.NewTicker(alertPause)
	defer tick.Stop()
	limit := time.Now().Add(alertLimit)
	right := time.Time{} // since when
	for {
		raised, err := s.raised(ctx, start)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		switch {
		case len(s.Judge(start, raised)) > 0:
			right = time.Time{}
		case right.IsZero():
			right = now
		case now.Sub(right) > alertCalm:
			return raised, nil
		}
		if now.After(limit) {
			return raised, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// raised is what was opened since start, in the order of opening.
func (s *stage) raised(ctx context.Context, start time.Time) ([]simulate.Raised, error) {
	all, err := s.alerts(ctx)
	if err != nil {
		return nil, err
	}
	var raised []simulate.Raised
	for _, a := range slices.Backward(all) {
		if a.OpenedAt.Before(start) {
			continue
		}
		r := simulate.Raised{Rule: a.Rule, Device: a.Device, Opened: a.OpenedAt}
		if a.ClearedAt != nil {
			r.Cleared = *a.ClearedAt
		}
		raised = append(raised, r)
	}
	return raised, nil
}

func printRaised(out io.Writer, start time.Time, raised []simulate.Raised) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, r := range raised {
		fmt.Fprintf(t, "%s\topened\t%s\t%s", r.Opened.Sub(start).Round(time.Second), r.Rule, r.Device)
		if !r.Cleared.IsZero() {
			fmt.Fprintf(t, "\tcleared %s", r.Cleared.Sub(start).Round(time.Second))
		}
		fmt.Fprintln(t)
	}
	t.Flush()
}
