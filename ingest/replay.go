package ingest

import (
	"context"

	"linli/bus"
	"linli/devices"
)

// replayed is who is told that a replayed message is stored.
type replayed chan struct{}

func (r replayed) ack([]uint16) { close(r) }

// replay sends a rejected message through its lane once more, at the time when it was received, and returns when it is settled: stored,
// or rejected anew.
func (i *Ingest) replay(ctx context.Context, r bus.Reject) error {
	lanes := i.lanes.Load()
	l := lanes.fast
	if t, err := devices.ParseTopic(i.root, r.Topic); err != nil || t.Lane == devices.Telemetry {
		l = lanes.bulk
	}
	done := make(replayed)
	b := &burst{from: done, received: r.Received, replay: true, messages: []message{{topic: []byte(r.Topic), payload: r.Raw, id: 1}}}
	select {
	case l.replays <- b:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
