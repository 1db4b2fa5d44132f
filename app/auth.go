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
