package command

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"
)

// session is one run of a command: where the server is, and how to print.
type session struct {
	env    Environment
	server string
	data   string
	json   bool

	token string
	http  *http.Client
}

// answerLimit is how long a server may take to begin to answer. An import of many devices takes seconds.
const answerLimit = 15 * time.Minute

func (s *session) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.server, "server", "http://127.0.0.1:8080", "`URL` of the server")
	fs.StringVar(&s.data, "data", "data", "data `directory` of the server, for its token")
	fs.BoolVar(&s.json, "json", false, "print JSON")
}

func (s *session) open() error {
	if u, err := url.Parse(s.server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usage("--server: %q is not a URL such as http://127.0.0.1:8080", s.server)
	}
	token, ok := s.env.Lookup("LINLI_TOKEN")
	if !ok {
		b, err := os.ReadFile(filepath.Join(s.data, "admin.token"))
		if err != nil {
			return fmt.Errorf("no token: set LINLI_TOKEN, or --data to the server's data directory: %w", err)
		}
		token = string(b)
	}
	s.token = strings.TrimSpace(token)
	s.http = &http.Client{
		Timeout: answerLimit,
		// A redirect would carry the token to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// serverError is what the server says is wrong.
type serverError struct {
	Status  int
	Code    string
	Message string
}

func (e *serverError) Error() string {
	if e.Status == http.StatusUnauthorized {
		return "the server does not accept the token: it is in admin.token of the data directory it runs with"
	}
	return e.Message
}

// call sends a JSON body, if any, and decodes the answer into out.
func (s *session) call(ctx context.Context, method, path string, body, out any) error {
	if body == nil {
		return s.send(ctx, method, path, "", nil, out)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return s.send(ctx, method, path, "application/json", bytes.NewReader(b), out)
}

// send is call with a body that is sent as it is. An error's answer is decoded into out too.
func (s *session) send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(s.server, "/")+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return fmt.Errorf("no answer from %s, is linli serve running there? %w", s.server, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("answer of %s: %w", s.server, err)
	}
	if resp.StatusCode >= 300 {
		return refusal(resp, answer, out)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("answer of %s is not that of linli: %w", s.server, err)
	}
	return nil
}

func refusal(resp *http.Response, answer []byte, out any) error {
	var body struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal(answer, &body); err != nil || body.Error.Message == "" {
		return &serverError{Status: resp.StatusCode, Message: "the server answers " + resp.Status}
	}
	_ = json.Unmarshal(answer, out)
	return &serverError{resp.StatusCode, body.Error.Code, body.Error.Message}
}

// print prints v as JSON if that was asked for, else what text writes.
func (s *session) print(v any, text func(io.Writer)) error {
	if s.json {
		e := json.NewEncoder(s.env.Out)
		e.SetEscapeHTML(false)
		return e.Encode(v)
	}
	t := tabwriter.NewWriter(s.env.Out, 0, 0, 2, ' ', 0)
	text(t)
	return t.Flush()
}

// file opens the file of an argument; - is the standard input.
func (s *session) file(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(s.env.In), nil
	}
	return os.Open(name)
}

// query makes the query part of a path out of names and values, without the empty ones.
func query(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
