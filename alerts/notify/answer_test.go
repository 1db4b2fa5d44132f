package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/providers"
	"linli/internal/testkit"
)

// callback hands a provider's words over as web does.
func callback(t testing.TB, b *bus.Bus, key, channel string, body []byte) {
	t.Helper()
	data, err := json.Marshal(bus.Action{Key: key, Kind: "callback", Callback: &bus.Callback{Channel: channel, Body: body}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Publish(t.Context(), bus.CallbacksSubject, key, data); err != nil {
		t.Fatal(err)
	}
}

// acted are the actions of notify on an alert that people did.
func acted(t testing.TB, b *bus.Bus) (all []string) {
	for _, a := range actions(t, b) {
		if a.Kind == "acknowledge" || a.Kind == "comment" {
			all = append(all, fmt.Sprint(a.Kind, " ", a.Alert, " ", a.Person, " ", a.By))
		}
	}
	return all
}

func smsAndVoice(t testing.TB) (sms, voice *providers.Aliyun, channels Channels) {
	sms, voice = providers.AliyunSMS(t, "AK", "sk"), providers.AliyunVoice(t, "AK", "sk")
	keys := "url: 'URL', access_key_id: AK, access_key_secret: SECRET, "
	return sms, voice, Channels{
		"ops": newRecorder(), "sms": open(t, "aliyun_sms", kind(keys+"sign: 邻里, template: SMS_1")(sms.URL, "sk")),
		"voice": open(t, "aliyun_voice", kind(keys+"template: TTS_1, ack_key: '1', ack_template: TTS_2")(voice.URL, "sk")),
	}
}

func TestCallbacksAreHeard(t *testing.T) {
	b := testkit.NATS(t)
	sms, voice, channels := smsAndVoice(t)
	stop := startAll(t, b, channels)
	son, neighbour := daughter, daughter
	son.Person, son.Name, son.Reach = "p-3", "王强", []bus.Address{{Channel: "sms", To: "13800000003"}, {Channel: "voice", To: "13800000003"}}
	neighbour.Person, neighbour.Name, neighbour.Reach = "p-4", "李四", []bus.Address{{Channel: "voice", To: "13800000004"}}
	happen(t, b, event("a1", 1, "opened", toldTo(son, neighbour)))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == 2 })
	stop() // what is expected is known again after a restart
	startAll(t, b, channels)

	out := short(deliveries(t, b, "a1")["sms opened"].ID)
	callback(t, b, "k1", "sms", sms.SMSReport(out, true))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["sms opened"].State == bus.Delivered })
	callback(t, b, "k2", "sms", sms.SMSReply("13800000003", "我在外地"))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(acted(t, b)) == 1 })
	callback(t, b, "k3", "sms", sms.SMSReply("13800000003", "收到"))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(acted(t, b)) == 2 })
	callback(t, b, "k4", "voice", voice.CallReport(short(deliveries(t, b, "a1")["voice opened"].ID), 12, "1"))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(acted(t, b)) == 3 })
	for i, want := range []string{"comment a1 p-3 王强", "acknowledge a1 p-3 王强", "acknowledge a1 p-4 李四"} {
		if got := acted(t, b)[i]; got != want {
			t.Errorf("action %d: %s, want %s", i, got, want)
		}
	}
	callback(t, b, "k5", "sms", []byte("not JSON"))
	callback(t, b, "k6", "sms", sms.SMSReport("of somebody else", true))
	callback(t, b, "k7", "ops", nil)
	callback(t, b, "k8", "voice", voice.CallReport(short(deliveries(t, b, "a1")["voice opened"].ID), 0, ""))
	happen(t, b, event("a2", 1, "opened"))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a2")["ops opened"].State == bus.Accepted })
	if d := deliveries(t, b, "a1")["voice opened"]; d.State != bus.Acted {
		t.Errorf("call %+v, want that her answer stands", d)
	}
}

// A number that is registered with the code of the country is the one that a reply comes from.
func TestReplyOfANumberWithTheCodeOfTheCountry(t *testing.T) {
	t.Parallel()
	b := testkit.NATS(t)
	sms, voice, channels := smsAndVoice(t)
	startAll(t, b, channels)
	son, neighbour := daughter, daughter
	son.Person, son.Name, son.Reach = "p-3", "王强", []bus.Address{{Channel: "sms", To: "+8613800000003"}}
	neighbour.Person, neighbour.Reach = "p-4", []bus.Address{{Channel: "voice", To: "008613800000004"}}
	happen(t, b, event("a1", 1, "opened", toldTo(son, neighbour)))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(sms.Visible()) == 1 && len(voice.Visible()) == 1 })
	callback(t, b, "k1", "sms", sms.SMSReply("13800000003", "收到"))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(acted(t, b)) == 1 })
	if got := acted(t, b)[0]; got != "acknowledge a1 p-3 王强" {
		t.Errorf("the reply is %s", got)
	}
	for number, want := range map[string]string{
		"8613800000003": "13800000003", "13800000003": "13800000003", "+99900000001": "+99900000001", "862987654321": "862987654321", "86x3800000003": "86x3800000003",
	} {
		if got := national(number); got != want {
			t.Errorf("%s is %s, want %s", number, got, want)
		}
	}
}

