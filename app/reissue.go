package app

import (
	"context"
	"sync"
	"time"

	"linli/devices"
)

// reissuePause is how long the changes of a gateway's devices are gathered. An import brings hundreds at once, and each would end
// the gateway's connection again.
const reissuePause = time.Second

// reissuer ends the connections whose permissions a change of the registry has made wrong; they come back with new ones. A device
// that may do nothing any more is cut off at once; a gateway, whose devices have changed, within reissuePause.
type reissuer struct {
	disconnect func(device string)

	mu       sync.Mutex // guards gateways
	gateways map[string]bool
	changed  chan struct{} // one token: there are gateways
}

func newReissuer(disconnect func(device string)) *reissuer {
	return &reissuer{disconnect: disconnect, gateways: map[string]bool{}, changed: make(chan struct{}, 1)}
}

// change takes a change of the registry. It does not wait.
func (r *reissuer) change(c devices.Change) {
	if c.Old == nil && c.New == nil {
		return
	}
	var before, after devices.Device
	if c.Old != nil {
		before = *c.Old
	}
	if c.New != nil {
		after = *c.New
	}
	if before.ID != "" && (after.State != devices.Active || before.SecretHash != after.SecretHash) {
		r.disconnect(before.ID)
	}
	if before.Gateway == after.Gateway && before.State == after.State {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, gateway := range []string{before.Gateway, after.Gateway} {
		if gateway != "" {
			r.gateways[gateway] = true
		}
	}
	if len(r.gateways) > 0 {
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}
}

// run ends the connections of gateways until ctx ends.
func (r *reissuer) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-r.changed:
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(reissuePause):
		}
		r.mu.Lock()
		all := r.gateways
		r.gateways = map[string]bool{}
		r.mu.Unlock()
		for gateway := range all {
			r.disconnect(gateway)
		}
	}
}
