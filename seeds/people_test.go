package seeds

import (
	"slices"
	"strings"
	"testing"
	"time"

	"linli/people"
)

func withRole(all []people.Person, role people.Role) []people.Person {
	return slices.DeleteFunc(slices.Clone(all), func(p people.Person) bool { return !slices.Contains(p.Roles, role) })
}

func TestElderKitsBelongToTheirPerson(t *testing.T) {
	c := load(t)["hegang"]
	elders, names := map[string]string{}, map[string]bool{}
	for _, p := range withRole(c.People(1), people.Elder) {
		elders[p.ID] = p.Name
		names[p.Name] = true
	}
	if len(names) < 140 {
		t.Errorf("%d distinct names for 140 elders", len(names))
	}
	for _, d := range c.Fleet(1) {
		if d.Elder && elders[d.Person] == "" {
			t.Errorf("%s belongs to %q, who is not there", d.ID, d.Person)
		}
	}
}

func TestEverybodyWhoWorksHasANameOfTheirOwn(t *testing.T) {
	who := map[string]string{}
	for _, c := range load(t) {
		for _, p := range c.People(1) {
			elder := slices.Contains(p.Roles, people.Elder) || slices.Contains(p.Roles, people.Contact)
			if other, taken := who[p.Name]; taken && !elder {
				t.Errorf("%s and %s are both %s", other, p.ID, p.Name)
			}
			if !elder {
				who[p.Name] = p.ID
			}
		}
	}
	if len(who) < 90 {
		t.Errorf("%d names of staff in ten communities", len(who))
	}
}

func TestEverybodyNeededIsThereAndNoneIsReal(t *testing.T) {
	for id, c := range load(t) {
		all := map[string]people.Person{}
		for _, p := range c.People(0.3) {
			if _, twice := all[p.ID]; twice || p.Community != id || p.Name == "" || !strings.HasPrefix(p.Phone, "+999") {
				t.Errorf("%s: twice, of another community, without a name or with a number that may be somebody's: %+v", id, p)
			}
			for _, a := range p.Reach {
				if a.Channel != "log" || a.To != "" {
					t.Errorf("%s would be told outside: %+v", p.ID, a)
				}
			}
			all[p.ID] = p
		}
		for _, p := range all {
			if slices.Contains(p.Roles, people.Elder) && (len(p.Circle) < 2 || len(p.Circle) > 3 || !strings.HasPrefix(p.Home, c.Name.ZH)) {
				t.Errorf("%s has a circle of %d and lives in %q", p.ID, len(p.Circle), p.Home)
			}
			for _, m := range p.Circle {
				if _, known := all[m.Person]; !known {
					t.Errorf("%s: unknown contact %s", p.ID, m.Person)
				}
				if m.Calls == "" {
					t.Errorf("%s: %s has no name for them", p.ID, m.Person)
				}
			}
		}
		for _, r := range c.Rotas() {
			for week := range 5 {
				on := r.OnDuty(created.AddDate(0, 0, 7*week+1), time.FixedZone("", 8*3600))
				if len(on) != 2 || len(all[on[0]].Reach) == 0 || len(all[on[1]].Reach) == 0 {
					t.Errorf("%s in week %d: on duty are %v, want two who can be told", r.ID, week, on)
				}
			}
		}
	}
}
