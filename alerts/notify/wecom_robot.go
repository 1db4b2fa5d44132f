package notify

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"linli/devices"
)

var _ = define("wecom_robot", openWeComRobot)

// weComSettings are those of a robot of a WeCom (企业微信) group.
type weComSettings struct {
	endpoint `yaml:",inline"`
	Key      devices.Secret `yaml:"key"`
}

// weComRobot writes into a group. An address is the phone number or user id of the member who is called by name; without one, life
// safety calls everybody.
type weComRobot struct {
	*caller
	key string
}

var _ Channel = (*weComRobot)(nil)

func openWeComRobot(s weComSettings, _ *slog.Logger) (Channel, error) {
	c, err := s.open("https://qyapi.weixin.qq.com/cgi-bin/webhook/send")
	if err != nil {
		return nil, err
	}
	if s.Key == "" {
		return nil, errors.New("key: is missing")
	}
	return &weComRobot{c, s.Key.Reveal()}, nil
}

// Caps implements Channel. A robot knows no ids and gives no receipts.
func (w *weComRobot) Caps() Caps {
	return Caps{MaxBytes: 2048, Account: "wecom_robot " + w.key, Limits: robotLimits}
}

// weComCodes are its errors.
var weComCodes = map[int]verdict{
	45009: {RateLimited, time.Minute}, // more than 20 in a minute
	45033: {RateLimited, time.Minute}, // too many at a time
	-1:    {Retry, 0},                 // system busy
	93000: {Auth, 0},                  // no such key
	93008: {Auth, 0},                  // the robot is not in the group any more
	40058: {BadMessage, 0},            // a field of the message
	44004: {BadMessage, 0},            // empty
	45002: {BadMessage, 0},            // too long
}

// Send implements Channel.
func (w *weComRobot) Send(ctx context.Context, m Message) (Receipt, error) {
	text := map[string]any{"content": m.said(w.Caps().MaxBytes)}
	switch {
	case isPhone(m.To):
		text["mentioned_mobile_list"] = []string{m.To}
	case m.To != "":
		text["mentioned_list"] = []string{m.To}
	case m.Alert.Safety && call(m.Event):
		text["mentioned_list"] = []string{"@all"}
	}
	code, why, err := w.postJSON(ctx, w.url+"?key="+url.QueryEscape(w.key), map[string]any{"msgtype": "text", "text": text})
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{}, judgeCode(code, why, weComCodes)
}

// isPhone reports whether an address is a phone number.
func isPhone(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	return len(digits) >= 7 && strings.Trim(digits, "0123456789") == ""
}
