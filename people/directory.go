package people

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
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"linli/bus/bucket"
	"linli/devices"
)

// ErrNotFound says that there is no such person or rota.
var ErrNotFound = devices.ErrNotFound

// Keys of the people bucket begin with these.
const (
	personPrefix = "person."
	rotaPrefix   = "rota."
)

// Communities knows the communities people are in. It is safe for concurrent use.
type Communities interface {
	Community(id string) *devices.Community // nil when there is none
}

// Directory is who is registered and who is on duty, read from a copy in memory; changes go to the people bucket and come back by
// a watch, which Run follows. All methods are safe for concurrent use, and what they return must not be modified.
type Directory struct {
	bucket      *bucket.Bucket
	communities Communities
	onChange    []func(Change)

	mu     sync.RWMutex // guards everything below
	people map[string]*Person
	rotas  map[string]*Rota
	staff  map[place][]*Person // by id; nil: to be made
	zones  map[string]*time.Location
}

// place is a role in a community.
type place struct {
	community string
	role      Role
}

// Change is one person or rota that differs from before: its id. The directory has the new value.
type Change struct{ Person, Rota string }

// Open loads the bucket.
func Open(ctx context.Context, kv jetstream.KeyValue, communities Communities) (*Directory, error) {
	d := &Directory{communities: communities, people: map[string]*Person{}, rotas: map[string]*Rota{}, zones: map[string]*time.Location{}}
	var err error
	d.bucket, err = bucket.Open(ctx, kv, d.apply)
	return d, err
}

// Run follows the bucket until ctx ends. Without it nothing changes here, and changes wait.
func (d *Directory) Run(ctx context.Context) error { return d.bucket.Run(ctx) }

// Status returns nil while the copy follows the bucket and every entry of it could be read.
func (d *Directory) Status() error { return d.bucket.Status() }

// OnChange registers a function that Run calls for every change, in order and one at a time. It must be registered before Run,
// return soon, and not change the directory itself: that would wait for the very Run that waits for it.
func (d *Directory) OnChange(f func(Change)) { d.onChange = append(d.onChange, f) }

// Person returns the person of that id, or nil.
func (d *Directory) Person(id string) *Person {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.people[id]
}

// People returns every person in the order of ids.
func (d *Directory) People() []*Person {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.SortedFunc(maps.Values(d.people), func(a, b *Person) int { return cmp.Compare(a.ID, b.ID) })
}

// Expected returns everybody whose circle is told every day that all is well, in the order of ids.
func (d *Directory) Expected() []*Person {
	return slices.DeleteFunc(d.People(), func(p *Person) bool { return p.AllIsWell == nil })
}

// Lives reports whether a person is registered in a community.
func (d *Directory) Lives(person, community string) bool {
	p := d.Person(person)
	return p != nil && p.Community == community
}

// Rota returns the rota of that id, or nil.
func (d *Directory) Rota(id string) *Rota {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.rotas[id]
}

// Rotas returns every rota in the order of ids.
func (d *Directory) Rotas() []*Rota {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.SortedFunc(maps.Values(d.rotas), func(a, b *Rota) int { return cmp.Compare(a.ID, b.ID) })
}

