package devices

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// MaxChildren is how many devices one gateway may publish for: they are listed in its permissions.
const MaxChildren = 500

// Keys of the registry bucket and of the people bucket begin with these.
const (
	communityPrefix = "community."
	devicePrefix    = "device."
	personPrefix    = "person."
)

// Registry is what is registered in an installation: communities with their places, devices, people. It reads from a copy in
// memory, so lookups cost nothing; changes go to two key-value buckets and come back by a watch, which Run follows. All
// methods are safe for concurrent use, and what they return must not be modified.
type Registry struct {
	cat      *Catalogue
	key      []byte // of the secret hashes
	buckets  [2]*bucket
	onChange []func(Change)

	mu          sync.RWMutex // guards everything below
	devices     map[string]*Device
	communities map[string]*Community
	people      map[string]*Person
	children    map[string]map[string]bool // of a gateway
	sorted      []*Device                  // all devices by id; nil: to be made
	unreadable  map[string]error           // by key
	running     bool
}

// bucket is one key-value bucket and how far the copy has followed it.
type bucket struct {
	kv jetstream.KeyValue

	mu   sync.Mutex // guards what follows
	seen uint64     // revision of the last entry in the copy
	step chan struct{}
}

// Change is one entry that differs from before. Old and New are set for a device: nil before it was added, nil once it is gone.
// Of communities and people only the id is given; the registry has the new value.
type Change struct {
	Community string
	Person    string
	Old, New  *Device
}

// OpenRegistry loads both buckets. The key, 32 random bytes, is that of the secret hashes: another one invalidates all secrets.
func OpenRegistry(ctx context.Context, registry, people jetstream.KeyValue, cat *Catalogue, key []byte) (*Registry, error) {
	if len(key) < 32 {
		return nil, fmt.Errorf("open registry: the key has %d bytes, want 32", len(key))
	}
	r := &Registry{
		cat:         cat,
		key:         slices.Clone(key),
		devices:     map[string]*Device{},
		communities: map[string]*Community{},
		people:      map[string]*Person{},
		children:    map[string]map[string]bool{},
		unreadable:  map[string]error{},
	}
	for i, kv := range []jetstream.KeyValue{registry, people} {
		r.buckets[i] = &bucket{kv: kv, step: make(chan struct{})}
		if err := r.load(ctx, r.buckets[i]); err != nil {
			return nil, fmt.Errorf("load %s: %w", kv.Bucket(), err)
		}
	}
	return r, nil
}

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

// Person returns the person of that id, or nil.
func (r *Registry) Person(id string) *Person {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.people[id]
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

// People returns every person in the order of ids.
func (r *Registry) People() []*Person {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.SortedFunc(maps.Values(r.people), func(a, b *Person) int { return cmp.Compare(a.ID, b.ID) })
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

// Status returns nil while the copy follows the buckets and every entry of them could be read.
func (r *Registry) Status() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.running {
		return errors.New("the registry does not follow its changes")
	}
	for _, key := range slices.Sorted(maps.Keys(r.unreadable)) {
		return fmt.Errorf("%d unreadable entries, first %s: %w", len(r.unreadable), key, r.unreadable[key])
	}
	return nil
}

// apply brings one entry into the copy and says what changed; ok is false for an entry that is not ours. An entry that cannot
// be read counts as gone: its device may not connect.
func (r *Registry) apply(e jetstream.KeyValueEntry) (c Change, ok bool) {
	kind, id, _ := strings.Cut(e.Key(), ".")
	gone := e.Operation() != jetstream.KeyValuePut
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	switch kind + "." {
	case devicePrefix:
		c.Old = r.devices[id]
		c.New, err = decodeEntry[Device](e, gone)
		r.setDevice(id, c.Old, c.New)
	case communityPrefix:
		c.Community = id
		err = set(r.communities, id, e, gone)
	case personPrefix:
		c.Person = id
		err = set(r.people, id, e, gone)
	default:
		return c, false
	}
	delete(r.unreadable, e.Key())
	if err != nil {
		r.unreadable[e.Key()] = err
	}
	return c, true
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

func set[T any](m map[string]*T, id string, e jetstream.KeyValueEntry, gone bool) error {
	v, err := decodeEntry[T](e, gone)
	if v == nil {
		delete(m, id)
	} else {
		m[id] = v
	}
	return err
}

func decodeEntry[T any](e jetstream.KeyValueEntry, gone bool) (*T, error) {
	if gone {
		return nil, nil
	}
	v := new(T)
	if err := json.Unmarshal(e.Value(), v); err != nil {
		return nil, err
	}
	return v, nil
}
