package people

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"linli/bus"
)

// Question asks who is to be told.
type Question struct {
	Targets   []string // in the order to be told in, see CheckTarget
	Community string
	Person    string // the elder concerned, for circles; may be empty
	Safety    bool   // life-safety: needs no consent and knows no quiet hours
	Scope     Scope  // what else the elder must have agreed to; empty: Events
	At        time.Time
}

// Why a recipient is not told.
const (
	HeldNoAddress  = "no_address"
	HeldNoConsent  = "no_consent"
	HeldQuietHours = "quiet_hours"
)

// CheckTarget returns nil for what Resolve understands:
//
//	person:ID         that person
//	role:ROLE         who of the role is on shift in the community; if nobody who is has an address, all of the role
//	role:ROLE:N       the n-th of them, from 1
//	circle            the contact circle of the elder, the first first
//	circle:N          the n-th of it, from 1
//	duty              the duty channels of the configuration
func CheckTarget(target string) error {
	_, err := parseTarget(target)
	return err
}

// target is a target in parts.
type target struct {
	kind, name string
	nth        int // 0: all
}

func parseTarget(s string) (target, error) {
	parts := strings.Split(s, ":")
	t := target{kind: parts[0]}
	rest := parts[1:]
	if t.kind == "person" || t.kind == "role" {
		if len(rest) == 0 || rest[0] == "" {
			return t, fmt.Errorf("target %q: %s of what is missing", s, t.kind)
		}
		t.name, rest = rest[0], rest[1:]
	}
	switch {
	case t.kind == "role" && !slices.Contains(roles, Role(t.name)):
		return t, fmt.Errorf("target %q: there is no role %q", s, t.name)
	case t.kind == "role" && len(rest) == 1, t.kind == "circle" && len(rest) == 1:
		n, err := strconv.Atoi(rest[0])
		if err != nil || n < 1 {
			return t, fmt.Errorf("target %q: %q is not a number from 1", s, rest[0])
		}
		t.nth, rest = n, nil
	case t.kind != "person" && t.kind != "role" && t.kind != "circle" && t.kind != "duty":
		return t, fmt.Errorf("target %q: want person:ID, role:ROLE, circle, circle:N or duty", s)
	}
	if len(rest) > 0 {
		return t, fmt.Errorf("target %q: %q is too much", s, strings.Join(rest, ":"))
	}
	return t, nil
}

// Resolve returns who is to be told at a moment, nobody twice, and with Held those who are not told and why. It is empty when the
// targets name nobody: an elder without a circle, a role that nobody has.
func (d *Directory) Resolve(q Question) []bus.Recipient {
	if q.Scope == "" {
		q.Scope = Events
	}
	var out []bus.Recipient
	for _, name := range q.Targets {
		t, err := parseTarget(name)
		if err != nil {
			continue
		}
		for _, r := range d.resolve(q, t) {
			r.Target = name
			out = include(out, r)
		}
	}
	return out
}

// include adds a recipient who is not there yet. One who is held as one thing and told as another is told.
func include(all []bus.Recipient, r bus.Recipient) []bus.Recipient {
	i := slices.IndexFunc(all, func(x bus.Recipient) bool { return x.Person == r.Person })
	switch {
	case i < 0:
		return append(all, r)
	case all[i].Held != "" && r.Held == "":
		all[i] = r
	}
	return all
}

func (d *Directory) resolve(q Question, t target) []bus.Recipient {
	var out []bus.Recipient
	switch t.kind {
	case "duty":
		return []bus.Recipient{{}}
	case "person":
		out = append(out, d.recipient(q, t.name))
	case "role":
		for _, p := range d.onShift(q.Community, Role(t.name), q.At, "") {
			out = append(out, d.recipient(q, p.ID))
		}
	case "circle":
		out = d.circle(q)
	}
	if t.nth == 0 {
		return out
	}
	return out[min(t.nth-1, len(out)):min(t.nth, len(out))]
}

// circle is the elder's, with those held who may not be told.
func (d *Directory) circle(q Question) []bus.Recipient {
	elder := d.Person(q.Person)
	if elder == nil {
		return nil
	}
	var out []bus.Recipient
	for _, m := range elder.Circle {
		r := d.recipient(q, m.Person)
		if !q.Safety && r.Held != HeldNoAddress && !m.Agreed(q.Scope, q.At) {
			r.Held, r.Until = HeldNoConsent, time.Time{}
		}
		out = append(out, r)
	}
	return out
}

// Member returns what a person is in the circle of an elder, or nil.
func (d *Directory) Member(elder, person string) *Member {
	e := d.Person(elder)
	if e == nil || person == "" {
		return nil
	}
	for i := range e.Circle {
		if e.Circle[i].Person == person {
			return &e.Circle[i]
		}
	}
	return nil
}

// Agreed reports whether the elder has agreed that a member may see a kind of data at a moment.
func (m *Member) Agreed(scope Scope, at time.Time) bool {
	return slices.ContainsFunc(m.Consent, func(c Consent) bool { return c.Scope == scope && c.in(at) })
}

// Without is who of a rota's role would be told at a moment if that rota were not there; empty: nobody who can be reached.
func (d *Directory) Without(rota *Rota, at time.Time) []*Person {
	all := slices.Clone(d.onShift(rota.Community, rota.Role, at, rota.ID)) // the directory keeps the list
	return slices.DeleteFunc(all, func(p *Person) bool { return len(p.Reach) == 0 })
}

// onShift is who of a role is on shift by rotas but one and can be told; if nobody, all of the role that can; if nobody again, all of it.
func (d *Directory) onShift(community string, role Role, at time.Time, but string) []*Person {
	var out []*Person
	ready := func(p *Person) bool { return p != nil && len(p.Reach) > 0 && !p.Away(at) }
	for _, r := range d.Rotas() {
		if r.Community != community || r.Role != role || r.ID == but {
			continue
		}
		for _, id := range r.OnDuty(at, d.Zone(community)) {
			if p := d.Person(id); ready(p) && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	all := d.members(community, role)
	for _, p := range all {
		if ready(p) {
			out = append(out, p)
		}
	}
	if len(out) > 0 {
		return out
	}
	return all
}

// recipient is a person as somebody to be told.
func (d *Directory) recipient(q Question, id string) bus.Recipient {
	r := bus.Recipient{Person: id, Held: HeldNoAddress}
	p := d.Person(id)
	if p == nil {
		return r
	}
	r.Name, r.Language, r.Reach = p.Name, p.Language, p.Reach
	if r.Language == "" {
		r.Language = "zh"
	}
	if len(p.Reach) == 0 {
		return r
	}
	r.Held = ""
	if until, quiet := p.Quiet.Quiet(q.At, d.Zone(p.Community)); quiet && !q.Safety {
		r.Held, r.Until = HeldQuietHours, until
	}
	return r
}
