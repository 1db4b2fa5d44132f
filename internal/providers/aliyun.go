package providers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Aliyun is the part of Aliyun that sends short messages and calls phones, for one user.
type Aliyun struct {
	*Provider
	Prompt      bool // what it takes arrives at once; set before the first request
	key, secret string
}

// aliyunCall is what the provider knows of a message or a call.
type aliyunCall struct {
	id, out, to string
	status      int // 1 waiting, 2 failed, 3 arrived
	keys        string
}

// AliyunSMS sends at most 50 messages a day to a number.
func AliyunSMS(t testing.TB, key, secret string) *Aliyun {
	return newAliyun(t, key, secret, &quota{code: "isv.BUSINESS_LIMIT_CONTROL", max: 50, per: 24 * time.Hour, each: true})
}

// AliyunVoice calls a number once a minute, 5 times an hour, 20 times a day.
func AliyunVoice(t testing.TB, key, secret string) *Aliyun {
	const code = "isv.BUSINESS_LIMIT_CONTROL"
	return newAliyun(t, key, secret, &quota{code: code, max: 1, per: time.Minute, each: true},
		&quota{code: code, max: 5, per: time.Hour, each: true}, &quota{code: code, max: 20, per: 24 * time.Hour, each: true})
}

func newAliyun(t testing.TB, key, secret string, quotas ...*quota) *Aliyun {
	a := &Aliyun{key: key, secret: secret}
	a.Provider = start(t, a.do, a.answer, quotas...)
	return a
}

func (a *Aliyun) do(r *http.Request, _ []byte) (*Message, string) {
	if code := a.check(r); code != "" {
		return nil, code
	}
	q := r.URL.Query()
	switch r.Header.Get("x-acs-action") {
	case "SendSms":
		return a.take(q.Get("PhoneNumbers"), q.Get("OutId"), q.Get("TemplateParam"), q.Get("SignName") != "" && q.Get("TemplateCode") != "")
	case "SingleCallByTts":
		return a.take(q.Get("CalledNumber"), q.Get("OutId"), q.Get("TtsParam"), q.Get("TtsCode") != "")
	case "IvrCall":
		return a.take(q.Get("CalledNumber"), q.Get("OutId"), q.Get("StartTtsParams"), q.Get("StartCode") != "" && q.Get("MenuKeyMap.1.Key") != "")
	case "QuerySendDetails":
		return nil, "list " + q.Get("PhoneNumber")
	case "QueryCallDetailByCallId":
		return nil, "call " + q.Get("CallId")
	}
	return nil, "InvalidAction.NotFound"
}

