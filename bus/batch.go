package bus

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// MaxBatch is the most messages one Commit takes: the server's limit.
const MaxBatch = 1000

// What Commit says when it did not store. After ErrConflict and ErrDuplicate nothing is stored; after ErrUnknown everything or
// nothing is: read back before trying again.
var (
	ErrConflict  = errors.New("another writer was faster")
	ErrDuplicate = errors.New("a message of the batch is stored already")
	ErrUnknown   = errors.New("no answer, or an earlier try is under way; may be stored")
)

// Msg is a message for Commit.
func Msg(subject string, data []byte) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: data}
}

// ExpectLast makes the commit of m fail with ErrConflict unless the last message on its subject has the sequence seq; 0 means
// that there is none.
func ExpectLast(m *nats.Msg, seq uint64) {
	setHeader(m, jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(seq, 10))
}

const (
	batchIDHeader       = "Nats-Batch-Id"
	batchSequenceHeader = "Nats-Batch-Sequence"
	batchCommitHeader   = "Nats-Batch-Commit"

	codeDuplicateInBatch jetstream.ErrorCode = 10201
)

// Commit stores msgs, at most MaxBatch, in stream: all of them, in order and without others between them, or none. It returns
// the sequence of the last. An error other than those above means that nothing is stored.
func (b *Bus) Commit(ctx context.Context, stream string, msgs []*nats.Msg) (lastSeq uint64, err error) {
	if len(msgs) == 0 || len(msgs) > MaxBatch {
		return 0, fmt.Errorf("commit to %s: %d messages, want 1 to %d", stream, len(msgs), MaxBatch)
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, attempt)
		defer cancel()
	}
	last := msgs[len(msgs)-1]
	setHeader(last, jetstream.ExpectedStreamHeader, stream)
	// A single message is all or nothing by itself, and without the fsync that the server makes for every batch.
	if len(msgs) > 1 {
		id := rand.Text()[:8] // stored with every message; it only has to differ from the few batches under way
		for i, m := range msgs {
			setHeader(m, batchIDHeader, id)
			setHeader(m, batchSequenceHeader, strconv.Itoa(i+1))
			if m == last {
				setHeader(m, batchCommitHeader, "1")
				break
			}
			if err := b.NC.PublishMsg(m); err != nil {
				return 0, fmt.Errorf("commit to %s: %w", stream, err)
			}
		}
	}
	reply, err := b.NC.RequestMsgWithContext(ctx, last)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, nats.ErrTimeout):
		return 0, fmt.Errorf("commit to %s: %w (%w)", stream, ErrUnknown, err)
	case err != nil:
		return 0, fmt.Errorf("commit to %s: %w", stream, err)
	}
	return committed(stream, len(msgs), reply.Data)
}

func committed(stream string, n int, reply []byte) (uint64, error) {
	var ack struct {
		Seq   uint64              `json:"seq"`
		Count int                 `json:"count"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(reply, &ack); err != nil {
		return 0, fmt.Errorf("commit to %s: %w (answer %q)", stream, ErrUnknown, reply)
	}
	if ack.Error == nil {
		if n > 1 && ack.Count != n {
			return 0, fmt.Errorf("commit to %s: stored %d of %d messages", stream, ack.Count, n)
		}
		return ack.Seq, nil
	}
	switch ack.Error.ErrorCode {
	case jetstream.JSErrCodeStreamWrongLastSequence:
		return 0, fmt.Errorf("commit to %s: %w (%w)", stream, ErrConflict, ack.Error)
	case jetstream.JSErrCodeStreamWrongLastSequenceConstant: // of copies: another write of the subject waits for them, perhaps our own
		return 0, fmt.Errorf("commit to %s: %w (%w)", stream, ErrUnknown, ack.Error)
	case codeDuplicateInBatch:
		return 0, fmt.Errorf("commit to %s: %w", stream, ErrDuplicate)
	}
	return 0, fmt.Errorf("commit to %s: %w", stream, ack.Error)
}

func setHeader(m *nats.Msg, key, value string) {
	if m.Header == nil {
		m.Header = make(nats.Header, 4)
	}
	m.Header[key] = []string{value}
}
