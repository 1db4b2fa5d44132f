package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/nats-io/nats.go/jetstream"

	"linli/bus"
	"linli/devices"
	"linli/series"
)

const (
	firstBackoff = time.Second
	lastBackoff  = 30 * time.Second
	writeLimit   = 30 * time.Second // of one try
)

// verdict is what to do after an answer of the back end.
type verdict int

const (
	stored  verdict = iota
	split           // one of the lines, or their number, is the trouble
	settled         // wrong settings: an operator has to do something
	again
)

func judge(err error) (v verdict, after time.Duration) {
	var w *series.WriteError
	switch {
	case err == nil:
		return stored, 0
	case !errors.As(err, &w):
		return again, 0
	}
	switch w.Status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge:
		return split, 0
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return settled, w.RetryAfter
	}
	return again, w.RetryAfter
}

// write stores the lines of messages. It returns an error only when ctx has ended. Meanwhile the messages are kept from being
// delivered to somebody else.
func (s *Store) write(ctx context.Context, src *source, lines []byte, held []jetstream.Msg) error {
	if len(lines) == 0 {
		return nil
	}
	done := make(chan struct{})
	var holder sync.WaitGroup
	defer holder.Wait()
	defer close(done)
	holder.Go(func() {
		tick := time.NewTicker(holdEach)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				for _, m := range held {
					_ = m.InProgress() // else it comes again, which does no harm
				}
			}
		}
	})
	return s.store(ctx, job{tell: src.fail}, lines)
}

// job is what lines are written for.
type job struct {
	tell   func(error) // learns of trouble, and of its end; nil: nobody
	replay string      // the reject that is replayed, if it is one
}

func (j job) report(err error) {
	if j.tell != nil {
		j.tell(err)
	}
}

// store writes lines until each is stored or among the rejects. It returns an error only when ctx has ended.
func (s *Store) store(ctx context.Context, j job, lines []byte) error {
	backoff := firstBackoff
	for {
		err := s.try(ctx, lines)
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		v, after := judge(err)
		switch v {
		case stored:
			j.report(nil)
			s.metrics.lines.WithLabelValues("stored").Add(float64(bytes.Count(lines, newline)))
			return nil
		case split:
			first, second := halves(lines)
			if len(second) == 0 {
				return s.reject(ctx, j, first, err)
			}
			if err := s.store(ctx, j, first); err != nil {
				return err
			}
			return s.store(ctx, j, second)
		case settled:
			s.cfg.Log.Error("the time series refuses us", "err", err)
		default:
			s.cfg.Log.Warn("lines are not stored, trying again", "bytes", len(lines), "err", err)
		}
		s.metrics.retries.Inc()
		j.report(fmt.Errorf("nothing is stored: %w", err))
		if !pause(ctx, max(after, backoff/2+rand.N(backoff/2))) {
			return ctx.Err()
		}
		backoff = min(2*backoff, lastBackoff)
	}
}

func (s *Store) try(ctx context.Context, lines []byte) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	began := time.Now()
	defer func() { s.metrics.seconds.Observe(time.Since(began).Seconds()) }()
	return s.cfg.Writer.Write(ctx, lines)
}

var newline = []byte{'\n'}

// halves splits lines in the middle; second is empty if there is one only.
func halves(lines []byte) (first, second []byte) {
	middle := len(lines) / 2
	if i := bytes.IndexByte(lines[middle:], '\n'); i >= 0 && middle+i+1 < len(lines) {
		return lines[:middle+i+1], lines[middle+i+1:]
	}
	if i := bytes.LastIndexByte(lines[:middle], '\n'); i >= 0 {
		return lines[:i+1], lines[i+1:]
	}
	return lines, nil
}

// reject keeps a line that the time series will never take, with what it said.
func (s *Store) reject(ctx context.Context, j job, line []byte, why error) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	r := bus.Reject{
		Received: time.Now().UTC(), Source: bus.SourceStore, Community: bus.UnknownCommunity, Code: "line", Reason: why.Error(), Raw: line,
	}
	var l devices.Line
	if _, err := l.Parse(line); err == nil {
		for _, t := range l.Tags {
			switch string(t.Key) {
			case "community":
				r.Community = string(t.Value)
			case "device":
				r.Device = string(t.Value)
			}
		}
	}
	if !devices.ValidID(r.Community) {
		r.Community = bus.UnknownCommunity
	}
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	// The same line found bad again after a crash is one reject; but a replayed one is a new reject, because the old one goes.
	id := fmt.Sprintf("store-%016x-%s", xxhash.Sum64(line), j.replay)
	if _, _, err := s.cfg.Bus.Publish(ctx, bus.RejectsSubject(r.Community), id, data); err != nil {
		return err
	}
	s.metrics.lines.WithLabelValues("rejected").Inc()
	s.cfg.Log.Error("line rejected by the time series", "community", r.Community, "device", r.Device, "err", why)
	return nil
}

// replay writes a rejected line once more; what is bad still becomes a reject of its own, so the old one can go.
func (s *Store) replay(ctx context.Context, r bus.Reject) error {
	return s.store(ctx, job{replay: r.ID}, r.Raw)
}
