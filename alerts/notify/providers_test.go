package notify

import (
	"mime"
	"net"
	"strings"
	"testing"

	"linli/bus"
	"linli/internal/providers"
)

func mailSettings(addr, user, password string) string {
	host, port, _ := net.SplitHostPort(addr)
	return "[{host: " + host + ", port: " + port + ", tls: none, user: " + user + ", password: " + password +
		", from: linli@estate.example, allow_private_addresses: true}]"
}

// decoded is a mail's subject and body as a person reads them.
func decoded(t testing.TB, text string) string {
	t.Helper()
	subject, body, _ := strings.Cut(text, "\n")
	plain, err := new(mime.WordDecoder).DecodeHeader(subject)
	if err != nil {
		t.Fatal(err)
	}
	return plain + "\n" + body
}

func TestMail(t *testing.T) {
	p := providers.SMTP(t, "linli", "right")
	ch := open(t, "smtp", mailSettings(p.Addr, "linli", "right"))
	m := sample("d-1", "wang@home.example")
	r, err := ch.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	got := p.Visible()
	if len(got) != 1 || got[0].ID != "<d-1@estate.example>" || got[0].To != "wang@home.example" || r.ID != "d-1@estate.example" {
		t.Errorf("mails %+v, receipt %+v", got, r)
	}
	p.Drop()
	if _, err := ch.Send(t.Context(), m); classOf(err) != InDoubt {
		t.Errorf("cut off before the answer: %v (%s), want %s", err, classOf(err), InDoubt)
	}
	for code, want := range map[int]Class{550: BadTarget, 450: Retry, 452: Retry} {
		p.Refuse("wang@home.example", code)
		if _, err := ch.Send(t.Context(), m); classOf(err) != want {
			t.Errorf("recipient refused with %d: %v (%s), want %s", code, err, classOf(err), want)
		}
	}
	if _, err := open(t, "smtp", mailSettings(p.Addr, "linli", "wrong")).Send(t.Context(), m); classOf(err) != Auth {
		t.Errorf("wrong password: %v (%s), want %s", err, classOf(err), Auth)
	}
	if _, err := open(t, "smtp", mailSettings(p.Addr, "linli", "right")).Send(t.Context(), sample("d-2", "nobody")); classOf(err) != BadTarget {
		t.Errorf("no mail address: %v (%s), want %s", err, classOf(err), BadTarget)
	}
	strict := "[{host: 127.0.0.1, from: linli@estate.example}]"
	if _, err := open(t, "smtp", strict).Send(t.Context(), m); classOf(err) != BadTarget {
		t.Errorf("loopback: %v (%s), want %s", err, classOf(err), BadTarget)
	}
	if _, err := kinds["smtp"](&nodes(t, "[{host: h, tls: none, from: a@b}]")[0], quietLog()); err == nil {
		t.Error("mail in the clear on the open internet is accepted")
	}
}

func TestShortMessagesAreAskedFor(t *testing.T) {
	p := providers.AliyunSMS(t, "AK", "sk")
	ch := open(t, "aliyun_sms", kind("url: 'URL', access_key_id: AK, access_key_secret: SECRET, sign: 邻里, template: SMS_1")(p.URL, "sk"))
	asker, m := ch.(Asker), sample("abcdefghijklmnopqrstuvwxyz", "13800000001")
	if f, err := asker.Ask(t.Context(), m, Receipt{}); err != nil || f.State != "" {
		t.Errorf("never sent: %+v, %v", f, err)
	}
	p.Will(providers.Fault{Drop: true})
	if _, err := ch.Send(t.Context(), m); err == nil {
		t.Fatal("a lost answer is none")
	}
	if f, err := asker.Ask(t.Context(), m, Receipt{}); err != nil || f.State != bus.Accepted {
		t.Errorf("sent: %+v, %v, want accepted", f, err)
	}
	p.Arrive(short(m.ID), true, "")
	if f, err := asker.Ask(t.Context(), m, Receipt{}); err != nil || f.State != bus.Delivered {
		t.Errorf("arrived: %+v, %v, want delivered", f, err)
	}
	for body, want := range map[string]Answer{
		string(p.SMSReport("out-1", true)):        {Ref: "out-1", State: bus.Delivered},
		string(p.SMSReport("out-1", false)):       {Ref: "out-1", State: bus.Failed, Class: BadTarget, Why: "DELIVERED"},
		string(p.SMSReply("13800000001", " 收到 ")): {Ref: "13800000001", State: bus.Acted, Acknowledge: true, Why: " 收到 "},
		string(p.SMSReply("13800000001", "你是谁？")): {Ref: "13800000001", State: bus.Acted, Why: "你是谁？"},
	} {
		got, err := ch.(Listener).Listen(bus.Callback{Body: []byte(body)})
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, %v, want %+v", body, got, err, want)
		}
	}
}

