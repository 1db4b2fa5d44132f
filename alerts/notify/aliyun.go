package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nuid"

	"linli/bus"
	"linli/devices"
)

// aliyunSettings are the credentials of an Aliyun (阿里云) RAM user.
type aliyunSettings struct {
	endpoint `yaml:",inline"`
	Key      string         `yaml:"access_key_id"`
	Secret   devices.Secret `yaml:"access_key_secret"`
}

// aliyun calls the products of Aliyun whose interface is of the RPC style.
type aliyun struct {
	*caller
	host, key, secret, version string
	now                        func() time.Time
}

func (s aliyunSettings) openAliyun(usual string) (*aliyun, error) {
	c, err := s.open(usual)
	switch {
	case err != nil:
		return nil, err
	case s.Key == "":
		return nil, errors.New("access_key_id: is missing")
	case s.Secret == "":
		return nil, errors.New("access_key_secret: is missing")
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return nil, err
	}
	return &aliyun{c, u.Host, s.Key, s.Secret.Reveal(), "2017-05-25", time.Now}, nil
}

// aliyunAnswer is what every action answers; the rest of it depends on the action.
type aliyunAnswer struct {
	Code, Message string
	BizID         string          `json:"BizId"`
	CallID        string          `json:"CallId"`
	Data          json.RawMessage // QueryCallDetailByCallId
	Details       struct {
		List []aliyunDetail `json:"SmsSendDetailDTO"`
	} `json:"SmsSendDetailDTOs"`
}

// aliyunDetail is one line of QuerySendDetails.
type aliyunDetail struct {
	OutID      string `json:"OutId"`
	ErrCode    string
	SendStatus int // 1 waiting, 2 failed, 3 arrived
}

// call performs an action. Only the answer's Code says whether it was done.
func (a *aliyun) call(ctx context.Context, action string, params map[string]string) (*aliyunAnswer, error) {
	query := canonicalQuery(params)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+"?"+query, nil)
	if err != nil {
		return nil, refuse(BadTarget, "", "url: not a URL")
	}
	a.sign(req, action, query)
	status, header, body, err := a.do(ctx, req)
	if err != nil {
		return nil, err
	}
	answer := new(aliyunAnswer)
	switch err := json.Unmarshal(body, answer); {
	case err == nil && answer.Code == "OK":
		return answer, nil
	case err == nil && answer.Code != "":
		return nil, judgeAliyun(answer)
	}
	if err := judgeStatus(status, header); err != nil {
		return nil, err
	}
	return nil, &SendError{Class: InDoubt, Err: errors.New("answered 200 and no code")}
}

// sign puts the signature ACS3-HMAC-SHA256 of a request without a body into its headers.
func (a *aliyun) sign(req *http.Request, action, query string) {
	empty := sha256.Sum256(nil)
	headers := map[string]string{
		"host": a.host, "x-acs-action": action, "x-acs-version": a.version, "x-acs-date": a.now().UTC().Format(time.RFC3339),
		"x-acs-signature-nonce": nuid.Next(), "x-acs-content-sha256": hex.EncodeToString(empty[:]),
	}
	for k, v := range headers {
		if k != "host" {
			req.Header.Set(k, v)
		}
	}
	signed, signature := aliyunSign(a.secret, req.Method, query, headers)
	req.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+a.key+",SignedHeaders="+signed+",Signature="+signature)
}

// aliyunSign returns the names of the headers that are signed, all of those given, and the signature.
func aliyunSign(secret, method, query string, headers map[string]string) (signed, signature string) {
	names := make([]string, 0, len(headers))
	for k := range headers {
		names = append(names, k)
	}
	slices.Sort(names)
	var lines strings.Builder
	for _, k := range names {
		lines.WriteString(k + ":" + strings.TrimSpace(headers[k]) + "\n")
	}
	signed = strings.Join(names, ";")
	request := strings.Join([]string{method, "/", query, lines.String(), signed, headers["x-acs-content-sha256"]}, "\n")
	sum := sha256.Sum256([]byte(request))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	return signed, hex.EncodeToString(mac.Sum(nil))
}

// canonicalQuery is sorted and escaped as RFC 3986 says.
func canonicalQuery(params map[string]string) string {
	names := make([]string, 0, len(params))
	for k := range params {
		names = append(names, k)
	}
	slices.Sort(names)
	for i, k := range names {
		names[i] = rfc3986(k) + "=" + rfc3986(params[k])
	}
	return strings.Join(names, "&")
}

