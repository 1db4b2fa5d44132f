package seeds

import (
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"linli/bus"
	"linli/devices"
	"linli/people"
)

// Reach is how everybody in the seeds is told: in the log, so that nothing leaves the machine.
var Reach = []bus.Address{{Channel: "log"}}

// staff is who works in a community.
var staff = []struct {
	role   people.Role
	count  int
	elders bool // only where elders live
}{
	{people.Duty, 4, false},
	{people.Manager, 1, false},
	{people.GridWorker, 1, false},
	{people.Maintenance, 1, false},
	{people.Security, 2, false},
	{people.Caretaker, 2, true},
}

// kin are who looks after an elder, with what the elder has agreed to show them.
var kin = []struct {
	relation string
	given    func(*names) []string
	scopes   []people.Scope
	quiet    *people.QuietHours
}{
	{"daughter", (*names).women, []people.Scope{people.Events, people.Wellbeing, people.Vitals, people.Location}, nil},
	{"son", (*names).men, []people.Scope{people.Events, people.Wellbeing, people.Vitals}, &people.QuietHours{From: "22:30", To: "06:30"}},
	{"neighbour", (*names).given, nil, nil},
}

// People are invented: the elders of the fleet at that scale with their circles, and the staff. Their phone numbers have a country
// code that does not exist, and the second elder of three has a circle of two.
func (c *Community) People(scale float64) []people.Person {
	var out []people.Person
	n := 0
	for _, g := range c.groups {
		if g.Home != "elder" {
			continue
		}
		places, _ := c.places(g) // checked by Load
		count := scaled(g.Count, scale)
		for i := range count {
			r := c.repeat(g, i)
			r.place = spread(places, i, count)
			elder := c.invent(r.person(), n, people.Elder, c.names.given())
			elder.Reach, elder.Home = nil, c.address(r.place, i)
			elder.Notes = "钥匙在物业值班室"
			if n%4 == 0 {
				elder.AllIsWell = &people.AllIsWell{At: "09:00"}
			}
			out = append(append(out, c.circle(&elder, n)...), elder)
			n++
		}
	}
	return append(out, c.staff(n > 0)...)
}

// circle gives the n-th elder who looks after them.
func (c *Community) circle(elder *people.Person, n int) []people.Person {
	var out []people.Person
	for k, x := range kin {
		if k == 2 && n%3 == 1 {
			break
		}
		one := c.invent(fmt.Sprintf("%s-%s", elder.ID, x.relation), n+31*(k+1), people.Contact, x.given(&c.names))
		one.Quiet = x.quiet
		if n%15 == 7 && k == 1 {
			one.Language = "en"
		}
		m := people.Member{Person: one.ID, Relation: x.relation, Calls: c.calls(elder.Name, &one, x.relation)}
		for _, scope := range x.scopes {
			m.Consent = append(m.Consent, people.Consent{Scope: scope, Since: created})
		}
		elder.Circle = append(elder.Circle, m)
		out = append(out, one)
	}
	return out
}

// calls is what somebody of the circle calls an elder of that name.
func (c *Community) calls(elder string, by *people.Person, relation string) string {
	surname, given := split(elder)
	woman := slices.Contains(c.names.Women, given)
	switch {
	case relation == "neighbour" && woman:
		return surname + "奶奶"
	case relation == "neighbour":
		return surname + "爷爷"
	case by.Language == "en" && woman:
		return "Mum"
	case by.Language == "en":
		return "Dad"
	case woman:
		return "妈妈"
	}
	return "爸爸"
}

// split parts an invented name.
func split(name string) (surname, given string) {
	_, size := utf8.DecodeRuneInString(name)
	return name[:size], name[size:]
}

func (c *Community) staff(elders bool) []people.Person {
	var out []people.Person
	n := c.index() * mostStaff
	for i, s := range staff {
		for k := range s.count {
			if p := c.invent(c.member(s.role, k), 7*i+k+3, s.role, c.names.Staff); elders || !s.elders {
				p.Name = c.names.Surnames[n%len(c.names.Surnames)] + c.names.Staff[(n*5+n/len(c.names.Surnames))%len(c.names.Staff)]
				out = append(out, p)
			}
			n++
		}
	}
	return out
}

// mostStaff is how many work in a community at most. Their names are nobody else's in all of them.
const mostStaff = 11

// index is which of the communities it is, so that each has names of its own.
func (c *Community) index() int { return max(slices.Index(IDs, c.ID), 0) }

func (c *Community) member(role people.Role, k int) string {
	return fmt.Sprintf("%s-%s-%d", c.ID, role, k+1)
}

// invent makes up a person with one of the given names.
func (c *Community) invent(id string, n int, role people.Role, given []string) people.Person {
	i := n + 13*c.index()
	name := c.names.Surnames[i%len(c.names.Surnames)] + given[(i*7+i/len(c.names.Surnames))%len(given)]
	return people.Person{
		ID: id, Community: c.ID, Name: name, Roles: []people.Role{role}, Phone: fmt.Sprintf("+999%08d", n), Reach: Reach,
	}
}

// address is a home as an ambulance needs it.
func (c *Community) address(p devices.Place, i int) string {
	estate := p.Estate
	for _, e := range c.Estates {
		if e.ID == p.Estate {
			estate = e.Name.ZH
		}
	}
	return fmt.Sprintf("%s%s%s号楼%s单元%d室", c.Name.ZH, estate, number(p.Building), number(p.Unit), 101+100*(i%6)+i%2)
}

// number is an id such as b07 as people say it.
func number(id string) string {
	n := 0
	for _, r := range id {
		if r >= '0' && r <= '9' {
			n = 10*n + int(r-'0')
		}
	}
	return fmt.Sprint(n)
}

// Rotas are who of the property desk is on duty: each for a week, with another one behind.
func (c *Community) Rotas() []people.Rota {
	var first, second []string
	for k := range staff[0].count {
		first = append(first, c.member(people.Duty, k))
		second = append(second, c.member(people.Duty, (k+1)%staff[0].count))
	}
	layer := func(name string, who []string) people.Layer {
		return people.Layer{Name: name, People: who, Turn: people.Weekly, Since: created.Format(time.DateOnly)}
	}
	return []people.Rota{{
		ID: c.ID + "-desk", Community: c.ID, Role: people.Duty, Name: "物业值班", Layers: []people.Layer{layer("主班", first), layer("副班", second)},
	}}
}
