package people

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"linli/devices"
)

var (
	roles = []Role{Elder, Resident, Contact, Duty, Manager, Caretaker, GridWorker, Maintenance, Security}
	phone = regexp.MustCompile(`^(\+[1-9][0-9]{6,14}|[0-9]{11})$`)
)

// Bounds of one record: it is one message of the bus, and told in one transaction.
const (
	maxCircle    = 16
	maxReach     = 16
	maxText      = 1024 // bytes of a home or of notes
	maxAddress   = 256  // bytes
	maxLayers    = 16
	maxTurns     = 64
	maxOverrides = 500
	maxNotes     = 100
)

// check returns everything that is wrong with p. known looks up the others: registered, or in the same import.
func (d *Directory) check(p *Person, known func(id string) *Person) error {
	var c devices.Checks
	c.ID("id", p.ID)
	if strings.TrimSpace(p.Name) == "" {
		c.Fail("name", p.Name, "is empty")
	}
	c.Name("name", p.Name)
	if d.communities.Community(p.Community) == nil {
		c.Fail("community", p.Community, "is not registered")
	}
	for _, r := range p.Roles {
		oneOf(&c, "roles", r, roles...)
	}
	oneOf(&c, "language", p.Language, "", "zh", "en")
	if p.Phone != "" && !phone.MatchString(p.Phone) {
		c.Fail("phone", p.Phone, "is not a phone number: +8613800000000, or 11 digits")
	}
	text(&c, "home", p.Home)
	text(&c, "notes", p.Notes)
	checkReach(&c, p)
	if q := p.Quiet; q != nil {
		timeOfDay(&c, "quiet.from", q.From)
		timeOfDay(&c, "quiet.to", q.To)
	}
	if p.AllIsWell != nil {
		timeOfDay(&c, "all_is_well.at", p.AllIsWell.At)
		if at, ok := parseClock(p.AllIsWell.At); ok && at > latestWell {
			c.Fail("all_is_well.at", p.AllIsWell.At, "is later than 22:59: whether all is well is known within an hour, the same day")
		}
	}
	if p.AwayUntil != nil && (p.AwaySince == nil || !p.AwayUntil.After(*p.AwaySince)) {
		c.Fail("away_until", p.AwayUntil.Format(time.RFC3339), "is not after away_since")
	}
	checkCircle(&c, p, known)
	return c.Err()
}

func checkReach(c *devices.Checks, p *Person) {
	if len(p.Reach) > maxReach {
		c.Fail("reach", strconv.Itoa(len(p.Reach)), "are more than %d addresses", maxReach)
	}
	for _, a := range p.Reach {
		if !devices.ValidID(a.Channel) {
			c.Fail("reach.channel", a.Channel, "is not the name of a channel")
		}
		if len(a.To) > maxAddress || strings.ContainsFunc(a.To, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			c.Fail("reach.to", a.To, "is no address")
		}
	}
}

func checkCircle(c *devices.Checks, p *Person, known func(string) *Person) {
	if len(p.Circle) > maxCircle {
		c.Fail("circle", strconv.Itoa(len(p.Circle)), "are more than %d people", maxCircle)
	}
	seen := map[string]bool{p.ID: true}
	for _, m := range p.Circle {
		switch {
		case m.Person == p.ID:
			c.Fail("circle", m.Person, "is the person")
		case seen[m.Person]:
			c.Fail("circle", m.Person, "is there twice")
		case known(m.Person) == nil:
			c.Fail("circle", m.Person, "is not registered")
		}
		seen[m.Person] = true
		if strings.TrimSpace(m.Relation) == "" {
			c.Fail("circle.relation", m.Person, "has no relation")
		}
		c.Name("circle.relation", m.Relation)
		c.Name("circle.calls", m.Calls)
		m.checkConsent(c)
	}
}

func (m *Member) checkConsent(c *devices.Checks) {
	seen := map[Scope]bool{}
	for _, consent := range m.Consent {
		oneOf(c, "circle.consent.scope", consent.Scope, Scopes...)
		if seen[consent.Scope] {
			c.Fail("circle.consent.scope", string(consent.Scope), "is there twice")
		}
		seen[consent.Scope] = true
		if consent.Since.IsZero() {
			c.Fail("circle.consent.since", m.Person, "has no date")
		}
		if consent.Until != nil && !consent.Until.After(consent.Since) {
			c.Fail("circle.consent.until", consent.Until.Format(time.RFC3339), "is not after since")
		}
	}
}

