package series

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	influxdb2 "github.com/influxdata/influxdb-client-go/v2"
	"github.com/influxdata/influxdb-client-go/v2/api"
	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// Options say which InfluxDB and how to be let in.
type Options struct {
	URL        string
	HTTPClient *http.Client // of an embedded server; nil: one for a server behind URL
	Org        string       // 2.x
	Bucket     string       // a bucket of 2.x; on 1.8 database/retention-policy
	Token      string       // on 1.8 user:password
	User       string       // with Password, instead of Token
	Password   string
}

// Influx writes to and reads from one database. It is safe for concurrent use, keeps nothing in memory and retries nothing:
// when a write has returned nil the server has stored it.
type Influx struct {
	client   influxdb2.Client
	writer   api.WriteAPIBlocking
	queryURL string
	db, rp   string
}

// OpenInflux checks the options; it does not connect, see Ping.
func OpenInflux(o Options) (*Influx, error) {
	query, err := url.JoinPath(o.URL, "query")
	if u, perr := url.Parse(o.URL); err != nil || perr != nil || u.Host == "" {
		return nil, fmt.Errorf("influx url: %q is not a URL with a host", o.URL)
	}
	if o.Bucket == "" {
		return nil, errors.New("influx bucket: none given")
	}
	if o.Token != "" && o.User != "" {
		return nil, errors.New("influx token: given together with a user")
	}
	if o.HTTPClient == nil {
		o.HTTPClient = remoteClient()
	}
	x := &Influx{queryURL: query}
	x.client = influxdb2.NewClientWithOptions(o.URL, o.Token, influxdb2.DefaultOptions().SetHTTPClient(o.HTTPClient))
	if o.User != "" {
		x.client.HTTPService().SetAuthorization("Basic " + base64.StdEncoding.EncodeToString([]byte(o.User+":"+o.Password)))
	}
	x.writer = x.client.WriteAPIBlocking(o.Org, o.Bucket)
	x.db, x.rp, _ = strings.Cut(o.Bucket, "/")
	return x, nil
}

// remoteClient bounds what a server can keep open; how long a call may take is up to its context.
func remoteClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = 8
	t.ResponseHeaderTimeout = time.Minute
	return &http.Client{
		Transport: t,
		// A redirect would carry the credentials to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close drops idle connections.
func (x *Influx) Close() error {
	x.client.Close()
	return nil
}

// WriteError is a write that was not confirmed. Status 0 means there was no answer, and the lines may or may not be stored.
type WriteError struct {
	Status     int
	RetryAfter time.Duration // what the server asked for; 0: nothing
	Message    string
	err        error
}

func (e *WriteError) Error() string {
	if e.Status == 0 {
		return "write: " + e.Message
	}
	return fmt.Sprintf("write: status %d: %s", e.Status, e.Message)
}

func (e *WriteError) Unwrap() error { return e.err }

// Write stores lines of line protocol with timestamps in nanoseconds. Its error is a *WriteError; a status of 400 may mean that
// the good lines were stored.
func (x *Influx) Write(ctx context.Context, lines []byte) error {
	err := x.writer.WriteRecord(ctx, string(lines))
	if err == nil {
		return nil
	}
	var answer *influxhttp.Error
	if !errors.As(err, &answer) || answer.StatusCode == 0 {
		return &WriteError{Message: err.Error(), err: err}
	}
	return &WriteError{
		Status:     answer.StatusCode,
		RetryAfter: time.Duration(answer.RetryAfter) * time.Second,
		Message:    answer.Message,
		err:        err,
	}
}

// Ping asks the database something small, with the credentials: it finds out whether reading works.
func (x *Influx) Ping(ctx context.Context) error {
	return x.query(ctx, "SHOW MEASUREMENTS LIMIT 1", nil, func(row) error { return nil })
}
