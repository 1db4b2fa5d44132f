// Package providers plays the services that carry messages to people, for tests: real servers on loopback that speak the wire formats
// of the paid ones and keep their rules. They check signatures, count quotas, punish who exceeds them, answer 200 with an error code,
// refuse what is too long, and drop what they have seen under the same id where the real one does.
//
// They are written from the public documentation. It must not import a role: a channel is tested against it, not with it.
package providers

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
)

// Message is what a person sees: one message on a screen, or one call.
type Message struct {
	ID   string // that the sender gave it, where there is one
	To   string
	Text string
	Link string
	At   time.Time
}

// Fault is what a provider does to a request instead of its work.
type Fault struct {
	Status int           // answer with it
	Code   string        // answer 200 with this error code
	Header http.Header   // with Status
	Hang   bool          // take the message and never answer
	Drop   bool          // take the message and cut the connection
	Delay  time.Duration // before the work, which is then done
}

// Provider is a fake. Its work is told from the rest by what the kinds add.
type Provider struct {
	*httptest.Server

	// Now is the clock of quotas and signatures; it is set before the first request.
	Now func() time.Time

	mu       sync.Mutex // guards the fields below
	visible  []Message
	requests int
	refused  []string // codes
	faults   []Fault
	quotas   []*quota
	seen     map[string]time.Time // ids within the dedupe window
	state    map[string]any       // of the kind
}

// quota is a provider's own limit.
type quota struct {
	code    string // answered above it
	max     int
	per     time.Duration
	penalty time.Duration // everything is refused for so long once it is exceeded
	each    bool          // of every address

	times map[string][]time.Time
	until map[string]time.Time
}

// work takes a request that no fault concerns. It returns the message to be shown, nil for none, and the code of the answer.
type work func(r *http.Request, body []byte) (m *Message, code string)

// start runs a provider. Codes are written by answer; ok is the code of success.
func start(t testing.TB, do work, answer func(w http.ResponseWriter, code string, m *Message), quotas ...*quota) *Provider {
	p := &Provider{Now: time.Now, seen: map[string]time.Time{}, state: map[string]any{}, quotas: quotas}
	over := make(chan struct{})
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		fault := p.fault()
		switch {
		case fault.Status != 0:
			for k, v := range fault.Header {
				w.Header()[k] = v
			}
			w.WriteHeader(fault.Status)
			return
		case fault.Code != "":
			p.refuse(fault.Code)
			answer(w, fault.Code, nil)
			return
		case fault.Delay != 0:
			select {
			case <-time.After(fault.Delay):
			case <-r.Context().Done():
				return
			}
		}
		m, code := do(r, body)
		if m != nil && code == "" {
			code = p.show(m)
		}
		if code != "" {
			p.refuse(code)
		}
		switch {
		case fault.Hang:
			select {
			case <-over:
			case <-r.Context().Done():
			}
		case fault.Drop:
			panic(http.ErrAbortHandler)
		default:
			answer(w, code, m)
		}
	}))
	t.Cleanup(func() {
		close(over)
		p.Close()
	})
	return p
}

func (p *Provider) fault() (f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	if len(p.faults) > 0 {
		f, p.faults = p.faults[0], p.faults[1:]
	}
	return f
}

func (p *Provider) refuse(code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = append(p.refused, code)
}

// show counts a message against the quotas and shows it. It returns the code of the quota that is exceeded.
func (p *Provider) show(m *Message) (code string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	m.At = now
	for _, q := range p.quotas {
		if !q.take(m.To, now) {
			return q.code
		}
	}
	p.visible = append(p.visible, *m)
	return ""
}

func (q *quota) take(to string, now time.Time) bool {
	if !q.each {
		to = ""
	}
	if q.times == nil {
		q.times, q.until = map[string][]time.Time{}, map[string]time.Time{}
	}
	if now.Before(q.until[to]) {
		return false
	}
	var recent []time.Time
	for _, at := range q.times[to] {
		if now.Sub(at) < q.per {
			recent = append(recent, at)
		}
	}
	if len(recent) >= q.max {
		q.until[to] = now.Add(q.penalty)
		return false
	}
	q.times[to] = append(recent, now)
	return true
}

// Will makes the coming requests go wrong, one fault each.
func (p *Provider) Will(f ...Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, f...)
}

// Visible are the messages that people see, oldest first.
func (p *Provider) Visible() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Message(nil), p.visible...)
}

// Refused are the codes of what was refused.
func (p *Provider) Refused() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.refused...)
}

// Requests is how many requests came.
func (p *Provider) Requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests
}

func tooLong(text string, limit int) bool { return len(text) > limit || !utf8.ValidString(text) }

// numeric answers {field: code, message: text}; success is 0.
func numeric(field, message string) func(http.ResponseWriter, string, *Message) {
	return func(w http.ResponseWriter, code string, _ *Message) {
		n := json.Number(code)
		if code == "" {
			n = "0"
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{field: n, message: strings.TrimSpace("code " + code)})
	}
}
