package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"linli/devices"
)

var _ = define("dingtalk_robot", openDingTalkRobot)

// dingTalkSettings are those of a robot of a DingTalk (钉钉) group whose security setting is the signature (加签).
type dingTalkSettings struct {
	endpoint `yaml:",inline"`
	Token    devices.Secret `yaml:"token"`
	Secret   devices.Secret `yaml:"secret"` // SEC…
}

// dingTalkRobot writes into a group. An address is the phone number of the member who is called by name; without one, life safety
// calls everybody.
type dingTalkRobot struct {
	*caller
	token, secret string
	now           func() time.Time
}

var _ Channel = (*dingTalkRobot)(nil)

func openDingTalkRobot(s dingTalkSettings, _ *slog.Logger) (Channel, error) {
	c, err := s.open("https://oapi.dingtalk.com/robot/send")
	switch {
	case err != nil:
		return nil, err
	case s.Token == "":
		return nil, errors.New("token: is missing")
	case s.Secret == "":
		return nil, errors.New("secret: is missing")
	}
	return &dingTalkRobot{c, s.Token.Reveal(), s.Secret.Reveal(), time.Now}, nil
}

// Caps implements Channel. A robot knows no ids and gives no receipts; above its limit it is muted for ten minutes.
func (d *dingTalkRobot) Caps() Caps {
	return Caps{MaxBytes: 18_000, Account: "dingtalk_robot " + d.token, Limits: robotLimits}
}

// dingTalkCodes are its errors.
var dingTalkCodes = map[int]verdict{
	130101: {RateLimited, 10 * time.Minute}, // muted
	410100: {RateLimited, 10 * time.Minute}, // the same of the newer gateway
	-1:     {Retry, 0},
	310000: {Auth, 0},       // signature, time, keyword or IP address
	300001: {Auth, 0},       // no such token
	400101: {Auth, 0},       // the same of the newer gateway
	400013: {Auth, 0},       // the group is gone
	400102: {Auth, 0},       // the robot is stopped
	40035:  {BadMessage, 0}, // a field of the message
	460101: {BadMessage, 0}, // too long
}

// Send implements Channel.
func (d *dingTalkRobot) Send(ctx context.Context, m Message) (Receipt, error) {
	at := map[string]any{"isAtAll": m.To == "" && m.Alert.Safety && call(m.Event)}
	mention := ""
	if m.To != "" {
		at["atMobiles"] = []string{m.To}
		mention = "\n@" + m.To // it is shown where it stands
	}
	ms := strconv.FormatInt(d.now().UnixMilli(), 10)
	query := url.Values{"access_token": {d.token}, "timestamp": {ms}, "sign": {dingTalkSign(d.secret, ms)}}
	code, why, err := d.postJSON(ctx, d.url+"?"+query.Encode(), map[string]any{
		"msgtype": "text", "text": map[string]any{"content": m.said(d.Caps().MaxBytes-len(mention)) + mention}, "at": at,
	})
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{}, judgeCode(code, why, dingTalkCodes)
}

// dingTalkSign is the signature of a time in ms: the secret is the key, and part of the message.
func dingTalkSign(secret, ms string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(ms + "\n" + secret))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}
