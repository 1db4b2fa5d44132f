package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"linli/bus"
)

var _ = define("aliyun_sms", openAliyunSMS)

// aliyunSMSSettings are those of a template of Aliyun's short message service.
type aliyunSMSSettings struct {
	aliyunSettings `yaml:",inline"`
	Sign           string            `yaml:"sign"`     // 短信签名
	Template       string            `yaml:"template"` // SMS_…
	Params         map[string]string `yaml:"params"`   // of the template, and what each stands for: rule, text, place, time, severity, device
}

// aliyunSMS sends short messages. An address is a phone number.
type aliyunSMS struct {
	*aliyun
	sign, template string
	params         map[string]string
}

var (
	_ Channel  = (*aliyunSMS)(nil)
	_ Asker    = (*aliyunSMS)(nil)
	_ Listener = (*aliyunSMS)(nil)
)

func openAliyunSMS(s aliyunSMSSettings, _ *slog.Logger) (Channel, error) {
	a, err := s.openAliyun("https://dysmsapi.aliyuncs.com/")
	switch {
	case err != nil:
		return nil, err
	case s.Sign == "":
		return nil, errors.New("sign: is missing")
	case s.Template == "":
		return nil, errors.New("template: is missing")
	case s.Params == nil:
		s.Params = usualParams
	}
	return &aliyunSMS{a, s.Sign, s.Template, s.Params}, checkParams(s.Params)
}

// Caps implements Channel. A number gets at most 50 notices a day under one signature and template. Ids are carried, but not looked
// at: Ask finds a message by its id.
func (a *aliyunSMS) Caps() Caps {
	return Caps{
		Receipts: true, Account: strings.Join([]string{"aliyun_sms", a.key, a.sign, a.template}, " "),
		Limits: []Limit{{Max: 50, Reserved: 15, Per: 24 * time.Hour, Each: true}},
	}
}

// Send implements Channel.
func (a *aliyunSMS) Send(ctx context.Context, m Message) (Receipt, error) {
	params, err := fill(a.params, &m)
	if err != nil {
		return Receipt{}, err
	}
	answer, err := a.call(ctx, "SendSms", map[string]string{
		"PhoneNumbers": national(m.To), "SignName": a.sign, "TemplateCode": a.template, "TemplateParam": params, "OutId": short(m.ID),
	})
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{answer.BizID}, nil
}

// Ask implements Asker: it looks through what was sent to the number that day.
func (a *aliyunSMS) Ask(ctx context.Context, m Message, r Receipt) (Fate, error) {
	for _, day := range days(m.Made, a.now()) {
		answer, err := a.call(ctx, "QuerySendDetails", map[string]string{
			"PhoneNumber": national(m.To), "SendDate": day, "PageSize": "50", "CurrentPage": "1",
		})
		if err != nil {
			return Fate{}, fmt.Errorf("query what was sent: %w", err)
		}
		i := slices.IndexFunc(answer.Details.List, func(d aliyunDetail) bool { return d.OutID == short(m.ID) })
		if i < 0 {
			continue
		}
		switch d := answer.Details.List[i]; d.SendStatus {
		case 3:
			return Fate{State: bus.Delivered, Receipt: r}, nil
		case 2:
			return Fate{State: bus.Failed, Class: BadTarget, Receipt: r, Why: d.ErrCode}, nil
		default:
			return Fate{State: bus.Accepted, Receipt: r}, nil
		}
	}
	return Fate{}, nil
}

// days are the dates from one time to another, at most two: a message is asked for soon.
func days(from, to time.Time) []string {
	first, last := from.In(zone).Format("20060102"), to.In(zone).Format("20060102")
	if first == last {
		return []string{first}
	}
	return []string{last, first}
}

// smsReport is a line of the callbacks SmsReport and SmsUp.
type smsReport struct {
	Phone   string `json:"phone_number"`
	Success *bool  `json:"success"`
	ErrCode string `json:"err_code"`
	OutID   string `json:"out_id"`
	Content string `json:"content"` // SmsUp: what somebody replied
}

// Listen implements Listener: receipts, and replies. "1" and words like 收到 take the alert on.
func (a *aliyunSMS) Listen(c bus.Callback) ([]Answer, error) {
	reports, err := listOf[smsReport](c)
	if err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	var all []Answer
	for _, r := range reports {
		switch {
		case r.Success != nil && *r.Success:
			all = append(all, Answer{Ref: r.OutID, State: bus.Delivered})
		case r.Success != nil:
			all = append(all, Answer{Ref: r.OutID, State: bus.Failed, Class: BadTarget, Why: r.ErrCode})
		default:
			all = append(all, Answer{Ref: r.Phone, State: bus.Acted, Acknowledge: agrees(r.Content), Why: cut(r.Content, 100)})
		}
	}
	return all, nil
}

// agrees reports whether a reply takes an alert on.
func agrees(reply string) bool {
	switch strings.ToLower(strings.TrimSpace(reply)) {
	case "1", "y", "yes", "ok", "收到", "确认", "好", "好的":
		return true
	}
	return false
}
