package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// intake reads messages one after the other. One is acknowledged when handle has recorded what follows from it; else it comes again.
func (n *Notify) intake(ctx context.Context, what string, from jetstream.Consumer, handle func(context.Context, []byte) error) error {
	for ctx.Err() == nil {
		err := n.read(ctx, from, handle)
		if ctx.Err() != nil {
			return nil
		}
		err = fmt.Errorf("read %s: %w", what, err)
		n.failing.Store(&err)
		n.cfg.Log.Warn("intake begins again", "err", err)
		if !wait(ctx, time.Second) {
			return nil
		}
	}
	return nil
}

func (n *Notify) read(ctx context.Context, from jetstream.Consumer, handle func(context.Context, []byte) error) error {
	it, err := from.Messages(jetstream.PullMaxMessages(64))
	if err != nil {
		return err
	}
	n.failing.Store(nil)
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()
	for {
		m, err := it.Next()
		if err != nil {
			return err
		}
		if n.cfg.hook("read") {
			return ctx.Err()
		}
		if err := handle(ctx, m.Data()); err != nil {
			return err
		}
		if n.cfg.hook("recorded") {
			return ctx.Err()
		}
		if err := m.Ack(); err != nil {
			return err
		}
	}
}
