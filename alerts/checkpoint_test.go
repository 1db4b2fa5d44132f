package alerts

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckpointHoldsEverything(t *testing.T) {
	w := newWorld(t)
	for m := range 9 {
		w.say(fmt.Sprintf("p1,inlet=1 %dm level=96,smoke=true", m), fmt.Sprintf(`p3 %dm door="jammed",awake=false`, m), fmt.Sprintf("p2 %dm +2h heat=101", m))
	}
	again := newWorld(t)
	for i := range shards {
		if err := again.unpack(w.pack(uint8(i), func(*series) bool { return true })); err != nil {
			t.Fatal(err)
		}
	}
	if len(again.series) != len(w.series) {
		t.Fatalf("%d series, want %d", len(again.series), len(w.series))
	}
	for key, s := range w.series {
		got := again.series[key]
		for i := range s.cells { // a timer is armed again whether it had been given up or not
			s.cells[i].armed, got.cells[i].armed = false, false
			if s.cells[i].state == idle {
				s.cells[i].since, got.cells[i].since = 0, 0
			}
		}
		got.dev, got.generation = s.dev, s.generation
		if diff := cmp.Diff(s, got, cmp.AllowUnexported(series{}, cell{}, slot{}), cmp.FilterPath(func(p cmp.Path) bool {
			return p.String() == "prog" || p.String() == "dev"
		}, cmp.Ignore())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	w := newWorld(f)
	w.say("p1,inlet=1 0m level=96,smoke=true", `p3 0m door="jammed",awake=false`)
	for i := range shards {
		f.Add(w.pack(uint8(i), func(*series) bool { return true }))
	}
	rules := probeRules(f)
	f.Fuzz(func(_ *testing.T, data []byte) {
		c := newCore(rules, newPeople())
		if c.unpack(data) == nil {
			for i := range shards {
				c.pack(uint8(i), func(*series) bool { return true })
			}
		}
	})
}
