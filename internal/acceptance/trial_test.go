package acceptance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/people"
)

// trial is a scenario with people around it, what they do, and all that must come of it.
type trial struct {
	Scenario string `yaml:"scenario"`
	Acts     []act  `yaml:"acts"`
	// Expect is every alert of the scenario's devices and people, with everything that happens to it.
	Expect      []outcome `yaml:"expect"`
	people.File `yaml:",inline"`

	name, prefix, community string
	desks                   desks // that its people are reached by
}

// act is what somebody does about an alert as soon as the last thing that happened to it is After.
type act struct {
	Of    string `yaml:"of"` // RULE of DEVICE
	After string `yaml:"after"`
	Link  string `yaml:"link"`  // who presses the button of the link in their message
	Reply string `yaml:"reply"` // who answers 收到 to their short message
	Key   string `yaml:"key"`   // who presses the key in their call
	Close string `yaml:"close"` // the desk ends it with this disposition
}

// outcome is an alert and its log, a line an event: who is told of it, over which channels it was accepted, who is not told and why.
type outcome struct {
	Alert    string       `yaml:"alert"` // RULE of DEVICE
	Severity bus.Severity `yaml:"severity"`
	At       string       `yaml:"at"` // of its opening, from the beginning of the scenario
	Log      []string     `yaml:"log"`
}

// quickPlans are the ladders of alerts/plans.yaml in seconds: the same people in the same order. The first step leaves time to act.
const quickPlans = `plans:
- id: sos
  steps:
  - {tell: [role:property_duty, circle:1]}
  - {wait: 10s, tell: [role:property_duty], way: 2}
  - {wait: 1s, tell: [circle:1], way: 2}
  - {wait: 1s, tell: [role:property_duty:2, circle:2]}
  - {wait: 1s, tell: [role:manager, role:caretaker, role:grid_worker, circle]}
  unanswered: 1s
  repeat: [{every: 15m}]
  ack: staff
- id: safety
  steps:
  - {tell: [role:property_duty, role:security_guard]}
  - {wait: 10s, tell: [role:property_duty, role:security_guard], way: 2}
  - {wait: 1s, tell: [role:manager, role:maintenance, circle:1]}
  unanswered: 1s
  repeat: [{every: 15m}]
  ack: staff
- id: wellbeing
  steps:
  - {tell: [role:caretaker, circle:1]}
  - {wait: 10s, tell: [role:property_duty, circle]}
  unanswered: 1s
  repeat: [{every: 15m}]
  ack: any
- id: urgent
  steps:
  - {tell: [role:property_duty]}
  - {wait: 10s, tell: [role:maintenance, role:manager]}
  unanswered: 1s
  repeat: [{every: 15m}]
  ack: any
`

// The ten scenarios that the product is judged by are played on the built binary, each with people of its own whose phones and
// groups are fakes of the providers: what opens, how severe it is and when, who is told, over what, who is not told and why, and how
// it ends. Nothing else may open, and no message may come that is not in the log of an alert.
func TestTrials(t *testing.T) {
	files, err := filepath.Glob("testdata/trials/*.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d trials: %v", len(files), err)
	}
	hook := newReceiver(t)
	var all []*trial
	var settings strings.Builder
	fmt.Fprintf(&settings, "duty: [ops]\nchannels:\n- {name: ops, type: webhook, url: %q, secret: %q, allow_private_addresses: true}\n", hook.URL, webhookSecret)
	for _, file := range files {
		tr, err := readTrial(file)
		if err != nil {
			t.Fatal(err)
		}
		tr.desks = newDesks(t, tr.name, hook)
		settings.WriteString(tr.desks.channels())
		all = append(all, tr)
	}
	rules, config := t.TempDir(), filepath.Join(t.TempDir(), "linli.yaml")
	for name, text := range map[string]string{filepath.Join(rules, "plans.yaml"): quickPlans, config: settings.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(t, "--config", config, "--rules", rules)
	s.args = append(s.args, "--public-url", s.url(""))
	s.start()
	t.Run("all", func(t *testing.T) {
		for _, tr := range all {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				of := *s
				of.t = t
				of.try(tr)
			})
		}
	})
	s.terminate()
}

// readTrial reads a file strictly; its mistakes are named with their line. Ids get the prefix of the scenario, so that every trial
// has people of its own.
func readTrial(file string) (*trial, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	tr := &trial{name: strings.TrimSuffix(filepath.Base(file), ".yaml")}
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(tr); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	text, err := os.ReadFile("../../devices/simulate/scenarios/" + tr.Scenario + ".yaml")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var scenario struct{ Community string }
	if err := yaml.Unmarshal(text, &scenario); err != nil {
		return nil, err
	}
	tr.community, tr.prefix = scenario.Community, strings.ReplaceAll(tr.Scenario, "_", "-")+"-"
	own := func(id *string) { *id = tr.prefix + *id }
	for i := range tr.People {
		p := &tr.People[i]
		own(&p.ID)
		p.Community = tr.community
		for k := range p.Circle {
			own(&p.Circle[k].Person)
		}
		for k := range p.Reach {
			p.Reach[k].Channel += "-" + tr.name
		}
	}
	for i := range tr.Rotas {
		own(&tr.Rotas[i].ID)
		tr.Rotas[i].Community = tr.community
		for k := range tr.Rotas[i].Layers {
			for n := range tr.Rotas[i].Layers[k].People {
				own(&tr.Rotas[i].Layers[k].People[n])
			}
		}
	}
	return tr, nil
}

