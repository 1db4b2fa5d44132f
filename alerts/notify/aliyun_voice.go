package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"linli/bus"
)

var _ = define("aliyun_voice", openAliyunVoice)

// aliyunVoiceSettings are those of a template of Aliyun's voice service.
type aliyunVoiceSettings struct {
	aliyunSettings `yaml:",inline"`
	ShowNumber     string            `yaml:"show_number"` // the number that calls
	Template       string            `yaml:"template"`    // TTS_…
	Params         map[string]string `yaml:"params"`      // of the template, see aliyun_sms
	// AckKey is the key by which the called person takes the alert on; the template has to say so. Left out, the text is only read out.
	AckKey string `yaml:"ack_key"`
	// AckTemplate is read out after that key, without variables.
	AckTemplate string `yaml:"ack_template"`
}

// aliyunVoice calls phones and reads a text out. An address is a phone number.
type aliyunVoice struct {
	*aliyun
	settings aliyunVoiceSettings
}

var (
	_ Channel  = (*aliyunVoice)(nil)
	_ Asker    = (*aliyunVoice)(nil)
	_ Listener = (*aliyunVoice)(nil)
)

func openAliyunVoice(s aliyunVoiceSettings, _ *slog.Logger) (Channel, error) {
	a, err := s.openAliyun("https://dyvmsapi.aliyuncs.com/")
	switch {
	case err != nil:
		return nil, err
	case s.Template == "":
		return nil, errors.New("template: is missing")
	case len(s.AckKey) > 1 || strings.Trim(s.AckKey, "0123456789") != "":
		return nil, fmt.Errorf("ack_key: %q is not a digit", s.AckKey)
	case (s.AckKey == "") != (s.AckTemplate == ""):
		return nil, errors.New("ack_key: goes together with ack_template")
	case s.Params == nil:
		s.Params = usualParams
	}
	return &aliyunVoice{a, s}, checkParams(s.Params)
}

// Caps implements Channel. A number is called at most once a minute, 5 times an hour and 20 times a day.
func (a *aliyunVoice) Caps() Caps {
	return Caps{Receipts: true, Account: "aliyun_voice " + a.key, Limits: []Limit{
		{Max: 1, Per: 61 * time.Second, Each: true},
		{Max: 5, Reserved: 3, Per: time.Hour, Each: true},
		{Max: 20, Reserved: 10, Per: 24 * time.Hour, Each: true},
	}}
}

// Send implements Channel.
func (a *aliyunVoice) Send(ctx context.Context, m Message) (Receipt, error) {
	text, err := fill(a.settings.Params, &m)
	if err != nil {
		return Receipt{}, err
	}
	params := map[string]string{"CalledNumber": national(m.To), "PlayTimes": "3", "OutId": short(m.ID)}
	if a.settings.ShowNumber != "" {
		params["CalledShowNumber"] = a.settings.ShowNumber
	}
	action := "SingleCallByTts"
	if a.settings.AckKey == "" {
		params["TtsCode"], params["TtsParam"] = a.settings.Template, text
	} else {
		action = "IvrCall"
		params["StartCode"], params["StartTtsParams"] = a.settings.Template, text
		params["MenuKeyMap.1.Key"], params["MenuKeyMap.1.Code"] = a.settings.AckKey, a.settings.AckTemplate
		params["Timeout"] = "8000"
	}
	answer, err := a.aliyun.call(ctx, action, params)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{answer.CallID}, nil
}

// callReport is what the provider says of a call, as a callback (VoiceReport, VoiceCallReport) or when asked.
type callReport struct {
	OutID    string `json:"out_id"`
	CallID   string `json:"call_id"`
	Status   string `json:"status_code"`
	Duration any    `json:"duration"` // seconds, of the talk: 10, "10" or "10秒"
	Ended    string `json:"end_time"`
	DTMF     string `json:"dtmf"`   // keys pressed
	Digits   string `json:"digits"` // the same, of a menu
	// The names of the same things when asked.
	AskedState    string `json:"state"`
	AskedEnd      any    `json:"endDate"`
	AskedDuration any    `json:"durationSeconds"`
}

// prodIDs name the product to QueryCallDetailByCallId: a text read out, and a menu.
const prodTTS, prodIVR = "11000000300006", "11000000300005"

// Ask implements Asker. A call without a receipt cannot be asked for.
func (a *aliyunVoice) Ask(ctx context.Context, m Message, r Receipt) (Fate, error) {
	if r.ID == "" {
		return Fate{}, nil
	}
	prod := prodTTS
	if a.settings.AckKey != "" {
		prod = prodIVR
	}
	answer, err := a.aliyun.call(ctx, "QueryCallDetailByCallId", map[string]string{
		"CallId": r.ID, "ProdId": prod, "QueryDate": strconv.FormatInt(m.Made.UnixMilli(), 10),
	})
	if err != nil {
		return Fate{}, fmt.Errorf("query call: %w", err)
	}
	data := []byte(answer.Data)
	var text string
	if json.Unmarshal(data, &text) == nil { // JSON in a string
		data = []byte(text)
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return Fate{State: bus.Accepted, Receipt: r}, nil
	}
	var report callReport
	if err := json.Unmarshal(data, &report); err != nil {
		return Fate{}, fmt.Errorf("read call: %w", err)
	}
	x := a.judge(&report)
	if x == nil {
		return Fate{State: bus.Accepted, Receipt: r}, nil
	}
	return Fate{State: x.State, Class: x.Class, Receipt: r, Why: x.Why, Acknowledge: x.Acknowledge}, nil
}

// Listen implements Listener.
func (a *aliyunVoice) Listen(c bus.Callback) ([]Answer, error) {
	reports, err := listOf[callReport](c)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	var all []Answer
	for _, r := range reports {
		if x := a.judge(&r); x != nil {
			if x.Ref = r.OutID; x.Ref == "" {
				x.Ref = r.CallID
			}
			all = append(all, *x)
		}
	}
	return all, nil
}

// judge says what a report means; nil while the call goes on.
func (a *aliyunVoice) judge(r *callReport) *Answer {
	keys := r.DTMF + r.Digits
	answered := seconds(r.Duration) > 0 || seconds(r.AskedDuration) > 0
	switch {
	case keys != "" && a.settings.AckKey != "" && strings.Contains(keys, a.settings.AckKey):
		return &Answer{State: bus.Acted, Acknowledge: true, Why: "pressed " + keys}
	case keys != "" && a.settings.AckKey != "":
		return &Answer{State: bus.Failed, Class: Retry, Why: "pressed " + keys}
	case answered:
		return &Answer{State: bus.Delivered}
	case r.Ended != "" || r.AskedEnd != nil:
		return &Answer{State: bus.Failed, Class: Retry, Why: "not answered: " + r.Status + r.AskedState}
	}
	return nil
}

// seconds reads a duration that is a number or a text.
func seconds(v any) float64 {
	switch x := v.(type) {
	case float64:
		return x
	case string:
		s, err := strconv.ParseFloat(strings.TrimRight(x, "秒s "), 64)
		if err == nil {
			return s
		}
	}
	return 0
}
