package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"linli/alerts"
	"linli/bus"
	"linli/devices"
	"linli/series"
	"linli/web"
)

const (
	// ahead is how far a reading's time may lie ahead of its receipt.
	ahead                                   = 5 * time.Minute
	firstSlice, longestSlice, shortestSlice = 6 * time.Hour, 7 * 24 * time.Hour, time.Second
)

// sizes bound the rows, of about 200 bytes, that a replay has in memory.
type sizes struct {
	few  int // a slice of history with fewer is followed by one of twice its length
	most int // one that would have more is read again as two
	held int // received later than the slice they belong to: what devices kept for minutes, or days
}

// usualSizes: two slices, one that is judged and one that is read, take up to 100 MB. Only after an outage of the whole site is
// there more: 400 MB of what came late.
var usualSizes = sizes{few: 80_000, most: 240_000, held: 2_000_000}

// replayRules judges stored history by rules and hands over what they lead to, in order. It reads a slice of history while it
// judges the one before. Nothing is stored or sent.
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
		r := &historyReader{lines: a.lines, inputs: rules.Inputs(), query: q, sizes: usualSizes}
		if err := a.holdActions(ctx, r); err != nil {
			return err
		}
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

// holdActions gives r what people did to alerts. An alert is closed in the replay as it was, or what opened a new one would only
// continue it.
func (a *App) holdActions(ctx context.Context, r *historyReader) error {
	from, to := r.query.From.Add(-r.query.WarmUp), r.query.To
	return a.setup.ReadAll(ctx, bus.Actions, bus.ActionsSubject("*"), func(m jetstream.Msg) error {
		var x bus.Action
		if json.Unmarshal(m.Data(), &x) != nil || x.Alert == "" || x.At.Before(from) || !x.At.Before(to) {
			return nil //nolint:nilerr // what cannot be read, the engine did not act on either
		}
		if len(r.held.rows) == r.sizes.held {
			return fmt.Errorf("more than %d actions since %s: replay a shorter time", r.sizes.held, from.Format(time.RFC3339))
		}
		r.held.add(x.At.UnixMilli(), x.At.UnixNano(), m.Data(), action)
		return nil
	})
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

// slice is what was received in a stretch of time, in the order in which the engine judged it.
type slice struct {
	rows  []row
	text  [][]byte // the lines, in chunks: rows without pointers cost the collector nothing and are sorted faster
	chunk int      // that is being filled
	until time.Time
}

// row is a line of readings or events, or what somebody did.
type row struct {
	received     int64 // ms
	at           int64 // ns
	chunk        uint32
	begin, after uint32 // of the line in its chunk
	kind         kind
}

// kind is what a line is, in the order in which the engine judges what comes at once.
type kind uint8

const (
	event  kind = iota
	action      // as it is on the bus
	reading
)

const chunkSize = 1 << 20

// add keeps a copy of a line.
func (s *slice) add(received, at int64, line []byte, k kind) {
	if s.chunk < len(s.text) && cap(s.text[s.chunk])-len(s.text[s.chunk]) < len(line) {
		s.chunk++
	}
	if s.chunk == len(s.text) {
		s.text = append(s.text, make([]byte, 0, max(chunkSize, len(line))))
	}
	chunk := &s.text[s.chunk]
	begin := len(*chunk)
	*chunk = append(*chunk, line...)
	s.rows = append(s.rows, row{received, at, uint32(s.chunk), uint32(begin), uint32(len(*chunk)), k})
}

// reset makes s empty and keeps its memory.
func (s *slice) reset() {
	s.rows, s.chunk = s.rows[:0], 0
	for i := range s.text {
		s.text[i] = s.text[i][:0]
	}
}

func (s *slice) line(r *row) []byte { return s.text[r.chunk][r.begin:r.after] }

// compare puts first what the engine judged first: by the time of receipt; of one moment by kind, and then by their own time. What
// is left is always in the same order.
func (s *slice) compare(a, b row) int {
	switch {
	case a.received != b.received:
		return cmp.Compare(a.received, b.received)
	case a.kind != b.kind:
		return cmp.Compare(a.kind, b.kind)
	case a.at != b.at:
		return cmp.Compare(a.at, b.at)
	}
	return bytes.Compare(s.line(&a), s.line(&b))
}

func (s *slice) judge(h *alerts.History, emit func(any) error) error {
	clock := int64(0)
	for i := range s.rows {
		r := &s.rows[i]
		if second := r.received / 1000; second != clock {
			h.Advance(time.UnixMilli(r.received))
			clock = second
		}
		if err := judge(h, r.kind, s.line(r)); err != nil {
			return fmt.Errorf("judge %q: %w", s.line(r), err)
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

func judge(h *alerts.History, k kind, line []byte) error {
	switch k {
	case event:
		return h.Event(line)
	case reading:
		return h.Reading(line)
	}
	var x bus.Action
	if err := json.Unmarshal(line, &x); err != nil {
		return err
	}
	h.Act(&x)
	return nil
}

// readLines reads stored lines as series.Influx.Lines does.
type readLines func(ctx context.Context, q series.LinesQuery, each func(line []byte, at int64) error) error

// historyReader reads history slice by slice.
type historyReader struct {
	lines  readLines
	inputs map[string][]string
	query  web.Replay
	sizes  sizes

	held slice // received after what was handed over
}

// errLong is what the reading of a slice with too many rows ends with.
var errLong = errors.New("too many lines")

func (r *historyReader) read(ctx context.Context, out chan<- *slice) error {
	length := firstSlice
	s, before := &slice{}, &slice{} // whoever takes one has done with the one before
	for from := r.query.From.Add(-r.query.WarmUp); from.Before(r.query.To); {
		to := from.Add(length)
		until := to.Add(-ahead)
		if !until.Before(r.query.To) {
			until, to = r.query.To, r.query.To.Add(ahead)
		}
		s.reset()
		s.until = until
		n, err := r.load(ctx, s, from, to)
		if errors.Is(err, errLong) && length > shortestSlice {
			length = max(to.Sub(from)/2, shortestSlice)
			continue
		}
		if err != nil {
			return fmt.Errorf("read history within %s of %s: %w", to.Sub(from), from.Format(time.RFC3339), err)
		}
		if err := r.hold(s); err != nil {
			return err
		}
		select {
		case out <- s:
		case <-ctx.Done():
			return ctx.Err()
		}
		s, before = before, s
		if n < r.sizes.few {
			length = min(2*length, longestSlice)
		}
		if until.Equal(r.query.To) {
			break
		}
		from = to
	}
	return nil
}

// load reads what has its time in [from, to) and returns how many rows that is.
func (r *historyReader) load(ctx context.Context, s *slice, from, to time.Time) (n int, err error) {
	tags := map[string]string{}
	for tag, value := range map[string]string{"device": r.query.Device, "community": r.query.Community} {
		if value != "" {
			tags[tag] = value
		}
	}
	for measurement, fields := range r.inputs {
		q := series.LinesQuery{Measurement: measurement, Fields: fields, Tags: tags, From: from, To: to}
		k := reading
		if measurement == alerts.EventMeasurement {
			k = event
		}
		err := r.lines(ctx, q, func(line []byte, at int64) error {
			if n == r.sizes.most {
				return errLong
			}
			n++
			s.add(receipt(line, at), at, line, k)
			return nil
		})
		if err != nil {
			return n, fmt.Errorf("%s: %w", measurement, err)
		}
	}
	return n, nil
}

// hold adds what was held to s, puts it in order, and holds what was received after it.
func (r *historyReader) hold(s *slice) error {
	for i := range r.held.rows {
		x := &r.held.rows[i]
		s.add(x.received, x.at, r.held.line(x), x.kind)
	}
	slices.SortFunc(s.rows, s.compare)
	n, _ := slices.BinarySearchFunc(s.rows, s.until.UnixMilli(), func(x row, until int64) int { return cmp.Compare(x.received, until) })
	if late := len(s.rows) - n; late > r.sizes.held {
		return fmt.Errorf("%d readings were received after %s that are older, more than %d: replay fewer devices", late, s.until.Format(time.RFC3339), r.sizes.held)
	}
	r.held.reset()
	for i := range s.rows[n:] {
		x := &s.rows[n+i]
		r.held.add(x.received, x.at, s.line(x), x.kind)
	}
	s.rows = s.rows[:n]
	return nil
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
