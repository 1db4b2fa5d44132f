package acceptance

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"linli/bus"
	"linli/internal/providers"
	"linli/people"
)

// desks are what the people of a trial are reached by: a group of WeCom, short messages and calls of Aliyun, a webhook each.
type desks struct {
	name  string
	wecom *providers.Provider
	sms   *providers.Aliyun
	voice *providers.Aliyun
	hook  *receiver // of all trials: the duty channel, and the pagers
}

func newDesks(t *testing.T, name string, hook *receiver) desks {
	d := desks{name, providers.WeCom(t, "k-"+name), providers.AliyunSMS(t, "AK-"+name, "sk"), providers.AliyunVoice(t, "AK-"+name, "sk"), hook}
	d.sms.Prompt, d.voice.Prompt = true, true
	return d
}

// channels are their settings, named after the trial.
func (d *desks) channels() string {
	const settings = `- {name: wecom-NAME, type: wecom_robot, url: %q, key: k-NAME, allow_private_addresses: true}
- {name: sms-NAME, type: aliyun_sms, url: %q, access_key_id: AK-NAME, access_key_secret: sk, sign: 邻里, template: SMS_1, allow_private_addresses: true}
- {name: voice-NAME, type: aliyun_voice, url: %q, access_key_id: AK-NAME, access_key_secret: sk, template: TTS_1, ack_key: "1", ack_template: TTS_2, allow_private_addresses: true}
- {name: pager-NAME, type: webhook, url: %q, secret: %q, allow_private_addresses: true}
`
	return fmt.Sprintf(strings.ReplaceAll(settings, "NAME", d.name), d.wecom.URL, d.sms.URL, d.voice.URL, d.hook.URL, webhookSecret)
}

// message is how messages are counted: by their channel and who they are for.
func message(channel, to string) string {
	if channel == "ops" {
		return channel
	}
	return channel + " " + to
}

// compare returns how the messages that came differ from those that were accepted; empty if they do not.
func (d *desks) compare(tr *trial, accepted []string) string {
	var came []string
	for channel, p := range map[string]*providers.Provider{"wecom": d.wecom, "sms": d.sms.Provider, "voice": d.voice.Provider} {
		for _, m := range p.Visible() {
			came = append(came, message(channel, m.To))
		}
	}
	for _, m := range d.hook.all() {
		switch {
		case m.Alert.Community != tr.community:
		case m.Person == "":
			came = append(came, message("ops", ""))
		default:
			came = append(came, message("pager", m.Person))
		}
	}
	slices.Sort(came)
	return gocmp.Diff(accepted, came)
}

// perform waits until the last event of an alert is the one that an act follows, and acts.
func (s *server) perform(tr *trial, x act) {
	var h *history
	s.await(40*time.Second, x.Of+" "+x.After, func() bool {
		for _, a := range s.histories(tr) {
			if tr.key(&a.Alert) == x.Of && len(a.Events) > 0 && a.Events[len(a.Events)-1].Kind == x.After {
				h = &a
			}
		}
		return h != nil
	})
	var err error
	switch {
	case x.Close != "":
		err = s.post("/api/v1/alerts/"+h.ID+"/close", fmt.Sprintf(`{"by":"desk","disposition":%q}`, x.Close))
	case x.Link != "":
		err = s.pressLink(tr, h, tr.prefix+x.Link)
	case x.Reply != "":
		d := s.sentTo(tr, h, tr.prefix+x.Reply, "sms")
		err = s.callBack("sms-"+tr.name, tr.desks.sms.SMSReply(d.To, "收到"))
	case x.Key != "":
		d := s.sentTo(tr, h, tr.prefix+x.Key, "voice")
		calls := tr.desks.voice.Visible()
		i := slices.IndexFunc(calls, func(m providers.Message) bool { return m.To == d.To })
		if i < 0 {
			s.t.Fatalf("nobody has called %s", x.Key)
		}
		err = s.callBack("voice-"+tr.name, tr.desks.voice.CallReport(calls[i].ID, 12, "1"))
	}
	if err != nil {
		s.t.Fatalf("%+v: %v", x, err)
	}
}

// sentTo waits for a delivery of an alert to a person over a channel.
func (s *server) sentTo(tr *trial, h *history, person, channel string) (found bus.Delivery) {
	s.await(30*time.Second, channel+" to "+person, func() bool {
		for _, a := range s.histories(tr) {
			for _, d := range a.deliveries {
				if a.ID == h.ID && d.Recipient.Person == person && d.Channel == channel+"-"+tr.name && taken(&d) {
					found = d
				}
			}
		}
		return found.ID != ""
	})
	return found
}

var linkOf = regexp.MustCompile(`http://\S+/a/[\w.-]+`)

// pressLink opens the link that a person was sent by the group or their pager, and presses its button.
func (s *server) pressLink(tr *trial, h *history, person string) error {
	link := ""
	s.await(30*time.Second, "link for "+person, func() bool {
		for _, m := range tr.desks.wecom.Visible() {
			p := slices.IndexFunc(tr.People, func(e people.Entry) bool { return e.ID == person })
			if p >= 0 && m.To != "" && slices.ContainsFunc(tr.People[p].Reach, func(a bus.Address) bool { return a.To == m.To }) {
				link = cmp.Or(linkOf.FindString(m.Text), link)
			}
		}
		for _, m := range tr.desks.hook.all() {
			if m.Alert.ID == h.ID && m.Person == person {
				link = cmp.Or(m.Link, link)
			}
		}
		return link != ""
	})
	r, err := s.client.PostForm(link, url.Values{})
	if err != nil {
		return err
	}
	defer r.Body.Close()
	page, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(page), "Noted") {
		return fmt.Errorf("%s: %s: %s %w", link, r.Status, page, err)
	}
	return nil
}

// callBack tells the server what a provider says.
func (s *server) callBack(channel string, body []byte) error {
	var list struct {
		Channels []struct{ Channel, Callback string }
	}
	if err := s.get("/api/v1/channels", &list); err != nil {
		return err
	}
	for _, c := range list.Channels {
		if c.Channel == channel {
			return s.post(c.Callback, string(body))
		}
	}
	return fmt.Errorf("no channel %s in %+v", channel, list)
}

// startOf reads in what linli simulate prints when the scenario is said to have begun.
func startOf(out string) time.Time {
	for line := range strings.Lines(out) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "as if it had begun at "); ok {
			at, _ := time.Parse(time.RFC3339Nano, text)
			return at
		}
	}
	return time.Time{}
}
