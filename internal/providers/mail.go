package providers

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Mail is a mail server that wants a login.
type Mail struct {
	Addr           string // host:port
	user, password string

	mu       sync.Mutex // guards the fields below
	visible  []Message
	refusals map[string]*smtp.SMTPError // of recipients
	drop     bool                       // take the next mail and cut the connection
}

// SMTP starts a mail server.
func SMTP(t testing.TB, user, password string) *Mail {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &Mail{Addr: l.Addr().String(), user: user, password: password, refusals: map[string]*smtp.SMTPError{}}
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &mailSession{mail: m, conn: c}, nil }))
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "localhost", true, nothing{}
	s.ReadTimeout, s.WriteTimeout, s.MaxMessageBytes = 10*time.Second, 10*time.Second, 1<<20
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	return m
}

// nothing is a log of nothing.
type nothing struct{}

func (nothing) Printf(string, ...any) {}
func (nothing) Println(...any)        {}

// Refuse makes mail to an address end with a code.
func (m *Mail) Refuse(to string, code int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refusals[to] = &smtp.SMTPError{Code: code, Message: "refused"}
}

// Drop takes the next mail and cuts the connection before the answer.
func (m *Mail) Drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop = true
}

// Visible are the mails that came, oldest first. ID is the Message-ID, Text subject and body.
func (m *Mail) Visible() []Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Message(nil), m.visible...)
}

type mailSession struct {
	mail *Mail
	conn *smtp.Conn
	in   bool
	to   string
}

func (s *mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.mail.user || password != s.mail.password {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.in {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	s.to = to
	if e := s.mail.refusals[to]; e != nil {
		return e
	}
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	x, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	b, err := io.ReadAll(x.Body)
	if err != nil {
		return err
	}
	if x.Header.Get("Auto-Submitted") != "auto-generated" {
		return &smtp.SMTPError{Code: 554, Message: "not marked as automatic"}
	}
	s.mail.mu.Lock()
	defer s.mail.mu.Unlock()
	s.mail.visible = append(s.mail.visible, Message{
		ID: x.Header.Get("Message-ID"), To: s.to, Text: fmt.Sprintf("%s\n%s", x.Header.Get("Subject"), strings.TrimSpace(string(b))),
	})
	if s.mail.drop {
		s.mail.drop = false
		_ = s.conn.Conn().Close()
		return errors.New("cut off")
	}
	return nil
}

func (s *mailSession) Reset()        {}
func (s *mailSession) Logout() error { return nil }
