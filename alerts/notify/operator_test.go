package notify

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"linli/bus"
	"linli/internal/providers"
)

// An operator is told over every address, by channels alone: nothing of linli has to work. One that hangs does not keep the others.
func TestOperatorIsToldThoughAnAddressHangs(t *testing.T) {
	t.Parallel()
	hook, sms := providers.Webhook(t, testSecret), providers.AliyunSMS(t, "AK", "sk")
	hook.Will(providers.Fault{Hang: true})
	channels := Channels{
		"hook": open(t, "webhook", kind("url: 'URL', secret: SECRET")(hook.URL, testSecret)),
		"sms":  open(t, "aliyun_sms", kind("url: 'URL', access_key_id: AK, access_key_secret: SECRET, sign: 邻里, template: SMS_1, params: {what: text}")(sms.URL, "sk")),
	}
	o, err := NewOperator(channels, []bus.Address{{Channel: "hook"}, {Channel: "sms", To: "13800000001"}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	trouble := Trouble{Part: "store", Err: "InfluxDB is away", Since: time.Now()}
	if err := o.Tell(ctx, trouble); err != nil {
		t.Error(err)
	}
	if got := sms.Visible(); len(got) != 1 || got[0].To != "13800000001" || !strings.Contains(got[0].Text, "store") {
		t.Errorf("people see %+v, want what is wrong", got)
	}
	trouble.Over = true
	if err := o.Tell(t.Context(), trouble); err != nil {
		t.Error(err)
	}
	got := hook.Visible()
	if len(got) == 0 {
		t.Fatal("the address that hung before is told nothing")
	}
	if last := got[len(got)-1].Text; !strings.Contains(last, "well again") || !strings.Contains(last, "InfluxDB is away") {
		t.Errorf("told %s, want that it is over", last)
	}
	hook.Will(providers.Fault{Status: 500})
	sms.Will(providers.Fault{Status: 500})
	if err := o.Tell(t.Context(), trouble); err == nil || !strings.Contains(err.Error(), "hook") || !strings.Contains(err.Error(), "sms") {
		t.Errorf("Tell = %v, though nobody took it", err)
	}
	if _, err := NewOperator(channels, []bus.Address{{Channel: "pager"}}); err == nil {
		t.Error("an operator without a channel is accepted")
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			t.Errorf("%s, want a POST", r.Method)
		}
		w.WriteHeader(status)
	}))
	defer srv.Close()
	beat, err := Heartbeat{URL: srv.URL, AllowPrivateAddresses: true}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := beat(t.Context()); err != nil {
		t.Error(err)
	}
	if status = http.StatusNotFound; beat(t.Context()) == nil {
		t.Error("a heartbeat that nobody takes is none")
	}
	if _, err := (Heartbeat{URL: srv.URL}).Open(); err == nil {
		t.Error("opened with a URL in the clear")
	}
	strict, err := Heartbeat{URL: "https://127.0.0.1/beat"}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := strict(t.Context()); classOf(err) != BadTarget {
		t.Errorf("beat to loopback = %v (%s), want %s", err, classOf(err), BadTarget)
	}
}

// What a name leads to is looked at when it is dialled, and an answer leads nowhere else.
func TestNamesAndRedirectsLeadNotIntoOurNetwork(t *testing.T) {
	t.Parallel()
	c, err := endpoint{URL: "https://localhost/hook"}.open("")
	if err != nil {
		t.Fatal(err)
	}
	get := func(c *caller) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		status, _, _, err := c.do(t.Context(), req)
		return status, err
	}
	if _, err := get(c); classOf(err) != BadTarget {
		t.Errorf("a name of our own network: %v (%s), want %s", err, classOf(err), BadTarget)
	}
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer inner.Close()
	for _, code := range []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		outer := httptest.NewServer(http.RedirectHandler(inner.URL, code))
		if c, err = (endpoint{URL: outer.URL, AllowPrivateAddresses: true}).open(""); err != nil {
			t.Fatal(err)
		}
		if status, err := get(c); err != nil || status != code {
			t.Errorf("answered %d: %d, %v", code, status, err)
		}
		outer.Close()
	}
}
