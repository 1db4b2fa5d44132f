package simulate

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestFullOutboxDropsTheOldest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		o := newOutbox(limit)
		var model []string
		dropped := 0
		trim := func() {
			for len(model) > limit {
				model = model[1:]
				dropped++
			}
		}
		for i := range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "do") {
			case 0:
				o.put(letter{topic: fmt.Sprint(i)})
				model = append(model, fmt.Sprint(i))
				trim()
			case 1:
				l, ok := o.take()
				if ok != (len(model) > 0) || ok && l.topic != model[0] {
					t.Fatalf("took %q, want the first of %v", l.topic, model)
				}
				if ok {
					model = model[1:]
				}
			case 2:
				o.back([]letter{{topic: fmt.Sprint("b", i)}})
				model = append([]string{fmt.Sprint("b", i)}, model...)
				trim()
			}
		}
		if o.len() != len(model) || o.drops() != uint64(dropped) {
			t.Fatalf("%d letters, want %d", o.len(), len(model))
		}
	})
}
