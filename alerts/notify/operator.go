package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"linli/bus"
	"linli/devices"
)

// Operator is who runs linli. They are told of trouble with linli itself at once and without the bus, the engine or a record: any
// of these may be the trouble.
type Operator struct {
	channels Channels
	to       []bus.Address
}

// NewOperator checks that the channels exist.
func NewOperator(channels Channels, to []bus.Address) (*Operator, error) {
	for _, a := range to {
		if channels[a.Channel] == nil {
			return nil, fmt.Errorf("operator: no channel %q", a.Channel)
		}
	}
	return &Operator{channels, to}, nil
}

// Trouble is what is wrong with linli.
type Trouble struct {
	Part  string // which part of linli
	Err   string
	Since time.Time
	Over  bool
}

// Tell sends to every address at once: one that hangs must not take the time of the others. It returns nil if one has taken it.
func (o *Operator) Tell(ctx context.Context, t Trouble) error {
	m, err := t.message(time.Now().UTC())
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	errs := make([]error, len(o.to))
	for i, a := range o.to {
		all.Go(func() {
			own := m
			own.To = a.To
			if _, err := o.channels[a.Channel].Send(ctx, own); err != nil {
				errs[i] = fmt.Errorf("channel %s: %w", a.Channel, err)
			}
		})
	}
	all.Wait()
	if slices.Contains(errs, nil) {
		return nil
	}
	return errors.Join(errs...)
}

// message has the form of one about an alert, so that every channel can carry it.
func (t *Trouble) message(now time.Time) (Message, error) {
	zh, en, state := "邻里系统自身异常", "linli itself is in trouble", bus.Opened
	if t.Over {
		zh, en, state = "邻里系统自身已恢复正常", "linli itself is well again", bus.Closed
	}
	a := bus.Alert{
		ID: fmt.Sprintf("linli-%s-%d", strings.ReplaceAll(t.Part, " ", "-"), t.Since.UnixMilli()), Rule: "linli_trouble", Kind: "event",
		Name: devices.Text{ZH: zh, EN: en}, Text: devices.Text{ZH: t.Part + "：" + t.Err, EN: t.Part + ": " + t.Err},
		Severity: bus.High, Category: "service", State: state, Community: devices.Probe.Community, Device: devices.Probe.ID,
		OpenedAt: t.Since, EventTime: t.Since, LastEvent: t.Since, Received: t.Since, Count: 1,
	}
	b := body{ID: fmt.Sprintf("%s-%d", a.ID, now.UnixMilli()), Event: string(state), N: 1, At: now, Target: "operator", Alert: a}
	data, err := json.Marshal(b)
	if err != nil {
		return Message{}, fmt.Errorf("write notice: %w", err)
	}
	title, text := compose(&b)
	return Message{ID: b.ID, Event: b.Event, Alert: a, Title: title, Text: text, Body: data, Made: now}, nil
}

// Heartbeat are the settings of a URL that somebody outside watches: when nobody calls it any more, linli is gone.
type Heartbeat struct {
	URL                   string `yaml:"url"`
	AllowPrivateAddresses bool   `yaml:"allow_private_addresses"` // also http, and any port
}

// Open returns a function that calls the URL with a POST.
func (h Heartbeat) Open() (func(context.Context) error, error) {
	c, err := endpoint(h).open("")
	if err != nil {
		return nil, fmt.Errorf("heartbeat: %w", err)
	}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, http.NoBody)
		if err != nil {
			return err
		}
		status, header, _, err := c.do(ctx, req)
		if err != nil {
			return err
		}
		return judgeStatus(status, header)
	}, nil
}
