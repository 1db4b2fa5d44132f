package acceptance

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// webhookSecret signs the deliveries of the tests (Standard Webhooks: base64 behind the prefix).
const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// delivery is one request that the receiver accepted.
type delivery struct {
	ID    string `json:"id"`
	Event string `json:"event"`
	Alert struct {
		ID, Rule, Severity, State, Community, Device string
		OpenedAt                                     time.Time `json:"opened_at"`
		EventTime                                    time.Time `json:"event_time"`
		Text                                         struct{ ZH, EN string }
	} `json:"alert"`
	Person  string    `json:"person"`
	Link    string    `json:"link"`
	EventAt time.Time `json:"at"`
	At      time.Time `json:"-"` // of its arrival
}

// receiver is a webhook receiver of a property manager: it checks the signature and keeps what it has not seen.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex // guards the fields below
	seen     map[string][]byte
	got      []delivery
	repeated int // deliveries that came again with the same id
	bad      []string
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{seen: map[string][]byte{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(func() {
		r.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, b := range r.bad {
			t.Error(b)
		}
	})
	return r
}

func (r *receiver) receive(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	id := req.Header.Get("webhook-id")
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || !signed(req.Header, body) {
		r.bad = append(r.bad, fmt.Sprintf("delivery %q is not signed as it should be: %v", id, err))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil || d.ID != id {
		r.bad = append(r.bad, fmt.Sprintf("delivery %q: body %s: %v", id, body, err))
		return
	}
	if before, again := r.seen[id]; again {
		r.repeated++
		if string(before) != string(body) {
			r.bad = append(r.bad, fmt.Sprintf("delivery %q came again with another body", id))
		}
		return
	}
	r.seen[id] = body
	d.At = time.Now()
	r.got = append(r.got, d)
}

func signed(h http.Header, body []byte) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(webhookSecret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), h.Get("webhook-timestamp"), body)
	return strings.Contains(h.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// opened counts, by device, the deliveries that say that an alert of the rule has opened.
func (r *receiver) opened(rule string) map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := map[string]int{}
	for _, d := range r.got {
		if d.Alert.Rule == rule && d.Alert.State == "opened" {
			n[d.Alert.Device]++
		}
	}
	return n
}

// all returns a copy of what has come.
func (r *receiver) all() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]delivery(nil), r.got...)
}

// config writes a configuration file that sends every alert to the receiver.
func (r *receiver) config(t *testing.T) string {
	name := filepath.Join(t.TempDir(), "linli.yaml")
	text := fmt.Sprintf("channels:\n  - {name: ops, type: webhook, url: %q, secret: %q, allow_private_addresses: true}\nduty: [ops]\n", r.URL, webhookSecret)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// toldOpened counts the deliveries that say that an alert, given by its id, has opened; repeats of its event are others.
func (r *receiver) toldOpened(alert string) int {
	n := 0
	for _, d := range r.all() {
		if d.Alert.ID == alert && d.Event == "opened" {
			n++
		}
	}
	return n
}

// repeatedNow is how many deliveries have come again under the same id.
func (r *receiver) repeatedNow() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.repeated
}
