package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Bus is a connection to JetStream. It is safe for concurrent use.
type Bus struct {
	NC *nats.Conn
	JS jetstream.JetStream
}

// New uses nc, which stays the caller's to close.
func New(nc *nats.Conn) (*Bus, error) {
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(attempt))
	if err != nil {
		return nil, fmt.Errorf("open JetStream: %w", err)
	}
	return &Bus{NC: nc, JS: js}, nil
}

const (
	attempt = 5 * time.Second // one try to store a message; the server answers in milliseconds or not at all

	firstPause = 20 * time.Millisecond // between tries, doubled each time
	lastPause  = 2 * time.Second
)

// Publish stores data under subject and returns its sequence. It tries again with the same msgID, which makes the stream keep
// one, until ctx ends: on silence, without a connection, and when the server says that it cannot now (a full stream or disk).
// Any other refusal is returned at once. When ctx ends the message may be stored or not.
func (b *Bus) Publish(ctx context.Context, subject, msgID string, data []byte) (seq uint64, duplicate bool, err error) {
	m := Msg(subject, data)
	if msgID != "" {
		m.Header = nats.Header{jetstream.MsgIDHeader: {msgID}}
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		ack, err := b.publish(ctx, m)
		if err == nil {
			return ack.Sequence, ack.Duplicate, nil
		}
		if !temporary(err) {
			return 0, false, fmt.Errorf("publish %s: %w", subject, err)
		}
		select {
		case <-ctx.Done():
			return 0, false, fmt.Errorf("publish %s: %w", subject, errors.Join(context.Cause(ctx), err))
		case <-time.After(pause):
		}
	}
}

func (b *Bus) publish(ctx context.Context, m *nats.Msg) (*jetstream.PubAck, error) {
	ctx, cancel := context.WithTimeout(ctx, attempt)
	defer cancel()
	ack, err := b.JS.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
	// A publish that is not permitted gets no answer: the server reports it to the connection.
	if last := b.NC.LastError(); err != nil && errors.Is(last, nats.ErrPermissionViolation) && strings.Contains(last.Error(), strconv.Quote(m.Subject)) {
		return nil, last
	}
	return ack, err
}

// temporary reports whether the same message may be stored later.
func temporary(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code == 503 || api.Code == 429 || api.Code == 408
	}
	for _, permanent := range []error{nats.ErrConnectionClosed, nats.ErrMaxPayload, nats.ErrBadSubject, nats.ErrPermissionViolation} {
		if errors.Is(err, permanent) {
			return false
		}
	}
	return true
}

// KV opens a bucket that Setup has made.
func (b *Bus) KV(ctx context.Context, bucket string) (jetstream.KeyValue, error) {
	kv, err := b.JS.KeyValue(ctx, bucket)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", bucket, err)
	}
	return kv, nil
}
