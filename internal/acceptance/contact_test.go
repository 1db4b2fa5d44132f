package acceptance

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"linli/internal/providers"
)

const circleOfTwo = `people:
- {id: desk-1, community: garden, name: 值班, roles: [property_duty], reach: [{channel: ops, to: desk}]}
- {id: daughter-1, community: garden, name: 女儿, reach: [{channel: sms, to: "%s"}, {channel: ops, to: daughter}]}
- {id: son-1, community: garden, name: 儿子, reach: [{channel: ops, to: son}]}
- id: ma
  community: garden
  name: 马奶奶
  roles: [elder]
  circle:
  - {person: daughter-1, relation: daughter, consent: [{scope: events, since: 2026-01-01T00:00:00Z}]}
  - {person: son-1, relation: son, consent: [{scope: events, since: 2026-01-01T00:00:00Z}]}
`

// A contact whose number the provider calls invalid is reported to the desk and the family over the way that works, once, until the
// number is put right and something arrives there. On the built binary, with a fake of the provider.
func TestAContactWhoseNumberIsInvalidIsReported(t *testing.T) {
	hook, sms := newReceiver(t), providers.AliyunSMS(t, "AK", "sk")
	config := hook.config(t)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	channel := fmt.Sprintf("  - {name: sms, type: aliyun_sms, url: %q, access_key_id: AK, access_key_secret: sk, sign: 邻里, template: SMS_1, allow_private_addresses: true}\n", sms.URL)
	text = []byte(strings.Replace(string(text), "duty:", channel+"duty:", 1))
	if err := os.WriteFile(config, text, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, "--config", config)
	s.start()
	s.linli("communities", "add", "--id", "garden", "--name", "花园")
	number := func(n string) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "people.yaml")
		if err := os.WriteFile(file, fmt.Appendf(nil, circleOfTwo, n), 0o600); err != nil {
			t.Fatal(err)
		}
		s.linli("people", "import", file)
	}
	number("02987654321") // that of a landline
	host, port, _ := strings.Cut(s.mqtt, ":")
	press := func(id string) {
		t.Helper()
		c := s.addDevice("garden", "sos_button", id, "--person", "ma")
		out, err := exec.CommandContext(t.Context(), "mosquitto_pub", "-h", host, "-p", port, "-i", c.ID, "-u", c.Username, "-P", c.Secret,
			"-q", "1", "-t", "linli/event/garden/sos_button/"+id+"/sos", "-n").CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", id, err, out)
		}
	}
	// reported are who is told of the report, and how it began or ended.
	reported := func() (who []string) {
		for _, d := range hook.all() {
			if d.Alert.Rule == "contact_unreachable" {
				who = append(who, d.Event+" "+d.Person)
			}
		}
		slices.Sort(who)
		return who
	}
	press("sos-1")
	opened := []string{"opened daughter-1", "opened desk-1", "opened son-1"}
	s.await(30*time.Second, "told that her number is invalid", func() bool { return len(reported()) >= len(opened) })
	if got := reported(); !slices.Equal(got, opened) {
		t.Errorf("reported to %q, want the desk and all of the circle, over ways that work", got)
	}
	for _, d := range hook.all() {
		if d.Alert.Rule == "contact_unreachable" && !strings.Contains(d.Alert.Text.ZH, "马奶奶的联系人女儿无法通过 sms 02987654321 联系") {
			t.Errorf("the report says %q", d.Alert.Text.ZH)
		}
	}
	number("13800000001")
	var alerts struct{ Alerts []alert }
	if err := s.get("/api/v1/alerts?state=opened&community=garden", &alerts); err != nil {
		t.Fatal(err)
	}
	for _, a := range alerts.Alerts {
		if a.Rule != "contact_unreachable" {
			if err := s.post("/api/v1/alerts/"+a.ID+"/close", `{"disposition":"test"}`); err != nil {
				t.Fatal(err)
			}
		}
	}
	press("sos-2")
	s.await(30*time.Second, "a message to the right number", func() bool { return len(sms.Visible()) > 0 })
	arrived := sms.Visible()
	if err := s.callBack("sms", sms.SMSReport(arrived[len(arrived)-1].ID, true)); err != nil {
		t.Fatal(err)
	}
	cleared := []string{"cleared daughter-1", "cleared desk-1", "cleared son-1"}
	s.await(30*time.Second, "told that it works again", func() bool {
		return slices.Equal(slices.DeleteFunc(reported(), func(w string) bool { return !strings.HasPrefix(w, "cleared") }), cleared)
	})
	if got := reported(); !slices.Equal(got, append(cleared, opened...)) {
		t.Errorf("reported %q", got)
	}
	s.terminate()
}
