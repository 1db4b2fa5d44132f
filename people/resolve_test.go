package people_test

import (
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/people"
)

// said is recipients as one line each: target person, why held and until when.
func said(all []bus.Recipient) string {
	var lines []string
	for _, r := range all {
		line := r.Target
		if r.Person != "" {
			line += "=" + r.Person
		}
		if r.Held != "" {
			line += " " + r.Held
		}
		if !r.Until.IsZero() {
			line += " " + r.Until.Format("02T15:04")
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, ", ")
}

func local(s string) time.Time {
	t, err := time.ParseInLocation("2006-01-02 15:04", s, time.FixedZone("", 8*3600))
	if err != nil {
		panic(err)
	}
	return t
}

func TestResolve(t *testing.T) {
	s := newSite(t)
	ever := time.Unix(0, 0)
	events := []people.Consent{{Scope: people.Events, Since: ever}}
	night := &people.QuietHours{From: "22:00", To: "07:00"}
	duty, manager := []people.Role{people.Duty}, []people.Role{people.Manager}
	away := local("2026-01-06 00:00")
	s.put(
		people.Person{ID: "daughter", Reach: phoneOf("1"), Quiet: night},
		people.Person{ID: "son", Reach: phoneOf("2")},
		people.Person{ID: "friend"},
		people.Person{ID: "chen", Roles: duty, Reach: phoneOf("3")},
		people.Person{ID: "du", Roles: duty, Reach: phoneOf("4")},
		people.Person{ID: "mute", Roles: duty},
		people.Person{ID: "leave", Roles: duty, Reach: phoneOf("5"), AwaySince: &away},
		people.Person{ID: "boss", Roles: manager},
		people.Person{ID: "ma", Circle: []people.Member{
			{Person: "daughter", Relation: "daughter", Consent: events}, {Person: "son", Relation: "son"}, {Person: "friend", Relation: "friend"},
		}},
	)
	week := func(id string, who ...string) people.Layer {
		return people.Layer{Name: id, People: who, Turn: people.Weekly, Since: "2026-01-05"}
	}
	s.rota(people.Rota{ID: "desk", Role: people.Duty, Layers: []people.Layer{week("first", "chen", "mute", "leave"), week("second", "du", "chen", "mute")}})
	s.rota(people.Rota{ID: "empty", Role: people.Manager, Layers: []people.Layer{week("nobody")}})
	first, second, third := "2026-01-05 12:00", "2026-01-12 12:00", "2026-01-19 12:00"
	for _, test := range []struct{ name, targets, at, safety, plain string }{
		{"first week", "role:property_duty", first, "role:property_duty=chen, role:property_duty=du", ""},
		{"who has no address is not the one on shift", "role:property_duty", second, "role:property_duty=chen", ""},
		{"nobody on shift can be told: all who can", "role:property_duty", third, "role:property_duty=chen, role:property_duty=du", ""},
		{"the second on shift", "role:property_duty:2", first, "role:property_duty:2=du", ""},
		{"there is no third", "role:property_duty:3", first, "", ""},
		{"empty rota, nobody can be told", "role:manager", first, "role:manager=boss no_address", ""},
		{"nobody has the role", "role:caretaker", first, "", ""},
		{"circle", "circle", first, "circle=daughter, circle=son, circle=friend no_address", "circle=daughter, circle=son no_consent, circle=friend no_address"},
		{"circle at night", "circle", "2026-01-05 23:30", "circle=daughter, circle=son, circle=friend no_address", "circle=daughter quiet_hours 06T07:00, circle=son no_consent, circle=friend no_address"},
		{"n-th of the circle", "circle:2", first, "circle:2=son", "circle:2=son no_consent"},
		{"beyond the circle", "circle:9", first, "", ""},
		{"person", "person:son", first, "person:son=son", ""},
		{"unknown person", "person:nobody", first, "person:nobody=nobody no_address", ""},
		{"duty", "duty", first, "duty", ""},
		{"nobody twice", "circle:1 circle person:daughter duty duty", first, "circle:1=daughter, circle=son, circle=friend no_address, duty", "circle:1=daughter, circle=son no_consent, circle=friend no_address, duty"},
		{"told as one thing though held as another", "circle:2 person:son", first, "circle:2=son", "person:son=son"},
		{"not a target", "everybody", first, "", ""},
	} {
		if test.plain == "" {
			test.plain = test.safety
		}
		for _, safety := range []bool{true, false} {
			want := test.plain
			if safety {
				want = test.safety
			}
			q := people.Question{Targets: strings.Fields(test.targets), Community: "garden", Person: "ma", Safety: safety, At: local(test.at)}
			if got := said(s.Resolve(q)); got != want {
				t.Errorf("%s, safety %t: got %q, want %q", test.name, safety, got, want)
			}
		}
	}
	if got := s.Resolve(people.Question{Targets: []string{"circle", "role:property_duty"}, Community: "west", Person: "nobody", At: ever}); len(got) != 0 {
		t.Errorf("another community, unknown elder: %v", got)
	}
}

// TestConsentHasAnEnd: from its first moment to its last, and not one longer.
func TestConsentHasAnEnd(t *testing.T) {
	s := newSite(t)
	since, until := local("2026-01-05 00:00"), local("2026-02-01 00:00")
	s.put(
		people.Person{ID: "son", Reach: phoneOf("1")},
		people.Person{ID: "ma", Circle: []people.Member{{Person: "son", Relation: "son", Consent: []people.Consent{{Scope: people.Events, Since: since, Until: &until}}}}},
	)
	for at, want := range map[time.Time]bool{since.Add(-1): false, since: true, until.Add(-1): true, until: false} {
		q := people.Question{Targets: []string{"circle"}, Community: "garden", Person: "ma", At: at}
		if got := s.Member("ma", "son").Agreed(people.Events, at); got != want {
			t.Errorf("agreed at %v: %t", at, got)
		}
		if held := s.Resolve(q)[0].Held; (held == "") != want {
			t.Errorf("at %v the son is held for %q", at, held)
		}
		if q.Safety = true; s.Resolve(q)[0].Held != "" {
			t.Errorf("at %v the son is not told of life-safety", at)
		}
	}
}

func TestTargets(t *testing.T) {
	for target, want := range map[string]string{
		"person:ma": "", "role:manager": "", "role:manager:2": "", "circle": "", "circle:1": "", "duty": "",
		"":               `target "": want person:ID, role:ROLE, circle, circle:N or duty`,
		"person":         `target "person": person of what is missing`,
		"role:king":      `target "role:king": there is no role "king"`,
		"circle:0":       `target "circle:0": "0" is not a number from 1`,
		"circle:1:2":     `target "circle:1:2": "1:2" is too much`,
		"duty:1":         `target "duty:1": "1" is too much`,
		"person:ma:1":    `target "person:ma:1": "1" is too much`,
		"role:manager:x": `target "role:manager:x": "x" is not a number from 1`,
	} {
		got := ""
		if err := people.CheckTarget(target); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", target, got, want)
		}
	}
}
