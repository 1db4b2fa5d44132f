package notify

import (
	"context"
	"encoding/json"
	"fmt"

	"linli/bus"
)

// hearTrial records that a trial SOS has come as far as a delivery, and keeps it from everybody.
func (n *Notify) hearTrial(ctx context.Context, e *bus.AlertEvent) error {
	if e.Kind != "opened" {
		return nil
	}
	b, err := json.Marshal(bus.Delivery{
		ID: "probe", Alert: e.Alert.ID, N: e.N, Event: e.Kind, Channel: "probe", Safety: true, State: bus.Accepted,
		Created: e.Alert.EventTime, Updated: e.At,
	})
	if err != nil {
		return err
	}
	if _, err := n.cfg.Bus.JS.PublishMsg(ctx, bus.Msg(bus.ProbeSubject, b)); err != nil {
		return fmt.Errorf("record trial: %w", err)
	}
	return nil
}
