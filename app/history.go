package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"linli/alerts"
	"linli/devices"
	"linli/series"
	"linli/web"
)

const (
	// ahead is how far a reading's time may lie ahead of its receipt.
	ahead = 5 * time.Minute
	// A slice of history is as long as brings between fewRows and manyRows rows, if it can.
	firstSlice, longestSlice, shortestSlice = 6 * time.Hour, 7 * 24 * time.Hour, 15 * time.Minute
	fewRows, manyRows                       = 100_000, 400_000
)

// replayRules judges stored history by rules and hands over what they lead to, in order. It reads and judges at the same time and
// holds two slices of history in memory. Nothing is stored or sent.
func (a *App) replayRules(ctx context.Context, q web.Replay, emit func(any) error) error {
	rules, err := a.replayedRules(q)
	if err != nil {
		return err
	}
	h := alerts.NewHistory(rules, newScope(directory{a.registry, a.people}, q), q.From)
	parts := make(chan *slice)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(parts)
		r := &historyReader{lines: a.influx.Lines, inputs: rules.Inputs(), query: q}
		return r.read(ctx, parts)
	})
	g.Go(func() error {
		for s := range parts {
			if err := errors.Join(s.judge(h, emit), emit(web.ReplayProgress{Until: s.until})); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	return g.Wait()
}

// replayedRules are those that the engine has, or those of the catalogue and of the files that came with the request.
func (a *App) replayedRules(q web.Replay) (*alerts.Rules, error) {
	if len(q.Rules) == 0 {
		return a.rules.With(q.Settings)
	}
	dir, err := os.MkdirTemp("", "linli-rules-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range q.Rules {
		if name != filepath.Base(name) || filepath.Ext(name) != ".yaml" {
			return nil, &devices.InvalidError{Field: "rules", Value: name, Reason: "is not the name of a .yaml file"}
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	rules, err := alerts.LoadRules(a.catalogue, dir)
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range all.Unwrap() {
			var mistake *devices.FileError
			if errors.As(err, &mistake) {
				mistake.File = filepath.Base(mistake.File)
			}
		}
	}
	return rules, err
}

// scoped is a directory in which only what is replayed is watched for silence.
type scoped struct {
	alerts.Directory
	devices []*devices.Device
}

func newScope(all alerts.Directory, q web.Replay) scoped {
	s := scoped{Directory: all}
	for _, d := range all.Devices() {
		if (q.Device == "" || d.ID == q.Device) && (q.Community == "" || d.Community == q.Community) {
			s.devices = append(s.devices, d)
		}
	}
	return s
}

func (s scoped) Devices() []*devices.Device { return s.devices }

// slice is what was received in a stretch of time, by the time of receipt; what came at the same moment by its own time.
type slice struct {
	rows  []row
	until time.Time
}

// row is a line of readings or events.
type row struct {
	received int64 // ms
	at       int64 // ns
	line     []byte
	event    bool
}

func (s *slice) judge(h *alerts.History, emit func(any) error) error {
	clock := int64(0)
	for i := range s.rows {
		r := &s.rows[i]
		if second := r.received / 1000; second != clock {
			h.Advance(time.UnixMilli(r.received))
			clock = second
		}
		var err error
		if r.event {
			err = h.Event(r.line)
		} else {
			err = h.Reading(r.line)
		}
		if err != nil {
			return fmt.Errorf("judge %q: %w", r.line, err)
		}
	}
	h.Advance(s.until)
	for _, ev := range h.Happened() {
		if err := emit(ev); err != nil {
			return err
		}
	}
	return nil
}

// historyReader reads history slice by slice.
type historyReader struct {
	lines  func(context.Context, series.LinesQuery, func([]byte, int64) error) error
	inputs map[string][]string
	query  web.Replay

	held []row // received after what was handed over
}

func (r *historyReader) read(ctx context.Context, out chan<- *slice) error {
	length := firstSlice
	for from := r.query.From.Add(-r.query.WarmUp); from.Before(r.query.To); {
		to := from.Add(length)
		until := to.Add(-ahead)
		if !until.Before(r.query.To) {
			until, to = r.query.To, r.query.To.Add(ahead)
		}
		s, err := r.slice(ctx, from, to, until)
		if err != nil {
			return err
		}
		select {
		case out <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
		switch n := len(s.rows); {
		case n < fewRows:
			length = min(2*length, longestSlice)
		case n > manyRows:
			length = max(length/2, shortestSlice)
		}
		if until.Equal(r.query.To) {
			break
		}
		from = to
	}
	return nil
}

// slice reads what has its time in [from, to), and returns what of that, or of what was held, was received before until.
func (r *historyReader) slice(ctx context.Context, from, to, until time.Time) (*slice, error) {
	rows, cut := r.held, until.UnixMilli()
	tags := map[string]string{}
	for tag, value := range map[string]string{"device": r.query.Device, "community": r.query.Community} {
		if value != "" {
			tags[tag] = value
		}
	}
	var arena []byte
	for measurement, fields := range r.inputs {
		q := series.LinesQuery{Measurement: measurement, Fields: fields, Tags: tags, From: from, To: to}
		event := measurement == alerts.EventMeasurement
		err := r.lines(ctx, q, func(line []byte, at int64) error {
			if cap(arena)-len(arena) < len(line) {
				arena = make([]byte, 0, max(1<<20, len(line)))
			}
			begin := len(arena)
			arena = append(arena, line...)
			rows = append(rows, row{receipt(line, at), at, arena[begin:len(arena):len(arena)], event})
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", measurement, err)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.received, b.received), compareEvents(a, b), cmp.Compare(a.at, b.at), bytes.Compare(a.line, b.line))
	})
	n, _ := slices.BinarySearchFunc(rows, cut, func(x row, cut int64) int { return cmp.Compare(x.received, cut) })
	r.held = slices.Clone(rows[n:])
	return &slice{rows[:n], until}, nil
}

// compareEvents puts events before readings of the same moment, as the engine does.
func compareEvents(a, b row) int {
	switch {
	case a.event == b.event:
		return 0
	case a.event:
		return -1
	}
	return 1
}

var receiptKey = []byte(series.ReceivedField + "=")

// receipt is when a line was received, ms: at its own time, ns, if it does not say.
func receipt(line []byte, at int64) int64 {
	i := bytes.LastIndex(line, receiptKey)
	if i < 0 {
		return at / 1e6
	}
	digits := line[i+len(receiptKey):]
	if ms, err := strconv.ParseInt(string(digits[:bytes.IndexByte(digits, 'i')]), 10, 64); err == nil {
		return ms
	}
	return at / 1e6
}
