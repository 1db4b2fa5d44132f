package alerts

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// golden is a case of testdata/golden: what is said, in the notation of say or "clock 7m", and what comes of it. From is when its time
// begins, such as 2026-03-29 00:00, on the clocks of its zone; without it that is start.
type golden struct {
	Rule, Name string
	From, Zone string
	Say        []string
	Also       []string // what of an alert counts beside its transitions
	Want       string
}

// TestGoldenCases plays every case as it is, and again with a restart after each step. Time goes on for an hour afterwards.
func TestGoldenCases(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(err, files)
	}
	beyond, err := os.ReadFile("testdata/beyond.yaml")
	if err != nil {
		t.Fatal(err)
	}
	schedules, err := os.ReadFile("testdata/schedule.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sets := []*Rules{memoryRules(t), testRules(t, "testdata/reference.yaml", "testdata/reference_levels.yaml"), rulesOf(t, string(beyond)), rulesOf(t, string(schedules))}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var cases []golden
		if err := yaml.Unmarshal(data, &cases); err != nil {
			t.Fatal(file, err)
		}
		kind := strings.TrimSuffix(filepath.Base(file), ".yaml")
		if len(cases) < 10 {
			t.Errorf("%s: only %d cases", file, len(cases))
		}
		for _, c := range cases {
			i := slices.IndexFunc(sets, func(r *Rules) bool { return r.Rule(c.Rule) != nil })
			if i < 0 {
				t.Fatal("no rule", c.Rule)
			}
			rules := sets[i]
			t.Run(kind+"/"+c.Name, func(t *testing.T) {
				for _, restarts := range []bool{false, true} {
					if got := c.play(t, rules, restarts); got != c.Want {
						t.Errorf("%s: %q, restarts %v: got %q, want %q", c.Rule, c.Say, restarts, got, c.Want)
					}
				}
			})
		}
	}
}

func (g *golden) play(t *testing.T, rules *Rules, restarts bool) string {
	t.Helper()
	people, base := newPeople(), g.base(t)
	people.zone = g.Zone
	c := newCore(rules, people)
	var got []string
	collect := func() {
		for _, ev := range c.book.out {
			if ev.Alert.Rule == g.Rule && ev.Kind != closed && slices.Contains(append(transitions, g.Also...), ev.Kind) {
				got = append(got, formatOffset(ev.At.Sub(start)-base)+" "+ev.Kind)
			}
		}
		c.book.out = nil
	}
	end := start.Add(base)
	for _, step := range g.Say {
		if at, found := strings.CutPrefix(step, "clock "); found {
			offset, err := devices.ParseDuration(at)
			if err != nil {
				t.Fatal(err)
			}
			end = start.Add(base + offset)
			c.advance(end.UnixMilli())
			c.book.advance(end.UnixMilli())
		} else {
			line, event := say(moved(t, step, base))
			var err error
			if event {
				err = c.event(line)
			} else {
				_, err = c.reading(line)
			}
			if err != nil {
				t.Fatal(step, err)
			}
		}
		collect()
		if restarts {
			c = restarted(t, c)
		}
	}
	c.book.advance(end.UnixMilli() + 7_200_000)
	collect()
	return strings.Join(got, " ")
}

// base is how long after start the time of a case begins.
func (g *golden) base(t *testing.T) time.Duration {
	t.Helper()
	if g.From == "" {
		return 0
	}
	zone, err := time.LoadLocation(cmp.Or(g.Zone, "Asia/Shanghai"))
	if err != nil {
		t.Fatal(err)
	}
	from, err := time.ParseInLocation("2006-01-02 15:04", g.From, zone)
	if err != nil {
		t.Fatal(err)
	}
	return from.Sub(start)
}

// moved is a step with its time counted from start.
func moved(t *testing.T, step string, base time.Duration) string {
	t.Helper()
	words := strings.SplitN(step, " ", 3)
	at, rest, event := strings.Cut(words[1], "!")
	offset, err := devices.ParseDuration(at)
	if err != nil {
		t.Fatal(step, err)
	}
	words[1] = fmt.Sprintf("%ds", (base+offset)/time.Second)
	if event {
		words[1] += "!" + rest
	}
	return strings.Join(words, " ")
}

// restarted is a core with what an engine finds after its end.
func restarted(t *testing.T, old *core) *core {
	t.Helper()
	c := newCore(old.rules, old.dir)
	for _, a := range old.book.alerts {
		kept := *a
		c.book.load(&kept)
	}
	for shard := range shards {
		if err := c.unpack(old.pack(uint8(shard), func(*series) bool { return true })); err != nil {
			t.Fatal(err)
		}
		if err := c.unpackSteps(old.packSteps(uint8(shard))); err != nil {
			t.Fatal(err)
		}
	}
	c.endReplay()
	c.book.out = nil
	return c
}
