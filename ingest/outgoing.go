package ingest

import (
	"slices"
	"time"

	"linli/bus"
	"linli/devices"
)

const (
	// A command that is not answered is sent again, after twice as long each time: the device may have missed it, and acts once on
	// an id.
	firstResend = 10 * time.Second
	lastResend  = time.Minute

	// The next command of a device waits so long for the answer to the one before.
	patience = 15 * time.Second

	// How long an answer to an expired command is still noted.
	keptExpired = time.Hour
)

// outgoing is what is known of commands: those that are not settled, and those that expired of late, which may be answered yet. It
// decides what is to be sent when; it does nothing by itself and is told the time.
//
// A device is sent its commands one after the other, in the order they were asked for, and none again after a later one: a valve that
// was told to close and then to open must not close.
type outgoing struct {
	devices map[string][]*order // in the order they were asked for
	orders  map[string]*order   // by id
	away    map[string]bool     // devices that the broker said are offline
}

type order struct {
	bus.Command
	due    time.Time // to be sent, if it is the turn of it
	pause  time.Duration
	passed bool // a later one of the device was sent, or may have been
}

func newOutgoing() *outgoing {
	return &outgoing{devices: map[string][]*order{}, orders: map[string]*order{}, away: map[string]bool{}}
}

// record takes a state of a command that is on the bus.
func (o *outgoing) record(c bus.Command) {
	x := o.orders[c.ID]
	switch {
	case x == nil && c.State == bus.CommandQueued:
		x = &order{Command: c, due: c.At, pause: firstResend}
		o.orders[c.ID] = x
		o.devices[c.Device] = append(o.devices[c.Device], x)
		return
	case x == nil || !x.Follows(c.State): // forgotten, or known already
		return
	}
	x.State, x.At, x.Reason = c.State, c.At, c.Reason
	if all := o.devices[c.Device]; slices.Contains(all, x) {
		for _, y := range all[:slices.Index(all, x)] {
			y.passed = true
		}
	}
	switch c.State {
	case bus.CommandSent:
		x.wait(c.At)
	case bus.CommandExpired:
		o.drop(x)
	default:
		o.drop(x)
		delete(o.orders, x.ID)
	}
}

// drop ends the sending of a command.
func (o *outgoing) drop(x *order) {
	left := slices.DeleteFunc(o.devices[x.Device], func(y *order) bool { return x == y })
	if o.devices[x.Device] = left; len(left) == 0 {
		delete(o.devices, x.Device)
	}
}

// wait puts off sending the command again.
func (x *order) wait(now time.Time) {
	x.due, x.pause = now.Add(x.pause), min(2*x.pause, lastResend)
}

// heard notes what the broker said of a device. One that has come back is sent at once what waits for it.
func (o *outgoing) heard(device string, online bool, now time.Time) {
	if !online {
		o.away[device] = true
		return
	}
	delete(o.away, device)
	for _, x := range o.devices[device] {
		x.due, x.pause = now, firstResend
	}
}

// answered is the state of a command after a device's answer; nil if it does not concern one that we know to wait for it.
func (o *outgoing) answered(device, id string, state bus.CommandState, reason string, at time.Time) *bus.Command {
	x := o.orders[id]
	if x == nil || x.Device != device || !x.Follows(state) {
		return nil
	}
	return x.next(state, reason, at)
}

func (x *order) next(state bus.CommandState, reason string, at time.Time) *bus.Command {
	c := x.Command
	c.State, c.Reason, c.At = state, reason, at.UTC()
	return &c
}

// lapsed are the commands whose time is over, as they are then. Those that expired long ago are forgotten.
func (o *outgoing) lapsed(now time.Time) (all []*bus.Command) {
	for _, x := range o.orders {
		switch {
		case x.State == bus.CommandQueued && !now.Before(x.Expires):
			all = append(all, x.next(bus.CommandExpired, "not sent in time", now))
		case x.State == bus.CommandSent && !now.Before(x.Expires):
			all = append(all, x.next(bus.CommandExpired, "sent, and not answered in time", now))
		case x.State == bus.CommandExpired && now.Sub(x.Expires) > keptExpired:
			delete(o.orders, x.ID)
		}
	}
	return all
}

// oldest is when the first command was asked for that may be answered yet; now if there is none.
func (o *outgoing) oldest(now time.Time) time.Time {
	first := now
	for _, x := range o.orders {
		if x.Asked.Before(first) && now.Sub(x.Expires) <= keptExpired {
			first = x.Asked
		}
	}
	return first
}

// due is the next command to be sent, of any device; nil if there is none. A device whose gateway is offline is offline too.
func (o *outgoing) due(now time.Time, registry func(string) *devices.Device) *order {
	for id, all := range o.devices {
		if o.away[id] {
			continue
		}
		if d := registry(id); d != nil && d.Gateway != "" && o.away[d.Gateway] {
			continue
		}
		if x := turn(all, now); x != nil && !now.Before(x.due) && now.Before(x.Expires) {
			return x
		}
	}
	return nil
}

// turn is the command of a device that may be sent: the first that never was, when the one before it has had its time to be
// answered; else the last that was.
func turn(all []*order, now time.Time) *order {
	for i, x := range all {
		if x.State != bus.CommandQueued {
			continue
		}
		if i > 0 && now.Before(all[i-1].At.Add(patience)) {
			return all[i-1]
		}
		return x
	}
	if last := all[len(all)-1]; !last.passed {
		return last
	}
	return nil
}
