package providers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// statuses are answers whose code is the HTTP status.
func statuses(w http.ResponseWriter, code string, m *Message) {
	if code == "" {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"id": fmt.Sprint("n", m.At.UnixNano()), "event": "message"})
		return
	}
	status, err := strconv.Atoi(code)
	if err != nil {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
}

// Webhook is a receiver as Standard Webhooks has it: it acts once on each id. Secret begins with whsec_.
func Webhook(t testing.TB, secret string) *Provider {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	var p *Provider
	p = start(t, func(r *http.Request, body []byte) (*Message, string) {
		id, at := r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp")
		s, err := strconv.ParseInt(at, 10, 64)
		signature, found := strings.CutPrefix(r.Header.Get("webhook-signature"), "v1,")
		switch {
		case err != nil || p.Now().Sub(time.Unix(s, 0)).Abs() > 5*time.Minute:
			return nil, "401"
		case !found || !signed(string(key), id+"."+at+"."+string(body), signature):
			return nil, "401"
		case p.again(id, 24*time.Hour):
			return nil, ""
		}
		return &Message{ID: id, Text: string(body)}, ""
	}, func(w http.ResponseWriter, code string, _ *Message) {
		if code != "" {
			statuses(w, code, nil)
		}
	})
	return p
}

// again reports whether an id was seen within a window, and remembers it.
func (p *Provider) again(id string, window time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, seen := p.seen[id]
	if seen && p.Now().Sub(at) < window {
		return true
	}
	p.seen[id] = p.Now()
	return false
}

// Ntfy is a server that lets who has the token publish: 60 messages in five minutes, of at most 4096 bytes.
func Ntfy(t testing.TB, token string) *Provider {
	return start(t, func(r *http.Request, body []byte) (*Message, string) {
		var m struct {
			Topic, Title, Message string
			Priority              int
			Actions               []struct{ Action, URL, Method string }
		}
		switch err := json.Unmarshal(body, &m); {
		case r.Header.Get("Authorization") != "Bearer "+token:
			return nil, "401"
		case err != nil || m.Topic == "" || strings.Contains(m.Topic, "/") || m.Priority < 0 || m.Priority > 5:
			return nil, "400"
		case tooLong(m.Message, 4096):
			return nil, "413"
		}
		shown := &Message{To: m.Topic, Text: m.Title + "\n" + m.Message}
		for _, a := range m.Actions {
			if a.Action == "http" && a.Method == http.MethodPost {
				shown.Link = a.URL
			}
		}
		return shown, ""
	}, statuses, &quota{code: "429", max: 60, per: 5 * time.Minute})
}
