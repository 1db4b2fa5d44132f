package alerts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"linli/devices"
)

// golden is a case of testdata/golden: what is said, in the notation of say or "clock 7m", and what comes of it.
type golden struct {
	Rule, Name string
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
	sets := []*Rules{memoryRules(t), rulesOf(t, string(beyond))}
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
	c := newCore(rules, newPeople())
	var got []string
	collect := func() {
		for _, ev := range c.book.out {
			if ev.Alert.Rule == g.Rule && ev.Kind != closed && slices.Contains(append(transitions, g.Also...), ev.Kind) {
				got = append(got, formatOffset(ev.At.Sub(start))+" "+ev.Kind)
			}
		}
		c.book.out = nil
	}
	end := start
	for _, step := range g.Say {
		if at, found := strings.CutPrefix(step, "clock "); found {
			offset, err := devices.ParseDuration(at)
			if err != nil {
				t.Fatal(err)
			}
			end = start.Add(offset)
			c.advance(end.UnixMilli())
			c.book.advance(end.UnixMilli())
		} else {
			line, event := say(step)
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
	}
	c.endReplay()
	c.book.out = nil
	return c
}
