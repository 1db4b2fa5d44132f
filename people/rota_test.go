package people_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/people"
)

var shanghai = time.FixedZone("Asia/Shanghai", 8*3600)

// who makes a layer of people named by single letters.
func layer(who string, turn people.Turn, change ...func(*people.Layer)) people.Layer {
	l := people.Layer{People: strings.Fields(who), Turn: turn, Since: "2026-01-05"} // a Monday
	for _, f := range change {
		f(&l)
	}
	return l
}

func hours(from, to string) func(*people.Layer) {
	return func(l *people.Layer) { l.From, l.To = from, to }
}

func handOver(at string) func(*people.Layer) { return func(l *people.Layer) { l.HandOver = at } }

func days(names ...string) func(*people.Layer) { return func(l *people.Layer) { l.Days = names } }

func TestOnDuty(t *testing.T) {
	day := layer("a b c", people.Daily)
	week := layer("a b c", people.Weekly)
	for _, test := range []struct {
		name   string
		layers []people.Layer
		at     map[string]string
	}{
		{"daily, handed over at eight", []people.Layer{day}, map[string]string{
			"2026-01-05 07:59": "", "2026-01-05 08:00": "a", "2026-01-06 07:59": "a", "2026-01-06 08:00": "b", "2026-01-08 08:00": "a",
		}},
		{"weekly", []people.Layer{week}, map[string]string{
			"2026-01-05 08:00": "a", "2026-01-12 07:59": "a", "2026-01-12 08:00": "b", "2026-01-26 09:00": "a",
		}},
		{"year end", []people.Layer{layer("a b", people.Weekly, func(l *people.Layer) { l.Since = "2025-12-29" })}, map[string]string{
			"2025-12-31 23:59": "a", "2026-01-01 00:00": "a", "2026-01-05 07:59": "a", "2026-01-05 08:00": "b", "2024-12-31 23:00": "",
		}},
		{"leap day", []people.Layer{layer("a b", people.Daily, func(l *people.Layer) { l.Since = "2028-02-28" })}, map[string]string{
			"2028-02-28 12:00": "a", "2028-02-29 12:00": "b", "2028-03-01 12:00": "a",
		}},
		{"turns of two days", []people.Layer{layer("a b", people.Daily, func(l *people.Layer) { l.Every = 2 })}, map[string]string{
			"2026-01-05 12:00": "a", "2026-01-06 12:00": "a", "2026-01-07 12:00": "b", "2026-01-09 08:00": "a",
		}},
		{"another hand-over", []people.Layer{layer("a b", people.Daily, handOver("20:30"))}, map[string]string{
			"2026-01-05 20:29": "", "2026-01-05 20:30": "a", "2026-01-06 20:29": "a", "2026-01-06 20:30": "b",
		}},
		{"day and night", []people.Layer{layer("a b", people.Weekly, hours("08:00", "20:00")), layer("x y", people.Weekly, hours("20:00", "08:00"))}, map[string]string{
			"2026-01-05 08:00": "a", "2026-01-05 19:59": "a", "2026-01-05 20:00": "x", "2026-01-06 03:00": "x", "2026-01-06 08:00": "a",
			"2026-01-12 07:59": "x", "2026-01-12 08:00": "b", "2026-01-12 20:00": "y",
		}},
		{"the night of Saturday is Saturday's until eight", []people.Layer{layer("w", people.Daily, days("sat"))}, map[string]string{
			"2026-01-10 07:59": "", "2026-01-10 08:00": "w", "2026-01-11 07:59": "w", "2026-01-11 08:00": "",
		}},
		{"hours end before they begin again", []people.Layer{layer("a", people.Daily, hours("09:00", "17:00"), days("mon", "tue"))}, map[string]string{
			"2026-01-05 08:59": "", "2026-01-05 09:00": "a", "2026-01-05 17:00": "", "2026-01-07 12:00": "",
		}},
		{"layers that overlap", []people.Layer{layer("a b", people.Weekly), layer("b c", people.Weekly)}, map[string]string{
			"2026-01-05 12:00": "a b", "2026-01-12 12:00": "b c", "2026-01-19 12:00": "a b",
		}},
		{"the same in two layers", []people.Layer{layer("a b", people.Weekly), layer("a c", people.Daily)}, map[string]string{
			"2026-01-05 12:00": "a", "2026-01-06 12:00": "a c",
		}},
		{"nobody in the first", []people.Layer{layer("", people.Weekly), layer("c", people.Daily)}, map[string]string{"2026-01-05 12:00": "c"}},
		{"no layer", nil, map[string]string{"2026-01-05 12:00": ""}},
		{"until", []people.Layer{layer("a", people.Daily, func(l *people.Layer) { l.Until = "2026-01-06" })}, map[string]string{
			"2026-01-07 07:59": "a", "2026-01-07 08:00": "",
		}},
	} {
		r := people.Rota{Layers: test.layers}
		for at, want := range test.at {
			if got := strings.Join(r.OnDuty(local(at), shanghai), " "); got != want {
				t.Errorf("%s at %s: got %q, want %q", test.name, at, got, want)
			}
		}
	}
}

