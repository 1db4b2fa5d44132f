package command_test

import (
	"strings"
	"testing"
	"time"

	"linli/people"
)

const deskOfTwo = `people:
- {id: chen, community: tianjin, name: 陈勇, roles: [property_duty]}
- {id: du, community: tianjin, name: 杜平, roles: [property_duty]}
rotas:
- id: desk
  community: tianjin
  role: property_duty
  layers:
  - {name: day, people: [chen], turn: weekly, since: 2026-01-05, from: 08:00, to: 20:00}
  - {name: night, people: [du], turn: weekly, since: 2026-01-05, from: 20:00, to: 08:00}
`

func TestRotaIsChangedAndHandedOver(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.run("communities add --id tianjin --name 第四社区")
	s.run("rota import " + s.file("rota.yaml", deskOfTwo))
	on := func(at string) string {
		t.Helper()
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(s.people.Rota("desk").OnDuty(when, time.FixedZone("", 8*3600)), " ")
	}
	noon, midnight := "2099-02-16T12:00:00+08:00", "2099-02-16T23:00:00+08:00"
	if on(noon) != "chen" || on(midnight) != "du" {
		t.Fatalf("on duty at noon %q, at night %q", on(noon), on(midnight))
	}
	s.run("rota swap desk --people chen,du --from 2099-02-16T08:00:00+08:00 --to 2099-02-17T08:00:00+08:00 --note 除夕")
	if on(noon) != "du" || on(midnight) != "chen" {
		t.Errorf("swapped: on duty at noon %q, at night %q", on(noon), on(midnight))
	}
	s.run("rota override desk --off chen --from 2099-03-02T08:00:00+08:00 --to 2099-03-03")
	if got := on("2099-03-02T12:00:00+08:00"); got != "" {
		t.Errorf("relieved: on duty %q", got)
	}
	if out := s.run("rota override desk --on du --to 2099-01-01"); !strings.Contains(out, "on duty now: du") {
		t.Errorf("from now on: %s", out)
	}
	out := s.run("rota calendar desk --from 2099-02-16T08:00:00+08:00 --to 2099-02-17T08:00:00+08:00")
	if want := "2099-02-16T08:00:00+08:00  2099-02-16T20:00:00+08:00  du\n2099-02-16T20:00:00+08:00  2099-02-17T08:00:00+08:00  chen\n"; out != want {
		t.Errorf("calendar:\n%s", out)
	}
	s.run("rota note desk --text 三号楼电梯停用 --by 陈勇")
	if out := s.run("rota note desk"); !strings.Contains(out, "陈勇  三号楼电梯停用") {
		t.Errorf("notes: %s", out)
	}
	got := decode[people.Rota](t, s.run("rota note desk --json"))
	if len(got.Overrides) != 3 || len(got.Notes) != 1 {
		t.Errorf("rota: %+v", got)
	}
	s.fails("rota override desk --to 2099-01-01", "--off or --on is missing")
	s.fails("rota override desk --on du", "--to is missing")
	s.fails("rota override desk --on du --to tomorrow", `"tomorrow" is not a time such as`)
	s.fails("rota override desk --on nobody --to 2099-01-01", "nobody")
	s.fails("rota override desk --on du --from 2099-01-02 --to 2099-01-01", "")
	s.fails("rota swap desk --people chen --to 2099-01-01", "is not two people")
	s.fails("rota override none --on du --to 2099-01-01", "none")
	s.fails("rota calendar desk --from later", `"later" is not a time such as`)
}
