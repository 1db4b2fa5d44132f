package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"linli/bus"
)

// health remembers how the last messages of each channel ended, for the page.
type health struct {
	mu   sync.Mutex // guards last
	last map[string]bus.ChannelState
}

func newHealth() *health { return &health{last: map[string]bus.ChannelState{}} }

func (h *health) note(channel string, err error, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.last[channel]
	if err == nil {
		s = bus.ChannelState{Accepted: at}
	} else {
		s.Failed, s.Error, s.Class = at, err.Error(), string(classOf(err))
	}
	h.last[channel] = s
}

// recall takes in how a delivery ended before this process began.
func (h *health) recall(d *bus.Delivery) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.last[d.Channel]
	if told(d) && d.Updated.After(s.Accepted) {
		s.Accepted = d.Updated
	}
	if !told(d) && d.Error != "" && d.Class != "" && d.Updated.After(s.Failed) {
		s.Failed, s.Error, s.Class = d.Updated, d.Error, d.Class
	}
	if s.Accepted.After(s.Failed) {
		s = bus.ChannelState{Accepted: s.Accepted}
	}
	h.last[d.Channel] = s
}

func (h *health) of(channel string) bus.ChannelState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last[channel]
}

// channelStates are how the channels are at a moment, by name.
func (n *Notify) channelStates(now time.Time) (all []bus.ChannelState) {
	for _, name := range slices.Sorted(maps.Keys(n.cfg.Channels)) {
		s, q := n.health.of(name), n.governor.quota(name, now)
		s.Channel, s.Muted, s.Code = name, q.muted.UTC(), q.code
		s.Duty, s.Urgent = slices.Contains(n.cfg.Duty, name), n.lanes[name][1].len()
		s.Waiting = n.lanes[name][0].len() + s.Urgent
		if q.limited {
			s.Ordinary, s.Safety = &q.ordinary, &q.safety
			s.Quota, s.Reserved, s.Per = q.limit.Max, q.limit.Reserved, int(q.limit.Per.Seconds())
		}
		all = append(all, s)
	}
	return all
}

// showEvery is how old the states of the channels on the page may be.
const showEvery = 5 * time.Second

// showHealth keeps the states of the channels where web reads them, written when they change. What is not written now is later.
func (n *Notify) showHealth(ctx context.Context) error {
	var shown []byte
	for first := true; first || wait(ctx, showEvery); first = false {
		b, err := json.Marshal(n.channelStates(time.Now()))
		if err != nil {
			return err
		}
		if bytes.Equal(b, shown) {
			continue
		}
		kv, err := n.cfg.Bus.KV(ctx, bus.SettingsBucket)
		if err == nil {
			_, err = kv.Put(ctx, bus.ChannelsKey, b)
		}
		if err != nil {
			if ctx.Err() == nil {
				n.cfg.Log.Warn("the states of the channels are not shown", "err", err)
			}
			continue
		}
		shown = b
	}
	return nil
}
