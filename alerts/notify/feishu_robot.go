package notify

import (
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"time"

	"linli/bus"
	"linli/devices"
)

var _ = define("feishu_robot", openFeishuRobot)

// feishuSettings are those of a custom bot of a Feishu (飞书) group with signature verification. For Lark, url is
// https://open.larksuite.com/open-apis/bot/v2/hook/.
type feishuSettings struct {
	signedSettings `yaml:",inline"`
	Hook           devices.Secret `yaml:"hook"` // what stands behind /hook/
}

// feishuRobot writes cards into a group; the button of a card leads to the acknowledgement.
type feishuRobot struct{ *signedRobot }

var _ Channel = (*feishuRobot)(nil)

func openFeishuRobot(s feishuSettings, _ *slog.Logger) (Channel, error) {
	r, err := s.open("https://open.feishu.cn/open-apis/bot/v2/hook/", "hook", s.Hook)
	if err != nil {
		return nil, err
	}
	return &feishuRobot{r}, nil
}

// Caps implements Channel. The whole body may have 20 KB.
func (f *feishuRobot) Caps() Caps {
	return Caps{MaxBytes: 12_000, Account: "feishu_robot " + f.name, Limits: []Limit{
		{Max: 100, Reserved: 20, Per: 61 * time.Second}, {Max: 5, Reserved: 2, Per: 1100 * time.Millisecond},
	}}
}

// feishuCodes are its errors.
var feishuCodes = map[int]verdict{
	11232: {RateLimited, time.Minute}, // the whole system, most often at :00 and :30
	9499:  {RateLimited, time.Second}, // this bot
	19021: {Auth, 0},                  // signature or time
	19022: {Auth, 0},                  // IP address
	19024: {Auth, 0},                  // keyword
	19001: {Auth, 0},                  // no such hook
	19002: {BadMessage, 0},
	9498:  {BadMessage, 0},
}

// feishuColours are the heads of cards.
var feishuColours = map[bus.Severity]string{bus.Critical: "red", bus.High: "orange", bus.Medium: "yellow", bus.Low: "blue"}

// Send implements Channel.
func (f *feishuRobot) Send(ctx context.Context, m Message) (Receipt, error) {
	plain := func(s string) map[string]any { return map[string]any{"tag": "plain_text", "content": s} }
	elements := []any{map[string]any{"tag": "div", "text": plain(cut(m.Text, f.Caps().MaxBytes))}}
	if m.Link != "" {
		elements = append(elements, map[string]any{"tag": "action", "actions": []any{
			map[string]any{"tag": "button", "type": "primary", "text": plain(m.ackWord()), "url": m.Link},
		}})
	}
	colour := feishuColours[m.Alert.Severity]
	if !call(m.Event) {
		colour = "green"
	}
	at := f.now().Unix()
	code, why, err := f.postJSON(ctx, f.url+url.PathEscape(f.name), map[string]any{
		"timestamp": strconv.FormatInt(at, 10), "sign": feishuSign(f.secret, at), "msg_type": "interactive",
		"card": map[string]any{
			"header": map[string]any{"title": plain(cut(m.Title, 1000)), "template": colour}, "elements": elements,
		},
	})
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{}, judgeCode(code, why, feishuCodes)
}

// feishuSign is the signature of a time in s: time and secret are the key, and the message is empty.
func feishuSign(secret string, at int64) string {
	return hmacOf(strconv.FormatInt(at, 10)+"\n"+secret, "")
}
