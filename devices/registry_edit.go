package devices

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"
)

// AddCommunity registers a community. The same again is no error; another under the same id is ErrExists.
func (r *Registry) AddCommunity(ctx context.Context, c Community) error {
	complete(&c)
	if err := checkCommunity(&c); err != nil {
		return err
	}
	revision, err := r.bucket.Create(ctx, communityPrefix+c.ID, c)
	if err != nil {
		return fmt.Errorf("community %q: %w", c.ID, err)
	}
	return r.bucket.Await(ctx, revision)
}

// PutCommunity registers a community or replaces what is registered of it. A place that an active device is at cannot be left out.
func (r *Registry) PutCommunity(ctx context.Context, c Community) error {
	complete(&c)
	if err := checkCommunity(&c); err != nil {
		return err
	}
	for _, d := range r.Devices() {
		var at Checks
		if at.place(d.Place, &c); d.Community == c.ID && d.State == Active && at.Err() != nil {
			return fmt.Errorf("device %q is there: %w", d.ID, at.Err())
		}
	}
	return r.bucket.Edit(ctx, communityPrefix+c.ID, func([]byte) (any, error) { return c, nil })
}

// complete fills in what may be left out of a community: a name in one language stands for both.
func complete(c *Community) {
	if c.Name.ZH == "" {
		c.Name.ZH = c.Name.EN
	}
	if c.Name.EN == "" {
		c.Name.EN = c.Name.ZH
	}
}

// AddDevice registers a device with a new secret and returns it; it is not kept and cannot be read again. The same device
// again is no error and gives no secret; another under the same id is ErrExists.
func (r *Registry) AddDevice(ctx context.Context, d Device) (Secret, error) {
	secret := newSecret()
	created, err := r.addDevice(ctx, d, secret)
	if !created {
		secret = ""
	}
	return secret, err
}

// AddDeviceWithSecret is AddDevice with a secret that the caller has chosen. The same again means the same secret too.
func (r *Registry) AddDeviceWithSecret(ctx context.Context, d Device, secret Secret) error {
	if err := checkSecret(secret); err != nil {
		return err
	}
	created, err := r.addDevice(ctx, d, secret)
	if err == nil && !created && !r.Verify(r.Device(d.ID), secret.Reveal()) {
		return fmt.Errorf("device %q: %w with another secret", d.ID, ErrExists)
	}
	return err
}

func (r *Registry) addDevice(ctx context.Context, d Device, secret Secret) (created bool, err error) {
	if old := r.Device(d.ID); old != nil {
		return false, same(old, &d)
	}
	if err := r.checkDevice(&d, registered{r}).Err(); err != nil {
		return false, err
	}
	revision, err := r.store(ctx, &d, secret)
	if errors.Is(err, ErrExists) { // added by somebody else a moment ago
		revision, err := r.bucket.Revision(ctx, devicePrefix+d.ID)
		if err != nil {
			return false, err
		}
		if err := r.bucket.Await(ctx, revision); err != nil {
			return false, err
		}
		return false, same(r.Device(d.ID), &d)
	}
	if err != nil {
		return false, fmt.Errorf("device %q: %w", d.ID, err)
	}
	return true, r.bucket.Await(ctx, revision)
}

// store writes a new device that has been checked.
func (r *Registry) store(ctx context.Context, d *Device, secret Secret) (uint64, error) {
	d.State, d.Created, d.SecretHash = Active, time.Now().UTC().Truncate(time.Millisecond), r.hash(d.ID, secret)
	return r.bucket.Create(ctx, devicePrefix+d.ID, d)
}

// same returns nil if a device that is in use has the values of d.
func same(old, d *Device) error {
	if old == nil {
		return ErrNotFound
	}
	if old.State != Active {
		return fmt.Errorf("device %q: %w and is %s", d.ID, ErrExists, old.State)
	}
	if field := difference(old, d); field != "" {
		return fmt.Errorf("device %q: %w with another %s", d.ID, ErrExists, field)
	}
	return nil
}

// difference names the first field, as in an import, in which two devices of one id differ; empty if none.
func difference(a, b *Device) string {
	switch {
	case a.Community != b.Community:
		return "community"
	case a.Type != b.Type:
		return "type"
	case a.Name != b.Name:
		return "name"
	case a.Place.Estate != b.Place.Estate:
		return "estate"
	case a.Place.Building != b.Place.Building:
		return "building"
	case a.Place.Unit != b.Place.Unit:
		return "unit"
	case a.Place.Zone != b.Place.Zone:
		return "zone"
	case a.Gateway != b.Gateway:
		return "gateway"
	case a.Person != b.Person:
		return "person"
	case !maps.Equal(a.Tags, b.Tags):
		return "tags"
	case !maps.Equal(a.Attributes, b.Attributes):
		return "attributes"
	}
	return ""
}

// Rotate gives a device a new secret; the old one is worth nothing from then on.
func (r *Registry) Rotate(ctx context.Context, id string) (Secret, error) {
	secret := newSecret()
	err := r.edit(ctx, id, func(d *Device) error {
		if d.State != Active {
			return &InvalidError{"id", id, fmt.Sprintf("is %s", d.State)}
		}
		d.SecretHash = r.hash(id, secret)
		return nil
	})
	if err != nil {
		return "", err
	}
	return secret, nil
}

// Revoke shuts a device out for good: it may not connect, and what a gateway sends for it is rejected.
func (r *Registry) Revoke(ctx context.Context, id string) error {
	return r.edit(ctx, id, func(d *Device) error {
		if d.State == Active {
			d.State, d.SecretHash = Revoked, ""
		}
		return nil
	})
}

// edit changes a device by compare-and-set; change may run several times, each time on what is stored then.
func (r *Registry) edit(ctx context.Context, id string, change func(*Device) error) error {
	if !ValidID(id) {
		return fmt.Errorf("device %q: %w", id, ErrNotFound)
	}
	return r.bucket.Edit(ctx, devicePrefix+id, func(old []byte) (any, error) {
		if old == nil {
			return nil, fmt.Errorf("device %q: %w", id, ErrNotFound)
		}
		d := &Device{}
		if err := json.Unmarshal(old, d); err != nil {
			return nil, fmt.Errorf("device %q: %w", id, err)
		}
		return d, change(d)
	})
}

// registered is what a single device is checked against.
type registered struct{ r *Registry }

func (n registered) device(id string) *Device    { return n.r.Device(id) }
func (n registered) children(gateway string) int { return len(n.r.Children(gateway)) }
