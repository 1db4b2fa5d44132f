package notify

import (
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"linli/devices"
)

var _ = define("dingtalk_robot", openDingTalkRobot)

// dingTalkSettings are those of a robot of a DingTalk (钉钉) group whose security setting is the signature (加签); its secret is SEC….
type dingTalkSettings struct {
	signedSettings `yaml:",inline"`
	Token          devices.Secret `yaml:"token"`
}

// dingTalkRobot writes into a group. An address is the phone number of the member who is called by name; without one, life safety
// calls everybody.
type dingTalkRobot struct{ *signedRobot }

var _ Channel = (*dingTalkRobot)(nil)

func openDingTalkRobot(s dingTalkSettings, _ *slog.Logger) (Channel, error) {
	r, err := s.open("https://oapi.dingtalk.com/robot/send", "token", s.Token)
	if err != nil {
		return nil, err
	}
	return &dingTalkRobot{r}, nil
}

// Caps implements Channel. A robot knows no ids and gives no receipts; above its limit it is muted for ten minutes.
func (d *dingTalkRobot) Caps() Caps {
	return Caps{MaxBytes: 18_000, Account: "dingtalk_robot " + d.name, Limits: robotLimits}
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
	query := url.Values{"access_token": {d.name}, "timestamp": {ms}, "sign": {dingTalkSign(d.secret, ms)}}
	code, why, err := d.postJSON(ctx, d.url+"?"+query.Encode(), map[string]any{
		"msgtype": "text", "text": map[string]any{"content": m.said(d.Caps().MaxBytes-len(mention)) + mention}, "at": at,
	})
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{}, judgeCode(code, why, dingTalkCodes)
}

// dingTalkSign is the signature of a time in ms: the secret is the key, and part of the message.
func dingTalkSign(secret, ms string) string { return hmacOf(secret, ms+"\n"+secret) }