func TestCallsAreAskedForAndAnswered(t *testing.T) {
	p := providers.AliyunVoice(t, "AK", "sk")
	ch := open(t, "aliyun_voice", kind("url: 'URL', access_key_id: AK, access_key_secret: SECRET, template: TTS_1, ack_key: '1', ack_template: TTS_2")(p.URL, "sk"))
	m := sample("abcdefghijklmnopqrstuvwxyz", "13800000001")
	r, err := ch.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(want Fate) {
		t.Helper()
		got, err := ch.(Asker).Ask(t.Context(), m, r)
		if err != nil || got.State != want.State || got.Acknowledge != want.Acknowledge {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	ask(Fate{State: bus.Accepted})
	p.Arrive(short(m.ID), true, "1")
	ask(Fate{State: bus.Acted, Acknowledge: true})
	p.Arrive(short(m.ID), true, "")
	ask(Fate{State: bus.Delivered})
	p.Arrive(short(m.ID), false, "")
	ask(Fate{State: bus.Failed})
	for body, want := range map[string]Answer{
		string(p.CallReport("out-1", 12, "")):  {Ref: "out-1", State: bus.Delivered},
		string(p.CallReport("out-1", 12, "1")): {Ref: "out-1", State: bus.Acted, Acknowledge: true, Why: "pressed 1"},
		string(p.CallReport("out-1", 12, "2")): {Ref: "out-1", State: bus.Failed, Class: Retry, Why: "pressed 2"},
		string(p.CallReport("out-1", 0, "")):   {Ref: "out-1", State: bus.Failed, Class: Retry, Why: "not answered: 200000"},
	} {
		got, err := ch.(Listener).Listen(bus.Callback{Body: []byte(body)})
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, %v, want %+v", body, got, err, want)
		}
	}
}

func TestTextsAreCutBetweenCharacters(t *testing.T) {
	for limit, want := range map[int]string{100: "长长长长", 12: "长长长长", 11: "长长…", 7: "长…", 3: "…"} {
		if got := cut("长长长长", limit); got != want || len(got) > max(limit, 3) {
			t.Errorf("cut to %d: %q, want %q", limit, got, want)
		}
	}
	m := sample("d", "")
	m.Language = ""
	m.Text = strings.Repeat("长", 3000)
	if got := m.said(2048); len(got) > 2048 || !strings.HasSuffix(got, "https://linli.example/a/token") {
		t.Errorf("%d bytes ending with %q", len(got), got[len(got)-40:])
	}
}

func TestTextsSayWhatToDo(t *testing.T) {
	m := sample("d", "")
	for _, want := range []string{"紧急", "手环求救", "马奶奶按下求救", "11-01 10:03", "拨打120"} {
		if !strings.Contains(m.Title+m.Text, want) {
			t.Errorf("%q is not in %q %q", want, m.Title, m.Text)
		}
	}
	if m.labelled(); !strings.HasPrefix(m.Title, "（可能重复）") {
		t.Errorf("title %q", m.Title)
	}
}
