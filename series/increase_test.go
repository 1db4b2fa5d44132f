package series

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestStep(t *testing.T) {
	const uint32s = 1 << 32
	for _, c := range []struct {
		name                   string
		before, after, modulus float64
		want                   float64
	}{
		{"forward", 10, 25, uint32s, 15},
		{"still", 10, 10, uint32s, 0},
		{"reset", 500, 20, uint32s, 20},
		{"reset to zero", 500, 0, uint32s, 0},
		{"rollover", uint32s - 1, 4, uint32s, 5},
		{"rollover of a mechanical register", 99999.5, 0.25, 100000, 0.75},
		{"reset of a high counter", 0.95 * uint32s, 4, uint32s, 4},
		{"no modulus", uint32s - 1, 4, 0, 4},
		{"beyond its modulus", 200, 1, 100, 1},
	} {
		if got := Step(c.before, c.after, c.modulus); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: Step(%v, %v, %v) = %v, want %v", c.name, c.before, c.after, c.modulus, got, c.want)
		}
	}
}

func TestIncrease(t *testing.T) {
	x := open(t)
	var b strings.Builder
	for i, v := range []float64{99990, 99995, 3, 8, 2, 6} { // a rollover at 2 min, a reset at 4 min
		b.WriteString(line("a", ",inlet=1", time.Duration(i)*time.Minute, fmt.Sprintf("total=%v", v)))
	}
	b.WriteString(line("a", ",inlet=2", 0, "total=5") + line("a", ",inlet=2", 3*time.Minute, "total=7"))
	write(t, x, b.String())
	q := ask("station", "total", "a")
	q.From, q.To = day, at(time.Hour)
	q.Split = []string{"inlet"}
	two := Window{Width: 2 * time.Minute, Fn: Increase, Modulus: 100000}

	one := q
	one.Tags = map[string]string{"inlet": "1"}
	got, err := x.Window(t.Context(), one, two)
	check(t, got, err, time.Duration(0), 5.0, 2*time.Minute, 13.0, 4*time.Minute, 6.0)

	later := one
	later.From = at(4 * time.Minute) // the step from the value before counts
	got, err = x.Window(t.Context(), later, two)
	check(t, got, err, 4*time.Minute, 6.0)

	got, err = x.Window(t.Context(), q, Window{Width: time.Hour, Fn: Increase, Modulus: 100000})
	check(t, got, err, time.Duration(0), 24.0, time.Duration(0), 2.0)

	write(t, x, line("a", "", 0, `door="open"`))
	q.Field = "door"
	if _, err := x.Window(t.Context(), q, two); err == nil {
		t.Error("increase of text was not refused")
	}
}

// TestIncreasesAddUp: however a span is divided, and whatever the counter does, the parts add up to the steps of all values.
func TestIncreasesAddUp(t *testing.T) {
	x := open(t)
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		device := fmt.Sprint("d", n)
		const modulus = 1000
		values := rapid.SliceOfN(rapid.IntRange(0, modulus-1), 2, 40).Draw(t, "values")
		gap := rapid.SliceOfN(rapid.IntRange(1, 300), len(values), len(values)).Draw(t, "gaps")
		cut := time.Duration(rapid.IntRange(0, 3600).Draw(t, "cut")) * time.Second
		width := time.Duration(rapid.IntRange(1, 7200).Draw(t, "width")) * time.Second
		var b strings.Builder
		var after time.Duration
		want := 0.0
		for i, v := range values {
			after += time.Duration(gap[i]) * time.Second
			b.WriteString(line(device, "", after, fmt.Sprintf("total=%d", v)))
			if i > 0 {
				want += Step(float64(values[i-1]), float64(v), modulus)
			}
		}
		if err := x.Write(t.Context(), []byte(b.String())); err != nil {
			t.Fatal(err)
		}
		got := 0.0
		for _, span := range [][2]time.Duration{{-time.Second, cut}, {cut, 24 * time.Hour}} {
			q := ask("station", "total", device)
			q.From, q.To = at(span[0]), at(span[1])
			points, err := x.Window(t.Context(), q, Window{Width: width, Fn: Increase, Modulus: modulus})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range points {
				got += p.Value.(float64)
			}
		}
		if math.Abs(got-want) > 1e-6 {
			t.Fatalf("values %v, cut %s, width %s: %v, want %v", values, cut, width, got, want)
		}
	})
}
