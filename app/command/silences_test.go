package command_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"linli/alerts"
	"linli/devices"
	"linli/internal/testkit"
	"linli/people"
)

// judge runs the real engine on the bus of a server.
func (s *server) judge() {
	s.Helper()
	cat, err := devices.LoadCatalogue()
	if err != nil {
		s.Fatal(err)
	}
	rules, err := alerts.LoadRules(cat)
	if err != nil {
		s.Fatal(err)
	}
	all := struct {
		*devices.Registry
		*people.Directory
	}{s.registry, s.people}
	e, err := alerts.Open(s.Context(), alerts.Config{Bus: s.bus, Rules: rules, Directory: all, Resolver: s.people, Log: testkit.Log})
	if err != nil {
		s.Fatal(err)
	}
	background(s.T, e.Run)
}

// tokenOf makes a user of the desk and an API token of theirs.
func (s *server) tokenOf(name string) string {
	s.Helper()
	given := decode[struct{ Password string }](s.T, s.run("users add --json --role duty --communities tianjin --name "+name)).Password
	cookie := ""
	call := func(method, path, body string) (answer struct{ Secret string }) {
		s.Helper()
		r, err := http.NewRequestWithContext(s.Context(), method, s.env["LINLI_SERVER"]+"/api/v1/"+path, strings.NewReader(body))
		if err != nil {
			s.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			s.Fatal(err)
		}
		defer resp.Body.Close()
		if set, _, _ := strings.Cut(resp.Header.Get("Set-Cookie"), ";"); set != "" {
			cookie = set
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
			s.Fatal(path, resp.Status, err)
		}
		return answer
	}
	call("POST", "session", `{"user":"`+name+`","password":"`+given+`"}`)
	call("PUT", "session/password", `{"old":"`+given+`","new":"right horse `+name+`"}`)
	return call("POST", "tokens", `{"name":"desk","scopes":["*:write"]}`).Secret
}

func TestSilences(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.judge()
	s.run("communities add --id tianjin --name 第四社区")
	s.run("devices add --community tianjin --type sos_button --id sos-1")
	out := s.run("silences add --community tianjin --rule ws_overflow --reason works --for 2h")
	if !strings.Contains(out, " until 20") {
		t.Error(out)
	}
	asked := decode[struct{ ID string }](t, s.run("silences add --community tianjin --device sos-1 --reason works --safety --json"))
	if out := s.run("silences list"); strings.Count(out, "\n") != 3 || !strings.Contains(out, "sos-1") || !strings.Contains(out, "has no effect: somebody else is to confirm it by 20") {
		t.Error(out)
	}
	s.fails("silences confirm "+asked.ID, "the administrator's token is nobody's")
	s.env["LINLI_TOKEN"] = s.tokenOf("wang")
	if out := s.run("silences confirm " + asked.ID); !strings.Contains(out, "of life-safety too, confirmed by wang, until 20") {
		t.Error(out)
	}
	own := decode[struct{ ID string }](t, s.run("silences add --community tianjin --device sos-1 --reason works --safety --json"))
	s.fails("silences confirm "+own.ID, "somebody else has to")
	if out := s.run("silences end " + asked.ID); !strings.Contains(out, "ended 20") {
		t.Error(out)
	}
	s.fails("silences add --community tianjin --reason works --safety", "one device or person only")
	s.fails("silences add --community tianjin", "--reason is missing")
	s.fails("silences end none", "does not exist")
}
