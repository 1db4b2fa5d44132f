package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"linli/devices"
)

// signedSettings are those of a group robot that wants its messages signed, beside the name by which its provider knows it.
type signedSettings struct {
	endpoint `yaml:",inline"`
	Secret   devices.Secret `yaml:"secret"`
}

// signedRobot is a group robot and the secret that its messages are signed with.
type signedRobot struct {
	*caller
	name, secret string
	now          func() time.Time
}

// open opens the robot of that name. key is where the settings have the name, url where the provider is.
func (s *signedSettings) open(url, key string, name devices.Secret) (*signedRobot, error) {
	c, err := s.endpoint.open(url)
	switch {
	case err != nil:
		return nil, err
	case name == "":
		return nil, fmt.Errorf("%s: is missing", key)
	case s.Secret == "":
		return nil, errors.New("secret: is missing")
	}
	return &signedRobot{c, name.Reveal(), s.Secret.Reveal(), time.Now}, nil
}

// hmacOf is the signature of a text, as such robots write it.
func hmacOf(key, text string) string {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// postJSON posts a message to a provider that answers 200 with an error code in its body, and returns the code: that of success is 0.
func (c *caller) postJSON(ctx context.Context, url string, message any) (code int, text string, err error) {
	b, err := json.Marshal(message)
	if err != nil {
		return 0, "", refuse(BadMessage, "", "write message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return 0, "", refuse(BadTarget, "", "url: not a URL")
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	status, header, answer, err := c.do(ctx, req)
	if err != nil {
		return 0, "", err
	}
	if err := judgeStatus(status, header); err != nil {
		return 0, "", err
	}
	var body struct {
		ErrCode *int   `json:"errcode"` // WeCom, DingTalk
		ErrMsg  string `json:"errmsg"`
		Code    *int   `json:"code"` // Feishu
		Msg     string `json:"msg"`
	}
	switch err := json.Unmarshal(answer, &body); {
	case err == nil && body.ErrCode != nil:
		return *body.ErrCode, body.ErrMsg, nil
	case err == nil && body.Code != nil:
		return *body.Code, body.Msg, nil
	}
	return 0, "", &SendError{Class: InDoubt, Err: errors.New("answered 200 and no error code")}
}

// verdict is what an error code of a provider means.
type verdict struct {
	class Class
	after time.Duration
}

// judgeCode sorts a provider's error codes; what it does not know is tried again.
func judgeCode(code int, text string, known map[int]verdict) error {
	if code == 0 {
		return nil
	}
	v, ok := known[code]
	if !ok {
		v.class = Retry
	}
	e := refuse(v.class, strconv.Itoa(code), "refused with code %d: %s", code, cut(text, 200))
	e.After, e.Account = v.after, true
	return e
}

// robotLimits are those of the group robots of WeCom and DingTalk: 20 in a minute.
var robotLimits = []Limit{{Max: 20, Reserved: 8, Per: 61 * time.Second}}