// A message that did not arrive, and a call that nobody answered, are followed by the next address.
func TestWhatDidNotArriveIsFollowedByTheNextAddress(t *testing.T) {
	b := testkit.NATS(t)
	sms, voice, channels := smsAndVoice(t)
	startAll(t, b, channels)
	son := daughter
	son.Reach = []bus.Address{{Channel: "sms", To: "13800000003"}, {Channel: "voice", To: "13800000003"}}
	happen(t, b, event("a1", 1, "opened", toldTo(son)))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(sms.Visible()) == 1 && states(t, b)[bus.Accepted] == 1 })
	callback(t, b, "k1", "sms", sms.SMSReport(short(deliveries(t, b, "a1")["sms opened"].ID), false))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["voice opened"].State == bus.Accepted })
	callback(t, b, "k2", "voice", voice.CallReport(short(deliveries(t, b, "a1")["voice opened"].ID), 0, ""))
	testkit.Eventually(t, 30*time.Second, func() bool { return len(unreached(t, b)) == 1 })
}

// An address that was passed over because an earlier one had taken the message is tried after all when that did not arrive.
func TestWhatWasPassedOverIsTriedAfterAll(t *testing.T) {
	t.Parallel()
	b, phone := testkit.NATS(t), newRecorder()
	sms, _, channels := smsAndVoice(t)
	release := make(chan struct{})
	phone.fail = func(_ Message, try int) error {
		if try == 1 {
			<-release
			return errors.New("busy")
		}
		return nil
	}
	channels["phone"] = phone
	sms.Will(providers.Fault{Status: 503}, providers.Fault{Status: 503}) // so that the phone is tried too, until the message is taken
	startAll(t, b, channels)
	son := daughter
	son.Reach = []bus.Address{{Channel: "sms", To: "13800000003"}, {Channel: "phone", To: "13800000003"}}
	happen(t, b, event("a1", 1, "opened", toldTo(son)))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["sms opened"].State == bus.Accepted })
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["phone opened"].Attempts > 0 })
	close(release)
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["phone opened"].State == bus.Expired })
	callback(t, b, "k1", "sms", sms.SMSReport(short(deliveries(t, b, "a1")["sms opened"].ID), false))
	testkit.Eventually(t, 30*time.Second, func() bool { return deliveries(t, b, "a1")["phone opened"].State == bus.Accepted })
	if got := unreached(t, b); len(got) != 0 {
		t.Errorf("actions %+v, want none: he was reached", got)
	}
}

// silent is a provider that takes messages and does not say what became of them.
type silent struct{ *recorder }

func (silent) Ask(ctx context.Context, _ Message, _ Receipt) (Fate, error) {
	<-ctx.Done()
	return Fate{}, ctx.Err()
}

// Where receipts are overdue and the provider hangs when it is asked, life-safety is told over the next address all the same, however
// many ordinary messages are asked for before it.
func TestAProviderThatHangsWhenAskedHoldsUpNobody(t *testing.T) {
	t.Parallel()
	b, sms, phone := testkit.NATS(t), newRecorder(), newRecorder()
	sms.caps.Receipts = true
	channels := Channels{"sms": silent{sms}, "phone": phone, "ops": newRecorder()}
	stop := startAll(t, b, channels)
	to := daughter
	to.Reach = []bus.Address{{Channel: "sms", To: "13800000003"}, {Channel: "phone", To: "13800000003"}}
	const ordinary = 40
	for i := range ordinary {
		happen(t, b, event(fmt.Sprint("a", i), 1, "opened", toldTo(to), func(e *bus.AlertEvent) { e.Alert.Safety = false }))
	}
	happen(t, b, event("sos", 1, "opened", toldTo(to)))
	testkit.Eventually(t, 30*time.Second, func() bool { return states(t, b)[bus.Accepted] == ordinary+1 })
	stop()
	due := time.Now().Add(-time.Second)
	all, err := deliveriesOf(t.Context(), b, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		d.Look = due
		if d.Safety {
			d.Look = due.Add(time.Millisecond) // after all the others
		}
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.JS.Publish(t.Context(), bus.DeliverySubject(d.Alert, d.ID), data); err != nil {
			t.Fatal(err)
		}
	}
	startAll(t, b, channels)
	testkit.Eventually(t, 30*time.Second, func() bool { return phone.count() > 0 })
	if d := deliveries(t, b, "sos")["phone opened"]; d.ID == "" {
		t.Error("somebody else was told over the phone")
	}
}
