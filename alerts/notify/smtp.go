package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"linli/bus"
	"linli/devices"
)

var _ = define("smtp", openSMTP)

// smtpSettings are those of a mail server that takes mail for others.
type smtpSettings struct {
	Host     string         `yaml:"host"`
	Port     int            `yaml:"port"` // left out: 587, or 465 with implicit TLS
	TLS      string         `yaml:"tls"`  // starttls (default), implicit, or none, which needs allow_private_addresses
	User     string         `yaml:"user"`
	Password devices.Secret `yaml:"password"`
	From     string         `yaml:"from"`
	To       string         `yaml:"to"` // for messages without an address
	// AllowPrivateAddresses lets the server be on our own network.
	AllowPrivateAddresses bool `yaml:"allow_private_addresses"`
}

// smtpChannel sends mail. It is slow and may lie unread, so it should not be the only way to anybody.
type smtpChannel struct {
	smtpSettings
	options []mail.Option
	domain  string
}

var _ Channel = (*smtpChannel)(nil)

func openSMTP(s smtpSettings, _ *slog.Logger) (Channel, error) {
	at := strings.LastIndexByte(s.From, '@')
	switch {
	case s.Host == "":
		return nil, errors.New("host: is missing")
	case at <= 0:
		return nil, fmt.Errorf("from: %q is not a mail address", s.From)
	case s.TLS == "none" && !s.AllowPrivateAddresses:
		return nil, errors.New("tls: none only where allow_private_addresses is true")
	}
	c := &smtpChannel{smtpSettings: s, domain: strings.TrimRight(s.From[at+1:], ">")}
	dial := guardedDialer(s.AllowPrivateAddresses).DialContext
	switch s.TLS {
	case "", "starttls":
		c.options = append(c.options, mail.WithPort(587), mail.WithTLSPolicy(mail.TLSMandatory))
	case "implicit":
		c.options = append(c.options, mail.WithPort(465), mail.WithSSL())
		tcp := dial
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := tcp(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return tls.Client(conn, &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}), nil
		}
	case "none":
		c.options = append(c.options, mail.WithPort(25), mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("tls: %q is none of starttls, implicit, none", s.TLS)
	}
	if s.Port != 0 {
		c.options = append(c.options, mail.WithPort(s.Port))
	}
	if s.User != "" {
		auth := mail.SMTPAuthAutoDiscover
		if s.TLS == "none" {
			auth = mail.SMTPAuthPlainNoEnc
		}
		c.options = append(c.options, mail.WithSMTPAuth(auth), mail.WithUsername(s.User), mail.WithPassword(s.Password.Reveal()))
	}
	c.options = append(c.options, mail.WithTimeout(SendLimit), mail.WithDialContextFunc(dial), mail.WithHELO(c.domain))
	_, err := mail.NewClient(s.Host, c.options...)
	return c, err
}

// Caps implements Channel. The Message-ID stays the same, but few programs fold mails by it.
func (c *smtpChannel) Caps() Caps { return Caps{MaxBytes: 64 << 10} }

// Send implements Channel.
func (c *smtpChannel) Send(ctx context.Context, m Message) (Receipt, error) {
	to := m.To
	if to == "" {
		to = c.To
	}
	x := mail.NewMsg()
	if err := x.From(c.From); err != nil {
		return Receipt{}, refuse(Auth, "", "from: %w", err)
	}
	if err := x.To(to); err != nil {
		return Receipt{}, refuse(BadTarget, "", "to: %w", err)
	}
	id := m.ID + "@" + c.domain
	x.SetMessageIDWithValue(id)
	x.SetDateWithValue(m.Made)
	x.Subject(m.Title)
	x.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Alert.Severity == bus.Critical {
		x.SetImportance(mail.ImportanceUrgent)
	}
	x.SetBodyString(mail.TypeTextPlain, m.said(c.Caps().MaxBytes))
	client, err := mail.NewClient(c.Host, c.options...)
	if err != nil {
		return Receipt{}, refuse(Auth, "", "open mail client: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, x)
	if x.IsDelivered() { // what comes after that does not matter
		return Receipt{id}, nil
	}
	return Receipt{}, judgeMail(err)
}

// judgeMail sorts the errors of a mail server.
func judgeMail(err error) error {
	var refused *SendError
	if errors.As(err, &refused) { // by our own dialer
		return refused
	}
	var e *mail.SendError
	if !errors.As(err, &e) {
		if text := err.Error(); strings.Contains(text, "535") || strings.Contains(text, "AUTH failed") {
			return refuse(Auth, "535", "the mail server does not let us in: %w", err)
		}
		return fmt.Errorf("reach the mail server: %w", err)
	}
	code := e.ErrorCode()
	class := Retry
	switch {
	case code == 0 && (e.Reason == mail.ErrSMTPDataClose || e.Reason == mail.ErrWriteContent):
		class = InDoubt
	case code == 530 || code == 535:
		class = Auth
	case code >= 500 && e.Reason == mail.ErrSMTPRcptTo:
		class = BadTarget
	case code == 552 || code == 554:
		class = BadMessage
	}
	return refuse(class, strconv.Itoa(code), "the mail server refuses: %w", err)
}
