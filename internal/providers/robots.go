package providers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"testing"
	"time"
)

// WeCom is a group with a robot of that key: 20 messages a minute, texts of at most 2048 bytes.
func WeCom(t testing.TB, key string) *Provider {
	return start(t, func(r *http.Request, body []byte) (*Message, string) {
		var m struct {
			Type string `json:"msgtype"`
			Text struct {
				Content string
				Mobiles []string `json:"mentioned_mobile_list"`
				Users   []string `json:"mentioned_list"`
			}
		}
		switch err := json.Unmarshal(body, &m); {
		case r.URL.Query().Get("key") != key:
			return nil, "93000"
		case err != nil || m.Type != "text" || m.Text.Content == "":
			return nil, "40058"
		case tooLong(m.Text.Content, 2048):
			return nil, "45002"
		}
		return &Message{To: first(append(m.Text.Mobiles, m.Text.Users...)), Text: m.Text.Content}, ""
	}, numeric("errcode", "errmsg"), &quota{code: "45009", max: 20, per: time.Minute})
}

// DingTalk is a group with a robot: 20 messages a minute; one more, and it is mute for ten.
func DingTalk(t testing.TB, token, secret string) *Provider {
	var p *Provider
	p = start(t, func(r *http.Request, body []byte) (*Message, string) {
		q := r.URL.Query()
		ms, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
		age := p.Now().Sub(time.UnixMilli(ms)).Abs()
		var m struct {
			Type string `json:"msgtype"`
			Text struct{ Content string }
			At   struct {
				Mobiles []string `json:"atMobiles"`
				All     bool     `json:"isAtAll"`
			}
		}
		bad := json.Unmarshal(body, &m)
		switch {
		case q.Get("access_token") != token:
			return nil, "300001"
		case err != nil || age > time.Hour || !signed(secret, q.Get("timestamp")+"\n"+secret, q.Get("sign")):
			return nil, "310000"
		case bad != nil || m.Type != "text" || m.Text.Content == "":
			return nil, "40035"
		case tooLong(m.Text.Content, 20_000):
			return nil, "460101"
		}
		return &Message{To: first(m.At.Mobiles), Text: m.Text.Content}, ""
	}, numeric("errcode", "errmsg"), &quota{code: "130101", max: 20, per: time.Minute, penalty: 10 * time.Minute})
	return p
}

// Feishu is a group with a custom bot: 100 messages a minute and 5 a second, bodies of at most 20 KB.
func Feishu(t testing.TB, hook, secret string) *Provider {
	var p *Provider
	p = start(t, func(r *http.Request, body []byte) (*Message, string) {
		type text struct{ Content string }
		var m struct {
			Timestamp, Sign string
			Type            string `json:"msg_type"`
			Card            struct {
				Header   struct{ Title text }
				Elements []struct {
					Text    text
					Actions []struct{ URL string }
				}
			}
		}
		bad := json.Unmarshal(body, &m)
		at, err := strconv.ParseInt(m.Timestamp, 10, 64)
		switch {
		case r.URL.Path != "/open-apis/bot/v2/hook/"+hook:
			return nil, "19001"
		case bad != nil || m.Type != "interactive" || len(m.Card.Elements) == 0:
			return nil, "9499"
		case err != nil || p.Now().Sub(time.Unix(at, 0)).Abs() > time.Hour || !signed(m.Timestamp+"\n"+secret, "", m.Sign):
			return nil, "19021"
		case tooLong(string(body), 20<<10):
			return nil, "9498"
		}
		shown := &Message{Text: m.Card.Header.Title.Content}
		for _, e := range m.Card.Elements {
			shown.Text += "\n" + e.Text.Content
			for _, a := range e.Actions {
				shown.Link = a.URL
			}
		}
		return shown, ""
	}, numeric("code", "msg"), &quota{code: "11232", max: 100, per: time.Minute}, &quota{code: "9499", max: 5, per: time.Second})
	return p
}

// signed reports whether signature is the one of message under key.
func signed(key, message, signature string) bool {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(message))
	return signature == base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