func rfc3986(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// judgeAliyun sorts the error codes of messages and calls; what it does not know, isp.* above all, is tried again.
func judgeAliyun(a *aliyunAnswer) error {
	e := refuse(Retry, a.Code, "refused with %s: %s", a.Code, cut(a.Message, 200))
	switch c := a.Code; {
	case strings.Contains(c, "BUSINESS_LIMIT_CONTROL"): // of this number
		e.Class, e.After = RateLimited, 10*time.Minute
	case c == "isv.DAY_LIMIT_CONTROL", c == "isv.MONTH_LIMIT_CONTROL":
		e.Class, e.After, e.Account = RateLimited, time.Hour, true
	case strings.HasPrefix(c, "Throttling"):
		e.Class, e.After, e.Account = RateLimited, 5*time.Second, true
	case strings.Contains(c, "MOBILE_NUMBER_ILLEGAL"), strings.Contains(c, "MOBILE_COUNT_OVER_LIMIT"),
		c == "isv.PHONENUMBER_ILLEGAL", c == "isv.INVALID_CALLED_NUMBER":
		e.Class = BadTarget
	case strings.Contains(c, "PARAM"), strings.Contains(c, "BLACK_KEY"):
		e.Class = BadMessage
	case c == "SignatureDoesNotMatch", c == "SignatureNonceUsed", strings.HasPrefix(c, "InvalidAccessKeyId"),
		c == "InvalidTimeStamp.Expired", strings.HasPrefix(c, "Forbidden"), strings.Contains(c, "SIGNATURE"),
		strings.Contains(c, "TEMPLATE"), strings.Contains(c, "AMOUNT_NOT_ENOUGH"), strings.Contains(c, "OUT_OF_SERVICE"),
		strings.Contains(c, "ACCOUNT"), strings.Contains(c, "UNSUBSCRIBED"), c == "isv.RAM_PERMISSION_DENY":
		e.Class = Auth
	}
	return e
}

// maxVariable is how many characters a variable of a template takes.
const maxVariable = 35

// facts are what the variables of templates may stand for; addresses of the web are not allowed in them.
func facts(m *Message) map[string]string {
	w := languages(m.Language)[0]
	rule := w.in(m.Alert.Name)
	if what := w.event[m.Event]; what != "" {
		rule += what
	}
	if m.Repeat {
		rule = w.repeat + rule
	}
	where := m.Alert.Where
	if where.ZH == "" {
		where = (*devices.Community)(nil).Where(m.Alert.Place)
	}
	all := map[string]string{
		"rule": rule, "text": w.in(m.Alert.Text), "severity": w.severity[m.Alert.Severity], "device": m.Alert.Device,
		"place": w.in(where), "time": m.Alert.EventTime.In(zone).Format("15:04"),
	}
	if all["place"] == "" {
		all["place"] = m.Alert.Community
	}
	for k, v := range all {
		all[k] = cutRunes(strings.NewReplacer("http://", "", "https://", "", "\n", " ").Replace(v), maxVariable)
	}
	return all
}

// usualParams are the variables of a template whose settings name none: 【${place}】${rule}，${time}
var usualParams = map[string]string{"place": "place", "rule": "rule", "time": "time"}

// checkParams refuses variables that stand for nothing.
func checkParams(params map[string]string) error {
	known := facts(&Message{})
	for name, fact := range params {
		if _, ok := known[fact]; !ok {
			return errors.New("params: " + name + ": nothing is called " + fact)
		}
	}
	return nil
}

// fill makes the JSON of a template's variables.
func fill(params map[string]string, m *Message) (string, error) {
	known, values := facts(m), make(map[string]string, len(params))
	for name, fact := range params {
		values[name] = known[fact]
	}
	b, err := json.Marshal(values)
	if err != nil {
		return "", refuse(BadMessage, "", "write variables: %w", err)
	}
	return string(b), nil
}

// listOf reads the body of a callback: a list of reports, or a single one.
func listOf[R any](c bus.Callback) ([]R, error) {
	var all []R
	if json.Unmarshal(c.Body, &all) == nil {
		return all, nil
	}
	var one R
	if err := json.Unmarshal(c.Body, &one); err != nil {
		return nil, err
	}
	return []R{one}, nil
}

// national is a mobile number of China without the code of the country; anything else as it is.
func national(number string) string {
	for _, code := range []string{"+86", "0086", "86"} {
		if rest, found := strings.CutPrefix(number, code); found && len(rest) == 11 && rest[0] == '1' && strings.Trim(rest, "0123456789") == "" {
			return rest
		}
	}
	return number
}
