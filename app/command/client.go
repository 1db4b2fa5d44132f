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
	"time"
)

// Client asks a running server over its HTTP API. Flags, then Open, then calls; those are safe for concurrent use.
type Client struct {
	Server string // URL
	Data   string // data directory of the server, for its token
	Key    string // sent with requests, if there is one: the same again does nothing twice

	token string
	http  *http.Client
}

// answerLimit is how long a server may take to begin to answer. An import of many devices takes seconds.
const answerLimit = 15 * time.Minute

// Flags defines the flags that say where the server is.
func (c *Client) Flags(fs *flag.FlagSet) {
	fs.StringVar(&c.Server, "server", "http://127.0.0.1:8080", "`URL` of the server")
	fs.StringVar(&c.Data, "data", "data", "data `directory` of the server, for its token")
}

// Open checks the flags and finds the token: LINLI_TOKEN, or what the server wrote to its data directory. It does not connect.
func (c *Client) Open(lookup func(string) (string, bool)) error {
	if u, err := url.Parse(c.Server); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usage("--server: %q is not a URL such as http://127.0.0.1:8080", c.Server)
	}
	token, ok := lookup("LINLI_TOKEN")
	if !ok {
		b, err := os.ReadFile(filepath.Join(c.Data, "admin.token"))
		if err != nil {
			return fmt.Errorf("no token: set LINLI_TOKEN, or --data to the server's data directory: %w", err)
		}
		token = string(b)
	}
	c.token = strings.TrimSpace(token)
	c.http = &http.Client{
		Timeout: answerLimit,
		// A redirect would carry the token to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return nil
}

// ServerError is what the server says is wrong.
type ServerError struct {
	Status  int
	Code    string
	Message string
}

func (e *ServerError) Error() string {
	if e.Status == http.StatusUnauthorized {
		return "the server does not accept the token: it is in admin.token of the data directory it runs with"
	}
	return e.Message
}

// Call sends a JSON body, if any, and decodes the answer into out.
func (c *Client) Call(ctx context.Context, method, path string, body, out any) error {
	if body == nil {
		return c.Send(ctx, method, path, "", nil, out)
	}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.Send(ctx, method, path, "application/json", bytes.NewReader(b), out)
}

// Send is Call with a body that is sent as it is. The answer is decoded into out even when it is a *ServerError.
func (c *Client) Send(ctx context.Context, method, path, contentType string, body io.Reader, out any) error {
	resp, err := c.do(ctx, method, path, contentType, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("answer of %s: %w", c.Server, err)
	}
	if resp.StatusCode >= 300 {
		return refusal(resp, answer, out)
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("answer of %s is not that of linli: %w", c.Server, err)
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.Server, "/")+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.Key != "" {
		req.Header.Set("Idempotency-Key", c.Key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s, is linli serve running there? %w", c.Server, errors.Unwrap(err))
	}
	return resp, nil
}

// Stream sends a JSON body and hands over the answer while it comes.
func (c *Client) Stream(ctx context.Context, method, path string, body any, read func(io.Reader) error) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	resp, err := c.do(ctx, method, path, "application/json", bytes.NewReader(b))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		answer, err := io.ReadAll(resp.Body)
		if err != nil {
			return fmt.Errorf("answer of %s: %w", c.Server, err)
		}
		return refusal(resp, answer, nil)
	}
	return read(resp.Body)
}

// complaint is what the server finds wrong.
type complaint struct{ Code, Detail string }

// refusal makes an error of an answer: a problem, or a report with a problem in it.
func refusal(resp *http.Response, answer []byte, out any) error {
	var body struct {
		complaint
		Error complaint
	}
	_ = json.Unmarshal(answer, &body)
	if body.Detail == "" {
		body.complaint = body.Error
	}
	if body.Detail == "" {
		return &ServerError{Status: resp.StatusCode, Message: "the server answers " + resp.Status}
	}
	_ = json.Unmarshal(answer, out)
	return &ServerError{resp.StatusCode, body.Code, body.Detail}
}
