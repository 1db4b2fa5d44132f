package series

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return day.Add(d) }

// ask is a query over all of 2023 to 2026.
func ask(measurement, field string, ids ...string) Query {
	return Query{Measurement: measurement, Field: field, Devices: ids, From: day.AddDate(-3, 0, 0), To: day.AddDate(0, 6, 0)}
}

// line is one reading of a device at a time after day; tags begin with a comma.
func line(device, tags string, after time.Duration, fields string) string {
	return fmt.Sprintf("station,community=c,device=%s%s %s %d\n", device, tags, fields, at(after).UnixNano())
}

// check compares points without their tags.
func check(t *testing.T, got []Point, err error, want ...any) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var flat []any
	for _, p := range got {
		flat = append(flat, p.Time.Sub(day).String(), p.Value)
	}
	for i, w := range want {
		if d, ok := w.(time.Duration); ok {
			want[i] = d.String()
		}
	}
	if diff := cmp.Diff(want, flat); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
}

func TestReads(t *testing.T) {
	x := open(t)
	var b strings.Builder
	for i := range 10 {
		b.WriteString(line("a", fmt.Sprint(",inlet=", 1+i%2), time.Duration(i)*time.Minute, fmt.Sprintf("fill=%d,open=%t", i*10, i > 4)))
	}
	b.WriteString(line("a", "", 5*time.Minute, `fill=1000,door="open"`))
	b.WriteString(line("b", ",inlet=1", 0, "fill=7"))
	write(t, x, b.String())
	q := ask("station", "fill", "a")
	q.Split = []string{"inlet", "waste_kind"}
	ctx := t.Context()

	t.Run("raw, oldest first, of one device", func(t *testing.T) {
		got, err := x.Raw(ctx, q, 3)
		check(t, got, err, time.Duration(0), 0.0, time.Minute, 10.0, 2*time.Minute, 20.0)
		if diff := cmp.Diff([]map[string]string{{"inlet": "1"}, {"inlet": "2"}, {"inlet": "1"}}, tagsOf(got)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("without a limit all, the series without a tag too", func(t *testing.T) {
		got, err := x.Raw(ctx, q, 0)
		if err != nil || len(got) != 11 {
			t.Errorf("%d points, %v; want 11", len(got), err)
		}
	})
	t.Run("from is inclusive, to exclusive", func(t *testing.T) {
		q := q
		q.From, q.To = at(2*time.Minute), at(4*time.Minute)
		got, err := x.Raw(ctx, q, 0)
		check(t, got, err, 2*time.Minute, 20.0, 3*time.Minute, 30.0)
	})
	t.Run("one series by its tag", func(t *testing.T) {
		q := q
		q.Tags = map[string]string{"inlet": "2"}
		got, err := x.Raw(ctx, q, 2)
		check(t, got, err, time.Minute, 10.0, 3*time.Minute, 30.0)
	})
	t.Run("bool and text", func(t *testing.T) {
		q := q
		q.Field = "open"
		got, err := x.Raw(ctx, q, 1)
		check(t, got, err, time.Duration(0), false)
		q.Field = "door"
		got, err = x.Raw(ctx, q, 0)
		check(t, got, err, 5*time.Minute, "open")
	})
	t.Run("unknown device, field and measurement are empty", func(t *testing.T) {
		for _, q := range []Query{ask("station", "fill", "zz"), ask("station", "nope", "a"), ask("nope", "fill", "a")} {
			got, err := x.Raw(ctx, q, 0)
			check(t, got, err)
		}
	})
	t.Run("windows", func(t *testing.T) {
		q := q
		q.From, q.To = day, at(time.Hour)
		q.Tags = map[string]string{"inlet": "1"} // 0, 20, 40, 60, 80 at 0, 2, 4, 6, 8 min
		for fn, want := range map[Fn][2]float64{Mean: {20, 70}, Min: {0, 60}, Max: {40, 80}, Sum: {60, 140}, Last: {40, 80}} {
			got, err := x.Window(ctx, q, Window{Width: 5 * time.Minute, Fn: fn})
			check(t, got, err, time.Duration(0), want[0], 5*time.Minute, want[1])
		}
	})
	t.Run("windows of every series", func(t *testing.T) {
		got, err := x.Window(ctx, q, Window{Width: time.Hour, Fn: Max})
		check(t, got, err, time.Duration(0), 1000.0, time.Duration(0), 80.0, time.Duration(0), 90.0)
		if diff := cmp.Diff([]map[string]string{nil, {"inlet": "1"}, {"inlet": "2"}}, tagsOf(got)); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("a day begins at midnight of the zone", func(t *testing.T) {
		zone, err := time.LoadLocation("Asia/Shanghai")
		if err != nil {
			t.Fatal(err)
		}
		for _, fn := range []Fn{Last, Increase} {
			got, err := x.Window(ctx, ask("station", "fill", "b"), Window{Width: 24 * time.Hour, Fn: fn, Zone: zone})
			if err != nil || len(got) != 1 || !got[0].Time.Equal(at(-8*time.Hour)) {
				t.Errorf("%s: %v, %v", fn, got, err)
			}
		}
	})
	t.Run("last values of many devices", func(t *testing.T) {
		got, err := x.Latest(ctx, Group{Measurement: "station", Fields: []string{"fill", "open"}, Split: []string{"inlet"}, Devices: []string{"a", "b", "c"}},
			Group{Measurement: "empty", Fields: []string{"fill"}})
		if err != nil {
			t.Fatal(err)
		}
		want := []Value{
			{"a", "fill", Point{at(5 * time.Minute), 1000.0, nil}},
			{"a", "fill", Point{at(8 * time.Minute), 80.0, map[string]string{"inlet": "1"}}},
			{"a", "fill", Point{at(9 * time.Minute), 90.0, map[string]string{"inlet": "2"}}},
			{"b", "fill", Point{at(0), 7.0, map[string]string{"inlet": "1"}}},
			{"a", "open", Point{at(8 * time.Minute), true, map[string]string{"inlet": "1"}}},
			{"a", "open", Point{at(9 * time.Minute), true, map[string]string{"inlet": "2"}}},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("no last value before since", func(t *testing.T) {
		got, err := x.Latest(ctx, Group{Measurement: "station", Fields: []string{"fill"}, Devices: []string{"a"}, Since: at(time.Hour)})
		if err != nil || len(got) != 0 {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("a cancelled context ends the query", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := x.Raw(ctx, q, 0); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func tagsOf(points []Point) []map[string]string {
	var tags []map[string]string
	for _, p := range points {
		tags = append(tags, p.Tags)
	}
	return tags
}

func TestReplacedDeviceContinues(t *testing.T) {
	x := open(t)
	write(t, x, line("old", "", 10*time.Minute, "fill=10")+line("old", "", 20*time.Minute, "fill=20")+
		line("new", "", 40*time.Minute, "fill=60")+line("new", "", 70*time.Minute, "fill=70"))
	q := ask("station", "fill", "new", "old")
	got, err := x.Raw(t.Context(), q, 3)
	check(t, got, err, 10*time.Minute, 10.0, 20*time.Minute, 20.0, 40*time.Minute, 60.0)
	for fn, want := range map[Fn]float64{Mean: 30, Min: 10, Max: 60, Sum: 90, Last: 60, Increase: 10} {
		got, err = x.Window(t.Context(), q, Window{Width: time.Hour, Fn: fn})
		second := 70.0
		if fn == Increase {
			second = 10 // between two devices there is no step
		}
		check(t, got, err, time.Duration(0), want, time.Hour, second)
	}
}

func TestUserTextIsOnlyEverAValue(t *testing.T) {
	x := open(t)
	write(t, x, line("a", ",inlet=1", 0, "fill=1")+line("b", ",inlet=1", 0, "fill=2"))
	for _, evil := range []string{
		`a' OR device='b`, `a" OR "device"='b`, `a' OR 1=1 --`, `'; DROP DATABASE linli; --`, `a\' OR device=\'b`, "a\x00", "a\n", `$p0`, `/.*/`, "",
	} {
		q := ask("station", "fill", evil)
		if got, err := x.Raw(t.Context(), q, 0); err != nil || len(got) != 0 {
			t.Errorf("device %q: %v, %v", evil, got, err)
		}
		if got, err := x.Latest(t.Context(), Group{Measurement: "station", Fields: []string{"fill"}, Devices: []string{evil}}); err != nil || len(got) != 0 {
			t.Errorf("latest of %q: %v, %v", evil, got, err)
		}
		q = ask("station", "fill", "a")
		q.Tags = map[string]string{"inlet": evil}
		if got, err := x.Raw(t.Context(), q, 0); err != nil || len(got) != 0 {
			t.Errorf("tag value %q: %v, %v", evil, got, err)
		}
		for _, q := range []Query{
			ask(evil, "fill", "a"), ask("station", evil, "a"),
			{Measurement: "station", Field: "fill", Devices: []string{"a"}, From: at(0), To: at(1), Split: []string{evil}},
			{Measurement: "station", Field: "fill", Devices: []string{"a"}, From: at(0), To: at(1), Tags: map[string]string{evil: "1"}},
		} {
			refused(t, q, Window{}, "name", "raw")
		}
	}
	if got, err := x.Raw(t.Context(), ask("station", "fill", "b"), 0); err != nil || len(got) != 1 {
		t.Errorf("afterwards: %v, %v", got, err)
	}
}

func TestBoundsAreNamed(t *testing.T) {
	q := ask("station", "fill", "a")
	backwards, ancient, none := q, q, q
	backwards.From = q.To
	ancient.From = time.Unix(-1<<40, 0)
	none.Devices = nil
	refused(t, backwards, Window{}, "from", "is not before")
	refused(t, ancient, Window{}, "from", "1900")
	refused(t, none, Window{}, "device", "none")
	refused(t, q, Window{Width: time.Hour, Fn: "median(x)"}, "fn", "none of mean")
	refused(t, q, Window{Width: 999 * time.Millisecond, Fn: Mean}, "window", "from 1s")
	refused(t, q, Window{Width: -time.Hour, Fn: Mean}, "window", "from 1s")
	refused(t, q, Window{Width: time.Second, Fn: Mean}, "window", "100000")
}

// refused checks that a query is refused before anything is sent.
func refused(t *testing.T, q Query, w Window, part, reason string) {
	t.Helper()
	x := connect(t, Options{URL: "http://127.0.0.1:1", Bucket: "b"})
	var err error
	if w.Fn == "" {
		_, err = x.Raw(t.Context(), q, 0)
	} else {
		_, err = x.Window(t.Context(), q, w)
	}
	var re *RefusedError
	if !errors.As(err, &re) || re.Part != part || reason != "raw" && !strings.Contains(re.Reason, reason) {
		t.Errorf("got %v, want %s refused: %s", err, part, reason)
	}
}

func TestTooManyPointsAreRefusedNotCut(t *testing.T) {
	x := open(t)
	var b strings.Builder
	for i := range MaxPoints + 1 {
		fmt.Fprintf(&b, "station,device=a fill=%d %d\n", i, at(time.Duration(i)*time.Second).UnixNano())
	}
	write(t, x, b.String())
	q := ask("station", "fill", "a")
	var re *RefusedError
	if _, err := x.Raw(t.Context(), q, 0); !errors.As(err, &re) || !strings.Contains(re.Reason, "100000") {
		t.Errorf("got %v, want the limit named", err)
	}
	if got, err := x.Raw(t.Context(), q, MaxPoints); err != nil || len(got) != MaxPoints {
		t.Errorf("with a limit: %d points, %v", len(got), err)
	}
	if _, err := x.Raw(t.Context(), q, MaxPoints+1); !errors.As(err, &re) || re.Part != "limit" {
		t.Errorf("got %v, want the limit refused", err)
	}
	if _, err := x.Latest(t.Context(), Group{Measurement: "m", Devices: make([]string, MaxDevices+1)}); !errors.As(err, &re) {
		t.Errorf("got %v, want too many devices refused", err)
	}
}
