package simulate

import (
	"context"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"linli/devices"
)

// Perform plays a scenario over MQTT as if it had begun at start, each device on a connection of its own, and returns when the
// broker has acknowledged all of it. Of cfg it needs the broker, the catalogue and the credentials.
func (s *Scenario) Perform(ctx context.Context, cfg Config, start time.Time) error {
	if err := cfg.complete(); err != nil {
		return fmt.Errorf("scenario %s: %w", s.ID, err)
	}
	sim := &Simulator{cfg: cfg}
	clients := make(map[string]mqtt.Client, len(s.Devices))
	defer func() {
		for _, c := range clients {
			c.Disconnect(100)
		}
	}()
	for i := range s.Devices {
		l := &link{sim: sim, device: &s.Devices[i]}
		client, _, err := l.connect(make(chan error, 1))
		if err != nil {
			return fmt.Errorf("scenario %s: device %s: %w", s.ID, l.device.ID, err)
		}
		clients[l.device.ID] = client
	}
	return s.Play(ctx, cfg.Catalogue, cfg.Root, func(topic string, payload []byte) error {
		t, err := devices.ParseTopic(cfg.Root, topic)
		if err != nil {
			return err
		}
		token := clients[t.Device].Publish(topic, 1, false, payload)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(ackTimeout):
			return fmt.Errorf("publish to %s: %w", topic, orTimeout(nil))
		case <-token.Done():
			return token.Error()
		}
	}, start)
}