// try plays a trial and compares what came of it.
func (s *server) try(tr *trial) {
	s.importPeople(tr)
	playing, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	began := make(chan time.Time, 1)
	go func() {
		defer cancel()
		out, err := s.scenario(tr.Scenario)
		if err != nil {
			s.t.Errorf("linli simulate: %v\n%s", err, out)
		}
		began <- startOf(string(out))
	}()
	for _, a := range tr.Acts {
		s.perform(tr, a)
	}
	<-playing.Done()
	start := <-began
	var diff string
	defer func() {
		if diff != "" {
			s.t.Logf("outcomes (-want +got):\n%s", diff)
		}
	}()
	s.await(30*time.Second, "as it must be", func() bool {
		diff = gocmp.Diff(tr.Expect, s.outcomes(tr, start), cmpopts.EquateEmpty())
		return diff == ""
	})
	if missing := tr.desks.compare(tr, s.accepted(tr)); missing != "" {
		s.t.Errorf("messages at the providers (-accepted +came):\n%s", missing)
	}
}

func (s *server) importPeople(tr *trial) {
	s.t.Helper()
	text, err := yaml.Marshal(tr.File)
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.t.TempDir(), "people.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.linli("communities", "add", "--id", tr.community, "--name", tr.community)
	s.linli("people", "import", file)
}

// history is an alert with what happened to it and what was sent.
type history struct {
	bus.Alert
	Events     []bus.AlertEvent `json:"history"`
	deliveries []bus.Delivery
}

// histories are those of a trial's devices and people, the first to open first.
func (s *server) histories(tr *trial) []history {
	s.t.Helper()
	var list struct{ Alerts []bus.Alert }
	if err := s.get("/api/v1/alerts?community="+tr.community, &list); err != nil {
		s.t.Fatal(err)
	}
	all := make([]history, len(list.Alerts))
	for i, a := range list.Alerts {
		var sent struct{ Deliveries []bus.Delivery }
		if err := errors.Join(s.get("/api/v1/alerts/"+a.ID, &all[i]), s.get("/api/v1/deliveries?alert="+a.ID, &sent)); err != nil {
			s.t.Fatal(err)
		}
		all[i].deliveries = sent.Deliveries
	}
	slices.SortFunc(all, func(a, b history) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.Rule, b.Rule))
	})
	return all
}

func (tr *trial) key(a *bus.Alert) string {
	return a.Rule + " of " + strings.TrimPrefix(cmp.Or(a.Device, a.Person), tr.prefix)
}

func (s *server) outcomes(tr *trial, start time.Time) (all []outcome) {
	for _, h := range s.histories(tr) {
		o := outcome{Alert: tr.key(&h.Alert), Severity: h.Severity, At: h.OpenedAt.Sub(start).Round(time.Second).String()}
		for _, ev := range h.Events {
			o.Log = append(o.Log, tr.line(&ev, h.deliveries))
		}
		all = append(all, o)
	}
	return all
}

// line is an event with who is told of it, who is not, and how far the messages came.
func (tr *trial) line(ev *bus.AlertEvent, sent []bus.Delivery) string {
	line := ev.Kind
	if ev.By != "" {
		line += " by " + ev.By
	}
	if ev.Kind == "closed" && ev.Alert.Disposition != "" {
		line += " as " + ev.Alert.Disposition
	}
	var told, not []string
	for i := range ev.Tell {
		r := &ev.Tell[i]
		name := strings.TrimPrefix(strings.TrimPrefix(r.Who(), "person:"), tr.prefix)
		if r.Held != "" {
			not = append(not, name+" ("+r.Held+")")
			continue
		}
		told = append(told, name+" by "+tr.ways(ev, r, sent))
	}
	slices.Sort(told)
	slices.Sort(not)
	if len(told) > 0 {
		line += "; told: " + strings.Join(told, ", ")
	}
	if len(not) > 0 {
		line += "; not told: " + strings.Join(not, ", ")
	}
	return line
}

// overtaken is why a call is not made that was to be made when a later one of the same alert came to be.
const overtaken = "told of what came later"

// ways are the channels over which a recipient was told of an event, and what became of those that did not take the message. A scenario
// presses many times at once: how many of the calls are overtaken by the next one is a matter of milliseconds, so all of them count.
func (tr *trial) ways(ev *bus.AlertEvent, r *bus.Recipient, sent []bus.Delivery) string {
	var all []string
	for _, d := range sent {
		later := d.State == bus.Expired && d.Error == overtaken
		if d.N != ev.N || d.Recipient.Who() != r.Who() || d.State == bus.Expired && !later { // there was no need of it
			continue
		}
		way := strings.TrimSuffix(d.Channel, "-"+tr.name)
		if !taken(&d) && !later {
			way += " (" + strings.TrimSpace(string(d.State)+" "+d.Error) + ")"
		}
		all = append(all, way)
	}
	return strings.Join(all, " + ")
}

// taken reports whether the provider has the message.
func taken(d *bus.Delivery) bool {
	return d.State == bus.Accepted || d.State == bus.Delivered || d.State == bus.Acted
}

// accepted are all messages that providers took, as desks count them.
func (s *server) accepted(tr *trial) (all []string) {
	for _, h := range s.histories(tr) {
		for _, d := range h.deliveries {
			if taken(&d) {
				all = append(all, message(strings.TrimSuffix(d.Channel, "-"+tr.name), cmp.Or(d.To, d.Recipient.Person)))
			}
		}
	}
	slices.Sort(all)
	return all
}
