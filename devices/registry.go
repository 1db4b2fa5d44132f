package devices

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus/bucket"
)

// MaxChildren is how many devices one gateway may publish for: they are listed in its permissions.
const MaxChildren = 500

// Keys of the registry bucket begin with these.
const (
	communityPrefix = "community."
	devicePrefix    = "device."
)

// Registry is what is registered in an installation: communities with their places, and devices. It reads from a copy in
// memory, so lookups cost nothing; changes go to a key-value bucket and come back by a watch, which Run follows. All
// methods are safe for concurrent use, and what they return must not be modified.
type Registry struct {
	cat      *Catalogue
	key      []byte // of the secret hashes
	bucket   *bucket.Bucket
	lives    func(person, community string) bool
	onChange []func(Change)

	mu          sync.RWMutex // guards everything below
	devices     map[string]*Device
	communities map[string]*Community
	children    map[string]map[string]bool // of a gateway
	sorted      []*Device                  // all devices by id; nil: to be made
}

// Change is one entry that differs from before. Old and New are set for a device: nil before it was added, nil once it is gone.
// Of a community only the id is given; the registry has the new value.
type Change struct {
	Community string
	Old, New  *Device
}

// OpenRegistry loads the bucket. The key, 32 random bytes, is that of the secret hashes: another one invalidates all secrets.
// lives says whether a person is registered in a community, which a device may belong to; nil: nobody is.
func OpenRegistry(ctx context.Context, kv jetstream.KeyValue, cat *Catalogue, key []byte, lives func(person, community string) bool) (*Registry, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("open registry: the key has %d bytes, want 32", len(key))
	}
	r := &Registry{
		cat:         cat,
		key:         slices.Clone(key),
		devices:     map[string]*Device{},
		communities: map[string]*Community{},
		children:    map[string]map[string]bool{},
		lives:       lives,
	}
	if r.lives == nil {
		r.lives = func(string, string) bool { return false }
	}
	var err error
	r.bucket, err = bucket.Open(ctx, kv, r.apply)
	return r, err
}

// Run follows the bucket until ctx ends. Without it nothing changes here, and changes wait.
func (r *Registry) Run(ctx context.Context) error { return r.bucket.Run(ctx) }

// Device returns the device of that id, or nil.
func (r *Registry) Device(id string) *Device {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.devices[id]
}

// Community returns the community of that id, or nil.
func (r *Registry) Community(id string) *Community {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.communities[id]
}

// Devices returns every device in the order of ids, in whatever state.
func (r *Registry) Devices() []*Device {
	r.mu.RLock()
	sorted := r.sorted
	r.mu.RUnlock()
	if sorted != nil {
		return sorted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sorted == nil {
		r.sorted = slices.SortedFunc(maps.Values(r.devices), func(a, b *Device) int { return cmp.Compare(a.ID, b.ID) })
	}
	return r.sorted
}

// Communities returns every community in the order of ids.
func (r *Registry) Communities() []*Community {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.SortedFunc(maps.Values(r.communities), func(a, b *Community) int { return cmp.Compare(a.ID, b.ID) })
}

// Children returns the ids of the active devices behind a gateway, in order.
func (r *Registry) Children(gateway string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var ids []string
	for id := range r.children[gateway] {
		if r.devices[id].State == Active {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// History returns the device and those whose place it took, oldest last: the ids under which its readings are stored.
func (r *Registry) History(id string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var ids []string
	for id != "" && !slices.Contains(ids, id) {
		ids = append(ids, id)
		d := r.devices[id]
		if d == nil {
			break
		}
		id = d.Replaces
	}
	return ids
}

// OnChange registers a function that Run calls for every change, in order and one at a time. It must be registered before Run,
// return soon, and not change the registry itself: that would wait for the very Run that waits for it.
func (r *Registry) OnChange(f func(Change)) { r.onChange = append(r.onChange, f) }

// Status returns nil while the copy follows the bucket and every entry of it could be read.
func (r *Registry) Status() error { return r.bucket.Status() }

// apply brings one entry into the copy and calls back. An entry that cannot be read counts as gone: its device may not connect.
func (r *Registry) apply(e bucket.Entry) error {
	change, err := r.take(e)
	if change == (Change{}) {
		return err
	}
	for _, call := range r.onChange {
		call(change)
	}
	return err
}

// take brings one entry into the copy and says what changed: nothing, for an entry that is not ours.
func (r *Registry) take(e bucket.Entry) (c Change, err error) {
	kind, id, _ := strings.Cut(e.Key(), ".")
	r.mu.Lock()
	defer r.mu.Unlock()
	switch kind + "." {
	case devicePrefix:
		c.Old = r.devices[id]
		c.New, err = decodeEntry[Device](e)
		r.setDevice(id, c.Old, c.New)
	case communityPrefix:
		c.Community = id
		var x *Community
		if x, err = decodeEntry[Community](e); x == nil {
			delete(r.communities, id)
		} else {
			r.communities[id] = x
		}
	}
	return c, err
}

func (r *Registry) setDevice(id string, before, after *Device) {
	r.sorted = nil
	if before != nil && before.Gateway != "" {
		delete(r.children[before.Gateway], id)
	}
	if after == nil {
		delete(r.devices, id)
		return
	}
	after.ID = id
	r.devices[id] = after
	if after.Gateway == "" {
		return
	}
	if r.children[after.Gateway] == nil {
		r.children[after.Gateway] = map[string]bool{}
	}
	r.children[after.Gateway][id] = true
}

func decodeEntry[T any](e bucket.Entry) (*T, error) {
	if bucket.Gone(e) {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(e.Value(), v); err != nil {
		return nil, err
	}
	return v, nil
}
