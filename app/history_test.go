package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/series"
	"linli/web"
)

var smallSizes = sizes{few: 100, most: 1000, held: 5000}

// burst is a history of so many lines: all of one minute, each received a second after it happened, every tenth a day later.
func burst(t *testing.T, begin time.Time, n int) readLines {
	return func(_ context.Context, q series.LinesQuery, each func([]byte, int64) error) error {
		taken := 0
		for i := range n {
			at := begin.Add(time.Duration(i) * time.Minute / time.Duration(n))
			if at.Before(q.From) || !at.Before(q.To) {
				continue
			}
			received := at.Add(time.Second)
			if i%10 == 0 {
				received = at.Add(24 * time.Hour)
			}
			if err := each(fmt.Appendf(nil, "m,device=d%d v=1,received_at=%di %d\n", i%50, received.UnixMilli(), at.UnixNano()), at.UnixNano()); err != nil {
				return err
			}
			if taken++; taken > smallSizes.most {
				t.Errorf("more than %d lines are read at once", smallSizes.most)
			}
		}
		return nil
	}
}

// TestHistoryIsReadInBoundedSlices has more lines in a minute than a slice may: each is handed over once, in the order of receipt.
func TestHistoryIsReadInBoundedSlices(t *testing.T) {
	t.Parallel()
	n := 3*smallSizes.most + 123
	begin := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	r := &historyReader{
		lines: burst(t, begin, n), inputs: map[string][]string{"m": {"v", series.ReceivedField}}, sizes: smallSizes,
		query: web.Replay{From: begin.Add(-time.Hour), To: begin.Add(48 * time.Hour)},
	}
	parts, failed := make(chan *slice), make(chan error, 1)
	go func() {
		defer close(parts)
		failed <- r.read(t.Context(), parts)
	}()
	seen, late := map[string]bool{}, 0
	last := int64(0)
	for s := range parts {
		for i := range s.rows {
			x := &s.rows[i]
			if line := string(s.line(x)); x.received < last || i > 0 && s.compare(s.rows[i-1], *x) >= 0 || seen[line] {
				t.Fatalf("%q comes too late or twice", line)
			}
			if x.received >= s.until.UnixMilli() {
				t.Fatalf("%q is received after %s", s.line(x), s.until)
			}
			if last = x.received; last-x.at/1e6 > 2000 {
				late++
			}
			seen[string(s.line(x))] = true
		}
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if len(seen) != n || late != (n+9)/10 {
		t.Errorf("%d lines and of these %d late, want %d and %d", len(seen), late, n, (n+9)/10)
	}
}

func TestHistoryThatCannotBeBoundedIsRefused(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	line := []byte("m,device=d v=1 1\n")
	r := &historyReader{
		lines: func(_ context.Context, q series.LinesQuery, each func([]byte, int64) error) error {
			for range smallSizes.most + 1 {
				if err := each(line, q.From.UnixNano()); err != nil {
					return err
				}
			}
			return nil
		},
		inputs: map[string][]string{"m": {"v"}}, sizes: smallSizes, query: web.Replay{From: begin, To: begin.Add(time.Hour)},
	}
	if err := r.read(t.Context(), make(chan *slice)); err == nil || !strings.Contains(err.Error(), "within 1s of 2026-06-01T00:00:00Z: m: too many lines") {
		t.Errorf("got %v", err)
	}
	late := &slice{rows: slices.Repeat([]row{{received: begin.AddDate(0, 0, 1).UnixMilli()}}, smallSizes.held+1), text: [][]byte{nil}, until: begin}
	if err := r.hold(late); err == nil || !strings.Contains(err.Error(), "5001 readings") {
		t.Errorf("got %v", err)
	}
}
