package people_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/people"
)

func TestProblems(t *testing.T) {
	s := newSite(t)
	member := func(id string) people.Member { return people.Member{Person: id, Relation: "family"} }
	agreed := []people.Consent{{Scope: people.Events, Since: local("2026-01-01 00:00")}}
	s.put(
		people.Person{ID: "c1", Reach: phoneOf("1")},
		people.Person{ID: "c2", Reach: phoneOf("2")},
		people.Person{ID: "c3", Reach: []bus.Address{{Channel: "voice", To: "3"}}},
		people.Person{ID: "c4"},
		people.Person{ID: "c5", Reach: []bus.Address{{Channel: "pigeon", To: "5"}}},
		people.Person{ID: "well", Home: "3-2-501", Circle: []people.Member{{Person: "c1", Relation: "son", Consent: agreed}, member("c3")}},
		people.Person{ID: "alone", Home: "3-2-502"},
		people.Person{ID: "thin", Home: "3-2-503", Circle: []people.Member{member("c1"), member("c4"), member("c5")}},
		people.Person{ID: "onekind", Circle: []people.Member{member("c1"), member("c2")}},
		people.Person{ID: "nodevice"},
	)
	s.rota(people.Rota{ID: "day", Role: people.Duty, Layers: []people.Layer{layer("c1", people.Weekly, hours("08:00", "20:00"))}})
	s.rota(people.Rota{ID: "full", Role: people.Duty, Layers: []people.Layer{layer("c1 c3", people.Weekly)}})
	s.rota(people.Rota{ID: "void", Role: people.Duty})
	survey := people.Survey{
		Elders: []string{"alone", "onekind", "thin", "well"}, Channels: map[string]string{"sms": "aliyun_sms", "voice": "aliyun_voice"},
		Now: local("2026-01-06 12:00"),
	}
	got := map[string]string{}
	for _, p := range s.Problems(survey) {
		got[p.Person+p.Rota] = strings.TrimSpace(got[p.Person+p.Rota] + " " + p.Code)
		if p.Text.ZH == "" || p.Text.EN == "" || p.Community != "garden" {
			t.Errorf("%+v", p)
		}
	}
	want := map[string]string{
		"alone": "few_contacts", "thin": "few_contacts no_consent", "onekind": "one_kind no_consent no_home", "c4": "no_address", "c5": "unknown_channel",
		"day": "uncovered", "void": "uncovered",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}
