package devices

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// Replace puts the device newID in the place of the device oldID: it gets place, name, tags, attributes, gateway, person and
// the devices behind it, and continues its history. It may be registered already, with the same community and type and nothing
// of its own to continue; else it is added and its secret returned. A Replace that was interrupted can be repeated.
func (r *Registry) Replace(ctx context.Context, oldID, newID string) (Secret, error) {
	var c Checks
	if c.ID("id", newID); len(c) > 0 {
		return "", c.Err()
	}
	old := r.Device(oldID)
	if old == nil {
		return "", fmt.Errorf("device %q: %w", oldID, ErrNotFound)
	}
	if err := fitsFor(old, newID, r.Device(newID)); err != nil {
		return "", err
	}
	// The old device first: its record decides between two who replace it at a time.
	var heir Device
	err := r.edit(ctx, oldID, func(d *Device) error {
		other := r.Device(d.ReplacedBy)
		if d.State == Replaced && d.ReplacedBy != newID && other != nil && other.Replaces == oldID {
			return &InvalidError{"id", oldID, fmt.Sprintf("is replaced by %q", d.ReplacedBy)}
		}
		heir = *d
		d.State, d.SecretHash, d.ReplacedBy = Replaced, "", newID
		return nil
	})
	if err != nil {
		return "", err
	}
	heir.ID, heir.Replaces, heir.ReplacedBy = newID, oldID, ""
	secret := newSecret()
	revision, err := r.store(ctx, &heir, secret)
	switch {
	case err == nil:
		err = r.bucket.Await(ctx, revision)
	case errors.Is(err, ErrExists):
		secret = ""
		err = r.edit(ctx, newID, func(d *Device) error {
			if err := fitsFor(old, newID, d); err != nil {
				return err
			}
			heir.State, heir.SecretHash, heir.Created = d.State, d.SecretHash, d.Created
			*d = heir
			return nil
		})
	}
	if err != nil {
		return "", fmt.Errorf("replace %q: %w", oldID, err)
	}
	return secret, r.moveChildren(ctx, oldID, newID)
}

// fitsFor returns nil if the device, nil when it is still to be added, can take the place of old.
func fitsFor(old *Device, id string, d *Device) error {
	reason := ""
	switch {
	case id == old.ID:
		reason = "is the device to be replaced"
	case d == nil:
	case d.State != Active:
		reason = fmt.Sprintf("is %s", d.State)
	case d.Community != old.Community:
		reason = fmt.Sprintf("is in community %q, not %q", d.Community, old.Community)
	case d.Type != old.Type:
		reason = fmt.Sprintf("is of type %q, not %q", d.Type, old.Type)
	case d.Replaces != "" && d.Replaces != old.ID:
		reason = fmt.Sprintf("replaces %q", d.Replaces)
	}
	if reason != "" {
		return &InvalidError{"id", id, reason}
	}
	return nil
}

func (r *Registry) moveChildren(ctx context.Context, from, to string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(writers)
	for _, id := range r.Children(from) {
		g.Go(func() error {
			return r.edit(ctx, id, func(d *Device) error {
				if d.Gateway == from {
					d.Gateway = to
				}
				return nil
			})
		})
	}
	return g.Wait()
}
