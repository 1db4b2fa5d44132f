package series

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// QueryError is what the server said instead of an answer.
type QueryError struct {
	Status  int
	Message string
}

func (e *QueryError) Error() string { return fmt.Sprintf("query: status %d: %s", e.Status, e.Message) }

// row is one row of an answer.
type row struct {
	statement int    // which of the statements of the request, from 0
	series    string // identifies the tags
	tags      map[string]string
	columns   []string
	values    []any // time first, then the columns; null is nil
}

func (r row) time() time.Time {
	ms, _ := r.values[0].(float64)
	return time.UnixMilli(int64(ms)).UTC()
}

type answer struct {
	Results []struct {
		Statement int    `json:"statement_id"`
		Error     string `json:"error"`
		Series    []struct {
			Tags    map[string]string `json:"tags"`
			Columns []string          `json:"columns"`
			Values  [][]any           `json:"values"`
		} `json:"series"`
	} `json:"results"`
	Error string `json:"error"`
}

// query runs statements and hands over every row in the order of the answer: by statement, series and time. It holds one chunk
// of the answer at a time, and ends early with the error of each.
func (x *Influx) query(ctx context.Context, statements string, params map[string]any, each func(row) error) error {
	return x.ask(ctx, "ms", statements, params, func(chunk []byte) error {
		var a answer
		if err := json.Unmarshal(chunk, &a); err != nil {
			return fmt.Errorf("query answer: %w", err)
		}
		return a.rows(each)
	})
}

// ask runs statements and hands over the chunks of the answer, each a JSON value of its own.
func (x *Influx) ask(ctx context.Context, epoch, statements string, params map[string]any, each func(chunk []byte) error) error {
	form := url.Values{
		"db": {x.db}, "epoch": {epoch}, "q": {statements},
		// An answer in one piece is silently cut at the server's max-row-limit.
		"chunked": {"true"}, "chunk_size": {"10000"},
	}
	if x.rp != "" {
		form.Set("rp", x.rp)
	}
	if len(params) > 0 {
		p, err := json.Marshal(params)
		if err != nil {
			return fmt.Errorf("query parameters: %w", err)
		}
		form.Set("params", string(p))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.queryURL, strings.NewReader(form.Encode()))
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	resp, err := x.client.HTTPService().DoHTTPRequestWithResponse(req, nil)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return refusal(resp)
	}
	for in := bufio.NewReaderSize(resp.Body, 1<<20); ; { // the server ends every chunk with a new line
		chunk, err := in.ReadBytes('\n')
		if len(bytes.TrimSpace(chunk)) > 0 {
			if err := each(chunk); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("query answer: %w", err)
		}
	}
}

func (a answer) rows(each func(row) error) error {
	if a.Error != "" {
		return &QueryError{http.StatusOK, a.Error}
	}
	for _, r := range a.Results {
		if r.Error != "" {
			return &QueryError{http.StatusOK, r.Error}
		}
		for _, s := range r.Series {
			series := seriesKey(s.Tags)
			for _, v := range s.Values {
				if err := each(row{r.Statement, series, s.Tags, s.Columns, v}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// seriesKey is the same for equal tags only: tag ids hold neither of the signs between.
func seriesKey(tags map[string]string) string {
	var b strings.Builder
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		fmt.Fprintf(&b, "%s=%q,", tag, tags[tag])
	}
	return b.String()
}

func refusal(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	var a answer
	if json.Unmarshal(b, &a) != nil || a.Error == "" {
		a.Error = strings.TrimSpace(string(b))
	}
	return &QueryError{resp.StatusCode, a.Error}
}

// request gathers statements that go to the server together, and their parameters.
type request struct {
	text   strings.Builder
	n      int // statements begun
	params map[string]any
}

// begin starts a statement.
func (r *request) begin(format string, a ...any) {
	if r.n > 0 {
		r.text.WriteString("; ")
	}
	r.n++
	fmt.Fprintf(&r.text, format, a...)
}

func (r *request) add(s string) { r.text.WriteString(s) }

// bind adds a value as a parameter.
func (r *request) bind(v any) {
	if r.params == nil {
		r.params = map[string]any{}
	}
	name := "p" + strconv.Itoa(len(r.params))
	r.params[name] = v
	r.text.WriteString("$" + name)
}

// devices adds the condition that the device is one of ids.
func (r *request) devices(ids ...string) {
	join := "("
	for _, id := range ids {
		r.add(join + `"device" = `)
		r.bind(id)
		join = " OR "
	}
	r.add(")")
}

// tags adds the conditions on payload tags.
func (r *request) tags(tags map[string]string) {
	for tag, value := range tags {
		r.add(" AND " + quote(tag) + " = ")
		r.bind(value)
	}
}

// between adds the condition that time is in [from, to). Statements know time in nanoseconds.
func (r *request) between(from, to time.Time) {
	r.since(from)
	r.before(to)
}

func (r *request) before(t time.Time) {
	r.add(" AND time < ")
	r.bind(t.UnixNano())
}

func (r *request) since(t time.Time) {
	r.add(" AND time >= ")
	r.bind(t.UnixNano())
}

// groupBy adds a GROUP BY of tags, if there are any.
func (r *request) groupBy(tags []string) {
	join := " GROUP BY "
	for _, tag := range tags {
		r.add(join + quote(tag))
		join = ", "
	}
}

// quote makes an identifier of a name that validNames has let pass.
func quote(name string) string { return `"` + name + `"` }
