package app

import (
	"sync/atomic"

	"linli/app/embedded"
	"linli/devices"
)

// auth lets the broker ask the registry who a device is. The broker starts before the registry, which lies in it; until the
// registry is there nobody is known.
type auth struct {
	registry atomic.Pointer[devices.Registry]
}

var _ embedded.Authenticator = (*auth)(nil)

func (x *auth) Authenticate(user, secret string) (embedded.Permissions, bool) {
	r := x.registry.Load()
	if r == nil {
		return embedded.Permissions{}, false
	}
	d := r.Device(user)
	if d == nil || d.State != devices.Active || !r.Verify(d, secret) {
		return embedded.Permissions{}, false
	}
	return embedded.Permissions{Children: r.Children(d.ID)}, true
}

// reissue ends the connections whose permissions a change of the registry has made wrong; they come back with new ones.
func (a *App) reissue(c devices.Change) {
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
		a.nats.Disconnect(before.ID)
	}
	if before.Gateway == after.Gateway && before.State == after.State {
		return
	}
	for _, gateway := range []string{before.Gateway, after.Gateway} {
		if gateway != "" {
			a.nats.Disconnect(gateway)
		}
	}
}
