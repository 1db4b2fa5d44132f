package notify

import (
	"strings"
	"testing"

	"linli/internal/providers"
)

// contract is how a kind of channel is put through TestEveryChannel: a provider that plays the other side, settings that lead there,
// and settings with a wrong secret.
type contract struct {
	start func(t *testing.T) (settings, wrong string, p *providers.Provider)
	to    string           // an address
	codes map[string]Class // of its own error codes, which come with status 200
	limit int              // so many messages in a row are taken; 0: any number
	link  bool             // its messages carry the link
}

func kind(settings string) func(url, secret string) string {
	return func(url, secret string) string {
		return "[{" + strings.NewReplacer("URL", url, "SECRET", secret).Replace(settings) + ", allow_private_addresses: true}]"
	}
}

var contracts = map[string]contract{
	"log": {},
	"smtp": {start: func(t *testing.T) (settings, wrong string, p *providers.Provider) {
		return "", "", nil // see TestMail
	}},
	"webhook": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.Webhook(t, testSecret), kind("url: 'URL', secret: SECRET")
			return s(p.URL, testSecret), s(p.URL, "whsec_"+strings.Repeat("A", 32)), p
		},
		link: true,
	},
	"wecom_robot": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.WeCom(t, "k-1"), kind("url: 'URL', key: SECRET")
			return s(p.URL, "k-1"), s(p.URL, "k-wrong"), p
		},
		to: "13800000001", limit: 20, link: true,
		codes: map[string]Class{"45009": RateLimited, "-1": Retry, "93000": Auth, "40058": BadMessage},
	},
	"dingtalk_robot": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.DingTalk(t, "tok", "SECx"), kind("url: 'URL', token: tok, secret: SECRET")
			return s(p.URL, "SECx"), s(p.URL, "SECwrong"), p
		},
		to: "13800000001", limit: 20, link: true,
		codes: map[string]Class{"130101": RateLimited, "-1": Retry, "310000": Auth, "300001": Auth, "40035": BadMessage},
	},
	"feishu_robot": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.Feishu(t, "h-1", "sec"), kind("url: 'URL/open-apis/bot/v2/hook/', hook: h-1, secret: SECRET")
			return s(p.URL, "sec"), s(p.URL, "wrong"), p
		},
		limit: 5, link: true,
		codes: map[string]Class{"11232": RateLimited, "9499": RateLimited, "19021": Auth, "19001": Auth, "9498": BadMessage},
	},
	"ntfy": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.Ntfy(t, "tk_1"), kind("url: 'URL', topic: duty, token: SECRET")
			return s(p.URL, "tk_1"), s(p.URL, "tk_wrong"), p
		},
		to: "wang", limit: 60, link: true,
	},
	"aliyun_sms": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.AliyunSMS(t, "AK", "sk"), kind("url: 'URL', access_key_id: AK, access_key_secret: SECRET, sign: 邻里, template: SMS_1")
			return s(p.URL, "sk"), s(p.URL, "sk-wrong"), p.Provider
		},
		to: "13800000001", limit: 50,
		codes: map[string]Class{
			"isv.BUSINESS_LIMIT_CONTROL": RateLimited, "isv.MOBILE_NUMBER_ILLEGAL": BadTarget, "SignatureDoesNotMatch": Auth,
			"isp.SYSTEM_ERROR": Retry, "isv.PARAM_LENGTH_LIMIT": BadMessage, "isv.SMS_TEMPLATE_ILLEGAL": Auth, "isv.AMOUNT_NOT_ENOUGH": Auth,
			"Throttling.User": RateLimited,
		},
	},
	"aliyun_voice": {
		start: func(t *testing.T) (string, string, *providers.Provider) {
			p, s := providers.AliyunVoice(t, "AK", "sk"), kind("url: 'URL', access_key_id: AK, access_key_secret: SECRET, template: TTS_1")
			return s(p.URL, "sk"), s(p.URL, "sk-wrong"), p.Provider
		},
		to: "13800000001", limit: 1,
		codes: map[string]Class{"isv.BUSINESS_LIMIT_CONTROL": RateLimited, "isv.TTS_TEMPLATE_ILLEGAL": Auth, "isp.UNKNOWN": Retry},
	},
}
