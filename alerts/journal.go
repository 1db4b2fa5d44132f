package alerts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"linli/bus"
	"linli/internal/failpoint"
)

// transactionHeader names the transaction that an offset record ended, so that its writer knows it again.
const transactionHeader = "Linli-Transaction"

// journal writes transactions to CORE. Each ends with the offset record and is refused as a whole unless the one before it was
// ours too: that is the fence between two engines.
type journal struct {
	bus    *bus.Bus
	writer string
	count  int
	fence  uint64     // sequence of the offset record
	stored bus.Offset // what it says

	leaveOut func(subject string, err error) // is told of a record that cannot be read

	hook func(point string) // tests stop the engine here
}

// transaction is what one commit stores.
type transaction struct {
	events  []bus.AlertEvent
	records map[string]any // by subject: holds and loads
	shards  map[uint8][]byte
	// sequences are those that wait, by shard; they change with what they come to, not with the checkpoints.
	sequences map[uint8][]byte
	offset    bus.Offset
}

// errTransient are commits that stored nothing and may be tried again.
const (
	firstRetry = 50 * time.Millisecond
	lastRetry  = 2 * time.Second
)

// claim takes over: from now on a commit of anybody else is refused. After an offset that cannot be read everything in the streams
// is judged again: what is found a second time is known by its id.
func (j *journal) claim(ctx context.Context) error {
	j.writer = nuid.Next()
	for {
		m, err := j.last(ctx)
		if err != nil {
			return err
		}
		j.fence, j.stored = 0, bus.Offset{}
		if m != nil {
			j.fence = m.Sequence
			if err := json.Unmarshal(m.Data, &j.stored); err != nil {
				j.stored = bus.Offset{}
				j.leaveOut(bus.OffsetSubject, err)
			}
		}
		err = j.commit(ctx, transaction{offset: j.stored}, nil, func(error) {})
		if !errors.Is(err, ErrReplaced) { // the other one was faster this time
			return err
		}
	}
}

// last reads the offset record; nil when there is none.
func (j *journal) last(ctx context.Context) (*jetstream.RawStreamMsg, error) {
	s, err := j.bus.JS.Stream(ctx, bus.Core)
	if err != nil {
		return nil, fmt.Errorf("read offset: %w", err)
	}
	m, err := s.GetLastMsgForSubject(ctx, bus.OffsetSubject)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read offset: %w", err)
	}
	return m, nil
}

// commit stores t, all of it or nothing, and tries until ctx ends. It returns ErrReplaced when the fence is somebody else's now.
// What goes on meanwhile is told to status.
func (j *journal) commit(ctx context.Context, t transaction, known *book, status func(error)) error {
	j.count++
	name := j.writer + "-" + strconv.Itoa(j.count)
	j.at("before commit")
	for pause := firstRetry; ; pause = min(2*pause, lastRetry) {
		messages, err := j.messages(t, name)
		if err != nil {
			return err
		}
		seq, err := j.bus.Commit(ctx, bus.Core, messages)
		if err == nil {
			j.at("after commit")
			j.fence, j.stored = seq, t.offset
			return nil
		}
		status(err)
		verdict, err := j.settle(ctx, name, err)
		switch {
		case errors.Is(err, ErrReplaced):
			return err
		case err != nil && ctx.Err() != nil:
			return err
		case verdict == stored:
			j.stored = t.offset
			return nil
		case verdict == refused:
			if err := j.drop(ctx, &t, known); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

func (j *journal) at(point string) {
	failpoint.Hit("alerts " + point)
	if j.hook != nil {
		j.hook(point)
	}
}

type verdict uint8

const (
	retry   verdict = iota // nothing is stored
	stored                 // it is, only the answer was lost
	refused                // one of the alert events exists already
)

// settle finds out what became of a commit that failed with cause.
func (j *journal) settle(ctx context.Context, name string, cause error) (verdict, error) {
	doubt := errors.Is(cause, bus.ErrUnknown)
	if !doubt && !errors.Is(cause, bus.ErrConflict) && !errors.Is(cause, bus.ErrDuplicate) {
		return retry, cause
	}
	m, err := j.last(ctx)
	switch {
	case err != nil:
		return retry, err
	case m != nil && m.Header.Get(transactionHeader) == name:
		j.fence = m.Sequence
		return stored, nil
	case m == nil && j.fence != 0, m != nil && m.Sequence != j.fence:
		return retry, fmt.Errorf("%w: %w", ErrReplaced, cause)
	case doubt:
		return retry, nil
	}
	return refused, nil
}

// messages are the records of a transaction, the offset last.
func (j *journal) messages(t transaction, name string) ([]*nats.Msg, error) {
	all := make([]*nats.Msg, 0, 2*len(t.events)+len(t.shards)+len(t.sequences)+1)
	latest := map[string]*bus.Alert{}
	for i := range t.events {
		ev := &t.events[i]
		m, err := record(bus.AlertEventSubject(ev.Alert.ID, ev.N), ev)
		if err != nil {
			return nil, err
		}
		if !ev.Alert.Synthetic { // a trial replaces the one before
			bus.ExpectLast(m, 0)
		}
		all = append(all, m)
		latest[ev.Alert.ID] = &ev.Alert
	}
	for id, a := range latest {
		m, err := record(bus.AlertSubject(id), a)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	for subject, v := range t.records {
		m, err := record(subject, v)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	for shard, data := range t.shards {
		all = append(all, bus.Msg(bus.CheckpointSubject+"."+strconv.Itoa(int(shard)), data))
	}
	for shard, data := range t.sequences {
		all = append(all, bus.Msg(bus.SequencesSubject+"."+strconv.Itoa(int(shard)), data))
	}
	m, err := record(bus.OffsetSubject, t.offset)
	if err != nil {
		return nil, err
	}
	m.Header = nats.Header{transactionHeader: {name}}
	bus.ExpectLast(m, j.fence)
	return append(all, m), nil
}

func record(subject string, v any) (*nats.Msg, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", subject, err)
	}
	return bus.Msg(subject, data), nil
}

// drop takes the events out of t that are in CORE already: of alerts so old that the book has forgotten them. CORE is right about
// those, and the book learns from it.
func (j *journal) drop(ctx context.Context, t *transaction, known *book) error {
	s, err := j.bus.JS.Stream(ctx, bus.Core)
	if err != nil {
		return err
	}
	exists := map[string]bool{}
	var kept []bus.AlertEvent
	for _, ev := range t.events {
		id := ev.Alert.ID
		if _, asked := exists[id]; !asked {
			_, err := s.GetLastMsgForSubject(ctx, bus.AlertEventSubject(id, ev.N))
			if err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
				return fmt.Errorf("look for alert %s: %w", id, err)
			}
			exists[id] = err == nil
			if err == nil {
				if err := j.learn(ctx, s, id, known); err != nil {
					return err
				}
			}
		}
		if !exists[id] {
			kept = append(kept, ev)
		}
	}
	if len(kept) == len(t.events) {
		return fmt.Errorf("%w: a transaction is refused for no reason that can be found", ErrReplaced)
	}
	t.events = kept
	return nil
}

func (j *journal) learn(ctx context.Context, s jetstream.Stream, id string, known *book) error {
	m, err := s.GetLastMsgForSubject(ctx, bus.AlertSubject(id))
	if err != nil {
		return fmt.Errorf("read alert %s: %w", id, err)
	}
	var a bus.Alert
	if err := json.Unmarshal(m.Data, &a); err != nil {
		return fmt.Errorf("read alert %s: %w", id, err)
	}
	known.replace(&a)
	return nil
}
