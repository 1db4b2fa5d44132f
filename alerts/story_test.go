package alerts

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"linli/bus"
	"linli/devices"
	"linli/devices/simulate"
	"linli/internal/testkit"
	"linli/people"
)

var update = flag.Bool("update", false, "rewrite testdata/stories/*.told")

// story is a scenario with the people around it and what they do. Beside it stands who must be told of what, and who must not.
type story struct {
	Scenario yaml.Node `yaml:"scenario"` // the id of a built-in one, or a whole one
	At       time.Time `yaml:"at"`       // when it begins
	For      string    `yaml:"for"`      // how long it is looked at
	Acts     []struct {
		At                      string
		Kind, Rule, Person      string
		Disposition, Note, Role string
	} `yaml:"acts"`
	File people.File `yaml:",inline"`
}

// TestStories holds the whole way from readings to recipients, with a directory of people on a bus.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			got := tell(t, file)
			golden := strings.TrimSuffix(file, ".yaml") + ".told"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

// tell plays a story and returns who was told of what, a line an event.
func tell(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var st story
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(&st); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	s := st.scenario(t, file)
	cat, rules := catalogueRules(t)
	known := newInventory()
	known.communities[s.Community] = &devices.Community{ID: s.Community, Name: devices.Text{ZH: s.Community, EN: s.Community}}
	for i := range s.Devices {
		s.Devices[i].Created = st.At.AddDate(0, -1, 0)
		known.devices[s.Devices[i].ID] = &s.Devices[i]
	}
	directory := st.directory(t, s, known)
	for _, p := range directory.People() {
		known.people[p.ID] = p
	}
	l := newListener(cat, rules, known)
	l.core.book.resolver = directory
	l.live(t, &st, s, cat, directory.Expected)
	return l.told(st.At, strings.ReplaceAll(s.ID, "_", "-")+"-")
}

func (st *story) scenario(t *testing.T, file string) *simulate.Scenario {
	t.Helper()
	if st.Scenario.Kind == yaml.ScalarNode {
		s, err := simulate.ScenarioByID(st.Scenario.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	text, err := yaml.Marshal(&st.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	s, err := simulate.ParseScenario(file, text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// directory has the people of the story, and those of its scenario who are not in it.
func (st *story) directory(t *testing.T, s *simulate.Scenario, known people.Communities) *people.Directory {
	t.Helper()
	for _, p := range s.People {
		if !slices.ContainsFunc(st.File.People, func(e people.Entry) bool { return e.ID == p.ID }) {
			st.File.People = append(st.File.People, people.Entry{Person: p})
		}
	}
	for i := range st.File.People {
		st.File.People[i].Community = s.Community
	}
	for i := range st.File.Rotas {
		st.File.Rotas[i].Community = s.Community
	}
	text, err := yaml.Marshal(st.File)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := testkit.NATS(t).KV(t.Context(), bus.PeopleBucket)
	if err != nil {
		t.Fatal(err)
	}
	d, err := people.Open(t.Context(), kv, known)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = d.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	if r, err := d.Import(t.Context(), bytes.NewReader(text), st.At, false); err != nil {
		t.Fatalf("%v: %v", err, r.Bad)
	}
	return d
}

// saying is one thing a device says, at its time.
type saying struct {
	topic   string
	payload []byte
	at      time.Time
}

// sayings are those of a scenario in the order of their times, each by itself.
func sayings(t *testing.T, s *simulate.Scenario, cat *devices.Catalogue, began time.Time) (all []saying) {
	t.Helper()
	take := func(topic string, payload []byte) error {
		if payload[0] != '[' {
			payload = fmt.Appendf(nil, "[%s]", payload)
		}
		var parts []json.RawMessage
		if err := json.Unmarshal(payload, &parts); err != nil {
			return err
		}
		for _, part := range parts {
			var stamp struct{ TS int64 }
			if err := json.Unmarshal(part, &stamp); err != nil {
				return err
			}
			all = append(all, saying{topic, part, time.UnixMilli(stamp.TS)})
		}
		return nil
	}
	if err := s.Play(t.Context(), cat, "linli", take, began); err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(all, func(a, b saying) int { return a.at.Compare(b.at) })
	return all
}

// live lets the devices speak, the people act and time pass, as the engine does: a second at a time, ten in a story of hours.
func (l *listener) live(t *testing.T, st *story, s *simulate.Scenario, cat *devices.Catalogue, expected func() []*people.Person) {
	t.Helper()
	length, err := devices.ParseDuration(st.For)
	if err != nil {
		t.Fatal(err)
	}
	said, step := sayings(t, s, cat, st.At), time.Second
	if length > time.Hour {
		step *= 10
	}
	for now := st.At; !now.After(st.At.Add(length)); now = now.Add(step) {
		for len(said) > 0 && !said[0].at.After(now) {
			if err := l.hear(said[0].topic, said[0].payload, said[0].at); err != nil {
				t.Fatal(err)
			}
			said = said[1:]
		}
		l.act(t, st, now)
		l.core.book.advance(now.UnixMilli())
		l.core.book.wake(now)
		l.core.vigil.hear(&bus.Listening{Until: now})
		l.core.lookAfter(expected, now)
		l.core.noteSigns(now)
		l.core.advance(now.UnixMilli())
		clear(l.core.book.changed)
	}
}

// act does what people do at a moment.
func (l *listener) act(t *testing.T, st *story, now time.Time) {
	t.Helper()
	for i, act := range st.Acts {
		at, err := devices.ParseDuration(act.At)
		if err != nil {
			t.Fatal(err)
		}
		if !now.Equal(st.At.Add(at)) {
			continue
		}
		var about *bus.Alert
		for _, a := range l.core.book.alerts {
			if a.Rule == act.Rule && a.State != bus.Closed {
				about = a
			}
		}
		if about == nil {
			t.Fatalf("act %d: no alert of rule %s at %s", i, act.Rule, act.At)
		}
		err = l.core.book.act(&bus.Action{
			Key: fmt.Sprint("act", i), Kind: act.Kind, Alert: about.ID, Community: about.Community, By: act.Person, Person: act.Person,
			Disposition: act.Disposition, Note: act.Note, At: now,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// told is every event with who is told of it, and who is not and why. The names of a scenario's own people are without its prefix.
func (l *listener) told(began time.Time, prefix string) string {
	slices.SortStableFunc(l.core.book.out, func(a, b bus.AlertEvent) int { return cmp.Compare(a.At.UnixMilli(), b.At.UnixMilli()) })
	var out strings.Builder
	for _, ev := range l.core.book.out {
		who, not := []string{}, []string{}
		for _, r := range ev.Tell {
			name := strings.TrimPrefix(strings.TrimPrefix(r.Who(), "person:"), prefix)
			if r.Held != "" {
				not = append(not, name+" ("+r.Held+")")
			} else {
				who = append(who, name)
			}
		}
		line := fmt.Sprintf("%s %s of %s %s", ev.At.Sub(began).Round(time.Second), ev.Alert.Rule, strings.TrimPrefix(cmp.Or(ev.Alert.Device, ev.Alert.Person), prefix), ev.Kind)
		if len(who) > 0 {
			line += ", told: " + strings.Join(who, " ")
		}
		if len(not) > 0 {
			line += ", not told: " + strings.Join(not, " ")
		}
		fmt.Fprintln(&out, line)
	}
	return out.String()
}
