package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"linli/devices"
)

var _ = define("webhook", openWebhook)

// webhookSettings are those of a webhook as https://www.standardwebhooks.com has it.
type webhookSettings struct {
	endpoint `yaml:",inline"`
	Secret   devices.Secret `yaml:"secret"` // whsec_ and 24 to 64 bytes in base64
}

// webhook posts messages to a URL, signed so that the receiver knows who sent them and when.
type webhook struct {
	*caller
	key []byte
	now func() time.Time
}

var _ Channel = (*webhook)(nil)

func openWebhook(s webhookSettings, _ *slog.Logger) (Channel, error) {
	c, err := s.open("")
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Secret.Reveal(), "whsec_"))
	if err != nil || len(key) < 24 || len(key) > 64 {
		return nil, errors.New("secret: want whsec_ and 24 to 64 bytes in base64")
	}
	return &webhook{caller: c, key: key, now: time.Now}, nil
}

// Caps implements Channel: a receiver remembers webhook-id.
func (w *webhook) Caps() Caps { return Caps{Dedupes: forever} }

// Send implements Channel.
func (w *webhook) Send(ctx context.Context, m Message) (Receipt, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(m.Body))
	if err != nil {
		return Receipt{}, refuse(BadTarget, "", "%w", err)
	}
	at := strconv.FormatInt(w.now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(w.key, m.ID, at, m.Body))
	status, header, _, err := w.do(ctx, req)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{}, judgeStatus(status, header)
}

// sign is the signature of Standard Webhooks, version 1.
func sign(key []byte, id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}
