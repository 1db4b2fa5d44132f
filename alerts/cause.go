package alerts

import (
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"linli/bus"
)

// edge says that alerts of one rule follow from those of another. See causes.yaml.
type edge struct {
	cause, effect string
	within        string   // gateway, estate or community
	types         []string // of the effect's device; empty: all
	wait          time.Duration
	file          string
	line          int
}

func (p *parser) edge(n *yaml.Node) edge {
	e := edge{file: p.file, line: n.Line}
	p.mapping(n, map[string]read{
		"cause": p.str(&e.cause), "effect": p.str(&e.effect), "within": word(p.reader, &e.within, "gateway", "estate", "community"),
		"types": p.strs(&e.types), "wait": p.duration(&e.wait),
	}, "cause", "effect", "within")
	return e
}

// fits reports whether the edge is about a as an effect.
func (e *edge) fits(a *bus.Alert) bool {
	return e.effect == a.Rule && !a.Safety && (len(e.types) == 0 || slices.Contains(e.types, a.Type))
}

// place is what cause and effect share; empty when it is not known. Of a cause, its own device stands for the gateway.
func (e *edge) place(a *bus.Alert, gateway string) string {
	switch {
	case e.within == "gateway":
		return gateway
	case e.within == "estate" && a.Place.Estate == "":
		return ""
	case e.within == "estate":
		return a.Community + "/" + a.Place.Estate
	}
	return a.Community
}

// causeKey is what an open cause is found by.
func (e *edge) causeKey(place string) string { return e.cause + "|" + e.within + "|" + place }

// follow keeps the open causes, by what their effects share with them.
func (b *book) follow(a *bus.Alert) {
	for i := range b.edges {
		e := &b.edges[i]
		place := e.place(a, a.Device)
		if e.cause != a.Rule || place == "" {
			continue
		}
		key := e.causeKey(place)
		if going(a) {
			if b.causes[key] == nil {
				b.causes[key] = map[string]bool{}
			}
			b.causes[key][a.ID] = true
		} else if delete(b.causes[key], a.ID); len(b.causes[key]) == 0 {
			delete(b.causes, key)
		}
	}
}

// cause returns an open alert that a follows from, or until when a is kept back for one that may still show.
func (b *book) cause(a *bus.Alert) (id string, until time.Time) {
	for i := range b.edges {
		e := &b.edges[i]
		if !e.fits(a) {
			continue
		}
		place := e.place(a, b.gateway(a.Device))
		if place == "" {
			continue
		}
		for cause := range b.causes[e.causeKey(place)] {
			if cause != a.ID && (id == "" || cause < id) {
				id = cause
			}
		}
		if id != "" {
			return id, time.Time{}
		}
		if e.within == "gateway" { // a gateway falls silent with all of its devices
			if at := begun(a).Add(e.wait); at.After(until) {
				until = at
			}
		}
	}
	return "", until
}

// freed looks again at what a cause held back, now that it is over.
func (b *book) freed(cause *bus.Alert, at time.Time) {
	if cause.State != bus.Cleared && cause.State != bus.Closed || !b.isCause(cause.Rule) {
		return
	}
	for _, a := range b.heldBy(cause.ID) {
		a.HeldUntil = at.Add(b.waitFor(a, cause.Rule))
		b.record(a, bus.AlertEvent{Kind: kept, At: at, Note: "its cause is over: " + cause.ID})
	}
}

// freeLost looks again at what is held back by a cause that is over or no cause any more: the causes of a site may have changed
// while nobody judged.
func (b *book) freeLost(now time.Time) {
	for id := range b.held {
		a := b.alerts[id]
		if a.Held != heldInhibited || !a.HeldUntil.IsZero() {
			continue
		}
		if cause, _ := b.cause(a); cause == "" {
			a.HeldUntil = now
			b.arm(a)
		}
	}
}

// govern goes on with other rules. Alerts keep their plans; what follows from what is looked at anew.
func (b *book) govern(rules *Rules, now time.Time) {
	b.rules, b.edges = rules, rules.causes
	clear(b.causes)
	for _, a := range b.alerts {
		b.follow(a)
	}
	b.freeLost(now)
}

func (b *book) isCause(rule string) bool {
	return slices.ContainsFunc(b.edges, func(e edge) bool { return e.cause == rule })
}

func (b *book) waitFor(a *bus.Alert, cause string) time.Duration {
	for i := range b.edges {
		if e := &b.edges[i]; e.cause == cause && e.fits(a) {
			return e.wait
		}
	}
	return 0
}

func (b *book) gateway(device string) string {
	if d := b.dir.Device(device); d != nil {
		return d.Gateway
	}
	return ""
}
