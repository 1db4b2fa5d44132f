package devices

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// AddCommunity registers a community. The same again is no error; another under the same id is ErrExists.
func (r *Registry) AddCommunity(ctx context.Context, c Community) error {
	complete(&c)
	if err := checkCommunity(&c); err != nil {
		return err
	}
	b := r.buckets[0]
	revision, err := b.create(ctx, communityPrefix+c.ID, c)
	if err != nil {
		return fmt.Errorf("community %q: %w", c.ID, err)
	}
	return b.await(ctx, revision)
}

// PutCommunity registers a community or replaces what is registered of it.
func (r *Registry) PutCommunity(ctx context.Context, c Community) error {
	complete(&c)
	if err := checkCommunity(&c); err != nil {
		return err
	}
	return put(ctx, r.buckets[0], communityPrefix+c.ID, c)
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

// PutPerson registers a person or replaces what is registered of them.
func (r *Registry) PutPerson(ctx context.Context, p Person) error {
	if err := r.checkPerson(&p); err != nil {
		return err
	}
	return put(ctx, r.buckets[1], personPrefix+p.ID, p)
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
	if err := r.checkDevice(&d, registered{r}).err(); err != nil {
		return false, err
	}
	revision, err := r.store(ctx, &d, secret)
	if errors.Is(err, ErrExists) { // added by somebody else a moment ago
		e, err := r.buckets[0].kv.Get(ctx, devicePrefix+d.ID)
		if err != nil {
			return false, fmt.Errorf("device %q: %w", d.ID, err)
		}
		if err := r.buckets[0].await(ctx, e.Revision()); err != nil {
			return false, err
		}
		return false, same(r.Device(d.ID), &d)
	}
	if err != nil {
		return false, fmt.Errorf("device %q: %w", d.ID, err)
	}
	return true, r.buckets[0].await(ctx, revision)
}

// store writes a new device that has been checked.
func (r *Registry) store(ctx context.Context, d *Device, secret Secret) (uint64, error) {
	d.State, d.Created, d.SecretHash = Active, time.Now().UTC().Truncate(time.Millisecond), r.hash(d.ID, secret)
	return r.buckets[0].create(ctx, devicePrefix+d.ID, d)
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
	b, key := r.buckets[0], devicePrefix+id
	if !ValidID(id) {
		return fmt.Errorf("device %q: %w", id, ErrNotFound)
	}
	for {
		e, err := b.kv.Get(ctx, key)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return fmt.Errorf("device %q: %w", id, ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("device %q: %w", id, err)
		}
		d, err := decodeEntry[Device](e, false)
		if err != nil {
			return fmt.Errorf("device %q: %w", id, err)
		}
		if err := change(d); err != nil {
			return err
		}
		revision, err := b.update(ctx, key, d, e.Revision())
		if errors.Is(err, ErrExists) {
			continue
		}
		if err != nil {
			return fmt.Errorf("device %q: %w", id, err)
		}
		return b.await(ctx, revision)
	}
}

// put stores a value whatever is there, by compare-and-set against what it is about to replace.
func put(ctx context.Context, b *bucket, key string, value any) error {
	for {
		var revision uint64
		e, err := b.kv.Get(ctx, key)
		if err == nil {
			revision = e.Revision()
		} else if !errors.Is(err, jetstream.ErrKeyNotFound) {
			return fmt.Errorf("%s: %w", key, err)
		}
		if revision == 0 {
			revision, err = b.create(ctx, key, value)
		} else {
			revision, err = b.update(ctx, key, value, revision)
		}
		if errors.Is(err, ErrExists) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return b.await(ctx, revision)
	}
}

// create stores a value under a key that must not exist or hold just that value, else it is ErrExists.
func (b *bucket) create(ctx context.Context, key string, value any) (uint64, error) {
	return b.write(ctx, key, value, func(data []byte) (uint64, error) { return b.kv.Create(ctx, key, data) })
}

// update stores a value under a key whose last revision must be the one given, else it is ErrExists.
func (b *bucket) update(ctx context.Context, key string, value any, last uint64) (uint64, error) {
	return b.write(ctx, key, value, func(data []byte) (uint64, error) { return b.kv.Update(ctx, key, data, last) })
}

// write stores a value. An answer that went missing is looked for: what is stored is stored.
func (b *bucket) write(ctx context.Context, key string, value any, store func([]byte) (uint64, error)) (uint64, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return 0, err
	}
	revision, err := store(data)
	if err == nil {
		return revision, nil
	}
	if e, e2 := b.kv.Get(ctx, key); e2 == nil && bytes.Equal(e.Value(), data) {
		return e.Revision(), nil
	}
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch) {
		return 0, ErrExists
	}
	return 0, err
}

// registered is what a single device is checked against.
type registered struct{ r *Registry }

func (n registered) device(id string) *Device    { return n.r.Device(id) }
func (n registered) children(gateway string) int { return len(n.r.Children(gateway)) }