// check verifies the signature ACS3-HMAC-SHA256 of a request, and that it is fresh and came once.
func (a *Aliyun) check(r *http.Request) string {
	auth := regexp.MustCompile(`^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$`).
		FindStringSubmatch(r.Header.Get("Authorization"))
	if auth == nil {
		return "IncompleteSignature"
	}
	if auth[1] != a.key {
		return "InvalidAccessKeyId.NotFound"
	}
	var lines strings.Builder
	for _, name := range strings.Split(auth[2], ";") {
		v := r.Header.Get(name)
		if name == "host" {
			v = r.Host
		}
		lines.WriteString(name + ":" + v + "\n")
	}
	// The query is taken apart and put together again: what was signed must be canonical.
	var query []string
	for k, v := range r.URL.Query() {
		query = append(query, escape(k)+"="+escape(v[0]))
	}
	slices.Sort(query)
	request := strings.Join([]string{r.Method, "/", strings.Join(query, "&"), lines.String(), auth[2], r.Header.Get("x-acs-content-sha256")}, "\n")
	sum := sha256.Sum256([]byte(request))
	mac := hmac.New(sha256.New, []byte(a.secret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	at, err := time.Parse(time.RFC3339, r.Header.Get("x-acs-date"))
	switch {
	case auth[3] != hex.EncodeToString(mac.Sum(nil)):
		return "SignatureDoesNotMatch"
	case err != nil || a.Now().Sub(at).Abs() > 15*time.Minute:
		return "InvalidTimeStamp.Expired"
	case a.again("nonce "+r.Header.Get("x-acs-signature-nonce"), 15*time.Minute):
		return "SignatureNonceUsed"
	}
	return ""
}

func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// take accepts a message to a number, with a template's variables.
func (a *Aliyun) take(to, out, params string, complete bool) (*Message, string) {
	var values map[string]string
	if err := json.Unmarshal([]byte(params), &values); err != nil {
		return nil, "isv.TEMPLATE_MISSING_PARAMETERS"
	}
	var names []string
	for k, v := range values {
		if strings.Contains(v, "://") {
			return nil, "isv.PARAM_NOT_SUPPORT_URL"
		}
		if len([]rune(v)) > 35 {
			return nil, "isv.PARAM_LENGTH_LIMIT"
		}
		names = append(names, k)
	}
	slices.Sort(names)
	var text []string
	for _, k := range names {
		text = append(text, values[k])
	}
	switch {
	case !regexp.MustCompile(`^1\d{10}$`).MatchString(to):
		return nil, "isv.MOBILE_NUMBER_ILLEGAL"
	case !complete || len(out) > 15:
		return nil, "isv.INVALID_PARAMETERS"
	}
	m := &Message{ID: out, To: to, Text: strings.Join(text, "，")}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &aliyunCall{id: fmt.Sprint(1000+len(a.state), "^", 1), out: out, to: to, status: 1}
	if a.Prompt {
		c.status = 3
	}
	a.state[out] = c
	return m, ""
}

func (a *Aliyun) answer(w http.ResponseWriter, code string, m *Message) {
	out := map[string]any{"RequestId": "R", "Code": "OK", "Message": "OK"}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch number, asked := strings.CutPrefix(code, "list "); {
	case asked:
		var list []any
		for _, v := range a.state {
			if c, ok := v.(*aliyunCall); ok && c.to == number && a.shown(c.out) {
				list = append(list, map[string]any{"OutId": c.out, "SendStatus": c.status, "ErrCode": "DELIVERED"})
			}
		}
		out["SmsSendDetailDTOs"] = map[string]any{"SmsSendDetailDTO": list}
	case strings.HasPrefix(code, "call "):
		out["Data"] = a.detail(strings.TrimPrefix(code, "call "))
	case code != "":
		out["Code"], out["Message"] = code, "refused"
		if !strings.HasPrefix(code, "is") {
			w.WriteHeader(http.StatusBadRequest)
		}
	case m != nil:
		c := a.state[m.ID].(*aliyunCall)
		out["BizId"], out["CallId"] = c.id, c.id
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (a *Aliyun) shown(out string) bool {
	return slices.ContainsFunc(a.visible, func(m Message) bool { return m.ID == out })
}

// detail is a call as JSON; of one that goes on still, without an end.
func (a *Aliyun) detail(id string) string {
	for _, v := range a.state {
		c, ok := v.(*aliyunCall)
		if !ok || c.id != id || c.status == 1 {
			continue
		}
		duration := 0
		if c.status == 3 {
			duration = 12
		}
		return fmt.Sprintf(`{"callId":%q,"state":"200000","endDate":"2026-11-01 10:00:00","duration":%d,"dtmf":%q}`, id, duration, c.keys)
	}
	return ""
}

// Arrive decides what becomes of the message or call with an out id: it arrives, perhaps with keys pressed, or does not.
func (a *Aliyun) Arrive(out string, ok bool, keys string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.state[out].(*aliyunCall)
	c.keys, c.status = keys, 2
	if ok {
		c.status = 3
	}
}

// SMSReport is the body of the callback that tells of a message.
func (a *Aliyun) SMSReport(out string, ok bool) []byte {
	return fmt.Appendf(nil, `[{"phone_number":"13800000001","send_time":"2026-11-01 10:00:00","success":%v,"err_code":"DELIVERED","out_id":%q}]`, ok, out)
}

// SMSReply is the body of the callback that tells of a reply.
func (a *Aliyun) SMSReply(from, text string) []byte {
	return fmt.Appendf(nil, `[{"phone_number":%q,"send_time":"2026-11-01 10:00:00","content":%q,"sequence_id":"1"}]`, from, text)
}

// CallReport is the body of the callback that tells of the end of a call.
func (a *Aliyun) CallReport(out string, seconds int, keys string) []byte {
	return fmt.Appendf(nil, `[{"out_id":%q,"call_id":"1^1","status_code":"200000","end_time":"2026-11-01 10:00:10","duration":"%d秒","dtmf":%q}]`, out, seconds, keys)
}
