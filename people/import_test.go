package people_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"linli/people"
)

const family = `people:
- id: ma
  community: garden
  name: 马奶奶
  roles: [elder]
  phone: "13800000001"
  home: 花园小区3栋2单元501
  circle:
  - {person: daughter, relation: daughter, consent: [{scope: events, since: 2026-01-01}, {scope: wellbeing, since: 2026-01-01, until: 2027-01-01T00:00:00+08:00}]}
  all_is_well: {at: 09:00}
- id: daughter
  community: garden
  name: 马小丽
  roles: [contact]
  language: en
  reach: [{channel: sms, to: "13800000002"}, {channel: log}]
  quiet: {from: 22:00, to: 07:00}
- {id: guard, community: garden, name: 老陈, roles: [property_duty], reach: [{channel: log}]}
rotas:
- id: desk
  community: garden
  role: property_duty
  layers:
  - {people: [guard], turn: weekly, since: 2026-01-05, from: 08:00, to: 20:00, days: [mon, tue]}
  overrides:
  - {from: 2026-01-06T12:00:00+08:00, to: 2026-01-06T18:00:00+08:00, off: guard, note: 看病}
`

func (s *site) load(file string, dryRun bool) (people.Report, error) {
	return s.Import(s.t.Context(), strings.NewReader(file), local("2026-02-01 12:00"), dryRun)
}

func changes(r people.Report) string {
	var all []string
	for _, c := range r.Changes {
		line := c.Kind + " " + c.ID
		if c.Added {
			line += " added"
		}
		all = append(all, strings.Join(append([]string{line}, c.Fields...), " "))
	}
	return strings.Join(all, ", ")
}

func TestImport(t *testing.T) {
	s := newSite(t)
	step := func(name, file string, dryRun bool, wantChanges string, wantUnchanged int) {
		t.Helper()
		r, err := s.load(file, dryRun)
		if err != nil || changes(r) != wantChanges || r.Unchanged != wantUnchanged || r.DryRun != dryRun {
			t.Errorf("%s: got %v, %+v, want %q and %d unchanged", name, err, r, wantChanges, wantUnchanged)
		}
	}
	all := "person ma added, person daughter added, person guard added, rota desk added"
	step("dry run", family, true, all, 0)
	if len(s.People()) != 0 {
		t.Error("the dry run has written")
	}
	step("import", family, false, all, 0)
	step("the same again", family, false, "", 4)
	until := local("2026-03-01 00:00")
	err := s.EditPerson(t.Context(), "ma", func(p *people.Person) error {
		since := local("2026-01-20 00:00")
		p.AwaySince, p.AwayUntil, p.LinksSince = &since, &until, &since
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	step("does not call anybody home or revive a link", family, false, "", 4)
	step("changed", strings.Replace(strings.Replace(family, "13800000002", "13800000003", 1), "name: 马小丽", "name: 马丽", 1), false, "person daughter name reach", 3)
	step("an older file", "people: [{id: old, community: west, name: 王, away: true}]", false, "person old added", 0)
	step("the older file again", "people: [{id: old, community: west, name: 王, away: true}]", false, "", 1)
	if p := s.Person("old"); !p.Away(local("2026-02-01 12:00")) || p.Away(local("2026-02-01 11:59")) {
		t.Errorf("away since %v, want since the import", p.AwaySince)
	}
	step("nothing", "", false, "", 0)

	var out people.File
	for _, p := range s.People() {
		out.People = append(out.People, people.Entry{Person: *p})
	}
	for _, r := range s.Rotas() {
		out.Rotas = append(out.Rotas, *r)
	}
	text, err := yaml.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	step("what was exported", string(text), false, "", 5)
}

func TestMistakesOfAnImport(t *testing.T) {
	for _, test := range []struct{ name, file, want string }{
		{"not YAML", "people: [", "1: did not find expected node content"},
		{"unknown field", "people:\n- {id: a, community: garden, name: a}\n- {id: b, community: garden, name: b, fone: 1}\n", "3: field fone not found in type people.Entry"},
		{"another list", "persons: []\n", "1: field persons not found in type people.File"},
		{"fields of a person", `people:
- id: a
  community: garden
  name: 甲
  phone: 12-34
  language: fr
  roles: [king]
  reach: [{channel: Bad Channel}]
  quiet: {from: 25:00, to: "7"}
  circle: [{person: nobody, relation: son}, {person: a, relation: self, consent: [{scope: x}, {scope: events, since: 2026-01-02, until: 2026-01-02}, {scope: events, since: 2026-01-02}]}]
  all_is_well: {at: noon}
- {id: a, community: nowhere, name: ""}
- {id: b, community: garden, name: b, all_is_well: {at: "23:00"}}
`, `5: person "a": phone "12-34" is not a phone number: +8613800000000, or 11 digits
6: person "a": language "fr" is not one of zh, en
7: person "a": roles "king" is not one of elder, resident, contact, property_duty, manager, caretaker, grid_worker, maintenance, security_guard
8: person "a": reach.channel "Bad Channel" is not the name of a channel
9: person "a": quiet.from "25:00" is not a time of day such as 22:00
9: person "a": quiet.to "7" is not a time of day such as 22:00
10: person "a": circle "nobody" is not registered
10: person "a": circle "a" is the person
10: person "a": circle.consent.scope "x" is not one of events, wellbeing, vitals, location
10: person "a": circle.consent.since "a" has no date
10: person "a": circle.consent.until "2026-01-02T00:00:00Z" is not after since
10: person "a": circle.consent.scope "events" is there twice
11: person "a": all_is_well.at "noon" is not a time of day such as 22:00
12: person "a": id "a" is in the file twice
13: person "b": all_is_well.at "23:00" is later than 22:59: whether all is well is known within an hour, the same day`},
		{"fields of a rota", `rotas:
- id: r
  community: garden
  role: king
  layers:
  - {people: [nobody], turn: yearly, since: yesterday, until: 2026-01-01, from: 08:00, days: [Monday]}
  overrides:
  - {from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z}
`, `4: rota "r": role "king" is not one of elder, resident, contact, property_duty, manager, caretaker, grid_worker, maintenance, security_guard
5: rota "r": layers.turn "yearly" is not one of daily, weekly
5: rota "r": layers.since "yesterday" is not a date such as 2026-01-05
5: rota "r": layers.days "Monday" is not one of sun, mon, tue, wed, thu, fri, sat
5: rota "r": layers.to "" is not a time of day such as 22:00
5: rota "r": layers.people "nobody" is not registered
7: rota "r": overrides.to "2026-01-01T00:00:00Z" is not after from`},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t)
			r, err := s.load(test.file, false)
			if !errors.Is(err, people.ErrBadImport) {
				t.Errorf("error %v, want %v", err, people.ErrBadImport)
			}
			var got []string
			for _, b := range r.Bad {
				got = append(got, b.String())
			}
			if diff := cmp.Diff(test.want, strings.Join(got, "\n")); diff != "" {
				t.Errorf("mistakes (-want +got):\n%s", diff)
			}
			if len(s.People())+len(s.Rotas()) != 0 || len(r.Changes) != 0 {
				t.Error("some of it was written")
			}
		})
	}
}