// checkRota returns everything that is wrong with r.
func (d *Directory) checkRota(r *Rota, known func(id string) *Person) error {
	var c devices.Checks
	c.ID("id", r.ID)
	c.Name("name", r.Name)
	if d.communities.Community(r.Community) == nil {
		c.Fail("community", r.Community, "is not registered")
	}
	oneOf(&c, "role", r.Role, roles...)
	if len(r.Layers) > maxLayers {
		c.Fail("layers", strconv.Itoa(len(r.Layers)), "are more than %d", maxLayers)
	}
	registered := func(field string, ids ...string) {
		for _, id := range ids {
			if id != "" && known(id) == nil {
				c.Fail(field, id, "is not registered")
			}
		}
	}
	for i := range r.Layers {
		r.Layers[i].check(&c)
		registered("layers.people", r.Layers[i].People...)
	}
	if len(r.Overrides) > maxOverrides {
		c.Fail("overrides", strconv.Itoa(len(r.Overrides)), "are more than %d", maxOverrides)
	}
	for _, o := range r.Overrides {
		switch {
		case !o.To.After(o.From):
			c.Fail("overrides.to", o.To.Format(time.RFC3339), "is not after from")
		case o.Off == "" && o.On == "", o.Swap && (o.Off == "" || o.On == ""):
			c.Fail("overrides", o.From.Format(time.RFC3339), "names nobody to stand in: want on, or off and on of a swap")
		}
		registered("overrides.off", o.Off)
		registered("overrides.on", o.On)
		text(&c, "overrides.note", o.Note)
	}
	if len(r.Notes) > maxNotes {
		r.Notes = r.Notes[len(r.Notes)-maxNotes:]
	}
	for _, n := range r.Notes {
		text(&c, "notes.text", n.Text)
		c.Name("notes.by", n.By)
	}
	return c.Err()
}

func (l *Layer) check(c *devices.Checks) {
	c.Name("layers.name", l.Name)
	oneOf(c, "layers.turn", l.Turn, Daily, Weekly)
	if l.Every < 0 || l.Every > 365 {
		c.Fail("layers.every", strconv.Itoa(l.Every), "is not from 1 to 365")
	}
	if len(l.People) > maxTurns {
		c.Fail("layers.people", strconv.Itoa(len(l.People)), "are more than %d", maxTurns)
	}
	first, ok := parseDay(l.Since)
	if !ok {
		c.Fail("layers.since", l.Since, "is not a date such as 2026-01-05")
	}
	if last, dated := parseDay(l.Until); l.Until != "" && (!dated || ok && last < first) {
		c.Fail("layers.until", l.Until, "is not a date from since on")
	}
	for _, day := range l.Days {
		oneOf(c, "layers.days", day, weekdays[:]...)
	}
	if l.HandOver != "" {
		timeOfDay(c, "layers.hand_over", l.HandOver)
	}
	if l.From != "" || l.To != "" {
		timeOfDay(c, "layers.from", l.From)
		timeOfDay(c, "layers.to", l.To)
	}
}

// members are all that a rota names, each once.
func (r *Rota) members() []string {
	var ids []string
	for _, l := range r.Layers {
		ids = append(ids, l.People...)
	}
	for _, o := range r.Overrides {
		ids = append(ids, o.Off, o.On)
	}
	slices.Sort(ids)
	return slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id == "" })
}

func oneOf[T ~string](c *devices.Checks, field string, value T, words ...T) {
	if slices.Contains(words, value) {
		return
	}
	known := make([]string, 0, len(words))
	for _, w := range words {
		if w != "" {
			known = append(known, string(w))
		}
	}
	c.Fail(field, string(value), "is not one of %s", strings.Join(known, ", "))
}

// latestWell is the last minute of the day for the daily line of an elder.
const latestWell = 22*60 + 59

func timeOfDay(c *devices.Checks, field, value string) {
	if _, ok := parseClock(value); !ok {
		c.Fail(field, value, "is not a time of day such as 22:00")
	}
}

func text(c *devices.Checks, field, value string) {
	if len(value) > maxText {
		c.Fail(field, value[:16]+"…", "is longer than %d bytes", maxText)
	}
	for _, line := range strings.Split(value, "\n") {
		c.Name(field, line)
	}
}