// Zone is the local time of a community: Asia/Shanghai unless it says otherwise.
func (d *Directory) Zone(community string) *time.Location {
	name := "Asia/Shanghai"
	if c := d.communities.Community(community); c != nil && c.Timezone != "" {
		name = c.Timezone
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	zone := d.zones[name]
	if zone == nil {
		var err error
		if zone, err = time.LoadLocation(name); err != nil {
			zone = time.FixedZone("Asia/Shanghai", 8*3600)
		}
		d.zones[name] = zone
	}
	return zone
}

// members returns who has a role in a community, in the order of ids.
func (d *Directory) members(community string, role Role) []*Person {
	d.mu.RLock()
	staff := d.staff
	d.mu.RUnlock()
	if staff == nil {
		staff = d.muster()
	}
	return staff[place{community, role}]
}

// muster makes the list of who has which role.
func (d *Directory) muster() map[place][]*Person {
	d.mu.Lock()
	defer d.mu.Unlock()
	staff := map[place][]*Person{}
	for _, id := range slices.Sorted(maps.Keys(d.people)) {
		p := d.people[id]
		for _, role := range p.Roles {
			staff[place{p.Community, role}] = append(staff[place{p.Community, role}], p)
		}
	}
	d.staff = staff
	return staff
}

// apply brings one entry into the copy and calls back. An entry that cannot be read counts as gone.
func (d *Directory) apply(e bucket.Entry) error {
	change, err := d.take(e)
	if change == (Change{}) {
		return err
	}
	for _, call := range d.onChange {
		call(change)
	}
	return err
}

func (d *Directory) take(e bucket.Entry) (Change, error) {
	kind, id, _ := strings.Cut(e.Key(), ".")
	d.mu.Lock()
	defer d.mu.Unlock()
	switch kind + "." {
	case personPrefix:
		d.staff = nil
		delete(d.people, id)
		if bucket.Gone(e) {
			return Change{Person: id}, nil
		}
		p, err := decodePerson(e.Value(), e.Created())
		if err == nil {
			d.people[id] = p
		}
		return Change{Person: id}, err
	case rotaPrefix:
		delete(d.rotas, id)
		if bucket.Gone(e) {
			return Change{Rota: id}, nil
		}
		r := &Rota{}
		err := json.Unmarshal(e.Value(), r)
		if err == nil {
			d.rotas[id] = r
		}
		return Change{Rota: id}, err
	}
	return Change{}, nil
}

// decodePerson reads a record. An older one says only that somebody is away: since it was written.
func decodePerson(data []byte, written time.Time) (*Person, error) {
	var r struct {
		Person
		Away bool `json:"away"`
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if r.Away && r.AwaySince == nil {
		r.AwaySince = &written
	}
	return &r.Person, nil
}

// PutPerson registers a person or replaces what is registered of them.
func (d *Directory) PutPerson(ctx context.Context, p Person) error {
	if err := d.check(&p, d.Person); err != nil {
		return fmt.Errorf("person %q: %w", p.ID, err)
	}
	return d.bucket.Edit(ctx, personPrefix+p.ID, func([]byte) (any, error) { return p, nil })
}

// EditPerson changes a person by compare-and-set; change may run several times, each time on what is registered then.
func (d *Directory) EditPerson(ctx context.Context, id string, change func(*Person) error) error {
	if !devices.ValidID(id) {
		return fmt.Errorf("person %q: %w", id, ErrNotFound)
	}
	return d.bucket.Edit(ctx, personPrefix+id, func(old []byte) (any, error) {
		if old == nil {
			return nil, fmt.Errorf("person %q: %w", id, ErrNotFound)
		}
		p, err := decodePerson(old, time.Time{})
		if err == nil {
			err = errors.Join(change(p), d.check(p, d.Person))
		}
		if err != nil {
			return nil, fmt.Errorf("person %q: %w", id, err)
		}
		return p, nil
	})
}

// RemovePerson forgets a person, with the history of the record. Who is in a circle or a rota must be taken out of it first.
func (d *Directory) RemovePerson(ctx context.Context, id string) error {
	if d.Person(id) == nil {
		return fmt.Errorf("person %q: %w", id, ErrNotFound)
	}
	for _, p := range d.People() {
		if slices.ContainsFunc(p.Circle, func(m Member) bool { return m.Person == id }) {
			return &devices.InvalidError{Field: "id", Value: id, Reason: fmt.Sprintf("is in the circle of %q", p.ID)}
		}
	}
	for _, r := range d.Rotas() {
		if slices.Contains(r.members(), id) {
			return &devices.InvalidError{Field: "id", Value: id, Reason: fmt.Sprintf("is in the rota %q", r.ID)}
		}
	}
	return d.bucket.Delete(ctx, personPrefix+id, func() bool { return d.Person(id) == nil })
}

// PutRota registers a rota or replaces it.
func (d *Directory) PutRota(ctx context.Context, r Rota) error {
	if err := d.checkRota(&r, d.Person); err != nil {
		return fmt.Errorf("rota %q: %w", r.ID, err)
	}
	return d.bucket.Edit(ctx, rotaPrefix+r.ID, func([]byte) (any, error) { return r, nil })
}

// EditRota changes a rota by compare-and-set; change may run several times, each time on what is registered then.
func (d *Directory) EditRota(ctx context.Context, id string, change func(*Rota) error) error {
	if !devices.ValidID(id) {
		return fmt.Errorf("rota %q: %w", id, ErrNotFound)
	}
	return d.bucket.Edit(ctx, rotaPrefix+id, func(old []byte) (any, error) {
		if old == nil {
			return nil, fmt.Errorf("rota %q: %w", id, ErrNotFound)
		}
		r := &Rota{}
		err := json.Unmarshal(old, r)
		if err == nil {
			err = errors.Join(change(r), d.checkRota(r, d.Person))
		}
		if err != nil {
			return nil, fmt.Errorf("rota %q: %w", id, err)
		}
		return r, nil
	})
}

// RemoveRota forgets a rota.
func (d *Directory) RemoveRota(ctx context.Context, id string) error {
	if d.Rota(id) == nil {
		return fmt.Errorf("rota %q: %w", id, ErrNotFound)
	}
	return d.bucket.Delete(ctx, rotaPrefix+id, func() bool { return d.Rota(id) == nil })
}