// TestOnDutyKeepsLocalTime is where clocks change, which they do not in China: a duty day is then 23 or 25 hours long.
func TestOnDutyKeepsLocalTime(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r := people.Rota{Layers: []people.Layer{layer("a b", people.Daily, func(l *people.Layer) { l.Since = "2026-03-28" })}}
	for at, want := range map[string]string{
		"2026-03-28T06:59:00Z": "", "2026-03-28T07:00:00Z": "a", "2026-03-29T05:59:00Z": "a", "2026-03-29T06:00:00Z": "b", "2026-03-30T06:00:00Z": "a",
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.OnDuty(moment, berlin), " "); got != want {
			t.Errorf("at %s: got %q, want %q", at, got, want)
		}
	}
}

func TestOverrides(t *testing.T) {
	from, to := local("2026-01-05 12:00"), local("2026-01-05 18:00")
	for _, test := range []struct {
		name      string
		overrides []people.Override
		want      string
	}{
		{"none", nil, "a b"},
		{"one stands in", []people.Override{{From: from, To: to, Off: "a", On: "x"}}, "x b"},
		{"for everybody", []people.Override{{From: from, To: to, On: "x"}}, "x"},
		{"nobody stands in", []people.Override{{From: from, To: to, Off: "a"}}, "b"},
		{"who is not on shift is not relieved", []people.Override{{From: from, To: to, Off: "z", On: "x"}}, "a b"},
		{"who stands in is there already", []people.Override{{From: from, To: to, Off: "a", On: "b"}}, "b"},
		{"a swap, the first on shift", []people.Override{{From: from, To: to, Off: "a", On: "c", Swap: true}}, "c b"},
		{"a swap, the second on shift", []people.Override{{From: from, To: to, Off: "c", On: "a", Swap: true}}, "c b"},
		{"one upon another", []people.Override{{From: from, To: to, Off: "a", On: "x"}, {From: from, To: to, Off: "x", On: "y"}}, "y b"},
		{"over already", []people.Override{{From: from.Add(-time.Hour), To: from, On: "x"}}, "a b"},
		{"begins at its minute", []people.Override{{From: from, To: from.Add(time.Minute), On: "x"}}, "x"},
	} {
		r := people.Rota{Layers: []people.Layer{layer("a", people.Daily), layer("b", people.Daily)}, Overrides: test.overrides}
		if got := strings.Join(r.OnDuty(from, shanghai), " "); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}

func TestCalendarHasNoHoles(t *testing.T) {
	r := people.Rota{
		Layers: []people.Layer{
			layer("a b", people.Daily, hours("08:00", "20:00")), layer("x", people.Daily, hours("20:00", "08:00"), days("mon")),
		},
		Overrides: []people.Override{{From: local("2026-01-06 10:00"), To: local("2026-01-06 12:00"), Off: "b", On: "z"}},
	}
	var got []string
	for _, s := range r.Calendar(local("2026-01-05 06:00"), local("2026-01-07 09:30"), shanghai) {
		got = append(got, s.From.Format("02T15:04")+"–"+s.To.Format("02T15:04")+" "+strings.Join(s.People, " "))
	}
	want := []string{
		"05T06:00–05T08:00 ", "05T08:00–05T20:00 a", "05T20:00–06T08:00 x", "06T08:00–06T10:00 b", "06T10:00–06T12:00 z", "06T12:00–06T20:00 b",
		"06T20:00–07T08:00 ", "07T08:00–07T09:30 a",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calendar (-want +got):\n%s", diff)
	}
}

func TestCalendarEqualsOnDuty(t *testing.T) {
	r := people.Rota{
		Layers: []people.Layer{
			layer("a b c", people.Weekly, handOver("17:30")), layer("d e", people.Daily, hours("22:00", "06:30"), days("fri", "sat")),
		},
		Overrides: []people.Override{{From: local("2026-01-11 03:17"), To: local("2026-01-12 04:00"), Off: "a", On: "e"}},
	}
	from, to := local("2025-12-30 05:00"), local("2026-02-10 00:00")
	shifts := r.Calendar(from, to, shanghai)
	for at := from; at.Before(to); at = at.Add(7 * time.Minute) {
		for len(shifts) > 0 && !at.Before(shifts[0].To) {
			shifts = shifts[1:]
		}
		if want := r.OnDuty(at, shanghai); at.Before(shifts[0].From) || !slices.Equal(want, shifts[0].People) {
			t.Fatalf("at %s: the calendar says %v, on duty are %v", at, shifts[0], want)
		}
	}
}
