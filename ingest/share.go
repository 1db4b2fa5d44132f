package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const probeLimit = 5 * time.Second

// probeShare finds out whether the broker delivers to shared subscriptions; some accept them and deliver nothing.
func probeShare(ctx context.Context, b Broker, root string) error {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	id := rand.Text()
	o := mqtt.NewClientOptions().AddBroker(b.URL).SetClientID("linli-probe-" + id).SetUsername(b.User).SetPassword(b.Password)
	o.SetTLSConfig(b.TLS).SetAutoReconnect(false).SetConnectTimeout(connectTimeout).SetProtocolVersion(4)
	client := mqtt.NewClient(o)
	if err := await(ctx, client.Connect()); err != nil {
		return fmt.Errorf("probe shared subscription: connect: %w", err)
	}
	defer client.Disconnect(disconnectTime)
	topic, got := root+"/probe/"+id, make(chan struct{}, 1)
	token := client.Subscribe("$share/"+b.Share+"-probe/"+topic, 1, func(mqtt.Client, mqtt.Message) {
		select {
		case got <- struct{}{}:
		default:
		}
	})
	if err := await(ctx, token); err != nil {
		return fmt.Errorf("probe shared subscription: subscribe: %w", err)
	}
	if err := await(ctx, client.Publish(topic, 1, false, "probe")); err != nil {
		return fmt.Errorf("probe shared subscription: publish: %w", err)
	}
	select {
	case <-got:
		return nil
	case <-ctx.Done():
		return errors.New("the broker does not deliver to shared subscriptions: run one ingest, without a share")
	}
}

func await(ctx context.Context, t mqtt.Token) error {
	select {
	case <-t.Done():
		return t.Error()
	case <-ctx.Done():
		return ctx.Err()
	}
}
