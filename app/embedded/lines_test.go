package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"linli/app/embedded"
	"linli/internal/testkit"
	"linli/series"
)

type readLines func(context.Context, series.LinesQuery, func([]byte, int64) error) error

// read returns the lines of a query in alphabetical order. Every run of one series is oldest first.
func (read readLines) all(t *testing.T, q series.LinesQuery) (lines []string) {
	t.Helper()
	head, last := "", int64(0)
	err := read(t.Context(), q, func(line []byte, at int64) error {
		if h, _, _ := strings.Cut(string(line), " "); h != head {
			head, last = h, 0
		}
		if at <= last {
			t.Errorf("%q is not behind the one before", line)
		}
		last = at
		lines = append(lines, string(line))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

// TestLinesAreThoseOfTheQueryEngine reads the same past the query engine and through it.
func TestLinesAreThoseOfTheQueryEngine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	begin := time.Date(2026, 2, 25, 0, 0, 0, 0, time.UTC)
	var text strings.Builder
	for i := range 3000 { // more than two blocks, in three weeks of shards
		at := begin.Add(time.Duration(i) * 7 * time.Minute)
		fmt.Fprintf(&text, "probe,community=c1,device=a,inlet=1 level=%d.25,received_at=%di %d\n", i, at.UnixMilli(), at.UnixNano())
		if i%3 == 0 {
			fmt.Fprintf(&text, "probe,community=c1,device=b open=%t,state=\"it is \\\"%d\\\" \\\\\" %d\n", i%2 == 0, i, at.UnixNano())
		}
		if i%500 == 0 { // a field of its own, and another measurement
			fmt.Fprintf(&text, "probe,community=c1,device=a,inlet=1 spare=%d %d\n", i, at.UnixNano())
			fmt.Fprintf(&text, "other,community=c1,device=a level=%d %d\n", i, at.UnixNano())
		}
	}
	for restart := range 2 {
		db, err := embedded.OpenInflux(dir, testkit.Log, func() error { return errors.New("the data is damaged") })
		if err != nil {
			t.Fatal(err)
		}
		x, err := series.OpenInflux(series.Options{URL: embedded.InfluxURL, HTTPClient: db.Client(), Bucket: embedded.Database + "/autogen"})
		if err != nil {
			t.Fatal(err)
		}
		if restart == 0 {
			if err := x.Write(t.Context(), []byte(text.String())); err != nil {
				t.Fatal(err)
			}
		}
		fields := []string{"level", "nothing", "open", series.ReceivedField, "spare", "state"}
		for _, q := range []series.LinesQuery{
			{Measurement: "probe", Fields: fields, From: begin, To: begin.AddDate(0, 1, 0)},
			{Measurement: "probe", Fields: fields, Tags: map[string]string{"device": "b", "community": "c1"}, From: begin, To: begin.AddDate(0, 1, 0)},
			{Measurement: "probe", Fields: fields, Tags: map[string]string{"device": "c"}, From: begin, To: begin.AddDate(0, 1, 0)},
			{Measurement: "probe", Fields: []string{"open"}, From: begin, To: begin.AddDate(0, 1, 0)},
			// the first is in it, the last is not
			{Measurement: "probe", Fields: fields, From: begin.Add(7 * time.Minute), To: begin.Add(21 * time.Minute)},
			{Measurement: "probe", Fields: fields, From: begin.AddDate(1, 0, 0), To: begin.AddDate(1, 1, 0)},
			{Measurement: "missing", Fields: fields, From: begin, To: begin.AddDate(0, 1, 0)},
		} {
			want := readLines(x.Lines).all(t, q)
			if diff := cmp.Diff(want, readLines(db.Lines).all(t, q)); diff != "" {
				t.Errorf("%+v (-query engine +files):\n%s", q, diff)
			}
		}
		if n := len(readLines(db.Lines).all(t, series.LinesQuery{Measurement: "probe", Fields: fields, From: begin, To: begin.AddDate(0, 1, 0)})); n != 4000 {
			t.Errorf("%d lines, want 4000", n)
		}
		stop := errors.New("stop")
		err = db.Lines(t.Context(), series.LinesQuery{Measurement: "probe", Fields: fields, From: begin, To: begin.AddDate(0, 1, 0)}, func([]byte, int64) error { return stop })
		if !errors.Is(err, stop) {
			t.Errorf("got %v, want the error of each", err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Lines(t.Context(), series.LinesQuery{}, nil); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("after close: %v", err)
		}
	}
}
